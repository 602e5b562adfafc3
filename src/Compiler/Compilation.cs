// In: a source file and what the user sets from outside. Out: what is wrong with it, and the program of each exported
// function.
using System.Collections.Immutable;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate.Compiler;

/// <summary>How far a compilation goes: checking a file needs no kernels.</summary>
public enum CompilationStage
{
    Syntax, Bound, Optimised, Lowered,
}

public sealed record CompilationOptions
{
    /// <summary>Hyper-parameters, constant sizes, where `use` looks.</summary>
    public BindOptions Binding { get; init; } = new();

    /// <summary>The exported functions wanted; null for all. A name that the file does not export is ignored.</summary>
    public IReadOnlyCollection<string>? Entries { get; init; }

    public CompilationStage Last { get; init; } = CompilationStage.Lowered;

    /// <summary>
    /// The dtype, bf16 or f16, that the f32 operands of matmuls, convolutions and attention are rounded to; they still
    /// accumulate in f32, and all else stays as declared. Null: nothing is rounded. See <see cref="ComputePrecision"/>.
    /// </summary>
    public DType? Compute { get; init; }

    /// <summary>
    /// True to compute all convolutions in their direct form, and norms behind them apart; else those of 3x3 with
    /// frozen weights that gain by it are in Winograd's, which rounds differently. See <see cref="Winograd"/>.
    /// </summary>
    public bool DirectConvolutions { get; init; }

    /// <summary>The optimiser stops after so many rewrites, counted for each entry; null for no limit.</summary>
    public long? StopAfterRewrite { get; init; }

    /// <summary>
    /// Called with the name of every stage as it ends: parse, bind, then optimise and lower for each entry.
    /// </summary>
    public Action<string>? Reached { get; init; }

    /// <summary>Called with every graph of every entry, after each pass.</summary>
    public Action<Pass, Function>? AfterPass { get; init; }
}

/// <summary>An exported function at each stage; null where the compilation stopped before it.</summary>
public sealed record CompiledEntry(string Name, Function Bound, Function? Optimised = null, Program? Program = null)
{
    /// <summary>
    /// The calls of a composite that one kernel should compute, and none does: several are right, and slower. Empty
    /// before it is optimised. Calls at one place of one layer count as one.
    /// </summary>
    public IReadOnlyList<Origin> FindDissolved() => Optimised is null ? [] : Claims.Dissolved(Bound, Optimised);
}

/// <summary>A file compiled. Nothing is thrown for a wrong program: look at <see cref="Diagnostics"/> first.</summary>
public sealed class Compilation
{
    /// <summary>
    /// The suffix of a file that holds graphs in their text form, as `dump --stage graph` prints
    /// them.
    /// </summary>
    public const string GraphSuffix = ".graph";

    private readonly DiagnosticBag bag = new();
    private readonly CompilationOptions options;

    private Compilation(SourceText source, CompilationOptions options)
    {
        (Source, this.options) = (source, options);
        Entries = Nesting.Deeply(Run);
    }

    public SourceText Source { get; }

    /// <summary>Everything found, in the order of the text; empty for a program that is right and supported.</summary>
    public ImmutableArray<Diagnostic> Diagnostics => bag.Sorted();

    /// <summary>0 ok, 1 user error, 3 known limitation, 70 compiler bug.</summary>
    public int ExitCode => bag.ExitCode;

    /// <summary>What binding gave; null when it was not reached or failed.</summary>
    public BoundProgram? Bound { get; private set; }

    /// <summary>The entries asked for that could be compiled, in the order of the file.</summary>
    public ImmutableArray<CompiledEntry> Entries { get; }

    /// <summary>The programs of the entries, for <c>Executables.Create</c>.</summary>
    public IReadOnlyList<Program> Programs => [.. Entries.Select(e => e.Program).OfType<Program>()];

    /// <summary>What running the entries takes.</summary>
    public CompiledModel Model =>
        new([.. Programs], Bound is null ? [] : [.. Bound.State], Bound?.WeightRules ?? WeightRules.None)
        {
            Initializer = Initializer,
            Sources = [.. Bound?.Uses.Where(u => u.Text is not null).Select(u => u.Path) ?? []],
        };

    /// <summary>The names that the text exports, whether they could be compiled or not.</summary>
    public IReadOnlyList<string> Exports => Syntax is null
        ? [.. Bound?.Entries.Select(e => e.Name) ?? []]
        : [.. Declarations(Syntax.Items).Where(f => f.Exported).Select(f => f.Name.Text)];

    internal FileSyntax? Syntax { get; private set; }

    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Compilation FromFile(string path, CompilationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        return FromSource(SourceText.Read(path), options);
    }

    /// <param name="source">The text; its path says where `use` looks unless the options do.</param>
    /// <param name="options">The defaults if null.</param>
    public static Compilation FromSource(SourceText source, CompilationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        options ??= new CompilationOptions();
        var folder = options.Binding.Folder ?? Path.GetDirectoryName(source.Path) ?? "";
        return new(source, options with { Binding = options.Binding with { Folder = folder } });
    }

    /// <summary>The pipeline: text, syntax tree, graphs, optimised graphs, kernels in a program.</summary>
    private ImmutableArray<CompiledEntry> Run()
    {
        if (Source.Path.EndsWith(GraphSuffix, StringComparison.Ordinal))
        {
            Bound = ReadGraph();
        }
        else
        {
            Syntax = Parser.Parse(Source, bag);
            options.Reached?.Invoke("parse");
            if (options.Last == CompilationStage.Syntax || bag.Count > 0) return [];
            Bound = Binder.Bind(Syntax, options.Binding, bag);
            options.Reached?.Invoke("bind");
        }
        if (Bound is null) return [];
        var entries = ImmutableArray.CreateBuilder<CompiledEntry>();
        List<Function> wanted = [.. Bound.Entries.Where(e => options.Entries?.Contains(e.Name) ?? true)];
        var frozen = FrozenState.Of(wanted);
        foreach (var function in wanted)
        {
            var entry = new CompiledEntry(function.Name, function);
            // One entry that cannot be compiled says so; the others are.
            var isDone = options.Last == CompilationStage.Bound
                || Limited(function.Name, () => entry = Compile(entry, frozen));
            if (isDone) entries.Add(entry);
        }
        return entries.ToImmutable();
    }

    private BoundProgram? ReadGraph()
    {
        try
        {
            var function = GraphReader.Read(Source.Text);
            Verifier.Verify(function);
            Bounds.Guard(function);
            // The setup reads state too.
            List<State> states = [.. GraphPrinter.Whole(function).SelectMany(f => f.Nodes).OfType<State>()
                .DistinctBy(s => s.Name)];
            if (states.FirstOrDefault(s => s.Type.Shape.Any(e => !e.IsConstant)) is { } open)
                throw new FormatException($"the state '{open.Name}' has the symbolic type {open.Type}");
            return new BoundProgram([function], [.. states.Select(Declare)], WeightRules.None);
        }
        catch (Exception e) when (e is FormatException or GraphException)
        {
            bag.Report(Codes.UnexpectedToken, new Span(Source, 0, 0), $"this is no graph: {e.Message}");
            return null;
        }
    }

    /// <summary>A graph's text does not say how its state begins: with zeros.</summary>
    private StateDeclaration Declare(State state)
    {
        var zeros = new Function(state.Name);
        zeros.Results = [zeros.Add(state.Type.DType.IsFloat ? Const.Of(state.Type, 0.0) : Const.Of(state.Type, 0L))];
        return new(state.Name, state.Storage, state.Type, zeros, new Span(Source, 0, 0));
    }

    /// <summary>
    /// The program that computes the initial values of those pieces of state, one result each, named by its path. Null
    /// when there are none.
    /// </summary>
    /// <exception cref="LimitationException">It cannot be compiled; a diagnostic says where.</exception>
    public Program? Initializer(IReadOnlyCollection<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var wanted = Bound?.State.Where(s => paths.Contains(s.Path)).ToList() ?? [];
        if (wanted.Count == 0) return null;
        var function = new Function("initialize");
        function.Results = [.. wanted.Select(s => CopyInto(function, s.Initializer))];
        function.ResultNames = [.. wanted.Select(s => s.Path)];
        var entry = new CompiledEntry(function.Name, function);
        return Limited(wanted[0].Path, () => entry = Lower(entry with { Optimised = Pipeline.Run(function) }))
            ? entry.Program : throw new LimitationException(Diagnostics[^1].Headline);
    }

    /// <summary>The nodes of a function without inputs in another; its first result there.</summary>
    private static Node CopyInto(Function into, Function from)
    {
        var rebuild = new Rebuild(from, into);
        rebuild.CopyAll();
        return rebuild[from.Results[0]];
    }

    private CompiledEntry Compile(CompiledEntry entry, FrozenState frozen)
    {
        var rewrites = new Rewrites(options.StopAfterRewrite ?? long.MaxValue);
        var optimised =
            entry with
            {
                Optimised =
                Pipeline.Run(entry.Bound, after: options.AfterPass, rewrites: rewrites,
                    passes: Pipeline.For(options.Compute, frozen, options.DirectConvolutions))
            };
        options.Reached?.Invoke("optimise");
        if (options.Last == CompilationStage.Optimised) return optimised;
        var lowered = Lower(optimised);
        options.Reached?.Invoke("lower");
        return lowered;
    }

    private static CompiledEntry Lower(CompiledEntry entry) =>
        entry with { Program = Lowering.Lower(entry.Optimised!) };

    /// <summary>
    /// Makes a limitation met behind the binder a diagnostic at the declaration; false if there was
    /// one.
    /// </summary>
    private bool Limited(string name, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (LimitationException e)
        {
            const string Prefix = "not supported: ";
            var hasPrefix = e.Message.StartsWith(Prefix, StringComparison.Ordinal);
            var message = hasPrefix ? e.Message[Prefix.Length..] : e.Message;
            bag.Report(Codes.NotSupported, Declaration(name), message);
            return false;
        }
        catch (Types.SizeLimitException e)
        {
            bag.Report(Codes.NotSupported, Declaration(name), e.Message);
            return false;
        }
        catch (OverflowException)
        {
            // Products that only an optimisation forms, or a lowering.
            bag.Report(Codes.SizeTooLarge, Declaration(name), $"a size in {name} does not fit 64 bits");
            return false;
        }
    }

    private Span Declaration(string name) =>
        Declarations(Syntax?.Items ?? []).FirstOrDefault(f => f.Exported && f.Name.Text == name)?.Name.Span
            ?? new Span(Source, 0, 0);

    private static IEnumerable<FunctionSyntax> Declarations(IEnumerable<ItemSyntax> items) =>
        items.SelectMany(i => i switch
    {
        FunctionSyntax f => [f],
        ModuleSyntax m => Declarations(m.Items),
        ConditionalItemSyntax c => Declarations(c.Then).Concat(Declarations(c.Else)),
        _ => [],
    });
}
