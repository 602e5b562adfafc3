// Texts of programs that somebody wrote: what does not fit together is refused, and no element outside of a buffer is
// read or written, whatever the kernels say.
using Accelerate.Backends;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Kernels;

public sealed class ProgramTextTests
{
    private const string Scaled = """
        program @f {
          sizes(n)
          input(b0: f32[n], "x")
          temporary(b1: f32[n], "")
          output(b2: f32[n], "y")
          plan { check(atmost, n, 99, "few") slot(0, 4*n) live(b1, 4*n, 0, 1, slot 0) }
          call(@k0; b0, b1)
          call(@k0; b1, b2)
        }
        kernel @k0(b0: in(f32, n), b1: out(f32, n); sizes(n)) {
          vector(i < n) { %0: f32 = load(b0[i]) %1: f32 = add(%0, %0) store(b1[i], %1) }
        }
        """;

    public static TheoryData<string, string, string> Refused => new()
    {
        { "slot(0, 4*n)", "slot(0, 2*n)", "b1 takes 4*n bytes, and its slot has 2*n" },
        { "slot(0, 4*n)", "slot(1, 4*n)", "slots are numbered in order" },
        { "slot 0", "slot 3", "slot 3 of 1" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 2*n, 0, 1, slot 0)",
            "b1 takes 4*n bytes, and the plan gives it 2*n" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*m, 0, 1, slot 0)", "mentions m" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*n, 1, 1, slot 0)", "b1 is used by step 0, and lives from 1 to 1" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*n, 0, 0, slot 0)", "b1 is used by step 1, and lives from 0 to 0" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*n, 1, 0, slot 0)", "b1 lives from 1 to 0" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b0, 4*n, 0, 1, slot 0)", "'b0' is no temporary" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*n, 0, 1, slot 0) live(b1, 4*n, 0, 1, slot 0)",
            "'b1' lives twice" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*n, 0, 1, slot 0, at 0)", "an arena has its bytes" },
        { "live(b1, 4*n, 0, 1, slot 0)", "live(b1, 4*n, 0, 1, slot 0, at 0) arena(64)",
            "b1 has a fixed place, and takes 4*n" },
        { "live(b1, 4*n, 0, 1, slot 0)", "call(@k0; b0, b1)", "a line of a plan was expected" },
        { "slot 0) }", "slot 0) } plan { }", "one plan" },
        { "slot 0) }", "slot 0) scratch(64*m) }", "mentions m" },
        { "check(atmost, n, 99", "check(atmost, m, 99", "mentions m" },
        { "call(@k0; b1, b2)", "loop(i.1 < 2) { call(@k0; b1, b2) }",
            "b1 is used by step 2, and lives from 0 to 1" },
        { "output(b2: f32[n], \"y\")", "output(b2: f32[n-1], \"y\")", "for the n elements of b1" },
        { "output(b2: f32[n], \"y\")", "output(b2: f16[n], \"y\")", "for b1, which is f32" },
        { "output(b2: f32[n], \"y\")", "output(b2: f32[m], \"y\")", "mentions m" },
        { "call(@k0; b1, b2)", "call(@k0; b1, b0)", "b0 is written, though it is an input" },
        { "call(@k0; b1, b2)", "call(@k0; b1)", "with 1 buffers, not 2" },
        { "call(@k0; b1, b2)", "copy(b1, b0)", "b0 is written, though it is an input" },
        { "call(@k0; b1, b2)", "loop(n < 3) { call(@k0; b1, b2) }", "the size n hides another one" },
        { "call(@k0; b1, b2)", "if(b1) { call(@k0; b1, b2) } else { }", "stands where a bool is wanted" },
        { "call(@k0; b1, b2)", "size(m.1, b0, 1, n) call(@k0; b1, b2)", "stands where an integer is wanted" },
        { "sizes(n)) {", "sizes(n, m)) {", "called where its size m is not known" },
        { "store(b1[i], %1)", "store(b1[i], %7)", "%7 is not defined" },
        { "store(b1[i], %1)", "store(b1[k], %1)", "K4" },
        { "store(b1[i], %1)", "store(b0[i], %1)", "K9" },
        { "vector(i < n)", "vector(v3' < n)", "K1" },
        { "vector(i < n)", "vector(row' < n)", "K1" },
        { "vector(i < n)", "vector(2*i < n)", "a loop variable was expected" },
        { "vector(i < n)", "vector(i < n//0)", "divis" },
    };

    [Fact]
    public void ATypeWithTooManyElementsIsRefused()
    {
        var e = Assert.Throws<FormatException>(() => ProgramReader.Read(
            "program @f { sizes(n) input(x0: f64[n,3,9223372036854775807,33], \"x\") }"));
        Assert.Equal("program @f: a number of elements, or bytes, does not fit 64 bits", e.Message);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void WhatDoesNotFitIsRefused(string before, string after, string says)
    {
        Assert.NotNull(ProgramReader.Read(Scaled));
        Assert.Contains(before, Scaled, StringComparison.Ordinal);
        var e = Assert.ThrowsAny<FormatException>(() => ProgramReader.Read(Scaled.Replace(before, after)));
        Assert.Contains(says, e.Message, StringComparison.OrdinalIgnoreCase);
    }

    private const string Pinned = """
        program @f {
          sizes()
          input(b0: f32[16], "x")
          temporary(t1: f32[16], "")
          temporary(t2: f32[40], "")
          output(b3: f32[16], "y")
          plan {
            slot(0, 64)
            slot(1, 160)
            live(t1, 64, 0, 2, slot 0, at 192)
            live(t2, 160, 1, 2, slot 1, at 0)
            arena(256)
          }
          copy(b0, t1)
          copy(t2, t2)
          copy(t1, b3)
        }

        """;

    /// <summary>What a text says of offsets is taken as it is, and so it has to be right.</summary>
    [Theory]
    [InlineData("at 192", "at 128", "t1 at 128 and t2 at 0 overlap, and are alive at the same step")]
    [InlineData("at 192", "at 200", "t1 lies at 200, which is no whole line of 64 bytes")]
    [InlineData("at 192", "at -64", "t1 lies at -64, which is no whole line")]
    [InlineData("at 192", "at 256", "t1 lies at 256, and takes 64 bytes of an arena of 256")]
    [InlineData("arena(256)", "arena(192)", "t1 lies at 192, and takes 64 bytes of an arena of 192")]
    [InlineData(", at 192", "", "an arena has its bytes, and the offset of every temporary")]
    [InlineData("slot 1", "slot 0", "t2 takes 160 bytes, and its slot has 64")]
    [InlineData("slot 0, at", "slot 1, at", "t1 and t2 share slot 1, and are alive at the same step")]
    public void OffsetsOfATextAreHeldToTheLives(string before, string after, string says)
    {
        Assert.Equal(Pinned, ProgramPrinter.Print(ProgramReader.Read(Pinned)));
        Assert.Contains(before, Pinned, StringComparison.Ordinal);
        var e = Assert.Throws<FormatException>(() => ProgramReader.Read(Pinned.Replace(before, after)));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    /// <summary>A text without a plan is right, and takes more memory: nothing shares.</summary>
    [Fact]
    public void WhatATextLeavesOutOfAPlanIsAliveThroughout()
    {
        var without = Pinned[..Pinned.IndexOf("  plan {", StringComparison.Ordinal)]
            + Pinned[Pinned.IndexOf("  copy(b0", StringComparison.Ordinal)..];
        var program = ProgramReader.Read(without);
        Assert.Equal([(1, 0, 2, 0), (2, 0, 2, 1)],
            program.Plan.Temporaries.Select(t => (t.Buffer, t.First, t.Last, t.Slot)));
        Assert.Equal(256, program.Plan.Arena!.Bytes);
        var text = ProgramPrinter.Print(program);
        Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(text)));
        Assert.Contains("live(t2, 160, 0, 2, slot 1, at 0)", text, StringComparison.Ordinal);
        // Sizes that are not constants leave the offsets to the call.
        var symbolic = ProgramReader.Read(Scaled);
        Assert.Null(symbolic.Plan.Arena);
        Assert.Equal(128, new ArenaLayout(symbolic, _ => 17).Bytes);
        var worker = symbolic.Plan with { Scratch = [64, symbolic.Plan.Slots[0]] };
        text = ProgramPrinter.Print(symbolic with { Plan = worker });
        Assert.Contains("    scratch(64, 4*n)\n", text, StringComparison.Ordinal);
        Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(text)));
    }

    /// <summary>A loop needs what is alive around it whole; what begins and ends inside is free between.</summary>
    [Fact]
    public void LivesAreInsideOfABlockOrAroundIt()
    {
        const string text = """
            program @f {
              sizes(n)
              input(b0: f32[n], "x")
              temporary(t1: f32[n], "")
              temporary(t2: f32[n], "")
              output(b3: f32[n], "y")
              plan {
                slot(0, 4*n)
                slot(1, 4*n)
                live(t1, 4*n, 0, 4, slot 0)
                live(t2, 4*n, 2, 3, slot 1)
              }
              copy(b0, t1)
              loop(i.1 < 3) {
                copy(t1, t2)
                copy(t2, t1)
              }
              copy(t1, b3)
            }

            """;
        var e = Assert.Throws<FormatException>(() => ProgramReader.Read(text));
        Assert.Contains("t1 is used by step 5, and lives from 0 to 4", e.Message, StringComparison.Ordinal);
        var right = text.Replace("0, 4, slot 0", "0, 5, slot 0");
        Assert.Equal(right, ProgramPrinter.Print(ProgramReader.Read(right)));
        e = Assert.Throws<FormatException>(() => ProgramReader.Read(right.Replace("2, 3, slot 1", "2, 4, slot 1")));
        Assert.Contains("t2 lives from 2 to 4, across an end of the block of steps 1 to 4", e.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kernel")]
    [InlineData("program")]
    [InlineData("size")]
    public void TextsAsDeepAsAnyoneLikesAreRefused(string what)
    {
        var many = 100_000;
        string Times(string part) => string.Concat(Enumerable.Repeat(part, many));
        var text = what switch
        {
            "kernel" => Scaled.Replace("vector(i < n)", Times("serial(i < n) {")),
            "program" => Scaled.Replace("call(@k0; b0, b1)", Times("while {")),
            _ => Scaled.Replace("4*n", Times("(") + "n"),
        };
        Assert.ThrowsAny<FormatException>(() => ProgramReader.Read(text));
    }

    /// <summary>
    /// What the kernel does with x of 4 elements, 1 to 4, and y of 8: a read outside gives 0, a write does nothing.
    /// </summary>
    public static TheoryData<string, string, float[]> Outside => new()
    {
        { "past the end", "vector(i < 8) { %0: f32 = load(x[i+2]) store(y[i], %0) }", [3, 4, 0, 0, 0, 0, 0, 0] },
        { "before the start", "vector(i < 8) { %0: f32 = load(x[i-3]) store(y[i], %0) }", [0, 0, 0, 1, 2, 3, 4, 0] },
        { "far away", "vector(i < 8) { %0: f32 = load(x[i*1000000000000]) store(y[i], %0) }",
            [1, 0, 0, 0, 0, 0, 0, 0] },
        { "one by one", "serial(i < 8) { %0: f32 = load(x[i+2]) store(y[i], %0) }", [3, 4, 0, 0, 0, 0, 0, 0] },
        { "a guard about something else", """
            %9: f32 = const(7.0)
            vector(i < 8) { %0: f32 = load(x[i*1000000000+1] if(i < 4) else %9) store(y[i], %0) }
            """, [2, 7, 7, 7, 7, 7, 7, 7] },
        { "an index that is a value", """
            vector(i < 8) { %0: i64 = index(i*4000000000-4000000000) %1: f32 = load(x[v0']) store(y[i], %1) }
            """, [0, 1, 0, 0, 0, 0, 0, 0] },
        { "a clamp to an axis that is empty", """
            vector(i < 8) {
              %0: i64 = index(i) %1: i64 = const(0) %2: i64 = index(n-5)
              %3: bool = gt(%0, %2) %4: i64 = select(%3, %2, %0) %5: bool = lt(%0, %1) %6: i64 = select(%5, %1, %4)
              %7: f32 = load(x[v6'])
              store(y[i], %7)
            }
            """, [0, 0, 0, 0, 0, 0, 0, 0] },
        { "stores behind the end", """
            %0: f32 = const(1.0) vector(i < 8) { store(y[i], %0) }
            %1: f32 = const(5.0) vector(j < 8) { store(y[j*1000000000+6], %1) }
            """, [1, 1, 1, 1, 1, 1, 5, 1] },
        { "sums", """
            vector(i < 8) { %0: f32 = serial.add(k < 3) { %1: f32 = load(x[i+k]) yield(%1) } store(y[i], %0) }
            """, [6, 9, 7, 4, 0, 0, 0, 0] },
        { "rows", """
            serial(i < 8) { %0: f32 = reduce.add(k < 100000) { %1: f32 = load(x[k*i]) yield(%1) } store(y[i], %0) }
            """, [100000, 10, 4, 5, 1, 1, 1, 1] },
        { "contractions", """
            contract(i < 2, j < 4; k < 3) {
              left { %0: f32 = load(x[i*3+k]) yield(%0) }
              right { %1: f32 = load(x[k*2000000000+j]) yield(%1) }
              into(%2: f32) { store(y[i*4+j], %2) }
            }
            """, [1, 2, 3, 4, 4, 8, 12, 16] },
        { "running values", """
            cumulate.add(i < 8) { %0: f32 = load(x[i]) yield(%0) } into(%1: f32) { store(y[i*1], %1) }
            """, [1, 3, 6, 10, 10, 10, 10, 10] },
        { "orders", """
            sort.descending(i < 8) { %0: f32 = load(x[i]) yield(%0) } into(%1: f32, %2: i64) { store(y[i+v2'-v2'], %1) }
            """, [4, 3, 2, 1, 0, 0, 0, 0] },
    };

    [LlvmTheory]
    [MemberData(nameof(Outside))]
    public void NothingOutsideIsReadOrWritten(string what, string body, float[] expected)
    {
        var program = ProgramReader.Read($$"""
            program @f { sizes(n) input(x: f32[n], "x") output(y: f32[2*n], "y") call(@k; x, y) }
            kernel @k(x: in(f32, n), y: out(f32, 2*n); sizes(n)) { {{body}} }
            """);
        string[] backends = ["interpreter", "llvm", .. OpenClLibrary.Available(out _) ? ["opencl"] : (string[])[]];
        foreach (var backend in backends)
        {
            foreach (var target in backend == "llvm" ? TargetMatrix.Targets : ["host"])
            {
                using var executable =
                    Executables.Create(backend, [program], new ExecutableOptions { Target = target, UseCache = false });
                using var session = executable.CreateSession();
                using var x = Tensor.From([1f, 2, 3, 4], 4);
                var y = session.Run("f", x)[0].ToArray<float>();
                Assert.True(expected.SequenceEqual(y), $"{what}, {backend} {target}: {string.Join(' ', y)}");
            }
        }
    }
}
