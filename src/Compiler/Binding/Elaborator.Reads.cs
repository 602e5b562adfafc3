// In: a tensor and its subscripts within an index form. Out: views (slice, window, reshape, reverse) or a gather.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>One subscript of a read: an integer expression of indices, or a tensor of integers.</summary>
    private sealed record Subscript(Value Value, Span Span, bool IsOverIndex);

    private Value Read(TensorValue x, SelectExpression s)
    {
        if (HasNewAxis(x, s)) return Value.Poison;
        if (s.Subscripts.Any(p => p is SliceSubscript)
            || s.Subscripts.Any(p => p is GroupSubscript g && !Frame.Groups.ContainsKey(g.Name?.Text ?? "..")))
        {
            return x.Indices.IsEmpty && !Mentions(s) ? Sliced(x, s)
                : IsSaidOfForm(Codes.NotSupported) ? Value.Poison
                : Limit(s.Span, "a slice inside an index form",
                    "name the axis with an index, and reduce over that: `sum[k](x[i, k] * y[j, k])`");
        }
        if (!x.Indices.IsEmpty)
            return Limit(s.Span, "a subscript of a value that depends on an index",
            "put it in a form of its own first");
        var subscripts = new List<Subscript>();
        foreach (var p in s.Subscripts)
        {
            using var inSubscript = new Scope<bool>(ref Frame.InSubscript, true);
            if (p is GroupSubscript g)
                subscripts.AddRange(Frame.Groups[g.Name?.Text ?? ".."].Select(i =>
                    new Subscript(new IntValue(i.Value), p.Span, true)));
            else subscripts.Add(new(Expression(((ValueSubscript)p).Value) switch
            {
                WeakValue w and (ChoiceValue or RealValue) when !IsReal(w) =>
                    Realize(w, DType.I32, p.Span) ?? Value.Poison,
                var value => value,
            }, p.Span, IsOverIndex(((ValueSubscript)p).Value)));
        }
        if (subscripts.Any(p => p.Value is PoisonValue)) return Value.Poison;
        if (subscripts.Count != x.Rank)
        {
            return Fail(Codes.WrongRank, s.Span,
                $"{Quantity.Of(subscripts.Count, "subscript")} for {Quantity.Of(x.Rank, "axis")}", null, null,
                new Label(s.Target.Span, Describe(x)));
        }
        foreach (var p in subscripts)
        {
            if (p.Value is IntValue or TensorValue { DType.IsInteger: true, Rank: 0 }) continue;
            return Fail(Codes.TypeMismatch, p.Span,
                $"a subscript in an index form is an integer, not {Describe(p.Value)}", Describe(p.Value),
                "cast it: `i32(…)`");
        }
        for (var axis = 0; axis < x.Rank; axis++)
        {
            if (subscripts[axis].Value is not IntValue { Size: var size } || !Divide(size)) continue;
            // Another subscript of this read may mention the index that has just been split.
            subscripts = [.. subscripts.Select(p => p.Value is IntValue i
                ? p with { Value = new IntValue(Current(i.Size)) } : p)];
        }
        return View(x, subscripts, s);
    }

    private bool Mentions(SelectExpression s) =>
        s.Subscripts.SelectMany(Parts).SelectMany(Names).Any(n => Frame.Indices.Any(i => i.Name == n));

    /// <summary>The size with split indices replaced by their parts.</summary>
    private Size Current(Size size) => size.Substitute(
        name => indexOf.TryGetValue(name, out var index) && index.Split is not null ? index.Value : null, ranges);

    /// <summary>f // q where q divides the extent of the index f: splits f.</summary>
    private bool Divide(Size size)
    {
        foreach (var atom in size.Terms.SelectMany(t => t.Atoms).OfType<FloorDivAtom>())
        {
            if (atom.Dividend.Terms is not [{ Coefficient: 1, Atoms: [VariableAtom variable] }]
                || !indexOf.TryGetValue(variable.Name, out var index) || index.Split is not null) continue;
            var outer = FloorDiv(index.Extent, atom.Divisor);
            if (!(outer * atom.Divisor).Equals(index.Extent)) continue;
            Split(index, outer, atom.Divisor);
            return true;
        }
        return false;
    }

    private Value View(TensorValue x, List<Subscript> subscripts, SelectExpression s)
    {
        // Decides axis by axis: an affine view of indices that no other axis uses, or a gather.
        var views = new Affine?[x.Rank];
        var used = new HashSet<Index>();
        for (var axis = 0; axis < x.Rank; axis++)
        {
            if (subscripts[axis].Value is not IntValue { Size: var size }) continue;
            // Only a written constant wraps: `x[i - 1]` is out of range if 0 is the only value of i.
            if (size.IsConstant && size.Value < 0 && !subscripts[axis].IsOverIndex) size += x.Shape[axis];
            if (AffineOf(size) is not { } affine || affine.Terms.Any(t => used.Contains(t.Index))) continue;
            if (!affine.IsView) continue;
            // A subscript that the surrounding conditions do not keep within the axis is read by position, like data.
            if (!Frame.Guards.IsEmpty && !IsAlone(affine, subscripts[axis]) && !IsCovered(size, x.Shape[axis]))
                continue;
            used.UnionWith(affine.Terms.Select(t => t.Index));
            views[axis] = affine;
        }
        var node = x.Node;
        var layout = new List<object>(); // an Index, or the number of a gathered axis
        for (var axis = x.Rank - 1; axis >= 0; axis--)
        {
            if (views[axis] is not { } view)
            {
                layout.Insert(0, axis);
                continue;
            }
            if (!InRange(ref node, axis, ref view, x.Shape[axis], subscripts[axis], s, x)) return Value.Poison;
            layout.InsertRange(0, ViewAxis(ref node, axis, view));
        }
        return layout.All(l => l is Index) ? Tensor(node, [.. layout.Cast<Index>()])
            : Gathered(node, layout, x, subscripts);
    }

    /// <summary>
    /// True for an index that gets its extent from the axes where it stands alone, such as this subscript.
    /// </summary>
    private static bool IsAlone(Affine view, Subscript subscript) =>
        view is { Terms: [var (index, factor)], Rest: var rest } && factor.Is(1) && rest.Is(0) && !index.IsBounded && subscript.Span.Text == index.Name;

    /// <summary>c0 * i0 + c1 * i1 + … + Rest.</summary>
    private sealed record Affine(ImmutableArray<(Index Index, Size Factor)> Terms, Size Rest)
    {
        public Size Least =>
            Terms.Aggregate(Rest, (s, t) => IsNegative(t.Factor) ? s + t.Factor * (t.Index.Extent - 1) : s);

        public Size Greatest =>
            Terms.Aggregate(Rest, (s, t) => IsNegative(t.Factor) ? s : s + t.Factor * (t.Index.Extent - 1));

        public static bool IsNegative(Size factor) => factor.Terms.All(t => t.Coefficient < 0);

        /// <summary>
        /// The order, slowest first, in which the indices count through a stretch without gaps; null if they do not.
        /// </summary>
        public ImmutableArray<Index>? Digits()
        {
            var left = Terms.ToList();
            var order = new List<Index>();
            var product = Size.One;
            while (left.Count > 0)
            {
                var at = left.FindIndex(t => t.Factor.Equals(product));
                if (at < 0) return null;
                order.Insert(0, left[at].Index);
                product *= left[at].Index.Extent;
                left.RemoveAt(at);
            }
            return [.. order];
        }

        public bool IsView => Terms.All(t => t.Factor.IsConstant) || Digits() is not null;
    }

    private Affine? AffineOf(Size size)
    {
        var terms = ImmutableArray.CreateBuilder<(Index, Size)>();
        foreach (var name in size.Variables().Where(indexOf.ContainsKey).ToList())
        {
            if (size.AffineIn(name) is not var (factor, rest) || factor.Variables().Any(indexOf.ContainsKey))
                return null;
            terms.Add((indexOf[name], factor));
            size = rest;
        }
        return new([.. terms.OrderBy(t => indexOrder[t.Item1].Position).ThenBy(t => indexOrder[t.Item1].Part)], size);
    }

    /// <summary>
    /// Ensures that the read lies within the axis: proved, checked on entry, or padded where the surrounding conditions
    /// say that the read does not happen.
    /// </summary>
    private bool InRange(ref Node node, int axis, ref Affine view, Size extent, Subscript subscript,
        SelectExpression s, TensorValue x)
    {
        if (view.Terms is [var (index, factor)] && factor.Is(1) && view.Rest.Is(0))
        {
            if (index.Extent.Equals(extent)) return true;
            if (!index.IsBounded && subscript.Span.Text == index.Name)
            {
                switch (Compare(index.Extent, extent, $"{index.Name} runs over {index.Extent} and over {extent}"))
                {
                    case Sameness.Different:
                        Fail(index.IsReduced ? Codes.ContractMismatch : Codes.SizesDiffer, subscript.Span,
                            index.IsReduced ? $"cannot contract {index.Extent} with {extent}"
                                : $"`{index.Name}` runs over {index.Extent} elsewhere, this axis has {extent}",
                            null, Equalize(index.Extent, extent) ?? MadeBy(x.Node)
                                ?? $"bound the index if this is meant: `{index.Name} < {extent}`",
                            new Label(s.Target.Span, Describe(x)), new Label(index.Span,
                                $"{index.Name} < {index.Extent}"));
                        return false;
                    case Sameness.Checked:
                        return true; // the slice that follows keeps the extent
                }
            }
        }
        var (least, greatest) = (view.Least, view.Greatest);
        var above = extent - 1 - greatest;
        var (lowProved, highProved) = (ranges.NonNegative(least), ranges.NonNegative(above) || Empty(view));
        if (lowProved && highProved) return true;
        if (!Frame.Guards.IsEmpty)
        {
            Size Amount(Size lack) => lack.IsConstant || ranges.NonNegative(lack) ? lack : Size.Max(0, lack);
            var before = lowProved ? Size.Zero : Amount(-least);
            var after = highProved ? Size.Zero : Amount(-above);
            node = PadAxis(node, axis, before, after, Zero(node.Type.DType));
            view = view with { Rest = view.Rest + before };
            return true;
        }
        if ((least.IsConstant && least.Value < 0) || (above.IsConstant && above.Value < 0))
        {
            // Both ends of one window are one mistake.
            if (IsSaidOfForm(Codes.ReadOutOfRange)) return false;
            var names = view.Terms.Select(t => $"{t.Index.Name} < {t.Index.Extent}");
            Fail(Codes.ReadOutOfRange, subscript.Span, least.IsConstant && least.Value < 0
                ? $"this subscript reaches {least}, below the axis"
                    : $"this subscript reaches {greatest}, the axis has {extent}", null,
                "bound the index, or read under an `if` that excludes these", new Label(s.Target.Span, Describe(x)),
                new Label(subscript.Span, !view.Terms.IsEmpty ? string.Join(", ", names)
                    : subscript.IsOverIndex ? "all that it can be" : "a constant"));
            return false;
        }
        AtMost(0, least, $"{subscript.Span.Text} is at least {least}");
        AtMost(greatest + 1, extent, $"{subscript.Span.Text} reaches {greatest} of an axis of {extent}");
        return true;
    }

    // Over an empty index nothing is read.
    private static bool Empty(Affine view) => view.Terms.Any(t => t.Index.Extent.Is(0));

    private Node Zero(DType dtype) => Emit(Const.Of(TensorType.Scalar(dtype), [0L]));

    private Node PadAxis(Node node, int axis, Size before, Size after, Node value)
    {
        if (before.Is(0) && after.Is(0)) return node;
        var none = Enumerable.Repeat(Size.Zero, node.Type.Rank).ToImmutableArray();
        return Emit(new Pad(node, value, none.SetItem(axis, before), none.SetItem(axis, after),
            [.. none.Select(_ => 0L)]));
    }

    private Node SliceAxis(Node node, int axis, Size start, Size size, long step)
    {
        var shape = node.Type.Shape;
        if (start.Is(0) && step == 1 && size.Equals(shape[axis])) return node;
        var zeros = Enumerable.Repeat(Size.Zero, shape.Length).ToImmutableArray();
        var ones = Enumerable.Repeat(1L, shape.Length).ToImmutableArray();
        return Emit(new Slice(node, zeros.SetItem(axis, start), shape.SetItem(axis, size), ones.SetItem(axis, step)));
    }

    /// <summary>Replaces one axis by the axes of the indices in its subscript, which are returned in order.</summary>
    private List<Index> ViewAxis(ref Node node, int axis, Affine view)
    {
        if (view.Terms.IsEmpty)
        {
            node = SliceAxis(node, axis, view.Rest, 1, 1);
            node = Reshaped(node, node.Type.Shape.RemoveAt(axis));
            return [];
        }
        // A falling index counts the other way: the axis is read upwards and then reversed.
        var falling = view.Terms.Where(t => Affine.IsNegative(t.Factor)).Select(t => t.Index).ToList();
        var start = view.Least;
        var rising = view.Terms.Select(t => (t.Index, Factor: falling.Contains(t.Index) ? -t.Factor : t.Factor))
            .ToImmutableArray();
        List<Index> order;
        if (rising is [var (only, factor)] && factor.IsConstant)
        {
            node = SliceAxis(node, axis, start, only.Extent, factor.Value);
            order = [only];
        }
        else if (new Affine(rising, start).Digits() is { } digits)
        {
            var count = Size.Product(digits.Select(d => d.Extent));
            node = SliceAxis(node, axis, start, count, 1);
            var shape = node.Type.Shape.RemoveAt(axis).InsertRange(axis, digits.Select(d => d.Extent));
            if (digits.Length > 1) node = Reshaped(node, shape);
            order = [.. digits];
        }
        else
        {
            node = SliceAxis(node, axis, start, node.Type.Shape[axis] - start, 1);
            order = [];
            for (var at = axis; rising.Length > 1; at++)
            {
                var (first, others) = (rising[0], rising.RemoveAt(0));
                // The last two share a window; the others, before them, together count through one axis.
                var extent = others.Length == 1 ? others[0].Index.Extent
                    : others.Aggregate(Size.One, (sum, t) => sum + t.Factor * (t.Index.Extent - 1));
                var dilation = others.Length == 1 ? others[0].Factor.Value : 1;
                node = Emit(new Window(node, at, first.Index.Extent, extent, first.Factor.Value, dilation));
                order.Add(first.Index);
                if (others.Length == 1) order.Add(others[0].Index);
                rising = others;
            }
        }
        ImmutableArray<int> reversed = [.. Enumerable.Range(0, order.Count).Where(i => falling.Contains(order[i]))
            .Select(i => axis + i)];
        if (!reversed.IsEmpty) node = Emit(new Reverse(node, reversed));
        return order;
    }

    /// <summary>
    /// Subscripts that are data: a single one becomes a gather; several, or one that shares an index, a gather over
    /// joined axes.
    /// </summary>
    private Value Gathered(Node node, List<object> layout, TensorValue x, List<Subscript> subscripts)
    {
        var where = new Dictionary<int, TensorValue>();
        foreach (var axis in layout.OfType<int>())
        {
            // Positions are 64-bit if axes are joined, and if they come from indices.
            if (Scalars(subscripts[axis].Value, DType.I64, subscripts[axis].Span) is not { } at) return Value.Poison;
            where[axis] = at;
        }
        var isNeverEmpty = where.Keys.All(axis => ranges.NonNegative(x.Shape[axis] - 1));
        var isCovered = !Frame.Guards.IsEmpty && isNeverEmpty && where.Keys.All(axis =>
            subscripts[axis].Value is IntValue { Size: var size } && IsCovered(size, x.Shape[axis]));
        if (isCovered) foreach (var axis in where.Keys.ToList()) where[axis] = Clamped(where[axis], x.Shape[axis]);
        var shared = layout.OfType<Index>().Where(i => where.Values.Any(w => w.Indices.Contains(i))).ToList();
        if (where.Count == 1 && shared.Count == 0)
        {
            var (axis, at) = where.First();
            var position = layout.IndexOf(axis);
            if (!isCovered) at = WhereRead(ref node, position, at, isNeverEmpty);
            var indices = layout.SelectMany(l => l is Index i ? [i] : at.Indices.AsEnumerable());
            return Tensor(new Gather(node, at.Node, position), [.. indices]);
        }
        var joined = shared.Cast<object>().Concat(where.Keys.Cast<object>()).ToList();
        var rest = layout.Where(l => !joined.Contains(l)).ToList();
        node = Transposed(node, [.. joined.Concat(rest).Select(l => layout.IndexOf(l))]);
        var count = Size.Product(node.Type.Shape.Take(joined.Count));
        node = Reshaped(node, [count, .. node.Type.Shape.Skip(joined.Count)]);
        TensorValue? linear = null;
        TensorValue? good = null;
        foreach (var part in joined)
        {
            var extent = part is Index i ? i.Extent : x.Shape[(int)part];
            var at = part is Index index ? RealizeSize(Size.Variable(index.Variable), DType.I64) : where[(int)part];
            if (at.DType != DType.I64) at = Tensor(new Graph.Convert(at.Node, DType.I64), at.Indices);
            if (part is int)
            {
                // Within the joined axis a subscript that leaves its own axis would hit another row: it is moved out of
                // range.
                var inside = Join(Join(at, Scalar(0L, DType.I64), (p, q) => new Compare(CompareOp.Ge, p, q)),
                    Join(at, RealizeSize(extent, DType.I64), (p, q) => new Compare(CompareOp.Lt, p, q)), (p, q) =>
                        new Binary(BinaryOp.And, p, q));
                good = good is null ? inside : Join(good, inside, (p, q) => new Binary(BinaryOp.And, p, q));
            }
            linear = linear is null ? at : Join(Times(linear, RealizeSize(extent, DType.I64)), at, (p, q) =>
                new Binary(BinaryOp.Add, p, q));
        }
        var (condition, value, all) = AlignPair(good!, linear!, []);
        var safe = Emit(new Select(condition, value, Emit(Const.Of(value.Type, [-1L]))));
        var reads = Tensor(safe, all);
        if (!isCovered) reads = WhereRead(ref node, 0, reads, isNeverEmpty);
        return Tensor(new Gather(node, reads.Node, 0), [.. reads.Indices, .. rest.Cast<Index>()]);
    }
}
