// In: a file, an exported function, its arguments. Out: one JSON line with the time of a call in this process.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Accelerate.Backends.Llvm;
using Accelerate.Bench;
using Accelerate.Bench.Scenarios;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// The unit of `accc bench run`: a process that only calls one function, like the peers' processes. The first call's
/// results are written to files, so that they can be checked before the times are used.
/// </summary>
internal static class TimeCommand
{
    public static Command Make(Terminal terminal)
    {
        var seconds = new Option<double>("--seconds")
        {
            Description = "how long the calls are sampled, after a warm-up of a third of it",
            DefaultValueFactory = _ => 0.5,
        };
        var outputs = new Option<string?>("--out")
        {
            Description = "writes each result of the first call to FOLDER/NAME.npy, or FOLDER/N.npy if it has no name",
            HelpName = "FOLDER",
        };
        var kernels = new Option<bool>(
            "--kernels")
        { Description = "a table of each kernel's least time instead; llvm only" };
        var graph = new Option<bool>("--graph")
        { Description = "the f64 graph interpreter instead of a backend: what every backend is held to" };
        var details = new Option<bool>("--details")
        {
            Description = "also the optimised graph's nodes, the LLVM instructions that are printed for its kernels, and "
                + "what each kernel takes",
        };
        var command = new Command("time", "Times calls of a function in this process alone; prints one JSON line.");
        var common = new CommonOptions().AddTo(command).AddCodeTo(command).AddRunTo(command);
        var call = new CallArguments(command);
        command.Options.Add(seconds);
        command.Options.Add(outputs);
        command.Options.Add(kernels);
        command.Options.Add(graph);
        command.Options.Add(details);
        var scenarios = new ScenarioArguments(command);
        var prompt = new Option<int?>("--prompt")
        {
            Description = "a call is a text: FN takes tokens [batch, t], a position and inout caches; the prompt has N "
                + "tokens",
            HelpName = "N",
        };
        var tokens = new Option<int?>("--tokens")
        {
            Description = "with --prompt: how many tokens a text has, 2 or more",
            HelpName = "N",
        };
        command.Options.Add(prompt);
        command.Options.Add(tokens);
        command.SetAction(parsed =>
        {
            var options = common.Read(parsed);
            var scenario = scenarios.Read(parsed, parsed.GetValue(seconds));
            if (scenario is not null && parsed.GetValue(kernels))
                throw CommonOptions.Usage("--kernels and --scenario are two measurements", "leave one of them out");
            var loader = new ModelLoader(options, terminal);
            // The cache does not contain graphs.
            var compiled = parsed.GetValue(graph) || parsed.GetValue(details)
                ? loader.Compile(CompilationStage.Lowered, [call.Function(parsed)]) : null;
            var model = compiled?.Model ?? loader.Model(call.Function(parsed));
            var program = model.Programs.Single();
            var text = GenerationRun.Make(program, parsed.GetValue(prompt), parsed.GetValue(tokens),
                scenario is not null || parsed.GetValue(kernels) || parsed.GetValue(graph));
            var (inputs, sizes) = call.Inputs(parsed, program, options, text?.Words ?? (_ => []));
            var targets = Targets(parsed.GetValue(outputs), program);
            var files = new FilesInUse(options, model);
            foreach (var (parameter, path) in call.Files(parsed)) files.Reads($"the input {parameter}", path);
            foreach (var path in targets) files.Writes("--out", path);
            using var executable = loader.Load(model);
            if (parsed.GetValue(kernels))
            {
                var breakdown = Breakdown(options, program, inputs, sizes, loader, parsed.GetValue(seconds));
                terminal.Output.Write(breakdown.Print() + "\n");
                return ExitCodes.Ok;
            }
            using var session = executable.CreateSession();
            session.Output = TextWriter.Null;
            if (scenario is { Mode: LoadMode.Accuracy })
            {
                // The data set is given by the command line: one sample, whose results go to --out.
                var once = LoadGenerator.Run(scenario, new LoadClock(),
                    _ => session.Run(program.Name, inputs, sizes), (_, given) =>
                {
                    foreach (var (path, result) in targets.Zip(given)) Npy.Write(path, result);
                    foreach (var tensor in given) tensor.Dispose();
                });
                var record = LoadRecord.Of(once) with { Threads = options.Executable.Threads };
                terminal.Output.Write(record.ToJson() + "\n");
                return ExitCodes.Ok;
            }
            if (text is not null)
            {
                var line = text.Measure(session, inputs, sizes, parsed.GetValue(seconds), targets.FirstOrDefault());
                terminal.Output.Write((line with
                {
                    Threads = options.Executable.Threads,
                    PeakGflops = Peak(options.Executable.Threads),
                    CompileMs = loader.CompileTime.TotalMilliseconds,
                    Parameters = Parameters(model, loader),
                    Ops = compiled is null ? null : GraphCall.Nodes(compiled.Entries.Single().Optimised!),
                    Kernels = program.Kernels.Length,
                }).ToJson() + "\n");
                return ExitCodes.Ok;
            }
            Func<IReadOnlyList<Tensor>> run = parsed.GetValue(graph)
                ? () => GraphCall.Run(compiled!.Entries.Single(), inputs, loader.State, sizes)
                : () => session.Run(program.Name, inputs, sizes);
            var first = Stopwatch.StartNew();
            var results = run();
            first.Stop();
            var sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
            foreach (var (path, result) in targets.Zip(results)) Npy.Write(path, result);
            if (scenario is not null)
            {
                foreach (var tensor in results) tensor.Dispose();
                var load = LoadRecord.Of(ScenarioArguments.Take(scenario, () =>
                {
                    foreach (var tensor in session.Run(program.Name, inputs, sizes)) tensor.Dispose();
                }));
                terminal.Output.Write((load with
                {
                    Threads = options.Executable.Threads,
                    PeakGflops = Peak(options.Executable.Threads),
                    CompileMs = loader.CompileTime.TotalMilliseconds,
                    FirstCallMs = first.Elapsed.TotalMilliseconds,
                    FirstResultMs = sinceStart.TotalMilliseconds,
                }).ToJson() + "\n");
                return ExitCodes.Ok;
            }
            // Results that depend only on the inputs are the same in every call; assigned state, or a buffer of the
            // caller's, changes the next call.
            var isPure = program.Written.All(b => program.Buffers[b].Kind
                is not (BufferKind.Param or BufferKind.Buffer or BufferKind.Input));
            var samples = CallSamples.Take(parsed.GetValue(seconds), () =>
            {
                foreach (var tensor in run()) tensor.Dispose();
            }, isPure ? () => Recheck(run, program.Name, results) : null);
            foreach (var tensor in results) tensor.Dispose();
            var measured = Measured(program, sizes, samples, options.Executable.Threads) with
            {
                CompileMs = loader.CompileTime.TotalMilliseconds,
                FirstCallMs = first.Elapsed.TotalMilliseconds,
                FirstResultMs = sinceStart.TotalMilliseconds,
                Parameters = Parameters(model, loader),
            };
            if (parsed.GetValue(details))
            {
                measured = measured with { Ops = GraphCall.Nodes(compiled!.Entries.Single().Optimised!) };
                if (options.Backend == "llvm" && LlvmBackend.Available(out _))
                {
                    measured = measured with
                    {
                        Instructions = GraphCall.Instructions(program, options.Executable),
                        Profile = Breakdown(options, program, inputs, sizes, loader, parsed.GetValue(seconds))
                            .Records(program, sizes),
                    };
                }
            }
            terminal.Output.Write(measured.ToJson() + "\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static long Parameters(CompiledModel model, ModelLoader loader) => model.State
        .Where(t => t.Storage == Compiler.Graph.StorageClass.Param && loader.State.ContainsKey(t.Path))
        .Sum(t => loader.State[t.Path].Count);

    /// <exception cref="InternalErrorException">A later call's bits differ from the first one's.</exception>
    private static void Recheck(Func<IReadOnlyList<Tensor>> run, string name, IReadOnlyList<Tensor> expected)
    {
        var again = run();
        var isEqual = expected.Zip(again, (a, b) => a.SameBytes(b)).All(same => same);
        foreach (var tensor in again) tensor.Dispose();
        if (!isEqual) throw new InternalErrorException($"'{name}' gave other results in a later, timed call");
    }

    private static Measurement Measured(Program program, IReadOnlyDictionary<string, long> sizes, CallSamples samples,
        int threads)
    {
        return Measurement.Of(samples, threads) with
        {
            PeakGflops = Peak(threads),
            Flops = FlopCount.Of(program, sizes),
            Bytes = FlopCount.CompulsoryBytes(program, sizes),
            Kernels = program.Kernels.Length,
            ArenaBytes = new ArenaLayout(program, s => sizes[s]).Bytes,
        };
    }

    private static KernelBreakdown Breakdown(ModelOptions options, Program program, Tensor[] inputs,
        IReadOnlyDictionary<string, long> sizes, ModelLoader loader, double seconds)
    {
        var code = options.Executable;
        // The tensors belong to the caller here, so the case is not disposed.
        var given = new BenchCase(options.File, program, sizes, inputs, loader.State);
        var llvm = new LlvmOptions(code.Target, code.OptLevel, code.Passes, code.Threads);
        return KernelBreakdown.Measure(given, llvm, new BenchOptions(seconds), least: true);
    }

    /// <summary>The best of a few readings: the machine's limit, not the share that other programs leave.</summary>
    private static double Peak(int threads)
    {
        using var peak = new FmaPeak();
        using var pool = new WorkerPool(threads);
        return Enumerable.Range(0, 9).Max(_ => peak.Read(pool));
    }

    /// <summary>A file in the folder for each result; the folder is created.</summary>
    private static List<string> Targets(string? folder, Program program)
    {
        if (folder is null) return [];
        if (InputFile.NameError(folder) is { } error) throw CommonOptions.Usage($"--out '{folder}': {error}");
        Directory.CreateDirectory(folder);
        // A name in a .graph file may be impossible as a file name.
        return [.. program.Of(BufferKind.Output).Select((b, i) =>
            Path.Combine(folder, $"{(b.Label.Length > 0 && b.Label.All(IsPlain) ? b.Label : i)}.npy"))];
    }

    private static bool IsPlain(char c) => char.IsLetterOrDigit(c) || c == '_';
}
