// Every operation in every dtype, lowered: the kernel interpreter within the bound of the graph interpreter, LLVM with
// the kernel interpreter's bytes; what is not supported is a list that can only shrink.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
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

/// <summary>ACC_FUZZ_SEED chooses which rows run on the older instruction sets as well (0).</summary>
public sealed class OpMatrixTests(ITestOutputHelper output)
{
    private static readonly Lazy<Matrix> Rows = new(Matrix.Make);

    private static string LimitsFile =>
        Path.Combine(Shared.Repository, "tests", "Accelerate.Tests", "Lowering", "OpMatrix.limits.txt");

    [Fact]
    public void KernelsAreWithinTheBoundOfTheGraph()
    {
        var matrix = Rows.Value;
        output.WriteLine(
            $"{OpCases.All.Count} rows, {matrix.Runs.Count} runs, {matrix.Runs.Sum(r => r.Results.Sum(t => t.Count))} elements; {matrix.Seconds:F1} s of processors");
        Assert.True(matrix.Failures.IsEmpty,
            $"{matrix.Failures.Count} failures:\n{string.Join('\n', matrix.Failures.Order().Take(20))}");
    }

    /// <summary>
    /// A limit that is not in the list is a loss of what once worked; one that no longer holds is to be taken out.
    /// </summary>
    [Fact]
    public void WhatIsNotSupportedOnlyShrinks()
    {
        var known = File.ReadAllLines(LimitsFile).Where(l => l.Length > 0 && l[0] != '#').ToHashSet();
        var limits = Rows.Value.Limits.ToHashSet();
        if (Environment.GetEnvironmentVariable("ACC_ACCEPT") == "1")
        {
            File.WriteAllLines(LimitsFile,
                ["# The rows of the op matrix that answer `not supported: …`; OpMatrixTests.cs.",
                .. limits.Order(StringComparer.Ordinal)]);
        }
        output.WriteLine($"{limits.Count} of {OpCases.All.Count} rows are not supported");
        foreach (var gone in known.Except(limits).Order()) output.WriteLine($"supported now: {gone}");
        var grown = limits.Except(known).Order().ToList();
        Assert.True(grown.Count == 0,
            $"{grown.Count} rows are not supported and were:\n{string.Join('\n', grown.Take(20))}");
    }

    [LlvmFact]
    public void LlvmGivesTheInterpretersBytes()
    {
        var matrix = Rows.Value;
        var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var seed =
            int.TryParse(Environment.GetEnvironmentVariable("ACC_FUZZ_SEED"), CultureInfo.InvariantCulture, out var s)
            ? s : 0;
        var random = new System.Random(seed);
        var some = matrix.Programs.Where(_ => random.Next(5) == 0).ToList();
        var failures = new List<string>();
        Run("host", matrix.Programs, failures);
        foreach (var target in (string[])["x86-64-v3", "x86-64"])
            if (LlvmExecutable.CanRun(target)) Run(target, some, failures);
        output.WriteLine(
            $"seed {seed}: {matrix.Programs.Count} programs on the host, {some.Count} on x86-64-v3 and x86-64; {clock.Elapsed.TotalSeconds:F1} s, {(Environment.CpuUsage.TotalTime - cpu).TotalSeconds:F1} s of processors");
        Assert.True(failures.Count == 0,
            $"seed {seed}, {failures.Count} failures:\n{string.Join('\n', failures.Take(20))}");
    }

    private static void Run(string target, IReadOnlyList<Lowered> programs, List<string> failures)
    {
        var runs = Rows.Value.Runs.ToLookup(r => r.Row);
        // One executable for many programs: each has the cost of one compiler and one linker.
        foreach (var batch in programs.Chunk(64))
        {
            try
            {
                using var executable = Compile(batch, target);
                foreach (var lowered in batch) Run(executable, lowered, runs[lowered.Row], target, failures);
            }
            catch (Exception)
            {
                // Which one it was.
                foreach (var lowered in batch)
                {
                    try
                    {
                        using var executable = Compile([lowered], target);
                        Run(executable, lowered, runs[lowered.Row], target, failures);
                    }
                    catch (Exception e)
                    {
                        failures.Add($"{lowered.Row.Title} on {target}: {e.InnerException?.Message ?? e.Message}");
                    }
                }
            }
        }
    }

    private static LlvmExecutable Compile(IReadOnlyList<Lowered> rows, string target) =>
        new([.. rows.Select(l => l.Program)], new LlvmOptions(target, OptLevel: 0, UseCache: false, Threads: 2));

    private static void Run(LlvmExecutable executable, Lowered lowered, IEnumerable<MatrixRun> runs, string target,
        List<string> failures)
    {
        foreach (var run in runs)
        {
            using var session = executable.CreateSession();
            Matrix.Load(session, run.State);
            using var printed = new StringWriter();
            session.Output = printed;
            var actual = session.Run(lowered.Program.Name, run.Inputs, Matrix.Given(lowered.Program, run.Sizes));
            if (printed.ToString() != run.Printed)
                failures.Add($"{lowered.Row.Title} on {target} prints:\n{printed}\nnot\n{run.Printed}");
            foreach (var (path, value) in run.After)
                if (!value.SameBits(session.State[path]))
                    failures.Add($"{lowered.Row.Title} on {target} leaves another {path}");
            for (var k = 0; k < actual.Count; k++)
            {
                Compared.Add(actual[k].Count);
                if (!run.Results[k].SameBits(actual[k]))
                    failures.Add(
                        $"{lowered.Row.Title} on {target}, result {k} at {string.Join(' ', run.Sizes)}:\n{run.Results[k]}\n{actual[k]}");
            }
        }
    }

    private sealed record Lowered(OpCase Row, Program Program);

    private sealed record MatrixRun(OpCase Row, IReadOnlyDictionary<string, long> Sizes, Tensor[] Inputs,
        IReadOnlyDictionary<string, Tensor> State, Tensor[] Results)
    {
        /// <summary>The state behind the call.</summary>
        public required IReadOnlyDictionary<string, Tensor> After { get; init; }

        public required string Printed { get; init; }
    }

    /// <summary>All rows lowered and run on the kernel interpreter, once for the tests of this class.</summary>
    private sealed record Matrix(IReadOnlyList<Lowered> Programs, IReadOnlyList<MatrixRun> Runs,
        ConcurrentBag<string> Limits,
        ConcurrentBag<string> Failures, double Seconds)
    {
        public static Matrix Make()
        {
            var cpu = Environment.CpuUsage.TotalTime;
            var (limits, failures) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
            var programs = new Lowered?[OpCases.All.Count];
            var runs = new ImmutableArray<MatrixRun>[OpCases.All.Count];
            Parallel.For(0, programs.Length, i =>
            {
                var row = OpCases.All[i];
                runs[i] = [];
                try
                {
                    var function = GraphReader.Read(row.Graph.Replace("graph @f ", $"graph @f{i} "));
                    var program = Lowerer.Lower(Pipeline.Run(function, verify: true));
                    foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
                    runs[i] = [.. row.Runs.Select(run => RunOne(row, program, OpCase.Sizes(run), failures))];
                    programs[i] = new(row, program);
                }
                catch (LimitationException e)
                {
                    limits.Add($"{row.Title}: {e.Message}");
                }
                catch (Exception e)
                {
                    failures.Add($"{row.Title}: {e.GetType().Name}: {e.Message}");
                }
            });
            return new([.. programs.OfType<Lowered>()], [.. runs.SelectMany(r => r)], limits, failures,
                (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        }

        public static void Load(Session session, IReadOnlyDictionary<string, Tensor> state)
        {
            if (session.State.Count > 0)
                session.LoadState(state.Where(s => session.State.ContainsKey(s.Key)).ToDictionary());
        }

        /// <summary>Those of the sizes that the program has.</summary>
        public static Dictionary<string, long> Given(Program program, IReadOnlyDictionary<string, long> sizes) =>
            sizes.Where(s => program.Sizes.Contains(s.Key)).ToDictionary();

        private static MatrixRun RunOne(OpCase row, Program program, Dictionary<string, long> sizes,
            ConcurrentBag<string> failures)
        {
            var (inputs, state) = (row.Inputs(sizes), row.State(sizes));
            var after = new Dictionary<string, ReferenceValue>(state);
            var expected = GraphInterpreter.Run(row.Function, inputs, path => state[path], sizes,
                new() { Assign = (assign, value) => after[assign.Name] = value });
            Tensor[] tensors = [.. inputs.Select(Tensors.Of)];
            var held = state.ToDictionary(s => s.Key, s => Tensors.Of(s.Value));
            using var executable = new InterpreterExecutable([program]);
            using var session = executable.CreateSession();
            Load(session, held);
            using var printed = new StringWriter();
            session.Output = printed;
            var actual = session.Run(program.Name, tensors, Given(program, sizes));
            for (var k = 0; k < expected.Count; k++)
            {
                var report = Comparison.Compare(actual[k], expected[k]);
                if (!report.Agrees)
                    failures.Add($"{row.Title}, result {k} at {string.Join(' ', sizes)}: {report.Text}");
            }
            foreach (var (path, tensor) in session.State)
            {
                var report = Comparison.Compare(tensor, after[path]);
                if (!report.Agrees) failures.Add($"{row.Title} leaves {path}: {report.Text}");
            }
            if (row.Op == "print" && printed.ToString().Length == 0) failures.Add($"{row.Title} prints nothing");
            return new(row, sizes, tensors, held, [.. actual])
            {
                After = session.State.ToDictionary(t => t.Key, t => t.Value.Clone()),
                Printed = printed.ToString(),
            };
        }
    }
}
