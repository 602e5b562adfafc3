// In: a seed. Out: a graph with nested loops, branches, updates in place and assignments, over integers, so that every
// executor must give the reference interpreter's values exactly.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Control;

/// <summary>Scalars and vectors of 4 in i32. State "a" and "b", an inout "x", inputs "y" and "s", and n.</summary>
internal sealed class RandomPrograms
{
    private static readonly TensorType Scalar = TensorType.Scalar(DType.I32);
    private static readonly TensorType Vector = new(DType.I32, [4]);
    private static readonly TensorType Matrix = new(DType.I32, [3, 4]);

    private readonly System.Random random;
    private int names;

    private RandomPrograms(int seed) => random = new System.Random(seed);

    public static Function Make(int seed) => new RandomPrograms(seed).Entry();

    private Function Entry()
    {
        var f = new Function("entry");
        var known = new List<Node>
        {
            f.Add(new Input("x", Vector, isInout: true)), f.Add(new Input("y", Vector)), f.Add(new Input("s", Scalar)),
            f.Add(new Input("m", Matrix, isInout: true)),
            f.Add(new State(StorageClass.Buffer, "a", Vector)), f.Add(new State(StorageClass.Param, "b", Vector)),
        };
        f.Add(new Input("n", new(DType.I32, [Size.Variable("n")])));
        Grow(f, known, 10 + random.Next(15), depth: 0, []);
        f.Results = [Pick(known, Vector), Pick(known, Scalar), Pick(known, Matrix)];
        if (random.Next(4) > 0) f.Add(new Assign(StorageClass.Inout, "x", Pick(known, Vector)));
        if (random.Next(4) > 0) f.Add(new Assign(StorageClass.Inout, "m", Pick(known, Matrix)));
        if (random.Next(4) > 0) f.Add(new Assign(StorageClass.Buffer, "a", Pick(known, Vector)));
        if (random.Next(4) > 0) f.Add(new Assign(StorageClass.Param, "b", Pick(known, Vector)));
        return f;
    }

    /// <summary>A value of the type, a late one more often than an early one.</summary>
    private Node Pick(List<Node> known, TensorType type)
    {
        var fitting = known.Where(n => n.Type.Equals(type)).ToList();
        return fitting[Math.Max(random.Next(fitting.Count), random.Next(fitting.Count))];
    }

    private void Grow(Function f, List<Node> known, int steps, int depth,
        ImmutableArray<(string Name, bool IsSmall)> loops)
    {
        for (var i = 0; i < steps; i++)
        {
            Node New(Node node) => f.Add(node);
            var (v, w, s, m) = (Pick(known, Vector), Pick(known, Vector), Pick(known, Scalar), Pick(known, Matrix));
            var place = New(new Binary(BinaryOp.And, s, New(Const.Of(Scalar, 1L))));
            var rows = loops.Where(l => l.IsSmall).Select(l => Size.Variable(l.Name)).Append(Size.One).ToList();
            var row = rows[random.Next(rows.Count)];
            switch (random.Next(depth < 3 ? 19 : 15))
            {
                case 0: known.Add(New(new Binary(BinaryOp.Add, v, w))); break;
                case 1: known.Add(New(new Binary(BinaryOp.Mul, v, New(new Broadcast(s, [4], []))))); break;
                case 2: known.Add(New(new Reverse(v, [0]))); break;
                case 3: known.Add(New(new Reduce(ReduceOp.Add, v, [0]))); break;
                case 4: known.Add(New(new Binary(BinaryOp.Sub, s, Pick(known, Scalar)))); break;
                case 5: known.Add(New(new UpdateSlice(v, New(new Slice(w, [1], [2], [1])), [], [], [0], [2]))); break;
                case 6:
                    known.Add(
                    New(new UpdateSlice(v, New(new Slice(v, [0], [3], [1])), [place], [0], [0], [1]))); break;
                case 7:
                    var part = New(new DynamicSlice(v, [place], [0], [1], [2]));
                    var more = New(new Binary(BinaryOp.Add, part, New(new Broadcast(s, [2], []))));
                    known.Add(New(new UpdateSlice(v, more, [place], [0], [1], [1])));
                    break;
                case 8:
                    known.Add(
                    New(new UpdateSlice(m, New(new Reshape(v, [1, 4])), [], [], [row, 0], [1, 1]))); break;
                case 9: known.Add(New(new Reshape(New(new Slice(m, [row, 0], [1, 4], [1, 1])), [4]))); break;
                case 10:
                    known.Add(
                    New(new Concat([New(new Slice(v, [2], [2], [1])), New(new Slice(w, [0], [2], [1]))], 0))); break;
                case 11:
                    known.Add(
                    New(new Scatter(ScatterOp.Add, m, New(new Broadcast(place, [2], [])),
                        New(new Slice(m, [0, 0], [2, 4], [1, 1])), 0))); break;
                case 12:
                    if (loops.IsEmpty) known.Add(New(Const.Of(random.Next(2) == 0 ? Vector : Matrix, 3L)));
                    else known.Add(
                        New(new SizeValue(Size.Variable(loops[random.Next(loops.Length)].Name) + 1, DType.I32)));
                    break;
                case 13: known.Add(New(Const.Of(Scalar, (long)random.Next(5)))); break;
                case 14: known.Add(New(new Binary(BinaryOp.Add, m, New(new Broadcast(v, [3, 4], [1]))))); break;
                case 15: Branch(f, known, depth, loops); break;
                case 16 or 17: Loop(f, known, depth, loops); break;
                default: Repeat(f, known, depth, loops); break;
            }
        }
    }

    private void Branch(Function f, List<Node> known, int depth, ImmutableArray<(string, bool)> loops)
    {
        var operands = Operands(known);
        TensorType[] results = [Vector, random.Next(2) == 0 ? Scalar : Matrix];
        var test = f.Add(new Compare(CompareOp.Gt, Pick(known, Scalar), f.Add(Const.Of(Scalar, 2L))));
        Function Side() => Region(operands, inner =>
        {
            Grow(inner.Function, inner.Known, random.Next(5), depth + 1, loops);
            return [.. results.Select(r => Pick(inner.Known, r))];
        });
        Take(f, known, f.Add(new If(Side(), Side(), [test, .. operands])));
    }

    private void Loop(Function f, List<Node> known, int depth, ImmutableArray<(string Name, bool IsSmall)> loops)
    {
        var operands = Operands(known);
        var carried = 1 + random.Next(3);
        var (variable, n) = ($"i.{++names}", Size.Variable("n"));
        var count = random.Next(
            4) switch
        {
            0 => n,
            1 => Size.Constant(random.Next(3)),
            2 when loops.Length > 0 =>
            Size.Variable(loops[^1].Name),
            _ => Size.Constant(3)
        };
        var body = Region(operands, inner =>
        {
            Grow(inner.Function, inner.Known, 1 + random.Next(6), depth + 1,
                loops.Add((variable, count.Is(3) || count.Is(2))));
            var next = operands.Take(carried).Select(o => Pick(inner.Known, o.Type));
            return [.. next, .. count.Is(3) ? [Pick(inner.Known, Vector)] : Array.Empty<Node>()];
        });
        var scan = f.Add(new Scan(body, variable, count, carried, operands));
        if (!scan.ResultTypes.IsEmpty) Take(f, known, scan);
    }

    private void Repeat(Function f, List<Node> known, int depth, ImmutableArray<(string, bool)> loops)
    {
        var one = f.Add(Const.Of(Scalar, 1L));
        ImmutableArray<Node> operands = [f.Add(Const.Of(Scalar, 0L)), .. Operands(known)];
        var carried = 1 + random.Next(4);
        var limit = (long)random.Next(4);
        var condition = Region(operands, inner => [inner.Function.Add(
            new Compare(CompareOp.Lt, inner.Known[0], inner.Function.Add(Const.Of(Scalar, limit))))]);
        var body = Region(operands, inner =>
        {
            var step = inner.Function.Add(Const.Of(Scalar, 1L));
            var next = inner.Function.Add(new Binary(BinaryOp.Add, inner.Known[0], step));
            Grow(inner.Function, inner.Known, 1 + random.Next(4), depth + 1, loops);
            return [next, .. operands.Skip(1).Take(carried - 1).Select(o => Pick(inner.Known, o.Type))];
        });
        Take(f, known, f.Add(new While(condition, body, carried, operands)));
    }

    /// <summary>At least one value of each type, now and then the same one twice.</summary>
    private ImmutableArray<Node> Operands(List<Node> known)
    {
        List<Node> operands =
            [Pick(known, Vector), Pick(known, Scalar), Pick(known, Matrix), Pick(known, Vector), Pick(known, Vector)];
        return [.. operands.OrderBy(_ => random.Next())];
    }

    private Function Region(ImmutableArray<Node> operands, Func<(Function Function, List<Node> Known),
        ImmutableArray<Node>> results)
    {
        var region = new Function($"r{++names}");
        var known = operands.Select((o, i) => (Node)region.Add(new Input($"v{i}", o.Type))).ToList();
        region.Results = results((region, known));
        return region;
    }

    private static void Take(Function f, List<Node> known, RegionNode node)
    {
        for (var k = 0; k < node.ResultTypes.Length; k++)
            if (f.Add(new Result(node, k)) is var r
                && (r.Type.Equals(Scalar) || r.Type.Equals(Vector) || r.Type.Equals(Matrix)))
                known.Add(r);
    }
}
