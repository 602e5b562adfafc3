// In: a composite's evaluated body. Out: the nodes that it added as a function of its own, and a call of that as its
// result.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private readonly Outliner outliner = new();

    /// <summary>
    /// Nodes that have moved into a composite's function. An equal one may be made again: it then has another use.
    /// </summary>
    private readonly HashSet<Node> outlined = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// The state of a graph when a composite's body began: nodes from <paramref name="First"/> on are the body's.
    /// </summary>
    private sealed record Outline(Function Graph, int First, int Effects, Span? Place, IReadOnlyList<Node> Arguments);

    /// <summary>
    /// Called before the parameters are bound. Null if the call has to be inlined: in an index form, whose axes are
    /// added to those of the body's tensors; for known values outside of functions; and where the function writes back.
    /// </summary>
    private Outline? BeginOutline(FunctionSyntax syntax, Argument?[] bound)
    {
        if (!syntax.IsComposite || Graph.Name == Known || !Frame.Guards.IsEmpty
            || syntax.Parameters.Any(p => p.Inout)) return null;
        List<TensorValue> leaves = [.. bound.SelectMany(a => a is null ? [] : Leaves(a.Value))];
        return leaves.Any(l => !l.Indices.IsEmpty) ? null
            : new(Graph, Graph.Nodes.Count, Graph.Effects.Count, userPlace, [.. leaves.Select(l => Import(l).Node)]);
    }

    /// <summary>
    /// The call that computes a composite's value; the value itself if the body printed, asserted, assigned, or
    /// computed nothing.
    /// </summary>
    private Value Outlined(Outline outline, string composite, Value value)
    {
        List<TensorValue> leaves = [.. Leaves(value)];
        if (leaves.Count == 0 || !ReferenceEquals(Graph, outline.Graph) || Graph.Effects.Count > outline.Effects
            || leaves.Any(l => !l.Indices.IsEmpty || !Owns(Graph, l.Node))) return value;
        var arguments = outline.Arguments.ToHashSet<Node>(ReferenceEqualityComparer.Instance);
        // A constant that existed before came from elsewhere.
        var made = outliner.Outline(Graph, composite, [.. leaves.Select(l => l.Node)],
            n => !arguments.Contains(n) && n is not (Input or State)
                && (n.Id >= outline.First || outlined.Contains(n)),
            outline.Arguments,
            n => n.Id < outline.First && Outliner.IsGenerated(n) ? null : Shared(Graph.OriginOf(n), outline),
            out var inside);
        if (made is null) return value;
        // The call's origin is where it is written; nodes of its body that come from a user's file get the same place.
        userPlace = outline.Place;
        foreach (var node in inside.Where(n => n.Id >= outline.First)) outlined.Add(node);
        var call = Emit(made);
        return Rebuilt(value, new(leaves.Select((_, i) =>
            leaves.Count == 1 ? Tensor(call) : Tensor(new Result(call, i)))));
    }

    /// <summary>The part of an origin that all calls share, without the part of this call.</summary>
    private Origin Shared(Origin origin, Outline outline) => new(origin.Place == outline.Place?.Place ? "" : origin.Place,
        [.. origin.Composites.Except(composites)]);
}
