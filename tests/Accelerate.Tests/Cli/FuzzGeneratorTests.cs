// The random programs of `accc fuzz`: one for each seed, of the language, of every operation in every dtype; and what
// makes a find small.
using System.Collections.Immutable;
using Accelerate.Cli.Fuzz;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class FuzzGeneratorTests(ITestOutputHelper output)
{
    private static readonly DType[] Any = Enum.GetValues<DType>();

    private static readonly DType[] Numbers = [.. Any.Where(t => t != DType.Bool)];

    private static readonly DType[] Floats = [.. Any.Where(t => t.IsFloat)];

    private static readonly DType[] Integers = [.. Any.Where(t => t.IsInteger)];

    private static readonly DType[] Bits = [.. Any.Where(t => !t.IsFloat)];

    /// <summary>The dtypes of the results that each operation of OPS.md has to be seen with.</summary>
    private static readonly Dictionary<string, DType[]> Wanted = new (DType[] Types, string Operations)[]
    {
        (Any, "input, const, reshape, transpose, broadcast, slice, pad, reverse, concat, gather, scatter set, "
            + "dynamic_slice, update_slice, select, sort, if, scan, result"),
        (Numbers, "scatter add, convert, bitcast, window, neg, abs, sign, add, sub, mul, div, pow, max, min, "
            + "reduce max, reduce min, cumulate max, cumulate min, while, param, buffer, assign"),
        (Floats, "stop_gradient, floor, ceil, trunc, round, exp, log, expm1, log1p, sin, cos, tanh, erf, sqrt, rsqrt, "
            + "atan2"),
        (Bits, "not, and, or, xor"),
        (Integers, "shl, shr"),
        // Sums, products and remainders of f16 and bf16 are those of f32, rounded.
        ([.. Integers, DType.F32, DType.F64], "reduce add, reduce mul, cumulate add, cumulate mul, dot, fold, "
            + "rem"),
        ([DType.Bool], "compare eq, compare ne, compare lt, compare le, compare gt, compare ge, reduce and, reduce or, "
            + "assert"),
        ([DType.I32], "arg_reduce, iota, size, print"),
        ([DType.F32], "iota, size, print"),
        ([DType.U32], "random"),
        ([DType.F32, DType.F64, DType.F16], "call"),
    }.SelectMany(w => w.Operations.Split(", ").Select(op => (op, w.Types))).GroupBy(p => p.op)
        .ToDictionary(g => g.Key, g => g.SelectMany(p => p.Types).ToArray());

    /// <summary>Operations that no text of the language makes: passes do, or nothing yet.</summary>
    private static readonly string[] Unreachable = ["extent", "tuple", "barrier"];

    private static readonly Lazy<(Coverage Coverage, int Refused, int Programs, string First)> Compiled = new(() =>
    {
        // Enough that the rarest pair of an operation and a dtype is seen some times.
        const int Programs = 12_000;
        var coverage = new Coverage();
        var (refused, first) = (0, "");
        for (var seed = 0; seed < Programs; seed++)
        {
            var text = Generator.Make(seed).Source();
            var compilation = Compilation.FromSource(new SourceText("fuzz.acc", text), new()
            {
                Last = CompilationStage.Bound,
                Binding = new() { Dims = FuzzHeader.Read(text).Dims },
            });
            if (compilation.Diagnostics.IsEmpty) coverage.Add(Coverage.Of(compilation.Entries[0].Bound));
            else if (refused++ == 0) first = PrettyRenderer.Render(compilation.Diagnostics) + text;
        }
        return (coverage, refused, Programs, first);
    });

    [Fact]
    public void ASeedIsOneProgram()
    {
        var texts = Enumerable.Range(0, 500).Select(seed => Generator.Make(seed).Source()).ToList();
        Assert.Equal(texts, Enumerable.Range(0, 500).Select(seed => Generator.Make(seed).Source()));
        Assert.True(texts.Distinct().Count() > 490);
    }

    [Fact]
    public void EveryOperationInEveryDType()
    {
        var coverage = Compiled.Value.Coverage;
        output.WriteLine(coverage.Table());
        var listed = Wanted.Keys.Select(k => k.Split(' ')[0]).Concat(Unreachable).ToHashSet();
        Assert.DoesNotContain(Ops.All, op => !listed.Contains(op));
        var missing = Wanted.SelectMany(w => w.Value.Where(t => coverage[w.Key, t.Name()] == 0)
            .Select(t => $"{w.Key} {t.Name()}")).ToList();
        Assert.True(missing.Count == 0, $"never generated: {string.Join(", ", missing)}");
        foreach (var op in (string[])["add", "select", "gather", "reduce add", "reduce max", "reshape", "concat"])
            foreach (var column in (string[])["r0", "r1", "r2", "r3", "r4", "const", "sym"])
                Assert.True(coverage[op, column] > 0 || (op == "concat" && column == "r0"), $"{op} {column}");
        Assert.True(coverage["input", "r5"] > 0);
    }

    /// <summary>
    /// What is refused is a limit of the language that the generator tries on purpose, such as `max` of bools.
    /// </summary>
    [Fact]
    public void AlmostAllAreProgramsOfTheLanguage()
    {
        var (_, refused, programs, first) = Compiled.Value;
        Assert.True(refused * 50 < programs, $"{refused} of {programs} are refused; the first:\n{first}");
    }

    [Fact]
    public void WhatIsAvoidedIsNotMade()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var program = Generator.Make(seed, ["sort", "zero"]);
            Assert.DoesNotContain(program.Statements, s => s.Op is "sort" or "argsort");
            Assert.All(program.Parameters.SelectMany(p => p.Value.Shape),
                s => Assert.True(s.Evaluate(program.Sizes) > 0));
        }
    }

    [Fact]
    public void APlantedDifferenceShrinksToItsStep()
    {
        var shrunk = 0;
        for (var seed = 0; seed < 3000 && shrunk < 12; seed++)
        {
            var program = Generator.Make(seed);
            if (!program.Statements.Any(s => s.Op == "argsort") || program.Statements.Length < 4) continue;
            var small = new Shrinker(p => p.Statements.Any(s => s.Op == "argsort")).Shrink(program);
            Assert.Equal(["argsort"], small.Statements.Select(s => s.Op));
            Assert.Single(small.Parameters);
            Assert.True(small.Parameters[0].Value.Shape.All(s => s.Evaluate(small.Sizes) <= 2), small.Source());
            Assert.Equal(1, small.Calls);
            shrunk++;
        }
        Assert.True(shrunk == 12, $"{shrunk}");
    }

    [Fact]
    public void TheHeaderReadsBack()
    {
        var header = FuzzHeader.Read("""
            # --- title
            # run: f x=[1, 2] n=3
            # run: f x=ones n=4
            # dim: m=5
            # loose: 0 w
            # on: llvm x86-64 -O2 3; opencl
            export fn f(x: f32[n]) -> f32[n] = x
            """);
        Assert.Equal([["x=[1, 2]", "n=3"], ["x=ones", "n=4"]], header.Calls);
        Assert.Equal(5, header.Dims["m"]);
        Assert.Equal(["0", "w"], header.Loose);
        Assert.Equal([new("llvm", "x86-64", 2, 3), new("opencl")], header.On);
    }

    /// <summary>A process that does not answer in time, or takes too much, is ended and told of.</summary>
    [Fact]
    public void TheWatchdogEndsAProcess()
    {
        const string Source = "# run: f x=[1, 2]\nexport fn f(x: f32[n]) -> f32[n] = x + 1\n";
        using var slow = new WorkerProcess(new(TimeSpan.Zero, long.MaxValue));
        Assert.Equal("hang", slow.Run(Source, []).Finds.Single().Kind);
        using var large = new WorkerProcess(new(TimeSpan.FromMinutes(2), 1));
        Assert.Equal("memory", large.Run(Source, []).Finds.Single().Kind);
        using var right = new WorkerProcess(new(TimeSpan.FromMinutes(2), long.MaxValue));
        Assert.Empty(right.Run(Source, []).Finds);
        // What is wrong is told by the same process, which goes on.
        var wrong = right.Run(Source.Replace("+ 1", "+ y", StringComparison.Ordinal), []);
        Assert.Equal("refused", wrong.Finds.Single().Kind);
    }

    /// <summary>NumPy is no oracle if it is not asked: a graph of its own, and what the script makes of it.</summary>
    [NumPyFact]
    public void NumPyComputesTheGraph()
    {
        var compilation = Compilation.FromSource(new SourceText("fuzz.acc", """
            export fn f(x: bf16[n], at: i64[3], k: i8) -> (bf16[3], i8, f32) {
                let s: f32 = 0
                for i in 0:n { if i > 0 { s += f32(x[i]) } }
                return x[at] * 1.5, k // -2, s
            }
            """));
        using var numPy = new NumPyProcess();
        var answer = numPy.Run(compilation.Entries[0].Bound, [Tensor.FromDoubles(DType.BF16, [1, 3.015625, 5, 7], 4),
            Tensor.From<long>([3, 0, 1], 3), Tensor.Scalar((sbyte)-128)],
            new Dictionary<string, Tensor>(), new Dictionary<string, long> { ["n"] = 4 });
        Assert.Null(answer.Failure);
        // 3.015625 * 1.5 = 4.5234375, of which bf16 keeps 8 bits.
        Assert.Equal([10.5, 1.5, 4.53125], answer.Values["0"].ToDoubles());
        Assert.Equal([64], answer.Values["1"].ToDoubles());
        Assert.Equal([15.015625], answer.Values["2"].ToDoubles());
    }
}
