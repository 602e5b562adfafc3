// In: a seed. Out: a graph of every kind of operation, control flow included, whose values all executors compute
// exactly.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Assert = Accelerate.Compiler.Graph.Assert;
using Convert = Accelerate.Compiler.Graph.Convert;

namespace Accelerate.Tests.Graph;

/// <summary>
/// Floats are whole numbers with a known bound, below which every sum and product of the dtype is exact, so that
/// comparisons, conversions, sorts and indices see the same values everywhere. Rounding comes last: some results are a
/// function of such numbers. Indices are in range.
/// </summary>
internal sealed partial class RandomGraphs
{
    private static readonly DType[] DTypes =
        [DType.F32, DType.F32, DType.F32, DType.I32, DType.I32, DType.Bool, DType.F64, DType.I64, DType.U8, DType.I8,
            DType.BF16, DType.F16, DType.U32];

    /// <summary>What carried floats are held to, from one iteration to the next.</summary>
    private const double Carried = 8;

    private readonly System.Random random;
    private readonly List<ImmutableArray<Size>> shapes =
        [[], [Size.Variable("n")], [3], [Size.Variable("n"), 3], [2, Size.Variable("n")], [3, 2]];
    private int regions;
    private int loops;

    private RandomGraphs(int seed)
    {
        random = new System.Random(seed);
        Function = new Function($"f{seed}");
        var top = new Scope(this, Function, 0, "");
        for (var i = random.Next(2, 5); i > 0; i--) top.Keep(new Input($"x{i}", Type(), random.Next(4) == 0), 4);
        if (random.Next(3) == 0)
            top.Keep(new State(StorageClass.Buffer, $"w{seed}", new TensorType(Pick(DTypes), [3])), 4);
        top.Grow(random.Next(4, 16));
        top.Finish();
    }

    /// <summary>The graph; its size variable is n.</summary>
    public Function Function { get; }

    /// <summary>The results whose last operation rounds.</summary>
    public HashSet<int> Rounded { get; } = [];

    public static RandomGraphs Make(int seed) => new(seed);

    /// <summary>Whole numbers of at most 4.</summary>
    public static ReferenceValue Value(TensorType type, long n, System.Random random,
        IReadOnlyDictionary<string, long>? sizes = null)
    {
        long[] shape = [.. type.Shape.Select(s => s.Evaluate(name => sizes?[name] ?? n))];
        var count = (int)shape.Aggregate(1L, (p, s) => p * s);
        return type.DType.IsFloat
            ? ReferenceValue.Of(type.DType, shape,
                [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(-4, 5))])
            : ReferenceValue.Of(type.DType, shape,
                [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(-4, 5))]);
    }

    private T Pick<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private TensorType Type() => new(Pick(DTypes), Pick(shapes));

    /// <summary>Whole numbers up to this are exact in the dtype, with room for a sum of a few.</summary>
    private static double Limit(DType dtype) => dtype switch
    {
        DType.F16 => 1 << 10,
        DType.BF16 => 1 << 7,
        DType.F32 => 1 << 22,
        _ => 1L << 40,
    };

    /// <summary>
    /// One function under construction: its values so far, each with the bound of a float's absolute value.
    /// </summary>
    private sealed partial class Scope(RandomGraphs graphs, Function function, int depth, string variable)
    {
        private readonly List<Node> pool = [];
        private readonly Dictionary<Node, double> bounds = new(ReferenceEqualityComparer.Instance);

        private System.Random Random => graphs.random;

        public Function Made => function;

        public double Bound(Node node) => bounds.GetValueOrDefault(node, 0);

        public Node Keep(Node node, double bound = 0)
        {
            var own = function.Add(node);
            if (node.Type.DType.IsFloat) bounds[own] = Math.Max(bounds.GetValueOrDefault(own), bound);
            if (!pool.Contains(own) && own.ResultTypes.Length == 1) pool.Add(own);
            return own;
        }

        public void Grow(int count)
        {
            for (var i = 0; i < count; i++) Step();
        }

        /// <summary>Results, assignments and prints of the whole function.</summary>
        public void Finish()
        {
            foreach (var held in pool.Where(x => x is Input { IsInout: true } or State).ToList())
            {
                if (Random.Next(3) == 0) continue;
                var value = Clamped(Like(held.Type));
                function.Add(
                    held is Input i ? new Assign(StorageClass.Inout, i.Name, value)
                    : new Assign(StorageClass.Buffer, ((State)held).Name, value));
            }
            var results = new List<Node>();
            for (var k = Random.Next(1, 4); k > 0; k--)
            {
                var result = graphs.Pick(pool);
                if (result.Type.DType is DType.F32 or DType.F64 && Random.Next(3) == 0)
                {
                    graphs.Rounded.Add(results.Count);
                    result = Rounding(result);
                }
                results.Add(result);
            }
            function.Results = [.. results];
        }

        private Node Rounding(Node x)
        {
            var scale = function.Add(Const.Of(x.Type, 1.0 / (3 + Bound(x))));
            Node y = function.Add(new Binary(BinaryOp.Mul, x, scale));
            if (x.Type.DType == DType.F32)
                y = function.Add(
                    new Unary(graphs.Pick((UnaryOp[])[UnaryOp.Exp, UnaryOp.Tanh, UnaryOp.Erf, UnaryOp.Sin]), y));
            return x.Type.Rank > 0 && Random.Next(2) == 0 ? function.Add(new Reduce(ReduceOp.Add, y, [x.Type.Rank - 1]))
                : y;
        }

        /// <summary>A value of the type: one of the pool, or a constant.</summary>
        private Node Like(TensorType type)
        {
            var fitting = pool.Where(x => x.Type.Equals(type)).ToList();
            return fitting.Count > 0 && Random.Next(5) > 0 ? graphs.Pick(fitting) : Constant(type, Random.Next(-3, 4));
        }

        private Node Constant(TensorType type, long value) => type.DType.IsFloat
            ? Keep(Const.Of(type, (double)value), Math.Abs(value))
            : Keep(Const.Of(type, type.DType == DType.Bool ? value & 1 : type.DType.IsSigned ? value
                : Math.Abs(value)));

        /// <summary>A float within the bound of what is carried.</summary>
        private Node Clamped(Node x) => !x.Type.DType.IsFloat || Bound(x) <= Carried ? x : Within(x, Carried);

        private Node Within(Node x, double limit)
        {
            var below = Keep(new Binary(BinaryOp.Min, x, Keep(Const.Of(x.Type, limit), limit)), Bound(x));
            return Keep(new Binary(BinaryOp.Max, below, Keep(Const.Of(x.Type, -limit), limit)), limit);
        }

        /// <summary>A scalar integer in [0, size).</summary>
        private Node Index(Size size, DType dtype)
        {
            var scalar = TensorType.Scalar(dtype);
            var x = Like(scalar);
            return InRange(x, size);
        }

        private Node InRange(Node x, Size size)
        {
            var zero = function.Add(Const.Of(x.Type, 0L));
            Node last = function.Add(new SizeValue(size - 1, x.Type.DType));
            if (x.Type.Rank > 0) last = function.Add(new Broadcast(last, x.Type.Shape, []));
            var low = function.Add(new Binary(BinaryOp.Max, zero, x));
            return Keep(new Binary(BinaryOp.Min, low, last));
        }
    }
}
