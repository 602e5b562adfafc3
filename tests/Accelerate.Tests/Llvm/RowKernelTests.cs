// Rows in step, values kept between the loops of a row, results past the caches: the interpreter's bytes at every
// count.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class RowKernelTests
{
    /// <summary>Every kind of loop over a row; the expensive term of the sum is wanted again by the last one.</summary>
    private static string Rows(string type) => $$"""
        kernel @rows(x: in({{type}}, c*n), y: out({{type}}, c*n), z: out({{type}}, c*n), p: out(i32, n), s: out({{type}}, n); sizes(n, c)) {
          parallel(i < n) {
            %0: {{type}} = reduce.max(r < c) { %1: {{type}} = load(x[c*i+r]) yield(%1) }
            %2: {{type}} = const(0.125)
            %3: {{type}} = reduce.add(q < c) {
              %4: {{type}} = load(x[c*i+q])
              %5: {{type}} = sub(%4, %0)
              %6: {{type}} = mul(%5, %2)
              %7: {{type}} = fma(%6, %6, %2)
              %8: {{type}} = fma(%7, %6, %2)
              %9: {{type}} = fma(%8, %6, %2)
              %10: {{type}} = fma(%9, %6, %2)
              %11: {{type}} = fma(%10, %6, %2)
              %12: {{type}} = fma(%11, %6, %2)
              %13: {{type}} = fma(%12, %6, %2)
              yield(%13)
            }
            %14: i32 = serial.argmax(t < c) { %15: {{type}} = load(x[c*i+t]) yield(%15) }
            store(p[i], %14)
            store(s[i], %3)
            cumulate.add(k < c) { %16: {{type}} = load(x[c*i+k]) yield(%16) } into(%17: {{type}}) { store(z[c*i+k], %17) }
            vector(j < c) {
              %20: {{type}} = load(x[c*i+j])
              %21: {{type}} = sub(%20, %0)
              %22: {{type}} = mul(%21, %2)
              %23: {{type}} = fma(%22, %22, %2)
              %24: {{type}} = fma(%23, %22, %2)
              %25: {{type}} = fma(%24, %22, %2)
              %26: {{type}} = fma(%25, %22, %2)
              %27: {{type}} = fma(%26, %22, %2)
              %28: {{type}} = fma(%27, %22, %2)
              %29: {{type}} = fma(%28, %22, %2)
              %30: {{type}} = div(%29, %3)
              store(y[c*i+j], %30)
            }
          }
        }
        """;

    [LlvmTheory]
    [InlineData("f32")]
    [InlineData("f64")]
    [InlineData("bf16")]
    public void RowsInStepGiveTheInterpretersBytes(string name)
    {
        var type = DType.Parse(name);
        using var symbolic = new Comparison(KernelReader.Read(Rows(name)), NativeConfiguration.All);
        foreach (var columns in (long[])[0, 1, 10, 15, 16, 17, 33, 64, 1000])
            foreach (var rows in (long[])[0, 1, 3, 4, 5, 11]) Check(symbolic, rows, columns);
        // Around the longest row that runs in step, and beyond one block of a reduction.
        foreach (var columns in (long[])[4095, 4096, 4097, 8200]) Check(symbolic, 5, columns);
        foreach (var columns in (long[])[10, 16, 48, 40])
        {
            var text = Rows(name).Replace("sizes(n, c)", "sizes(n)").Replace("c*n", $"{columns}*n")
                .Replace("< c)", $"< {columns})")
                .Replace("c*i", $"{columns}*i");
            using var known = new Comparison(KernelReader.Read(text), NativeConfiguration.All);
            Check(known, 7, columns);
        }

        void Check(Comparison comparison, long rows, long columns)
        {
            var values = ContractionTests.Awkward(type, rows * columns, (int)(100 * rows + columns)).ToDoubles();
            // The first row has every special value, the others are ordinary: one NaN decides all of a row.
            for (var i = columns; i < values.Length; i++) if (!double.IsFinite(values[i])) values[i] = -0.0;
            comparison.Check([Tensor.FromDoubles(type, values, rows * columns)],
                new Dictionary<string, long> { ["n"] = rows, ["c"] = columns }, $"{name} {rows} x {columns}");
        }
    }

    /// <summary>
    /// Two to four passes over one axis, whose rows go through a pipeline; what one leaves is read by the next and the
    /// last.
    /// </summary>
    [LlvmTheory]
    [InlineData("f32", 2)]
    [InlineData("f32", 3)]
    [InlineData("f32", 4)]
    [InlineData("f64", 3)]
    [InlineData("bf16", 4)]
    public void PassesInOneLoopGiveTheInterpretersBytes(string name, int passes)
    {
        var type = DType.Parse(name);
        string Square(string term, int id) => string.Concat(Enumerable.Range(id, 8).Select(i =>
            $"%{i}: {name} = fma(%{(i == id ? 21 : i - 1)}, %{(i == id ? 21 : i - 1)}, {term}) "));
        var text = $$"""
            kernel @rows(x: in({{name}}, c*n), y: out({{name}}, c*n), s: out({{name}}, n); sizes(n, c)) {
              parallel(i < n) {
                %0: {{name}} = const(0.125)
                %1: {{name}} = reduce.max(r < c) { %2: {{name}} = load(x[c*i+r]) yield(%2) }
                {{(passes < 3 ? $"%20: {name} = add(%1, %0)" : $$"""
                %10: {{name}} = add(%1, %0)
                %20: {{name}} = reduce.add(q < c) { %11: {{name}} = load(x[c*i+q]) %21: {{name}} = sub(%11, %10) {{Square("%0", 30)}} yield(%37) }
                """)}}
                {{(passes < 4 ? "" : $$"""%50: {{name}} = reduce.min(t < c) { %51: {{name}} = load(x[c*i+t]) %52: {{name}} = mul(%51, %20) yield(%52) }""")}}
                store(s[i], {{(passes < 4 ? "%20" : "%50")}})
                %60: {{name}} = add(%1, %0)
                %61: {{name}} = mul({{(passes < 4 ? "%20" : "%50")}}, %60)
                vector(j < c) {
                  %62: {{name}} = load(x[c*i+j])
                  %63: {{name}} = sub(%62, %60)
                  {{Square("%0", 70).Replace("%21", "%63")}}
                  %80: {{name}} = div(%77, %61)
                  store(y[c*i+j], %80)
                }
              }
            }
            """;
        if (passes == 3) text = text.Replace("%60: " + name + " = add(%1, %0)", "").Replace("%60", "%10");
        using var symbolic = new Comparison(KernelReader.Read(text), NativeConfiguration.All);
        foreach (var columns in (long[])[0, 1, 10, 16, 17, 33, 48, 64, 1000])
            foreach (var rows in (long[])[0, 1, 2, 3, 4, 7, 11]) Check(symbolic, rows, columns);
        foreach (var columns in (long[])[4095, 4096, 4097, 8200]) Check(symbolic, 5, columns);
        foreach (var columns in (long[])[10, 16, 48, 40, 4097])
        {
            using var known =
                new Comparison(KernelReader.Read(text.Replace("sizes(n, c)", "sizes(n)").Replace("c*n", $"{columns}*n")
                .Replace("< c)", $"< {columns})").Replace("c*i", $"{columns}*i")), NativeConfiguration.All);
            Check(known, 7, columns);
        }

        void Check(Comparison comparison, long rows, long columns)
        {
            var values = ContractionTests.Awkward(type, rows * columns, (int)(100 * rows + columns)).ToDoubles();
            for (var i = columns; i < values.Length; i++) if (!double.IsFinite(values[i])) values[i] = -0.0;
            comparison.Check([Tensor.FromDoubles(type, values, rows * columns)],
                new Dictionary<string, long> { ["n"] = rows, ["c"] = columns }, $"{name} {passes}: {rows} x {columns}");
        }
    }

    /// <summary>
    /// The scratch is as large as what is kept: a vector's rest rounded up, four rows, but no more than needed, and a
    /// page.
    /// </summary>
    [Fact]
    public void ValuesThatALaterLoopWantsAreKept()
    {
        var kernel = KernelReader.Read(Rows("f32"));
        long Bytes(long n, long c) =>
            Accelerate.Backends.Llvm.LlvmExecutable.ScratchOf(kernel, "x86-64-v3").Evaluate(s => s == "n" ? n : c);
        Assert.Equal(4096 + 4 * 4 * 1008, Bytes(8, 1000));
        Assert.Equal(4096 + 4 * 100_000, Bytes(8, 100_000));
        // A cheap term is computed again instead.
        var cheap = KernelReader.Read("""
            kernel @cheap(x: in(f32, c*n), y: out(f32, c*n); sizes(n, c)) {
              parallel(i < n) {
                %0: f32 = reduce.add(r < c) { %1: f32 = load(x[c*i+r]) %2: f32 = mul(%1, %1) yield(%2) }
                vector(j < c) { %3: f32 = load(x[c*i+j]) %4: f32 = mul(%3, %3) %5: f32 = div(%4, %0) store(y[c*i+j], %5) }
              }
            }
            """);
        Assert.True(Accelerate.Backends.Llvm.LlvmExecutable.ScratchOf(cheap, "x86-64-v3").Is(0));
    }

    /// <summary>
    /// More than 16 MiB of result, aligned to lines and not, with a rest behind the last vector, on three threads.
    /// </summary>
    [LlvmTheory]
    [InlineData(0)]
    [InlineData(4)]
    public unsafe void LargeResultsAreWrittenPastTheCaches(int shift)
    {
        var kernel = KernelReader.Read("""
            kernel @large(x: in(f32, n), y: out(f32, n); sizes(n)) {
              parallel(b < floor(n+4095,4096)) {
                vector(j < min(-4096*b+n,4096)) {
                  %0: f32 = load(x[4096*b+j])
                  %1: f32 = add(%0, %0)
                  store(y[4096*b+j], %1)
                }
              }
            }
            """);
        const int count = (16 << 20) / 4 + 4096 + 21;
        using var input = Tensor.Zeros(DType.F32, count);
        for (var i = 0; i < count; i++) input.AsSpan<float>()[i] = i % 1000;
        foreach (var configuration in NativeConfiguration.All)
        {
            using var native = new NativeKernel(kernel, configuration);
            Assert.Contains("!nontemporal", native.Text);
            using var output = Tensor.Zeros(DType.F32, count + 2);
            foreach (var pool in (WorkerPool?[])[null, Agreement.Pool])
            {
                output.AsSpan<float>().Fill(-1);
                native.Run([(nint)input.Pointer, (nint)output.Pointer + shift], _ => count, pool);
                var results = output.AsSpan<float>();
                Assert.Equal(shift == 0 ? 0f : -1f, results[0]);
                for (var i = 0; i < count; i++)
                    if (results[i + shift / 4] != 2 * (i % 1000))
                        Assert.Fail($"{configuration}: element {i} is {results[i + shift / 4]}");
                Assert.Equal(-1f, results[count + shift / 4]);
            }
        }
    }

    /// <summary>
    /// AVX-512 scales by one instruction, the others by the text's two factors; both round a subnormal once.
    /// </summary>
    [LlvmFact]
    public void AnExponentialIsScaledAlikeEverywhere()
    {
        // Every sign and exponent with 511 mantissas, and what lies around the ends of the range densely.
        var x = Enumerable.Range(0, 512 * 511)
            .Select(i => BitConverter.UInt32BitsToSingle((uint)(i / 511) << 23 | (uint)(i % 511) * 16416))
            .Concat(Enumerable.Range(0, 40_000).Select(i => -104.5f + i * 0.00045f))
            .Concat(Enumerable.Range(0, 20_000).Select(i => 88.5f + i * 0.000025f)).ToArray();
        using var input = Tensor.From(x, x.Length);
        var kernel = FunctionKernel.Of(Compiler.Graph.UnaryOp.Exp, DType.F32);
        Agreement.Check(kernel, [input], new Dictionary<string, long> { ["n"] = x.Length }, "exp",
            NativeConfiguration.All);
        using var scaled = new NativeKernel(kernel, new("host", 3));
        if (LlvmTarget.Host.VectorBits == 512) Assert.Contains("scalef", scaled.Text);
    }
}
