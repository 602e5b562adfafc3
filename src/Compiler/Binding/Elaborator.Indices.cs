// In: the indices of an index form or a reduction as written. Out: indices with extents, taken from the axes where they
// stand alone.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The number of index forms and reductions around the current expression, in callers too.</summary>
    private int openForms;

    /// <summary>
    /// Evaluates a body under new indices, which are closed again afterwards. Null after a diagnostic.
    /// </summary>
    private T? WithIndices<T>(ImmutableArray<IndexSyntax> syntax, ExpressionSyntax body, bool isReduction,
        Func<List<Index>, T> evaluate)
        where T : class
    {
        var found = Extents(syntax, body, isReduction);
        if (found is null) return null;
        List<Index> all = [.. found.SelectMany(f => f.Indices)];
        var groups = Frame.Groups.SetItems(found.Where(f => f.Group is not null)
            .Select(f => KeyValuePair.Create(f.Group!, f.Indices)));
        using var indices = new Scope<ImmutableArray<Index>>(ref Frame.Indices, Frame.Indices.AddRange(all));
        using var named = new Scope<ImmutableDictionary<string, List<Index>>>(ref Frame.Groups, groups);
        using var outside = new Scope<bool>(ref Frame.InSubscript, false);
        using var form = new Scope<int>(ref openForms, openForms + 1);
        return evaluate(all);
    }

    private List<(List<Index> Indices, string? Group)>? Extents(ImmutableArray<IndexSyntax> syntax,
        ExpressionSyntax body, bool isReduction)
    {
        var names = syntax.OfType<NamedIndex>().Select(i => i.Name.Text).ToHashSet();
        var result = new List<(List<Index>, string?)>();
        var good = true;
        foreach (var index in syntax)
        {
            if (index is GroupIndex group)
            {
                var name = group.Name?.Text ?? "..";
                if (result.Any(r => r.Item2 == name))
                {
                    Fail(Codes.DuplicateName, group.Span, $"the axes `{group.Span.Text}` are declared twice");
                    good = false;
                    continue;
                }
                var extents = GroupExtents(group, body, names)
                    ?? (Inner(name, group.Span) as ListValue)?.Items.OfType<IntValue>().Select(i => i.Size).ToList();
                if (extents is null)
                {
                    Fail(Codes.IndexWithoutExtent, group.Span,
                        $"`{group.Span.Text}` stands in no subscript here, so its axes are unknown");
                    good = false;
                    continue;
                }
                result.Add(([.. extents.Select(e => New(name, e, group.Span, false, isReduction))], name));
                continue;
            }
            var named = (NamedIndex)index;
            if (result.Any(r => r.Item2 is null && r.Item1[0].Name == named.Name.Text))
            {
                Fail(Codes.DuplicateName, named.Span, $"the index `{named.Name.Text}` is declared twice");
                good = false;
                continue;
            }
            Size? extent;
            if (named.Extent is not null)
            {
                var value = Expression(named.Extent);
                extent = (value as IntValue)?.Size;
                if (extent is null && value is not PoisonValue)
                    Fail(Codes.TypeMismatch, named.Extent.Span, $"an extent is an int, not {Describe(value)}",
                        Describe(value));
                if (extent is null)
                {
                    good = false;
                    continue;
                }
                if (extent.IsConstant && extent.Value < 0)
                {
                    Fail(Codes.ReadOutOfRange, named.Extent.Span,
                        $"the extent of `{named.Name.Text}` is {extent}, which is negative");
                    good = false;
                    continue;
                }
                AtMost(0, extent, $"the extent of {named.Name.Text} is {extent}");
            }
            else
            {
                var before = bag.Reports;
                extent = AloneExtent(named.Name.Text, body, names);
                if (extent is null)
                {
                    // Errors in the body are only reported when it is evaluated, which needs the extents.
                    if (!bodyPoisoned || bag.Reports == before)
                    {
                        Fail(Codes.IndexWithoutExtent, named.Span,
                            $"the index `{named.Name.Text}` has no extent: it nowhere stands alone as a subscript",
                            null, $"write `{named.Name.Text} < {Declared(syntax, index, isReduction)}`");
                    }
                    good = false;
                    continue;
                }
            }
            result.Add(([New(named.Name.Text, extent, named.Span, named.Extent is not null, isReduction)], null));
        }
        return good ? result : null;
    }

    /// <summary>
    /// The size that the declared result has at the index's position in its form; n if none is declared.
    /// </summary>
    private string Declared(ImmutableArray<IndexSyntax> form, IndexSyntax index, bool isReduction) => !isReduction
        && Frame.Entered?.Result is { Fields: [{ Type: NamedType type }] } && type.Dims.Length == form.Length
        && type.Dims[form.IndexOf(index)] is SizeDim dim ? dim.Span.Text : "n";

    private Index New(string name, Size extent, Span span, bool isBounded, bool isReduced)
    {
        var index = new Index(name, $"{name}'{++indexCount}", extent, span)
        {
            IsBounded = isBounded,
            IsReduced = isReduced
        };
        Register(index, (indexCount, 0));
        return index;
    }

    private void Register(Index index, (int, int) order)
    {
        indexOf[index.Variable] = index;
        indexOrder[index] = order;
        ranges.Add(index.Variable, index.Extent);
    }

    /// <summary>Divides an index by q, which divides its extent: f = outer * q + inner.</summary>
    private void Split(Index f, Size outerExtent, Size q)
    {
        var outer = new Index(f.Name, f.Variable + "a", outerExtent, f.Span)
        {
            IsBounded = true,
            IsReduced = f.IsReduced
        };
        var inner = new Index(f.Name, f.Variable + "b", q, f.Span) { IsBounded = true, IsReduced = f.IsReduced };
        Register(outer, (indexOrder[f].Position, 1));
        Register(inner, (indexOrder[f].Position, 2));
        f.Split = (outer, inner);
    }

    // ---- where an index stands alone -------------------------------------------------------------------------------

    /// <summary>
    /// Set when the search met a target with a reported error: then the missing extent is not reported as well.
    /// </summary>
    private bool bodyPoisoned;

    private Size? AloneExtent(string name, ExpressionSyntax body, HashSet<string> pending)
    {
        bodyPoisoned = false;
        foreach (var read in Reads(body, name))
        {
            var at = read.Subscripts.ToList().FindIndex(s => s is ValueSubscript { Value: NameExpression n }
                && n.Name == name);
            if (at < 0 || TargetShape(read, pending) is not { } shape) continue;
            var group = read.Subscripts.ToList().FindIndex(s => s is GroupSubscript);
            var axis = group >= 0 && group < at ? shape.Length - (read.Subscripts.Length - at) : at;
            if (axis >= 0 && axis < shape.Length) return shape[axis];
            bodyPoisoned = true; // the read itself reports its rank
        }
        return null;
    }

    private List<Size>? GroupExtents(GroupIndex group, ExpressionSyntax body, HashSet<string> pending)
    {
        foreach (var read in Reads(body, null))
        {
            var at = read.Subscripts.ToList().FindIndex(s => s is GroupSubscript g && g.Name?.Text == group.Name?.Text);
            if (at < 0 || TargetShape(read, pending) is not { } shape) continue;
            var count = shape.Length - (read.Subscripts.Length - 1);
            if (count >= 0) return [.. shape.Skip(at).Take(count)];
        }
        return null;
    }

    private ImmutableArray<Size>? TargetShape(SelectExpression read, HashSet<string> pending)
    {
        // A target that mentions the indices cannot be evaluated before they exist.
        if (Names(read.Target).Any(n => pending.Contains(n) && Frame.Find(n) is null)) return null;
        using var place = new Scope<Span?>(ref userPlace, userPlace);
        using var outside = new Scope<bool>(ref Frame.InSubscript, false);
        var value = Expression(read.Target);
        if (value is TensorValue t) return t.Shape;
        bodyPoisoned |= value is PoisonValue || value is not ListValue;
        return null;
    }

    /// <summary>All subscripted expressions in which the name refers to this form's index, outermost first.</summary>
    private static IEnumerable<SelectExpression> Reads(ExpressionSyntax e, string? name)
    {
        if (e is SelectExpression s && !IsReductionHead(s)) yield return s;
        if (name is not null && e is ApplyExpression { Callee: SelectExpression head } && IsReductionHead(head)
            && head.AsIndices() is { } own && own.OfType<NamedIndex>().Any(i => i.Name.Text == name)) yield break;
        if (name is not null && e is MapExpression m && m.Indices.OfType<NamedIndex>().Any(i => i.Name.Text == name))
            yield break;
        foreach (var part in Parts(e))
        {
            foreach (var read in Reads(part, name)) yield return read;
        }
    }

    private static bool IsReductionHead(SelectExpression s) => s.Target is NameExpression n
        && ReductionNames.Contains(n.Name);

    private static IEnumerable<string> Names(ExpressionSyntax e) =>
        (e is NameExpression n ? [n.Name] : Enumerable.Empty<string>()).Concat(Parts(e).SelectMany(Names));

    private static IEnumerable<ExpressionSyntax> Parts(ExpressionSyntax e) => e switch
    {
        MemberExpression m => [m.Target],
        ApplyExpression a => [a.Callee, .. a.Arguments.Select(x => x.Value)],
        SelectExpression s => [s.Target, .. s.Subscripts.SelectMany(Parts)],
        BinaryExpression b => [b.Left, b.Right],
        NegateExpression n => [n.Operand],
        NotExpression n => [n.Operand],
        PipeExpression p => [p.Left, p.Right],
        MapExpression m => [m.Body],
        IfExpression i => [i.Condition, i.Then, i.Else],
        ListExpression l => l.Elements.Where(x => x.Value is not null).Select(x => x.Value!),
        ComprehensionExpression c => [c.Element],
        _ => [],
    };

    private static IEnumerable<ExpressionSyntax> Parts(SubscriptSyntax s) => s switch
    {
        ValueSubscript v => [v.Value],
        SliceSubscript x => new[] { x.Start, x.End, x.Step }.OfType<ExpressionSyntax>(),
        _ => [],
    };
}
