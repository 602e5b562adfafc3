// Graphs as text with numbers that somebody changed: refused, failed by a check, or in bounds. Never memory of others.
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Graph;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

/// <summary>
/// The kernel interpreter checks every access: what it says of a mutated graph is what LLVM would read unchecked.
/// ACC_FUZZ_SECONDS sets a time instead of a number of seeds, ACC_FUZZ_SEED the first seed (0).
/// </summary>
public sealed partial class GraphTextTests(ITestOutputHelper output)
{
    private const int Seeds = 2000;

    private static readonly string[] Numbers =
        ["-1", "0", "1", "2", "3", "4", "5", "7", "100", "-5", "2147483648", "4294967296", "4611686018427387904", "n",
            "m", "n+1", "n-1", "n-5", "2*n", "n//2", "0-n"];

    [Theory]
    [InlineData("f32[4] = slice(%0; [2],[1])", "slice C3")]
    [InlineData("f32[4] = slice(%0; [-1],[1])", "slice C3")]
    [InlineData("f32[3] = slice(%0; [0],[2])", "slice C3")]
    [InlineData("f32[3,2] = window(%0; 0,[3,2],[2,1])", "window C3")]
    [InlineData("f32[5] = dynamic_slice(%0; [],[0])", "dynamic_slice C3")]
    [InlineData("f32[-1] = slice(%0; [0],[1])", "C10")]
    [InlineData("f32[2,3] = reshape(%0; checked)", "reshape C1")]
    [InlineData("f32[1] = slice(%0; [i.1],[1])", "C10")]
    [InlineData("f32[1] = slice(%0; [j0'],[1])", "C10")]
    public void WhatLeavesItsOperandIsRefused(string node, string rule)
    {
        var compilation = Compile($$"""graph @f { %0: f32[4] = input(; "x") %1: {{node}} return(%1) }""");
        Assert.Contains(rule, Assert.Single(compilation.Diagnostics).Message);
    }

    [Theory]
    [InlineData("f32[3] = slice(%0; [0],[1])")]
    [InlineData("f32[2] = slice(%0; [1],[1])")]
    [InlineData("f32[1] = slice(%0; [n-5],[1])")]
    [InlineData("f32[2,2] = reshape(%0; checked)")]
    [InlineData("f32[2,2] = window(%0; 0,[2,2],[1,1])")]
    [InlineData("f32[n-5] = slice(%0; [0],[1])")]
    public void WhatCannotBeDecidedIsACheckOfTheCall(string node)
    {
        var compilation = Compile($$"""graph @f { %0: f32[n] = input(; "x") %1: {{node}} return(%1) }""");
        Assert.Empty(compilation.Diagnostics);
        using var executable = new InterpreterExecutable([.. compilation.Programs]);
        using var session = executable.CreateSession();
        var e = Assert.Throws<ExecutionException>(() => session.Run("f", Tensor.FromDoubles(DType.F32, [1, 2], [2])));
        Assert.Equal(ExecutionCode.EntryCheck, e.Code);
    }

    [Fact]
    public void ChangedNumbersReadNothingOfOthers()
    {
        // The same in every run, unless a time is given.
        var seconds = Number("ACC_FUZZ_SECONDS", 0);
        var first = Number("ACC_FUZZ_SEED", 0);
        List<string> texts = [.. OpCases.All.Where(r => r.DType is DType.F32 or DType.I32)
            .Select(r => RoundTripTests.Strip(r.Graph)).Distinct()];
        var (refused, failed, ran) = (0, 0, 0);
        var failures = new List<string>();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var seed = first;
        for (; seconds > 0 ? clock.Elapsed.TotalSeconds < seconds : seed < first + Seeds; seed++)
        {
            var random = new System.Random(seed);
            var text = random.Next(4) == 0
                ? RoundTripTests.Strip(GraphPrinter.Print(RandomGraphs.Make(seed).Function))
                : texts[random.Next(texts.Count)];
            for (var k = random.Next(1, 4); k > 0; k--)
            {
                var places = Literal().Matches(text);
                if (places.Count == 0) break;
                var place = places[random.Next(places.Count)];
                text = text[..place.Index] + Numbers[random.Next(Numbers.Length)]
                    + text[(place.Index + place.Length)..];
            }
            try
            {
                var compilation = Compile(text);
                if (compilation.ExitCode != 0) refused++;
                else if (Runs(compilation, random)) ran++;
                else failed++;
            }
            catch (Exception e)
            {
                failures.Add($"seed {seed}: {e.GetType().Name}: {e.Message}\n{text}\n{e.StackTrace}");
            }
        }
        output.WriteLine($"seeds {first} to {seed - 1}: {refused} refused, {failed} fail the call, {ran} run");
        Assert.True(failures.Count == 0, $"{failures.Count} failures:\n{string.Join('\n', failures.Take(12))}");
        Assert.True(ran > 20 && refused > 20);
    }

    /// <summary>False for a call that fails as calls may, or takes more than this machine has time for.</summary>
    private static bool Runs(Compilation compilation, System.Random random)
    {
        var program = Assert.Single(compilation.Programs);
        var sizes = program.Sizes.ToDictionary(s => s, _ => (long)random.Next(0, 6));
        var function = compilation.Entries[0].Bound;
        try
        {
            if (GraphPrinter.Closure(function).SelectMany(f => f.Nodes).SelectMany(n => n.ResultTypes)
                .Any(t => t.Shape.All(s => s.Variables().All(sizes.ContainsKey)) && t.Count.Evaluate(sizes) > 100_000))
                return false;
            if (function.Inputs.Any(i => i.Type.Shape.Any(s => s.Evaluate(sizes) < 0))) return false;
            // A changed number may be how often a loop runs, or the condition that ends it.
            if (program.AllSteps.Any(s => s is WhileStep)
                || program.AllSteps.OfType<LoopStep>().Any(l => l.Count.Variables().All(sizes.ContainsKey)
                    ? l.Count.Evaluate(sizes) > 1000 : true)) return false;
            Tensor[] inputs =
                [.. function.Inputs.Select(i => Tensors.Of(RandomGraphs.Value(i.Type, 0, random, sizes)))];
            using var executable = new InterpreterExecutable([program]);
            using var session = executable.CreateSession();
            session.Output = TextWriter.Null;
            session.Run(program.Name, inputs, sizes);
            return true;
        }
        catch (Exception e) when (e is ExecutionException or OverflowException or DivideByZeroException)
        {
            return false;
        }
    }

    private static Compilation Compile(string text) => Compilation.FromSource(new SourceText("x.graph", text));

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value
            : otherwise;

    /// <summary>A number that is no name of a node, no part of a name and not in a text.</summary>
    [GeneratedRegex("""(?<![%@."\w-])-?\d+(?![."\w])|(?<=[\[,*+])[nmk](?=[\],*+-])""")]
    private static partial Regex Literal();
}
