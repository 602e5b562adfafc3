// Assignment. In: a place and a value. Out: the place's root with a new value from here on.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private void Assign(AssignStatement a)
    {
        if (openForms > 0 && a.Places.Any(p => p is not NameExpression n || Frame.Find(n.Name) is null))
        {
            Fail(Codes.EffectInPureForm, a.Span, "an assignment inside an index form", null, "move it before the form");
            return;
        }
        var value = Expression(a.Value);
        var values = Unpack([.. a.Places.Select(p => new NameToken(p.Span.Text, p.Span))], value, a.Value.Span);
        for (var i = 0; i < a.Places.Length; i++) AssignPlace(a, a.Places[i], values[i]);
    }

    private void AssignPlace(AssignStatement a, ExpressionSyntax syntax, Value value)
    {
        if (ListOfState(syntax) is { } list)
        {
            AssignAll(a, list, value);
            return;
        }
        if (PlaceIn(syntax) is not { } place)
        {
            Spoil(syntax);
            return;
        }
        if (place.Path is [.., TensorPlace { Gather: not null }] && a.Operator != AssignOperator.Set)
        {
            if (value is PoisonValue) return;
            if (a.Operator == AssignOperator.Divide)
                Limit(a.OperatorSpan, "`/=` at places that are data", "`*=` multiplies, `+=` adds, `=` sets");
            else
                Put(place, a.Operator == AssignOperator.Subtract ? Negate(value, a.Value.Span) : value,
                    a.Operator == AssignOperator.Multiply ? ScatterOp.Mul : ScatterOp.Add, a.Value.Span, syntax.Span);
            return;
        }
        if (a.Operator != AssignOperator.Set) value = Combined(a, Get(place), syntax.Span, value);
        Put(place, value, ScatterOp.Set, a.Value.Span, syntax.Span);
    }

    private void Spoil(ExpressionSyntax place)
    {
        while (place is SelectExpression s) place = s.Target;
        if (place is NameExpression n && Frame.Find(n.Name) is { Alias: null } local) Write(local, Value.Poison);
    }

    private Value Combined(AssignStatement a, Value old, Span oldSpan, Value value) => Operate(a.Operator switch
    {
        AssignOperator.Add => BinaryOperator.Add,
        AssignOperator.Subtract => BinaryOperator.Subtract,
        AssignOperator.Multiply => BinaryOperator.Multiply,
        _ => BinaryOperator.Divide,
    }, old, value, a.OperatorSpan, oldSpan, a.Value.Span);

    // ---- places --------------------------------------------------------------------------------------------------

    /// <summary>The place that an expression names. Null after a diagnostic.</summary>
    private Place? PlaceIn(ExpressionSyntax e)
    {
        switch (e)
        {
            case NameExpression n when Frame.Find(n.Name) is { } local:
                return local.Alias ?? new Place(local, []);
            case NameExpression n when Frame.Self is { } self && self.Members.TryGetValue(n.Name, out var member):
                return OfMember(member, n.Name, n.Span);
            case NameExpression n:
                if (Frame.Self is { } holder && holder.Hyper.ContainsKey(n.Name)
                    || Frame.File.Items.ContainsKey(n.Name))
                {
                    Fail(Codes.NotAssignable, e.Span, $"`{n.Name}` cannot be assigned", null,
                        "only `param`, `buffer`, locals and `inout` parameters change");
                    return null;
                }
                Fail(Codes.Undeclared, e.Span, $"`{n.Name}` is not declared", null,
                    Spelling.Nearest(n.Name, Frame.Blocks.SelectMany(b => b.Keys)) is { } near
                        ? $"did you mean `{near}`? `let {n.Name} = …` would introduce it"
                            : $"introduce it: `let {n.Name} = …`");
                Frame.Declare(n.Name, Value.Poison, n.Span);
                return null;
            case MemberExpression m:
                switch (Expression(m.Target))
                {
                    case InstanceValue { Instance: var instance } when instance.Members.TryGetValue(m.Name.Text,
                        out var member):
                        return OfMember(member, m.Name.Text, m.Span);
                    case PoisonValue:
                        return null;
                    default:
                        Expression(m); // says what is wrong with the name
                        Fail(Codes.NotAssignable, m.Span, $"`{m.Span.Text}` cannot be assigned", null,
                            "only `param`, `buffer`, locals and `inout` parameters change");
                        return null;
                }
            case SelectExpression s:
                return PlaceIn(s.Target) is { } target ? Part(target, s) : null;
            default:
                Fail(Codes.NotAssignable, e.Span, $"`{e.Span.Text}` cannot be assigned", null,
                    "a place is a name, a member or a part of one: `x[i]`");
                return null;
        }
    }

    private Place? OfMember(Member member, string name, Span span)
    {
        if (member is StateMember state)
        {
            if (StateOf(state, span) is { } cell) return new Place(cell, []);
            return null;
        }
        Fail(Codes.NotAssignable, span, $"`{name}` cannot be assigned", null,
            "only `param`, `buffer`, locals and `inout` parameters change", new Label(member.Span, "declared here"));
        return null;
    }

    private Place? Part(Place target, SelectExpression s)
    {
        switch (Get(target))
        {
            case PoisonValue:
                return null;
            case ListValue list:
                if (s.Subscripts is not [ValueSubscript v])
                {
                    Limit(s.Span, "assignment to a slice of a list", "assign the elements one by one");
                    return null;
                }
                if (Constant(Expression(v.Value), v.Span, "a subscript of a list") is not { } at) return null;
                if (at < -list.Items.Length || at >= list.Items.Length)
                {
                    Fail(Codes.SliceOutOfRange, v.Span, $"subscript {at} of a list of {list.Items.Length}");
                    return null;
                }
                return target.Then((int)(at < 0 ? at + list.Items.Length : at));
            case TensorValue tensor:
                if (PlaceOf(tensor, s) is not { } place) return null;
                if (target.Path is not [.., TensorPlace outer]) return target.Then(place);
                if (outer.Gather is not null)
                {
                    Limit(s.Span, "assignment to a part of what a tensor of indices picks");
                    return null;
                }
                return new Place(target.Root, target.Path.SetItem(target.Path.Length - 1, Composed(outer, place)));
            case var other:
                Fail(Codes.NotAnArray, s.Target.Span, $"{Describe(other)} has no subscripts", Describe(other));
                return null;
        }
    }

    /// <summary>A part of a part, as a part of the whole.</summary>
    private TensorPlace Composed(TensorPlace outer, TensorPlace inner)
    {
        var (starts, offsets, sizes, steps) =
            (outer.Starts.ToArray(), outer.Offsets.ToArray(), outer.Sizes.ToArray(), outer.Steps.ToArray());
        var kept = Enumerable.Range(0, starts.Length).Where(d => !outer.Dropped.Contains(d)).ToList();
        for (var k = 0; k < kept.Count; k++)
        {
            var d = kept[k];
            starts[d] += inner.Starts[k] * outer.Steps[d];
            if (inner.Offsets[k] is { } offset)
            {
                if (outer.Steps[d] != 1)
                    offset = Times(new TensorValue(offset, Graph, []), Scalar(outer.Steps[d], offset.Type.DType)).Node;
                offsets[d] = offsets[d] is { } first ? Sum(first, offset) : offset;
            }
            sizes[d] = inner.Sizes[k];
            steps[d] = outer.Steps[d] * inner.Steps[k];
        }
        return new([.. starts], [.. offsets], [.. sizes], [.. steps],
            [.. outer.Dropped.Concat(inner.Dropped.Select(k => kept[k])).Order()],
            inner.Gather is { } g
                ? g with { Axis = kept[g.Axis], Count = kept[g.Axis + g.Count - 1] - kept[g.Axis] + 1 } : null);

        Node Sum(Node a, Node b)
        {
            if (a.Type.DType != b.Type.DType)
            {
                if (a.Type.DType != DType.I64) a = Emit(new Graph.Convert(a, DType.I64));
                if (b.Type.DType != DType.I64) b = Emit(new Graph.Convert(b, DType.I64));
            }
            return Emit(new Binary(BinaryOp.Add, a, b));
        }
    }

    /// <summary>The value at a place.</summary>
    private Value Get(Place place)
    {
        var value = place.Root.Value;
        foreach (var step in place.Path)
        {
            value = (step, value) switch
            {
                (int i, ListValue l) when i < l.Items.Length => l.Items[i],
                (TensorPlace p, TensorValue t) => ReadPlace(Import(t), p),
                _ => Value.Poison,
            };
        }
        return value;
    }

    /// <summary>Assigns a value to a place: the root has a new value from here on.</summary>
    private void Put(Place place, Value value, ScatterOp how, Span valueSpan, Span placeSpan)
    {
        if (value is PoisonValue)
        {
            Write(place.Root, value);
            return;
        }
        if (place.Path.IsEmpty)
        {
            // State and lent places keep their types; a local takes any value.
            if (place.Root.Type is { } type)
            {
                if (Filling(value, type, valueSpan, placeSpan) is { } fitting) Write(place.Root, fitting);
                return;
            }
            Write(place.Root, value);
            return;
        }
        if (Updated(place.Root.Value, 0) is { } updated) Write(place.Root, updated);

        Value? Updated(Value old, int at)
        {
            if (at == place.Path.Length) return value;
            switch (place.Path[at], old)
            {
                case (int i, ListValue l):
                    return Updated(l.Items[i], at + 1) is { } item ? l with { Items = l.Items.SetItem(i, item) } : null;
                case (TensorPlace p, TensorValue t):
                    return UpdatedPart(Import(t), p, value, how, valueSpan, placeSpan);
                default:
                    return null;
            }
        }
    }

    /// <summary>A value broadcast to a type; a number takes its dtype. Null after a diagnostic.</summary>
    private TensorValue? Filling(Value value, TensorType type, Span span, Span placeSpan)
    {
        if (Realize(value, type.DType, span) is not { } tensor) return null;
        TensorValue? Wrong()
        {
            Fail(Codes.TypeMismatch, span, $"{Describe(value)} is assigned to {type.Display}", Describe(value),
                tensor.DType != type.DType ? $"cast it: `{type.DType.Name()}({Short(span)})`"
                    : FromTheLast(tensor, new TensorValue(new Input("", type), Graph, []), span, placeSpan)
                        ?? (tensor.Rank == type.Rank && tensor.Rank > 0 && tensor.Shape.Zip(type.Shape)
                            .FirstOrDefault(s => !s.First.Equals(s.Second)) is { First: not null } odd
                            ? Equalize(odd.First, odd.Second) ?? "what is assigned has the shape of the part" : null),
                new Label(placeSpan, type.Display));
            return null;
        }
        if (tensor.DType != type.DType || tensor.Rank > type.Rank) return Wrong();
        for (var d = 1; d <= tensor.Rank; d++)
        {
            if (tensor.Shape[^d].Is(1)) continue;
            if (Compare(type.Shape[^d], tensor.Shape[^d],
                $"what is assigned at {span.Place} fits") == Sameness.Different)
                return Wrong();
        }
        ImmutableArray<Size> own =
            [.. tensor.Shape.Select((s, d) => s.Is(1) ? s : type.Shape[type.Rank - tensor.Rank + d])];
        if (!own.SequenceEqual(tensor.Shape)) tensor = Retype(tensor, own);
        return tensor.Shape.SequenceEqual(type.Shape) ? tensor : Spread(tensor, [], type.Shape);
    }

    private TensorValue? UpdatedPart(TensorValue x, TensorPlace place, Value value, ScatterOp how, Span span,
        Span placeSpan)
    {
        ImmutableArray<Size> Kept(ImmutableArray<Size> sizes) => [.. sizes.Where((_, d) => !place.Dropped.Contains(d))];
        if (place.Gather is var (axis, count, indices))
        {
            // The part without the gathered axes' subscripts is read, scattered into, then put back.
            var whole = place with { Gather = null };
            var part = whole.IsWhole(x.Shape) ? x : ReadPlace(x, whole with { Dropped = [] });
            var end = axis + count;
            ImmutableArray<Size> full = [.. part.Shape.Take(axis), .. indices.Shape, .. part.Shape.Skip(end)];
            ImmutableArray<Size> wanted =
                [.. part.Shape.Take(axis).Where((_, d) => !place.Dropped.Contains(d)), .. indices.Shape,
                .. part.Shape.Skip(end).Where((_, d) => !place.Dropped.Contains(end + d))];
            if (Filling(value, x.Type.With(wanted), span, placeSpan) is not { } updates) return null;
            var joined = Reshaped(part.Node, place.Gather.Joined(part.Shape));
            var scattered = Tensor(Reshaped(
                Emit(new Scatter(how, joined, indices.Node, Reshaped(updates.Node, full), axis)), part.Shape));
            return whole.IsWhole(x.Shape) ? scattered
                : UpdatedPart(x, whole with { Dropped = [] }, scattered, ScatterOp.Set, span, placeSpan);
        }
        if (Filling(value, new TensorType(x.DType, Kept(place.Sizes)), span, placeSpan) is not { } update) return null;
        if (place.IsWhole(x.Shape)) return update;
        ImmutableArray<int> axes = [.. Enumerable.Range(0, x.Rank).Where(d => place.Offsets[d] is not null)];
        return Tensor(new UpdateSlice(x.Node, Reshaped(update.Node, place.Sizes),
            [.. axes.Select(d => place.Offsets[d]!)], axes,
            place.Starts, place.Steps));
    }
}
