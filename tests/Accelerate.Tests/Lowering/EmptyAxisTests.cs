// Every operation with every set of its axes empty, constant and symbolic: the graph interpreter, kernels, LLVM.
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.OpenCl;
using Accelerate.Bench;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Graph;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;
using Lowerer = Accelerate.Compiler.Kernels.Lowering.Lowering;

namespace Accelerate.Tests.Lowering;

public sealed class EmptyAxisTests(ITestOutputHelper output)
{
    /// <summary>
    /// The rows of the op matrix with each set of sizes 0, as constants of the graph or in the call; the others are 3,
    /// likewise.
    /// </summary>
    [Fact]
    public void EveryOperationWithEmptyAxes()
    {
        var failures = new List<string>();
        var batch = new List<Run>();
        foreach (var row in OpCases.All.Where(r => r.DType is DType.F32 or DType.I32 or DType.Bool))
        {
            // f32 in every run: an axis is empty whatever is in it.
            if (row.DType != DType.F32 && !TargetMatrix.Has(row.Title)) continue;
            string[] names = [.. OpCase.Sizes(row.Runs[0]).Keys];
            for (var empty = 1; empty < 1 << names.Length; empty++)
            {
                var sizes = names.Select((n, i) => (n, Value: (empty >> i & 1) == 0 ? 3L : 0)).ToDictionary(s => s.n,
                    s => s.Value);
                foreach (var pinned in new[] { sizes.Where(s => s.Value == 0).Select(s => s.Key).ToArray(), names, [] }
                    .DistinctBy(p => string.Join(' ', p)))
                    Add(batch, failures, row.Title, Pinned(row, sizes, pinned), sizes);
            }
        }
        Finish(batch, failures, TargetMatrix.Full ? 1500 : 500);
    }

    /// <summary>
    /// Random graphs, n written as 0 or 1: what empty values meet inside one kernel, and in control flow.
    /// </summary>
    [Fact]
    public void RandomGraphsWithAnEmptyAxis()
    {
        var failures = new List<string>();
        var batch = new List<Run>();
        for (var seed = 0; seed < (TargetMatrix.Full ? 100 : 40); seed++)
        {
            var text = GraphPrinter.Print(RandomGraphs.Make(seed).Function);
            foreach (var n in (long[])[0, 1])
            {
                var row = new OpCase("random", DType.F32, $"{seed}",
                    Regex.Replace(RoundTripTests.Strip(text), @"(?<![""@%.\w])n(?![\w""])",
                        n.ToString(CultureInfo.InvariantCulture)), "", []);
                Add(batch, failures, $"seed {seed} n={n}", row, new() { ["n"] = n });
            }
        }
        Finish(batch, failures, TargetMatrix.Full ? 150 : 60);
    }

    private static OpCase Pinned(OpCase row, Dictionary<string, long> sizes, string[] pinned)
    {
        var text = pinned.Aggregate(row.Template, (t, name) =>
            Regex.Replace(t, $@"\b{name}\b(?!"")", sizes[name].ToString(CultureInfo.InvariantCulture)));
        return new OpCase(row.Op, row.DType, row.Variant, text, row.NumPy, row.Runs);
    }

    /// <param name="Failed">Null where the call gives values.</param>
    private sealed record Run(string Title, Program Program, Dictionary<string, long> Sizes, Tensor[] Inputs,
        Dictionary<string, Tensor> State, Tensor[] Results, bool Failed);

    private static void Add(List<Run> batch, List<string> failures, string title, OpCase row,
        Dictionary<string, long> sizes)
    {
        // Executables of many programs have one state.
        row = new(row.Op, row.DType, row.Variant, row.Template.Replace("\"w\"", $"\"w{batch.Count}\""), "", []);
        Function function;
        try
        {
            function = GraphReader.Read(Regex.Replace(row.Graph, @"graph ?@f\d*\s*\{", $"graph @f{batch.Count} {{"));
            Verifier.Verify(function);
        }
        catch (GraphException)
        {
            return; // refused where it is written
        }
        title += $" at {string.Join(' ', sizes)}:\n{row.Graph}";
        try
        {
            var program = Lowerer.Lower(Pipeline.Run(function, verify: true));
            foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
            Assert.Equal(ProgramPrinter.Print(program),
                ProgramPrinter.Print(ProgramReader.Read(ProgramPrinter.Print(program))));
            Assert.DoesNotContain(program.Kernels, k => k.Buffers.Where(b => b.IsOutput).All(b => b.Count.Is(0)));
            var (inputs, state) = (row.Inputs(sizes), row.State(sizes));
            var (expected, fails) = (Array.Empty<ReferenceValue>(), false);
            try
            {
                expected = [.. GraphInterpreter.Run(function, inputs, path => state[path], sizes,
                    new() { Clamped = (_, _) => fails = true })];
            }
            catch (ReferenceException)
            {
                fails = true;
            }
            Tensor[] tensors = [.. inputs.Select(Tensors.Of)];
            var held = state.ToDictionary(s => s.Key, s => Tensors.Of(s.Value));
            using var executable = new InterpreterExecutable([program]);
            var run = new Run(title, program, sizes, tensors, held, [], fails);
            var actual = Call(executable, run);
            if ((actual is null) != fails) failures.Add($"{title}: {(fails ? "a value" : "fails")}");
            for (var k = 0; k < expected.Length && actual is not null; k++)
            {
                var report = Comparison.Compare(actual[k], expected[k]);
                if (!report.Agrees) failures.Add($"{title}: {report.Text}");
            }
            batch.Add(run with { Results = actual ?? [] });
        }
        catch (Exception e)
        {
            failures.Add($"{title}: {e.GetType().Name} {e.Message}");
        }
    }

    /// <summary>The results; null for a call that fails as calls may.</summary>
    private static Tensor[]? Call(Executable executable, Run run)
    {
        using var session = executable.CreateSession();
        if (session.State.Count > 0)
            session.LoadState(run.State.Where(s => session.State.ContainsKey(s.Key)).ToDictionary());
        session.Output = TextWriter.Null;
        try
        {
            return [.. session.Run(run.Program.Name, [.. run.Inputs.Select(i => i.Clone())],
                run.Sizes.Where(s => run.Program.Sizes.Contains(s.Key)).ToDictionary())];
        }
        catch (ExecutionException)
        {
            return null;
        }
    }

    private void Finish(List<Run> batch, List<string> failures, int least)
    {
        output.WriteLine($"{batch.Count} graphs, {batch.Count(r => r.Failed)} of them fail the call");
        Assert.True(failures.Count == 0, $"{failures.Count} failures:\n{string.Join('\n', failures.Take(10))}");
        Assert.True(batch.Count >= least, $"{batch.Count} graphs");
        foreach (var part in batch.Chunk(128))
        {
            Program[] programs = [.. part.Select(r => r.Program)];
            if (LlvmLibrary.Available(out _))
            {
                using var native = new LlvmExecutable(programs, new LlvmOptions(OptLevel: 1, UseCache: false));
                Same(native, part, failures);
            }
            if (OpenClExecutable.Available(out _))
            {
                Run[] some = [.. part.Where((_, i) => i % (TargetMatrix.Full ? 3 : 9) == 0)];
                using var device = new OpenClExecutable([.. some.Select(r => r.Program)]);
                Same(device, some, failures);
            }
        }
        Assert.True(failures.Count == 0, $"{failures.Count} failures:\n{string.Join('\n', failures.Take(10))}");
    }

    private static void Same(Executable executable, Run[] runs, List<string> failures)
    {
        var state = runs.SelectMany(r => r.State).DistinctBy(s => s.Key).ToDictionary();
        foreach (var run in runs)
        {
            try
            {
                var actual = Call(executable, run with { State = state });
                if ((actual is null) != run.Failed)
                    failures.Add($"{executable.Backend}: {run.Title}: {(run.Failed ? "a value" : "fails")}");
                for (var k = 0; k < run.Results.Length && actual is not null; k++)
                {
                    Compared.Add(actual[k].Count);
                    Agreement.Check(executable.Backend.Name(), executable is LlvmExecutable ? Owes.Bits : Owes.Bound,
                        [($"{k}", run.Results[k])], [($"{k}", actual[k])]);
                }
            }
            catch (Exception e)
            {
                failures.Add($"{executable.Backend}: {run.Title}: {e.GetType().Name} {e.Message}");
            }
        }
    }
}
