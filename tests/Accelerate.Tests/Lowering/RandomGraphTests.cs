// Random graphs with control flow: the graph interpreter, the kernel interpreter, LLVM, before and behind the passes.
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.Llvm.Native;
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

/// <summary>
/// ACC_FUZZ_SECONDS sets the time (12), ACC_FUZZ_SEED the first seed (0): a failure prints the seed to start from.
/// </summary>
public sealed class RandomGraphTests(ITestOutputHelper output)
{
    private sealed record Run(string Title, RandomGraphs Made, Program Program, Dictionary<string, long> Sizes,
        Tensor[] Inputs,
        Dictionary<string, Tensor> State, Tensor[] Results, Tensor[] Inouts, Dictionary<string, Tensor> After,
            string Printed);

    [Fact]
    public void EveryExecutorAgreesBeforeAndBehindThePasses()
    {
        var seconds = Number("ACC_FUZZ_SECONDS", 12);
        var first = Number("ACC_FUZZ_SEED", 0);
        var (clock, seed, limits, elements) = (Stopwatch.StartNew(), first, new Dictionary<string, int>(), 0L);
        for (; clock.Elapsed.TotalSeconds < seconds;)
        {
            var runs = new List<Run>();
            for (var end = seed + 16; seed < end; seed++) runs.AddRange(Check(seed, limits));
            elements += runs.Sum(r => r.Results.Sum(t => t.Count));
            if (LlvmLibrary.Available(out _)) Native(runs);
        }
        output.WriteLine($"seeds {first} to {seed - 1}; {elements} elements; not supported: "
            + string.Join("; ", limits.OrderByDescending(l => l.Value).Select(l => $"{l.Value} x {l.Key}")));
        Assert.True(limits.Values.Sum() * 10 <= seed - first, "more than a tenth of the graphs is not supported");
    }

    private static List<Run> Check(int seed, Dictionary<string, int> limits)
    {
        var runs = new List<Run>();
        var made = RandomGraphs.Make(seed);
        var function = made.Function;
        try
        {
            Verifier.Verify(function);
            var text = GraphPrinter.Print(function);
            Assert.Equal(text, GraphPrinter.Print(GraphReader.Read(RoundTripTests.Strip(text))));
            var optimised = Pipeline.Run(function, verify: true);
            text = GraphPrinter.Print(optimised);
            Assert.Equal(Regex.Replace(text, " *  #[^\n]*", ""),
                GraphPrinter.Print(GraphReader.Read(RoundTripTests.Strip(text))));
            var plain = Pipeline.Run(function, verify: true, rewrites: new Rewrites(0));
            foreach (var n in (long[])[2, 0, 1, 7])
            {
                var random = new System.Random(seed + (int)n);
                var sizes = new Dictionary<string, long> { ["n"] = n };
                ReferenceValue[] inputs = [.. function.Inputs.Select(i => RandomGraphs.Value(i.Type, n, random))];
                var state = function.Nodes.OfType<State>()
                    .ToDictionary(s => s.Name, s => RandomGraphs.Value(s.Type, n, random));
                var expected = Reference(function, inputs, state, sizes);
                Same(expected, Reference(optimised, inputs, state, sizes), made, $"n={n}, optimised graph");
                foreach (var (graph, title) in new[] { (plain, "unoptimised"), (optimised, "optimised") })
                {
                    var program = Lowerer.Lower(graph);
                    foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
                    var programText = ProgramPrinter.Print(program);
                    Assert.Equal(programText, ProgramPrinter.Print(ProgramReader.Read(programText)));
                    var run = Interpreted(made, program, inputs, state, sizes, $"seed {seed}, n={n}, {title}");
                    Same(expected, Outcome.Of(run), made, $"n={n}, {title} kernels\n{programText}");
                    runs.Add(run);
                }
            }
        }
        catch (LimitationException e)
        {
            limits[e.Message] = limits.GetValueOrDefault(e.Message) + 1;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}\n{GraphPrinter.Print(function)}", e);
        }
        return runs;
    }

    /// <summary>What a call leaves: results, inout inputs, state, the number of prints.</summary>
    private sealed record Outcome(IReadOnlyList<ReferenceValue> Results, Dictionary<string, ReferenceValue> Changed,
        int Prints)
    {
        public static Outcome Of(Run run)
        {
            var names = run.Made.Function.Inputs.Where(i => i.IsInout).Select(i => i.Name);
            var changed = run.After.ToDictionary(s => s.Key, s => ReferenceValue.Of(s.Value));
            foreach (var (name, value) in names.Zip(run.Inouts)) changed[name] = ReferenceValue.Of(value);
            return new([.. run.Results.Select(ReferenceValue.Of)], changed,
                run.Printed.Split("in a region").Length - 1);
        }
    }

    private static Outcome Reference(Function function, ReferenceValue[] inputs,
        Dictionary<string, ReferenceValue> state, Dictionary<string, long> sizes)
    {
        var changed = new Dictionary<string, ReferenceValue>(state);
        foreach (var (input, value) in function.Inputs.Zip(inputs))
            if (input.IsInout) changed[input.Name] = value;
        var prints = 0;
        var results = GraphInterpreter.Run(function, inputs, path => state[path], sizes,
            new() { Assign = (a, v) => changed[a.Name] = v, Print = (_, _) => prints++ });
        return new(results, changed, prints);
    }

    private static void Same(Outcome expected, Outcome actual, RandomGraphs made, string title)
    {
        Assert.True(expected.Prints == actual.Prints, $"{title}: {actual.Prints} prints in place of {expected.Prints}");
        for (var k = 0; k < expected.Results.Count; k++)
            One(expected.Results[k], actual.Results[k], made.Rounded.Contains(k), $"result {k}");
        foreach (var (name, value) in actual.Changed) One(expected.Changed[name], value, false, name);

        void One(ReferenceValue a, ReferenceValue b, bool isRounded, string what)
        {
            var report = isRounded || !a.DType.IsFloat ? Comparison.Compare(b, a) : null;
            if (report is { Agrees: false }) Assert.Fail($"{title}, {what}: {report.Text}");
            if (report is null) Assert.True(a.Shape.SequenceEqual(b.Shape) && a.Values.SequenceEqual(b.Values),
                $"{title}, {what}: [{string.Join(' ', b.Values)}] in place of [{string.Join(' ', a.Values)}]");
        }
    }

    private static Run Interpreted(RandomGraphs made, Program program, ReferenceValue[] inputs,
        Dictionary<string, ReferenceValue> state,
        Dictionary<string, long> sizes, string title)
    {
        using var executable = new InterpreterExecutable([program]);
        var held = state.ToDictionary(s => s.Key, s => Tensors.Of(s.Value));
        Tensor[] tensors = [.. inputs.Select(Tensors.Of)];
        var (results, inouts, after, printed) = Call(executable, program, made, tensors, held, sizes);
        return new(title, made, program, sizes, tensors, held, results, inouts, after, printed);
    }

    private static (Tensor[] Results, Tensor[] Inouts, Dictionary<string, Tensor> After,
        string Printed) Call(Executable executable,
        Program program, RandomGraphs made, Tensor[] inputs, Dictionary<string, Tensor> state,
            Dictionary<string, long> sizes)
    {
        using var session = executable.CreateSession();
        // The session has the state of every program of the executable.
        if (session.State.Count > 0)
            session.LoadState(session.State.ToDictionary(s => s.Key, s => state.GetValueOrDefault(s.Key) ?? s.Value));
        using var printed = new StringWriter();
        session.Output = printed;
        Tensor[] own = [.. inputs.Select(i => i.Clone())];
        var results = session.Run(program.Name, own, sizes.Where(s => program.Sizes.Contains(s.Key)).ToDictionary());
        return ([.. results], [.. own.Where((_, i) => made.Function.Inputs[i].IsInout)],
            session.State.ToDictionary(s => s.Key, s => s.Value.Clone()), printed.ToString());
    }

    private static void Native(List<Run> runs)
    {
        // A name for each program: one executable holds many.
        var programs = runs.Select(r => r.Program).Distinct(ReferenceEqualityComparer.Instance).Cast<Program>()
            .Select((p, i) => (Old: p, New: p with { Name = $"p{i}" })).ToList();
        using var executable =
            new LlvmExecutable([.. programs.Select(p => p.New)],
                new LlvmOptions(OptLevel: 1, UseCache: false, Threads: 2));
        foreach (var run in runs)
        {
            var program = programs.Single(p => ReferenceEquals(p.Old, run.Program)).New;
            var (results, inouts, after, printed) =
                Call(executable, program, run.Made, run.Inputs, run.State, run.Sizes);
            var same = results.Zip(run.Results).Concat(inouts.Zip(run.Inouts)).All(p => p.First.SameBits(p.Second))
                && run.After.All(s => s.Value.SameBits(after[s.Key])) && printed == run.Printed;
            foreach (var result in results) Compared.Add(result.Count);
            Assert.True(same,
                $"{run.Title}: LLVM differs from the kernel interpreter\n{ProgramPrinter.Print(run.Program)}");
        }
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value) ? value
            : otherwise;
}
