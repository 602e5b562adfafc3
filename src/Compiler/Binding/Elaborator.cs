// Evaluates expressions: known values are computed, tensors become nodes of the current graph. This file: members
// shared by all parts.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator(DiagnosticBag bag)
{
    private readonly IndexRanges ranges = new();
    private int indexCount;

    /// <summary>The name of the graph for known values; no user's function has it.</summary>
    private const string Known = "(known)";

    /// <summary>The graph that nodes are added to.</summary>
    public Function Graph => graph;

    private Function graph = new(Known);

    public Frame Frame => frame;

    private Frame frame = null!;

    /// <summary>Makes a frame current until the scope ends.</summary>
    private Scope<Frame> Entering(Frame inner) => new(ref frame, inner);

    /// <summary>The library functions and modules around the current expression, outermost first.</summary>
    private ImmutableArray<string> composites = [];

    /// <summary>The innermost place in a user's file.</summary>
    private Span? userPlace;

    /// <summary>The current place of the elaboration: for exception filters, which run before scopes end.</summary>
    public Span? Place => userPlace;

    /// <summary>All state of all instances, in the order of declaration.</summary>
    public List<StateMember> States { get; } = [];

    /// <summary>All instances of modules, in the order in which they were made.</summary>
    public List<Instance> Instances { get; } = [];

    /// <summary>
    /// The functions whose bodies have been evaluated; for all others only the syntax has been checked.
    /// </summary>
    public HashSet<FunctionSyntax> Elaborated { get; } = new(ReferenceEqualityComparer.Instance);

    // ---- diagnostics ---------------------------------------------------------------------------------------------

    public Value Fail(Code code, Span span, string message, string? label = null, string? help = null,
        params ReadOnlySpan<Label> secondary)
    {
        if (muted > 0) return Value.Poison;
        if (bag.Count >= MostReports) throw new AbandonedException();
        var labels = secondary.ToArray().Select(s => s with { Text = Readable(s.Text) });
        var calls = Chain();
        // An error inside the library is reported as an error of the call that entered it.
        if (SourceLoader.IsLibrary(span.Source) && calls.FirstOrDefault(c =>
            !SourceLoader.IsLibrary(c.Span.Source)) is { } user)
        {
            labels = labels.Prepend(new(span, label is null ? "asked for here" : Readable(label)));
            // The argument of the user's own call, if the place names one of its parameters.
            var given = Frame.Site == user.Span && Frame.Entered is { } entered && code == Codes.TypeMismatch
                ? entered.Parameters.Zip(Frame.Given).Where(p => p.Second is not null
                    && Word().Matches(span.Text).Any(m => m.Value == p.First.Name.Text)).ToList() : [];
            if (given is [var (parameter, argument)])
                (span, message, help) = (argument!.Value, $"the argument {parameter.Name.Text}: {message}",
                    help?.Replace("…", Short(argument.Value), StringComparison.Ordinal));
            else span = user.Span;
            label = null;
        }
        bag.Add(new Diagnostic(code, Readable(message), span)
        {
            Label = label is null ? null : Readable(label),
            Help = help,
            Secondary = [.. labels],
            Calls = calls,
        });
        return Value.Poison;
    }

    public Value Limit(Span span, string what, string? help = null) => Fail(Codes.NotSupported, span, what, null, help);

    // Of a longer chain of calls the innermost are shown, as far as the first in the user's text.
    private const int MostCalls = 20;

    private ImmutableArray<CallSite> Chain()
    {
        var chain = ImmutableArray.CreateBuilder<CallSite>();
        for (var f = Frame; f is not null; f = f.Caller)
        {
            if (chain.Count >= MostCalls && !SourceLoader.IsLibrary(chain[^1].Span.Source)) break;
            if (f.Site is { } site && (chain.Count == 0 || chain[^1].Span != site)) chain.Add(new(f.Name, site));
        }
        return chain.ToImmutable();
    }

    /// <summary>The reports and demands made before an attempt that may be taken back.</summary>
    private readonly record struct Attempt((int Count, int Reports) Bag, int Checks, ImmutableHashSet<string> ToldOf,
        Span? Place, Value Returned);

    private Attempt Mark() => new(bag.Mark(), Root.Checks.Count, toldOf, userPlace, Frame.Returned);

    /// <summary>Takes back the reports and demands since then.</summary>
    private void Undo(Attempt since)
    {
        bag.Undo(since.Bag);
        Root.Forget(since.Checks);
        (toldOf, userPlace, Frame.Returned) = (since.ToldOf, since.Place, since.Returned);
    }

    [GeneratedRegex("'[0-9]+[ab]*")]
    private static partial Regex IndexNumber();

    // ---- nodes ---------------------------------------------------------------------------------------------------

    /// <summary>
    /// Adds a node to the current graph. A node that belongs to some graph already is reused, or becomes an input.
    /// </summary>
    private Node Emit(Node node)
    {
        if (node.Id >= 0) return Import(node);
        Spend(1);
        if (origin.Place != userPlace || origin.Composites != composites || origin.Frame != Frame)
            origin = (userPlace, composites, Frame,
                new Origin(userPlace?.Place ?? "", composites, Layer()));
        return Graph.Add(Imported(node), origin.Origin);
    }

    /// <summary>
    /// The path of the layer whose function is running, or is in the chain of callers; empty outside of layers.
    /// </summary>
    private string Layer()
    {
        for (var f = Frame; f is not null; f = f.Caller)
            if (f.Self?.Path is { Length: > 0 } path) return path;
        return "";
    }

    /// <summary>The origin of the last node: the next mostly has the same.</summary>
    private (Span? Place, ImmutableArray<string> Composites, Frame? Frame, Origin? Origin) origin;

    private TensorValue Tensor(Node node, ImmutableArray<Index> indices = default) =>
        new(Emit(node), Graph, indices.IsDefault ? [] : indices);

    /// <summary>
    /// The same elements under another shape: reshape of reshape => reshape, and no node if nothing changes.
    /// </summary>
    private Node Reshaped(Node x, ImmutableArray<Size> shape)
    {
        while (x is Reshape { IsChecked: false }) x = x.Operands[0];
        return x.Type.Shape.SequenceEqual(shape) ? x : Emit(new Reshape(x, shape));
    }

    /// <summary>The axes in another order; no node if it is the same.</summary>
    private Node Transposed(Node x, ImmutableArray<int> order) =>
        order.SequenceEqual(Enumerable.Range(0, order.Length)) ? x : Emit(new Transpose(x, order));

    private TensorValue Scalar(double value, DType dtype) => Tensor(Const.Of(TensorType.Scalar(dtype), [value]));

    private TensorValue Scalar(long value, DType dtype) => Tensor(Const.Of(TensorType.Scalar(dtype), [value]));

    private static string Describe(Value value) => value switch
    {
        IntValue i => i.Size.IsConstant ? $"the int {i.Size}" : $"the size {i.Size}",
        FloatValue f => $"the float {ConstText.Float(f.Number)}",
        WideValue w => $"the int {w.Number}",
        WeakValue w => IsReal(w) ? "a float" : "an int that only the call knows",
        BoolValue b => b.Truth ? "true" : "false",
        StringValue => "a string",
        DTypeValue d => $"the dtype {d.DType.Name()}",
        TensorValue t => t.Rank == 0 ? $"a scalar {t.DType.Name()}" : t.Type.Text,
        ListValue l => ReferenceEquals(l, ListValue.Nothing) ? "nothing" : $"a list of {l.Items.Length}",
        FunctionValue f => $"the function {f.Syntax.Name.Text}",
        BuiltinValue b => $"the function {b.Builtin.Name}",
        TransformedValue t => $"the {t.Name} of {Describe(t.Function)}",
        TransformationValue t => $"the transformation {t.Name}",
        ModuleValue m => $"the module {m.Syntax.Name.Text}",
        StateValue s => s.Member.Type.Display,
        InstanceValue i => $"a {i.Instance.Syntax.Name.Text}",
        FileValue f => $"the file {f.File.Name}",
        _ => "a value",
    };

    // ---- sizes ---------------------------------------------------------------------------------------------------

    private enum Sameness
    {
        Same, Checked, Different,
    }

    /// <summary>
    /// Compares two sizes: by their form, or by a check on entry if floor division or min and max prevent that.
    /// Otherwise they differ in some calls, or in all.
    /// </summary>
    private Sameness Compare(Size a, Size b, string why)
    {
        if (a.Equals(b)) return Sameness.Same;
        if ((a - b).IsConstant || !(IsRounded(a) || IsRounded(b))) return Sameness.Different;
        if (!Root.Checks.Any(c => c.Kind == CheckKind.Equal && c.Left.Equals(b) && c.Right.Equals(a)))
            Demand(new EntryCheck(CheckKind.Equal, a, b, Readable(why)));
        return Sameness.Checked;
    }

    private static bool IsRounded(Size s) => s.Terms.Any(t => t.Atoms.Any(a => a is not VariableAtom));

    /// <summary>The same elements under another shape that an entry check guarantees to be equal.</summary>
    private TensorValue Retype(TensorValue x, ImmutableArray<Size> shape) => x.Shape.SequenceEqual(shape)
        ? x : new(Emit(new Reshape(x.Node, [.. x.Indices.Select(i => i.Extent), .. shape], isChecked: true)), Graph,
            x.Indices);

    /// <summary>A constant int, or null after a diagnostic (none for poison).</summary>
    private long? Constant(Value value, Span span, string what)
    {
        switch (value)
        {
            case PoisonValue:
                return null;
            case IntValue { Size.IsConstant: true } i:
                return i.Size.Value;
            case IntValue i:
                Fail(Codes.ConstantNeeded, span, $"{what} must be a constant, {i.Size} is only known when called",
                    Describe(i));
                return null;
            default:
                Fail(Codes.ConstantNeeded, span, $"{what} must be a constant int, not {Describe(value)}",
                    Describe(value));
                return null;
        }
    }

    private Value Call(Value callee, ImmutableArray<Argument> arguments, Span span, Span calleeSpan) =>
        CallValue(callee, arguments, span, calleeSpan);
}

/// <summary>An evaluated argument, with its place and its name if one was written.</summary>
internal sealed record Argument(Value Value, Span Span, string? Name, bool Inout = false)
{
    /// <summary>The place that an `inout` argument names.</summary>
    public Place? Place { get; init; }

    /// <summary>The place of its name.</summary>
    public Span? NameSpan { get; init; }

    /// <summary>True if it mentions an index of a form.</summary>
    public bool IsOverIndex { get; init; }
}
