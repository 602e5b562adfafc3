// The rows of the numerics table on literals, loads, reductions, contractions, loops and flags.
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

internal static partial class NumericsTable
{
    private static IEnumerable<Row> StructureRows() =>
    [
        Pairs("N22", "select", "%2: bool = lt(%0, %1) %9: f32 = select(%2, %0, %1)", F32, (a, b) => a < b ? a : b),
        Unary("N23", "smallest subnormal", "%9: f32 = const(1.401298464324817E-45)", [0f], _ => 1e-45f),
        Unary("N23", "minus zero", "%1: f32 = const(-0.0) %9: u32 = bitcast(%1)", [0f], _ => 0x80000000),
        Unary("N23", "infinity", "%9: f64 = const(-inf)", [0f], _ => double.NegativeInfinity),
        Unary("N23", "nan", "%9: f64 = const(nan)", [0f], _ => double.NaN),
        Unary("N23", "least i64", "%9: i64 = const(-9223372036854775808)", [0f], _ => long.MinValue),
        Unary("N23", "greatest u64", "%9: u64 = const(-1)", [0f], _ => ulong.MaxValue),
        Unary("N23", "true", "%9: bool = const(1)", [0f], _ => true),
        new("N24", "guards and fill", """
            kernel @row(x: in(f32, n), y: out(f32, n+4); sizes(n)) {
              vector(i < n+4) {
                %0: f32 = const(-0.0)
                %1: f32 = load(x[i-2] if(i-2 < n) else %0)
                store(y[i], %1)
              }
            }
            """, [Tensor.From([1f, float.NaN, 3f], 3)], new() { ["n"] = 3 },
            [Tensor.From([-0f, -0f, 1f, float.NaN, 3f, -0f, -0f], 7)]),
        .. Enumerable.Select([0, 1, 5, 4097], n => Reduce("N25", "serial.add", Terms(n), xs =>
            InOrder(xs, 0f, (a, b) => a + b))),
        .. Enumerable.Select([0, 1, 5, 300], n => Reduce("N25", "serial.mul", Terms(n), xs => InOrder(xs, 1f, (a, b) =>
            a * b))),
        .. Enumerable.Select([0, 1, 2, 15, 16, 17, 4095, 4096, 4097, 8192, 12288, 12289, 20481, 28672],
            n => Reduce("N26", "reduce.add", Terms(n), xs => Lanes(xs, 0f, (a, b) => a + b))),
        .. Enumerable.Select([0, 3, 33, 4100], n => Reduce("N26", "reduce.mul", Terms(n), xs => Lanes(xs, 1f, (a, b) =>
            a * b))),
        Reduce("N26", "reduce.max", F32, xs => Lanes(xs, float.NegativeInfinity, (a, b) =>
            float.IsNaN(a) ? a : a > b ? a : b)),
        Reduce("N26", "reduce.min", [.. F32.Reverse()],
            xs => Lanes(xs, float.PositiveInfinity, (a, b) => float.IsNaN(a) ? a : a < b ? a : b)),
        Reduce("N26", "reduce.max", [-0f, 0f], xs => Lanes(xs, float.NegativeInfinity, (a, b) => a > b ? a : b)),
        .. Empty<float>(0, 1, float.NegativeInfinity, float.PositiveInfinity),
        .. Empty<int>(0, 1, int.MinValue, int.MaxValue),
        .. Empty<ulong>(0, 1, 0, ulong.MaxValue),
        Reduce<int, int>("N27", "reduce.and", [], _ => -1),
        Reduce<int, int>("N27", "reduce.or", [], _ => 0),
        Reduce<bool, bool>("N27", "reduce.and", [], _ => true),
        Reduce<bool, bool>("N27", "serial.or", [], _ => false),
        Reduce<bool, bool>("N27", "reduce.and", [true, false, true], _ => false),
        Reduce<float, float>("N27", "reduce.add", [-0f, -0f], _ => 0f),
        Reduce<float, int>("N28", "reduce.argmax", [1, 3, -0f, 3], _ => 1),
        Reduce<float, long>("N28", "reduce.argmax", [-0f, 0f, -1], _ => 0),
        Reduce<float, int>("N28", "serial.argmax", [1, float.NaN, float.PositiveInfinity, float.NaN], _ => 1),
        Reduce<float, int>("N28", "reduce.argmin", [1, float.NegativeInfinity, float.NaN, float.NaN], _ => 2),
        Reduce<float, long>("N28", "serial.argmin", [2, 1, 1], _ => 1),
        Reduce<float, int>("N28", "reduce.argmax", [float.NegativeInfinity, float.NegativeInfinity], _ => 0),
        Reduce<float, int>("N28", "reduce.argmax", [], _ => 0),
        Reduce<uint, int>("N28", "reduce.argmax", [1, uint.MaxValue, 5], _ => 1),
        Reduce<int, int>("N28", "serial.argmin", [1, -1, 5, -1], _ => 1),
        .. Enumerable.Select([(1, 1, 1, 1), (2, 3, 4, 5), (3, 17, 3, 100), (2, 2, 0, 3), (0, 2, 2, 2)],
            s => Contraction(s.Item1, s.Item2, s.Item3, s.Item4)),
        new("N30", "a flag leaves the rest as it is", """
            kernel @row(x: in(i32, n), y: out(i32, n); sizes(n)) {
              parallel(i < n) {
                %0: i32 = load(x[i])
                %1: i32 = const(0)
                %2: bool = lt(%0, %1)
                flag(%2)
                store(y[i], %0)
              }
            }
            """, [Tensor.From([1, -2, 3], 3)], new() { ["n"] = 3 }, [Tensor.From([1, -2, 3], 3)], Flags: true),
        new("N31", "an indirection", """
            kernel @row(x: in(i64, n), t: in(f64, m), y: out(f64, n); sizes(n, m)) {
              vector(i < n) {
                %0: i64 = load(x[i])
                %1: f64 = load(t[m-1-v0'])
                store(y[i], %1)
              }
            }
            """, [Tensor.From([2L, 0, 1], 3), Tensor.From([10d, 20, 30], 3)], new() { ["n"] = 3, ["m"] = 3 },
            [Tensor.From([10d, 30, 20], 3)]),
        new("N32", "an index as a value, divisions rounding down", """
            kernel @row(y: out(i64, n); sizes(n)) {
              vector(i < n) {
                %0: i64 = index((i-3)//2+100*mod(i-3,2)+10000*min(i,2))
                store(y[i], %0)
              }
            }
            """, [], new() { ["n"] = 5 }, [Tensor.From([-2L + 100, 10000 - 1, 20000 - 1 + 100, 20000, 20000 + 100], 5)]),
        new("N33", "loops of extent zero", """
            kernel @row(y: out(f32, 1); sizes(n)) {
              %0: f32 = const(5.0)
              store(y[0], %0)
              serial(i < n) { vector(j < 4) { %1: f32 = const(7.0) store(y[0], %1) } }
              serial(k < n-2) { %2: f32 = const(8.0) store(y[0], %2) }
            }
            """, [], new() { ["n"] = 0 }, [Tensor.From([5f], 1)]),
    ];

    /// <summary>Terms of all magnitudes and signs, so that every order of summation gives other bits.</summary>
    private static float[] Terms(int n)
    {
        var random = new Random(n);
        return [.. Enumerable.Range(0, n).Select(_ =>
            (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-12, 12))))];
    }

    private static Row Reduce(string id, string form, float[] x, Func<float[], float> expected) =>
        Reduce<float, float>(id, form, x, expected);

    private static Row Reduce<T, TOut>(string id, string form, T[] x, Func<T[], TOut> expected)
        where T : unmanaged
        where TOut : unmanaged => new(id, $"{form} of {x.Length} {Name<T>()}", $$"""
            kernel @row(x: in({{Name<T>()}}, n), y: out({{Name<TOut>()}}, 1); sizes(n)) {
              %9: {{Name<TOut>()}} = {{form}}(i < n) { %0: {{Name<T>()}} = load(x[i]) yield(%0) }
              store(y[0], %9)
            }
            """, [Tensor.From(x, x.Length)], new() { ["n"] = x.Length }, [Tensor.From([expected(x)], 1)]);

    private static IEnumerable<Row> Empty<T>(T zero, T one, T least, T greatest) where T : unmanaged =>
        from form in (string[])["serial", "reduce"]
        from c in ((string, T)[])[("add", zero), ("mul", one), ("max", least), ("min", greatest)]
        select Reduce<T, T>("N27", $"{form}.{c.Item1}", [], _ => c.Item2);

    private static T InOrder<T>(T[] x, T identity, Func<T, T, T> op) => x.Aggregate(identity, op);

    /// <summary>The definition, by recursion: 16 lanes and their tree in a block, blocks combined pairwise.</summary>
    private static float Lanes(float[] x, float identity, Func<float, float, float> op)
    {
        var blocks = x.Chunk(4096).Select(chunk =>
        {
            var lanes = Enumerable.Range(0, 16)
                .Select(l => chunk.Where((_, j) => j % 16 == l).Aggregate(identity, op)).ToArray();
            float Tree(int lane, int step) =>
                step == 16 ? lanes[lane] : op(Tree(lane, step * 2), Tree(lane + step, step * 2));
            return Tree(0, 1);
        }).ToArray();
        if (blocks.Length == 0) return identity;
        // Perfect trees of the largest powers of two first: 7 blocks are 4, 2 and 1, joined from the right.
        float Perfect(int first, int count) => count == 1
            ? blocks[first]
            : op(Perfect(first, count / 2), Perfect(first + count / 2, count / 2));
        float Join(int first)
        {
            var count = 1;
            while (count * 2 <= blocks.Length - first) count *= 2;
            return first + count == blocks.Length ? Perfect(first, count) : op(Perfect(first, count),
                Join(first + count));
        }
        return Join(0);
    }

    private static Row Contraction(int m, int n, int k, int l)
    {
        var (a, b) = (Terms(m * k * l), Terms(n * k * l + 1)[1..]);
        var c = new float[m * n];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var total = 0d;
                for (var t = 0; t < k * l; t++) total = (float)Exact.Fma(a[i * k * l + t], b[t * n + j], total,
                    single: true);
                c[i * n + j] = (float)total * 2;
            }
        }
        return new("N29", $"contraction {m}x{n}x{k}x{l}", """
            kernel @row(a: in(f32, m*k*l), b: in(f32, k*l*n), c: out(f32, m*n); sizes(m, n, k, l)) {
              contract(i < m, j < n; p < k, q < l) {
                left { %0: f32 = load(a[i*k*l+p*l+q]) yield(%0) }
                right { %1: f32 = load(b[p*l*n+q*n+j]) yield(%1) }
                into(%2: f32) { %3: f32 = add(%2, %2) store(c[i*n+j], %3) }
              }
            }
            """, [Tensor.From(a, a.Length), Tensor.From(b, b.Length)],
            new() { ["m"] = m, ["n"] = n, ["k"] = k, ["l"] = l }, [Tensor.From(c, c.Length)]);
    }
}
