// Every operation, conversion and statement, printed and compiled for every target: all of it is on the list of
// LLVM.md.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Llvm.Native;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed partial class ClosedListTests
{
    private static readonly DType[] Types =
    [
        DType.Bool, DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64, DType.F16,
            DType.BF16,
        DType.F32, DType.F64,
    ];

    /// <summary>Every kind of statement, and of access: contiguous, guarded, gathered, scattered, scalar.</summary>
    private const string Statements = """
        kernel @all(x: in(f32, n), z: in(f32, n*n), t: in(i64, n), y: out(f32, n), s: out(f32, 2*n), c: out(f32, n*n),
            q: out(i32, n); sizes(n)) {
          %0: f32 = const(-0.5)
          %1: i64 = const(0)
          %30: f32 = load(x[n-1] if(n-1 < n) else %0)
          serial(i < n) {
            %2: f32 = reduce.add(r < n) { %3: f32 = load(z[i*n+r]) yield(%3) }
            %4: f32 = serial.max(r < n) { %5: f32 = load(z[r*n+i]) yield(%5) }
            %6: i32 = reduce.argmax(r < n) { %7: f32 = load(z[i*n+r]) yield(%7) }
            store(q[i], %6)
            %8: bool = lt(%2, %0)
            flag(%8)
            vector(j < n) {
              %9: i64 = load(t[j])
              %10: bool = lt(%9, %1)
              flag(%10)
              %11: f32 = load(x[j-1] if(j-1 < n) else %0)
              %12: f32 = load(x[max(min(v9',n-1),0)])
              %13: i64 = index(j//3+i)
              %14: f32 = convert(%13)
              %15: f32 = fma(%11, %12, %14)
              %16: f32 = serial.add(r < 3) { %17: f32 = load(x[0]) %18: f32 = mul(%17, %4) yield(%18) }
              %19: f32 = add(%15, %16)
              store(y[j], %19)
              store(s[2*j], %19)
              store(s[2*j+1], %19 if(j-1 < n))
              cumulate.max(r < 3) { %31: f32 = load(x[j]) yield(%31) } into(%32: f32) { store(y[j], %32 if(r < 1)) }
            }
            contract(m < n, o < n; k < n, l < 1) {
              left { %20: f32 = load(z[m*n+k+l]) yield(%20) }
              right { %21: f32 = load(x[o+k-n] if(o+k-n < n) else %0) yield(%21) }
              into(%22: f32) { store(c[m*n+o], %22) }
            }
            attend(m < n, o < n, e < n; k < n; block 64) {
              query { %40: f32 = load(z[m*n+k]) yield(%40) }
              key { %41: f32 = load(z[o*n+k]) yield(%41) }
              value { %42: f32 = load(z[o*n+e]) yield(%42) }
              until { %43: i64 = load(t[m]) yield(%43) }
              score(%44: f32) { yield(%44) }
              weight(%45: f32) { %46: f32 = neg(%45) yield(%46) }
              into(%47: f32, %48: f32) { %49: f32 = div(%47, %48) store(c[m*n+e], %49) }
            }
          }
        }
        """;

    private const string Rows = """
        kernel @rows(x: in(f32, m*n), y: out(f32, m*n); sizes(m, n)) {
          parallel(i < m) {
            %0: f32 = reduce.add(r < n) { %1: f32 = load(x[n*i+r]) yield(%1) }
            vector(j < n) { %2: f32 = load(x[n*i+j]) %3: f32 = div(%2, %0) store(y[n*i+j], %3) }
          }
        }
        """;

    private static readonly string[] All =
        ["statements", "exp of rows", .. Types.Select(t => t.Name()), "f64 contraction", "u8 contraction"];

    public static TheoryData<string> Names => [.. All];

    [LlvmTheory]
    [MemberData(nameof(Names))]
    public void WhatIsPrintedIsOnTheListAndCompilesForEveryTarget(string name)
    {
        var (opcodes, callees) = Listed();
        foreach (var kernel in Kernels(name))
        {
            KernelVerifier.Verify(kernel);
            foreach (var target in LlvmTarget.Names)
            {
                var printed = KernelText.Print(kernel, LlvmTarget.Parse(target));
                var (used, called) = Used(printed.Text);
                Assert.Empty(used.Except(opcodes));
                Assert.Empty(called.Except(callees));
                Assert.DoesNotMatch(Forbidden(), printed.Text);
                foreach (var level in target == "x86-64-v4" ? (int[])[0, 3] : [1])
                {
                    var bytes = LlvmCompiler.CompileToObject(printed.Text, LlvmTarget.Parse(target), level);
                    Assert.Empty(new ElfSymbols(bytes).Undefined.Except(["memcpy", "memset"]));
                }
            }
        }
    }

    /// <summary>The list has no entry that nothing prints.</summary>
    [LlvmFact]
    public void EveryEntryOfTheListIsPrintedSomewhere()
    {
        var (opcodes, callees) = Listed();
        var texts = All.SelectMany(Kernels)
            .SelectMany(k => LlvmTarget.Names.Select(t => Used(KernelText.Print(k, LlvmTarget.Parse(t)).Text)))
            .ToList();
        Assert.Empty(opcodes.Except(texts.SelectMany(t => t.Opcodes)));
        Assert.Empty(callees.Except(texts.SelectMany(t => t.Callees)));
    }

    /// <summary>The type half stands in conversions only, and only where they are instructions.</summary>
    [LlvmFact]
    public void HalfIsConvertedAndNothingElse()
    {
        foreach (var kernel in All.SelectMany(Kernels))
        {
            foreach (var target in LlvmTarget.Names.Select(LlvmTarget.Parse))
            {
                foreach (var line in KernelText.Print(kernel, target).Text.Split('\n').Where(l => Half().IsMatch(l)))
                {
                    Assert.True(target.Has("f16c"), $"{target.Name}: {line}");
                    Assert.Contains(Instruction()
                        .Match(line).Groups[1].Value, (string[])["fptrunc", "fpext", "bitcast"]);
                }
            }
        }
    }

    private static IEnumerable<Kernel> Kernels(string name)
    {
        if (name == "statements") return [KernelReader.Read(Statements)];
        if (name == "exp of rows")
            return [FunctionKernel.Of(Compiler.Graph.UnaryOp.Exp, DType.F32), KernelReader.Read(Rows)];
        if (name.EndsWith("contraction", StringComparison.Ordinal))
        {
            return [KernelReader.Read("""
                kernel @c(a: in(T, m*k), b: in(T, n*k), y: out(T, m*n); sizes(m, n, k)) {
                  parallel(h < 2) { contract(i < m, j < n; p < k) {
                    left { %0: T = load(a[i*k+p]) yield(%0) }
                    right { %1: T = load(b[j*k+p]) yield(%1) }
                    into(%2: T) { store(y[i*n+j], %2) }
                  } }
                }
                """.Replace("T", name.Split(' ')[0]))];
        }
        var type = DType.Parse(name);
        var sort = KernelReader.Read("""
            kernel @s(x: in(T, n), y: out(T, n), p: out(i32, n); sizes(n)) {
              sort.descending(i < n) { %0: T = load(x[i]) yield(%0) } into(%1: T, %2: i32) { store(y[i], %1) store(p[i], %2 if(i < 2)) }
            }
            """.Replace("T", type.Name()));
        return [Operations(type, LoopKind.Vector), Operations(type, LoopKind.Serial), sort];
    }

    /// <summary>Every operation that exists on the dtype, and conversions to all others, each stored.</summary>
    private static Kernel Operations(DType type, LoopKind kind)
    {
        var n = Size.Variable("n");
        var i = Size.Variable("i");
        var buffers = ImmutableArray.CreateBuilder<KernelBuffer>();
        var outer = new BlockBuilder();
        var b = outer.Inner();
        for (var x = 0; x < 3; x++) buffers.Add(new($"x{x}", type, n, false));
        var (a, c, d) = (b.Load(type, 0, i, [], null), b.Load(type, 1, i, [], null), b.Load(type, 2, i, [], null));
        void Keep(Value value)
        {
            buffers.Add(new($"y{buffers.Count}", value.Type, n, true));
            b.Emit(new Store(buffers.Count - 1, i, value));
        }
        var condition = b.Compare(ScalarOp.Lt, a, c);
        foreach (var op in Enum.GetValues<ScalarOp>())
        {
            var result = KernelTypes.IsComparison(op) ? DType.Bool : type;
            if (op is ScalarOp.Select) Keep(b.Select(condition, a, c));
            else if (op is ScalarOp.Convert) foreach (var to in Types) Keep(b.Convert(a, to));
            else if (op is ScalarOp.Bitcast) foreach (var to in Types.Where(SameWidth)) Keep(b.Bitcast(a, to));
            else if (KernelTypes.Exists(op, type))
                Keep(b.Compute(op, result, [.. new[] { a, c, d }.Take(KernelTypes.Arity(op))]));
        }
        bool SameWidth(DType to) => to != DType.Bool && type != DType.Bool && to.Bytes() == type.Bytes();
        outer.Emit(new Loop(kind, "i", n, b.ToBlock()));
        return new Kernel("ops", buffers.ToImmutable(), ["n"], outer.ToBlock());
    }

    /// <summary>The code words of LLVM.md's two tables.</summary>
    private static (HashSet<string> Opcodes, HashSet<string> Callees) Listed()
    {
        var sections = File.ReadAllText(Path.Combine(Shared.Repository, "grammar", "LLVM.md")).Split("\n## ");
        HashSet<string> Words(string title) =>
            [.. sections.Single(s => s.StartsWith(title, StringComparison.Ordinal)).Split('\n')
            .Where(l => l.StartsWith('|')).SelectMany(l => Code().Matches(l)).Select(m => m.Groups[1].Value)];
        return (Words("Instructions"), Words("Calls"));
    }

    private static (HashSet<string> Opcodes, HashSet<string> Callees) Used(string text)
    {
        HashSet<string> opcodes = [], callees = [];
        foreach (var line in text.Split('\n'))
        {
            if (Instruction().Match(line) is not { Success: true } instruction) continue;
            opcodes.Add(instruction.Groups[1].Value);
            if (instruction.Groups[1].Value == "call")
                callees.Add(Suffix().Replace(Callee().Match(line).Groups[1].Value, ""));
        }
        return (opcodes, callees);
    }

    [GeneratedRegex(@"^ +(?:%\w+ = )?([a-z]+)")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"@([\w.]+)\(")]
    private static partial Regex Callee();

    /// <summary>The types of an overloaded intrinsic.</summary>
    [GeneratedRegex(@"(\.(v\d+)?(f|i|p)\d+)+$")]
    private static partial Regex Suffix();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^[^;\n]*(?<![%@.])\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc|bfloat|undef)\b",
        RegexOptions.Multiline)]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"^[^;]*(?<![%@.])\bhalf\b")]
    private static partial Regex Half();
}
