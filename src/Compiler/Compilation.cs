// In: a source file and the user's options. Out: its diagnostics, and the program of each exported function.
using System.Collections.Immutable;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// The compiled text of a program. Errors in it are data, not exceptions: look at <see cref="Diagnostics"/> first.
/// </summary>
public sealed class Compilation
{
    /// <summary>
    /// The suffix of a file that holds graphs in their text form, as `dump --stage graph` prints them.
    /// </summary>
    internal const string GraphSuffix = ".graph";

    private readonly DiagnosticBag bag = new();
    private readonly CompilationOptions options;

    private Compilation(SourceText source, CompilationOptions options)
    {
        (Source, this.options) = (source, options);
        Entries = Nesting.Deeply(Run);
    }

    internal SourceText Source { get; }

    /// <summary>
    /// All errors found, in the order of the text; empty for a program that is right and supported. The text of one,
    /// <c>diagnostic.ToString()</c>, shows the source lines.
    /// </summary>
    public ImmutableArray<Diagnostic> Diagnostics => bag.Sorted();

    /// <summary>0 ok, 1 user error, 3 known limitation, 70 compiler bug.</summary>
    internal int ExitCode => bag.ExitCode;

    /// <summary>The result of binding; null if it was not reached or failed.</summary>
    internal BoundProgram? Bound { get; private set; }

    /// <summary>The requested entries that could be compiled, in the order of the file.</summary>
    internal ImmutableArray<CompiledEntry> Entries { get; }

    /// <summary>The programs of the entries, for <c>Executables.Create</c>.</summary>
    internal IReadOnlyList<Program> Programs => [.. Entries.Select(e => e.Program).OfType<Program>()];

    /// <summary>
    /// Everything needed to run the entries. It lacks the entries that could not be compiled, which the diagnostics
    /// report.
    /// </summary>
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

    /// <summary>Compiles a file.</summary>
    /// <param name="path">The file; its folder is where `use` looks unless the options say otherwise.</param>
    /// <param name="options">The defaults if null.</param>
    /// <exception cref="DataException">The file cannot be read, or is no text.</exception>
    /// <exception cref="InternalErrorException">A bug of the compiler.</exception>
    public static Compilation FromFile(string path, CompilationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var source = DataException.Guard(path, () => SourceText.Load(path));
        return Boundary.Guard(path, () => FromSource(source, options));
    }

    /// <summary>Compiles a text.</summary>
    /// <param name="text">The program.</param>
    /// <param name="options">The defaults if null.</param>
    /// <param name="path">The name of the text in diagnostics; its folder is where `use` looks.</param>
    /// <exception cref="InternalErrorException">A bug of the compiler.</exception>
    public static Compilation FromText(string text, CompilationOptions? options = null, string path = "program.acc")
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(path);
        return Boundary.Guard(path, () => FromSource(new SourceText(path, text), options));
    }

    /// <summary>Compiles a source; internal errors of the compiler are thrown unchanged.</summary>
    /// <param name="source">The text; its path determines where `use` looks unless the options do.</param>
    /// <param name="options">The defaults if null.</param>
    internal static Compilation FromSource(SourceText source, CompilationOptions? options = null)
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
            // An entry that cannot be compiled is reported; the others are compiled.
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

    /// <summary>The text of a graph does not contain initial values of state: it begins with zeros.</summary>
    private StateDeclaration Declare(State state)
    {
        var zeros = new Function(state.Name);
        zeros.Results = [zeros.Add(state.Type.DType.IsFloat ? Const.Of(state.Type, 0.0) : Const.Of(state.Type, 0L))];
        return new(state.Name, state.Storage, state.Type, zeros, new Span(Source, 0, 0));
    }

    /// <summary>
    /// The program that computes the initial values of the given pieces of state, one result each, named by its path.
    /// Null if there are none.
    /// </summary>
    /// <exception cref="LimitationException">It cannot be compiled; a diagnostic has the place.</exception>
    internal Program? Initializer(IReadOnlyCollection<string> paths)
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

    /// <summary>Copies the nodes of a function without inputs into another; returns its first result there.</summary>
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
                Optimised = Pipeline.Run(entry.Bound, after: options.AfterPass, rewrites: rewrites,
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
    /// Reports a limitation found by a stage after the binder, at the function's declaration; false if there was one.
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
        catch (Compiler.Types.SizeLimitException e)
        {
            bag.Report(Codes.NotSupported, Declaration(name), e.Message);
            return false;
        }
        catch (OverflowException)
        {
            // Size products that only an optimisation, or lowering, forms.
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
