// In: the bindings of one run. Out: the value of every node of a function, in order.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

internal sealed partial class Evaluation(Dictionary<string, long> sizes, Func<string, ReferenceValue> state,
    InterpreterOptions options, ImmutableArray<View> folded)
{
    /// <summary>Loop variables already have their values here, so no ranges are needed.</summary>
    private readonly IndexRanges unbounded = new();

    private bool Holds(EntryCheck check)
    {
        try
        {
            return check.Holds(name => sizes[name]);
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw new ReferenceException($"{check.Message}: {e.Message}");
        }
    }

    public ImmutableArray<View> Run(Function function, ImmutableArray<View> inputs)
    {
        foreach (var check in function.Checks)
        {
            if (Holds(check)) continue;
            var relation = check.Kind == CheckKind.Equal ? "==" : "<=";
            throw new ReferenceException($"{check.Message} ({check.Left} {relation} {check.Right})");
        }
        var values = new ImmutableArray<View>[function.Nodes.Count];
        var last = LastUses(function);
        var next = 0;
        foreach (var node in function.Nodes)
        {
            foreach (var check in AxisChecks.Of(node, unbounded))
                if (!Holds(check)) throw new ReferenceException(check.Message);
            values[node.Id] = node switch
            {
                Input => [inputs[next++]],
                Const { FoldedIndex: >= 0 and var index } => [folded[index]],
                Extent e => [Limited(e, values[e.Operands[0].Id][0])],
                Tuple t => [.. t.Operands.Select(o => values[o.Id][0])],
                Call c => Run(c.Callee, [.. c.Operands.Select(o => values[o.Id][0])]),
                RegionNode r => Control(r, [.. r.Operands.Select(o => values[o.Id][0])]),
                Sort s => Sorted(s, values[s.Operands[0].Id][0]),
                Result r => [values[r.Operands[0].Id][r.Index]],
                _ => [One(node, [.. node.Operands.Select(o => values[o.Id][0])])],
            };
            if (values[node.Id] is [var value]) options.Observe?.Invoke(function, node, value.ToValue());
            // A value is released after its last use, so that a long network needs the memory of only a few layers.
            foreach (var operand in node.Operands)
                if (last[operand.Id] == node.Id) values[operand.Id] = [];
        }
        return [.. function.Results.Select(r => values[r.Id][0])];
    }

    /// <summary>The size keeps its value for all later nodes; the value of the effect itself is not read.</summary>
    private View Limited(Extent extent, View limit)
    {
        var most = extent.Most.Evaluate(sizes);
        sizes[extent.Variable] = Math.Min(most, Math.Max(1, limit.Data.Integers[limit.Offset] + extent.Plus));
        return limit;
    }

    private static int[] LastUses(Function function)
    {
        var last = new int[function.Nodes.Count];
        foreach (var node in function.Nodes)
            foreach (var operand in node.Operands) last[operand.Id] = node.Id;
        foreach (var result in function.Results) last[result.Id] = int.MaxValue;
        return last;
    }

    private View One(Node node, View[] x)
    {
        var value = Compute(node, x);
        var shape = Shape(node.Type);
        if (!value.Shape.SequenceEqual(shape) || value.DType != node.Type.DType)
            throw new ReferenceException(
                $"{node} has shape [{string.Join(',', shape)}], its value [{string.Join(',', value.Shape)}]");
        if (!options.RoundToDType || !node.Type.DType.IsFloat || node.Type.DType == DType.F64) return value;
        if (!Rounds(node)) return value;
        for (long i = 0; i < value.Data.Values.LongLength; i++)
            value.Data.Values[i] = ConstText.Round(value.Data.Values[i], value.DType);
        return value;
    }

    /// <summary>True for nodes that compute new floats; the others move or pass them.</summary>
    private static bool Rounds(Node node) => node is Unary or Binary or Reduce or Dot or Iota or SizeValue or
        Scatter or Cumulate or Fold;

    private View Compute(Node node, View[] x)
    {
        switch (node)
        {
            case State s:
                var held = state(s.Name);
                return View.Of(held);
            case Const c: return Constant(c);
            case Iota i: return Count(i);
            case SizeValue s: return Whole(s.Type.DType, [], [s.Size.Evaluate(sizes)]);
            case Random: return RandomBits(x[0], Shape(node.Type));
            case Unary u: return Elementwise.Unary(u.Kind, x[0]);
            case Binary b: return Elementwise.Binary(b.Kind, x[0], x[1]);
            case Compare c: return Elementwise.Compare(c.Kind, x[0], x[1]);
            case Select: return Elementwise.Select(x[0], x[1], x[2]);
            case Convert c: return Elementwise.Convert(x[0], c.Type.DType);
            case Bitcast b: return Elementwise.Bitcast(x[0], b.Type.DType);
            case StopGradient or Barrier: return x[0];
            case Reshape r: return x[0].Reshape(Shape(r.Type));
            case Transpose t: return x[0].Transpose(t.Permutation);
            case Broadcast b: return x[0].Broadcast(Shape(b.Type), b.Axes);
            case Slice s: return x[0].Slice(Values(s.Starts), Shape(s.Type), s.Steps);
            case Pad p: return Copies.Pad(x[0], x[1], Values(p.Before), Shape(p.Type), p.Between);
            case Reverse r: return x[0].Reverse(r.Axes);
            case Concat c: return Copies.Concat(x, c.Axis, Shape(c.Type));
            case Window w:
                return x[0].Window(w.Axis, w.Count.Evaluate(sizes), w.Extent.Evaluate(sizes), w.Stride, w.Dilation);
            case Gather g: return Copies.Gather(x[0], x[1], g.Axis, Outside(g), options.TakesFarEnd);
            case Scatter s: return Parts.Scatter(s.Kind, x[0], x[1], x[2], s.Axis, Outside(s));
            case DynamicSlice s:
                return Parts.DynamicSlice(x[0], x[1..], s.Axes, Values(s.Starts), Shape(s.Type), Outside(s));
            case UpdateSlice s:
                return Parts.UpdateSlice(x[0], x[1], x[2..], s.Axes, Values(s.Starts), s.Steps, Outside(s));
            case Fold f: return Parts.Fold(x[0], f.Axis, f.Size.Evaluate(sizes), f.Stride, f.Dilation);
            case Cumulate c: return Orders.Cumulate(c.Kind, x[0], c.Axis, c.IsReversed, options.Propagation);
            case Reduce r: return Reductions.Reduce(r.Kind, x[0], r.Axes, options.Propagation);
            case ArgReduce a: return Reductions.ArgReduce(a.Greatest, x[0], a.Axis, a.Type.DType);
            case Dot d: return Reductions.Dot(x[0], x[1], d, options.Propagation);
            case Print p:
                options.Print?.Invoke(p, [.. x.Select(v => v.ToValue())]);
                return p.Operands.IsEmpty ? Whole(DType.Bool, [], [1]) : x[0];
            case Assert a:
                if (x[0].ToValue().Integers.Contains(0)) throw new ReferenceException(Filled(a.Message, x[1..]));
                return x[0];
            case Assign a:
                options.Assign?.Invoke(a, x[0].ToValue());
                return x[0];
            default: throw new ReferenceException($"the reference interpreter does not know {node.Op}");
        }
    }

    private Action<long> Outside(Node node) => place => options.Clamped?.Invoke(node, place);

    private static ImmutableArray<View> Sorted(Sort sort, View x)
    {
        var (values, indices) = Orders.Sort(x, sort.Axis, sort.IsDescending, sort.Index);
        return [values, indices];
    }

    /// <summary>The message with each `{}` or `{:…}` replaced by the next value.</summary>
    private static string Filled(string message, View[] values)
    {
        foreach (var value in values)
        {
            var (open, close) = (message.IndexOf('{'), message.IndexOf('}'));
            if (open < 0 || close < open) break;
            var held = value.ToValue();
            var text = held.DType.IsFloat
                ? string.Join(' ',
                    held.Values.Select(v => v.ToString("R", System.Globalization.CultureInfo.InvariantCulture)))
                : string.Join(' ', held.Integers);
            message = $"{message[..open]}{(held.Shape.Length == 0 ? text : $"[{text}]")}{message[(close + 1)..]}";
        }
        return message;
    }

    private long[] Values(ImmutableArray<Size> s) => [.. s.Select(v => v.Evaluate(sizes))];

    private long[] Shape(TensorType type)
    {
        var shape = Values(type.Shape);
        if (shape.Any(s => s < 0))
            throw new ReferenceException($"{type} has a negative size: [{string.Join(',', shape)}]");
        return shape;
    }

    private View Constant(Const c)
    {
        var shape = Shape(c.Type);
        double[] floats = [.. c.Floats];
        var data = new Elements(floats, Array.ConvertAll(floats, Math.Abs),
            [.. c.Integers.Select(v => IntegerMath.Wrap(v, c.Type.DType))]);
        return c.IsSplat
            ? new View(c.Type.DType, data, shape, new long[shape.Length], 0, 1)
            : View.Dense(c.Type.DType, data, shape, 1);
    }

    private View Count(Iota iota)
    {
        var shape = Shape(iota.Type);
        var counted = Enumerable.Range(0, (int)shape[iota.Axis]).Select(i => (long)i).ToArray();
        return Whole(iota.Type.DType, [shape[iota.Axis]], counted).Broadcast(shape, [iota.Axis]);
    }

    private static View Whole(DType dtype, long[] shape, long[] values) => dtype.IsFloat
        ? View.Of(ReferenceValue.Of(dtype, shape,
            Array.ConvertAll(values, v => FloatMath.FromInteger(v, DType.I64, dtype))))
        : View.Of(ReferenceValue.Of(dtype, shape, values));

    private static View RandomBits(View key, long[] shape)
    {
        var data = Elements.Longs(View.CountOf(shape));
        var seed = (ulong)key.Data.Integers[key.Offset];
        for (long i = 0; i < data.Integers.LongLength; i += 4)
        {
            var (a, b, c, d) = Philox.Block((ulong)i / 4, seed);
            uint[] block = [a, b, c, d];
            for (var k = 0; k < 4 && i + k < data.Integers.LongLength; k++) data.Integers[i + k] = block[k];
        }
        return View.Dense(DType.U32, data, shape, 1);
    }
}
