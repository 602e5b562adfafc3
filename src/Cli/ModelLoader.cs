// In: a file and the options of a command. Out: its compilation, its state, and an executable ready to call.
using System.Diagnostics;
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// The steps shared by `run`, `dump`, `check` and `bench`. Errors are reported on the terminal; then a
/// <see cref="ReportedException"/> ends the command with the exit code.
/// </summary>
internal sealed class ModelLoader(ModelOptions options, Terminal terminal)
{
    private readonly Stopwatch compiling = new();
    private bool hasToldOfCache;

    /// <summary>The time of each stage; null unless <see cref="ModelOptions.Time"/> asks for it.</summary>
    public StageTimes? Times { get; } = options.Time ? new() : null;

    /// <summary>The initial state of <see cref="Load"/>, by path.</summary>
    public IReadOnlyDictionary<string, Tensor> State { get; private set; } = new Dictionary<string, Tensor>();

    /// <summary>Time spent in <see cref="Compile"/> and <see cref="Load"/>.</summary>
    public TimeSpan CompileTime => compiling.Elapsed;

    public static SourceText ReadSource(string path)
    {
        try
        {
            return SourceText.Read(path);
        }
        catch (IOException e)
        {
            throw new CliException(e.Message, File.Exists(path) ? null
                : File.Exists(path + ".acc") ? $"did you mean {path}.acc?"
                : Path.HasExtension(path) ? null : "the .acc file comes first, then the function");
        }
        catch (UnauthorizedAccessException)
        {
            throw new CliException($"{path}: may not be read");
        }
    }

    /// <summary>Compiles up to a stage and reports diagnostics.</summary>
    /// <param name="last">The last stage needed.</param>
    /// <param name="entries">The functions to compile, each of which must be exported; null for all.</param>
    /// <param name="afterPass">Called with every graph after every pass.</param>
    /// <param name="source">The text; null to read the options' file.</param>
    /// <param name="stopAfterRewrite">The maximum number of the optimiser's rewrites; null for all.</param>
    public Compilation Compile(CompilationStage last, IReadOnlyCollection<string>? entries = null,
        Action<Pass, Function>? afterPass = null, SourceText? source = null, long? stopAfterRewrite = null)
    {
        source ??= ReadSource(options.File);
        compiling.Start();
        var compilation = Compilation.FromSource(source, Options(last, entries) with
        {
            AfterPass = afterPass,
            StopAfterRewrite = stopAfterRewrite,
        });
        compiling.Stop();
        // If the file has errors, they matter more than the missing name.
        if (compilation.Diagnostics.All(d => d.Class == DiagnosticClass.Limitation)
            && entries?.FirstOrDefault(n => !compilation.Exports.Contains(n)) is { } unknown)
        {
            throw new CliException($"{options.File} exports no function '{unknown}'",
                Nearest.Help(unknown, compilation.Exports, "exported functions"));
        }
        // A limitation in one function does not prevent the use of another.
        var wantedIsThere = entries is not null && entries.All(n => compilation.Entries.Any(e => e.Name == n));
        if (wantedIsThere && compilation.Diagnostics.All(d => d.Class == DiagnosticClass.Limitation))
            return compilation;
        terminal.Report(compilation.Diagnostics, options.Diagnostics);
        return compilation.ExitCode == ExitCodes.Ok ? compilation : throw new ReportedException(compilation.ExitCode);
    }

    /// <summary>
    /// The model of exported functions, from the cache if this compiler has compiled it before; otherwise it is
    /// compiled, and its diagnostics are reported.
    /// </summary>
    public CompiledModel Model(params string[] entries)
    {
        // Loading libLLVM takes 30 ms, so it is loaded while the programs are compiled.
        if (options.Backend == "llvm") Task.Run(() => LlvmBackend.Available(out _));
        var source = ReadSource(options.File);
        var wanted = Options(CompilationStage.Lowered, entries);
        compiling.Start();
        var cache = Cache() is { } disk ? new ModelCache(disk) : null;
        var found = options.SaveTemps is null ? cache?.TryGet(source, wanted) : null;
        compiling.Stop();
        if (found is not null)
        {
            Times?.End("read");
            return found;
        }
        var compilation = Compile(CompilationStage.Lowered, entries, source: source);
        if (options.SaveTemps is { } folder) StageTexts.Save(folder, compilation, options);
        return cache?.Put(compilation, wanted) ?? compilation.Model;
    }

    /// <summary>
    /// Creates the code of the model's entries and their state: from the weight files, otherwise from the initialisers.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="backend">Null for the options' backend.</param>
    /// <param name="threads">Null for the options' threads.</param>
    /// <param name="wholeState">True to compute all state of the model for <see cref="State"/>, false for only the
    /// state the entries use.</param>
    /// <param name="state">All state by path, to use instead of the weight files.</param>
    public Executable Load(CompiledModel model, string? backend = null, int? threads = null, bool wholeState = false,
        IReadOnlyDictionary<string, Tensor>? state = null)
    {
        var executable = options.Executable with
        {
            Threads = threads ?? options.Executable.Threads,
            Reached = Times is null ? null : Times.End,
        };
        backend ??= options.Backend;
        if (!hasToldOfCache) _ = Cache();
        compiling.Start();
        var weights = state ?? Weights(model);
        Times?.End("weights");
        State = Executables.InitialState(backend, model, executable, weights, wholeState);
        var loaded = Executables.Create(backend, model.Programs, executable, State);
        compiling.Stop();
        return loaded;
    }

    /// <summary>
    /// Misfits are reported at their places in the source, which a model from the cache does not know.
    /// </summary>
    private IReadOnlyDictionary<string, Tensor> Weights(CompiledModel model)
    {
        if (model.IsCached)
        {
            var bag = new DiagnosticBag();
            var tensors = WeightFiles.Read(options.Weights, model, bag);
            if (bag.Count == 0) return tensors;
            model = Compile(CompilationStage.Bound).Model;
        }
        return WeightFiles.Read(options.Weights, model, terminal, options.Diagnostics);
    }

    /// <summary>The user's cache; if it cannot be used, this is reported once if the options ask for it.</summary>
    private DiskCache? Cache()
    {
        var cache = DiskCache.FromEnvironment(out var refusal);
        if (refusal is not null && options.Verbose && !hasToldOfCache)
            terminal.Error.Write($"the cache is off: {refusal}\n");
        hasToldOfCache = true;
        return cache;
    }

    private CompilationOptions Options(CompilationStage last, IReadOnlyCollection<string>? entries) => new()
    {
        Binding = options.Binding,
        Entries = entries,
        Last = last,
        Reached = Times is null ? null : Times.End,
        Compute = options.Compute,
        DirectConvolutions = options.DirectConvolutions,
    };
}
