// The rows of the numerics table on guarded stores, running values and sorts.
using System.Numerics;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

internal static partial class NumericsTable
{
    private static IEnumerable<Row> OrderRows() =>
    [
        new("N34", "what no guard lets through stays", """
            kernel @row(x: in(f32, n), y: inout(f32, 4); sizes(n)) {
              vector(i < n) {
                %0: f32 = load(x[i])
                store(y[i-1], %0 if(i-1 < 4, i < 4))
              }
            }
            """, [Tensor.From([1f, 2f, 3f, 4f, 5f, 6f], 6), Tensor.From([-1f, -2f, -3f, float.NaN], 4)], new() { ["n"] = 6 },
            [Tensor.From([2f, 3f, 4f, float.NaN], 4)]),
        new("N34", "in the order of a serial loop, at indices that are values", """
            kernel @row(i: in(i64, n), y: inout(f32, 3), flags: out(bool, n); sizes(n)) {
              serial(s < n) {
                %0: i64 = load(i[s])
                %1: f32 = const(0.0)
                %2: f32 = load(y[v0'] if(v0' < 3) else %1)
                %3: i64 = index(s+1)
                %4: f32 = convert(%3)
                %5: f32 = fma(%2, %4, %4)
                store(y[v0'], %5 if(v0' < 3))
                %6: i64 = const(0)
                %7: bool = lt(%0, %6)
                store(flags[s], %7)
              }
            }
            """, [Tensor.From([2L, -1, 0, 2, 3, long.MinValue, 2], 7), Tensor.From([10f, 20f, 30f], 3)], new() { ["n"] = 7 },
            // 10*3+3; then 30*1+1, *4+4, *7+7.
            [Tensor.From([33f, 20f, ((31f * 4) + 4) * 7 + 7], 3),
                Tensor.From([false, true, false, false, false, true, false], 7)]),
        .. Enumerable.Select([0, 1, 2, 17, 300], n => Running("add", Terms(n), (a, b) => a + b)),
        .. Enumerable.Select([0, 1, 40], n => Running("mul", Terms(n), (a, b) => a * b)),
        Running("add", [-0f, -0f, 0f, -0f, 1f, float.NaN, 2f], (a, b) => a + b),
        Running("max", F32, (a, b) => float.IsNaN(a) ? a : a > b ? a : b),
        Running("min", [.. F32.Reverse()], (a, b) => float.IsNaN(a) ? a : a < b ? a : b),
        Running("max", [sbyte.MinValue, (sbyte)-3, (sbyte)5, (sbyte)2], Math.Max),
        Running("min", [ulong.MaxValue, 7ul, 9ul], Math.Min),
        Running("and", [true, true, false, true], (a, b) => a & b),
        Running("or", [4, 1, 16], (a, b) => a | b),
        new("N35", "a value for each lane", """
            kernel @row(x: in(f32, k*n), y: out(f32, k*n); sizes(n, k)) {
              vector(j < n) {
                cumulate.add(i < k) { %0: f32 = load(x[i*n+j]) yield(%0) } into(%1: f32) { store(y[i*n+j], %1) }
              }
            }
            """, [Tensor.From([.. Enumerable.Range(0, 57).Select(i => 0.1f * i)], 57)], new() { ["n"] = 19, ["k"] = 3 },
            [Tensor.From([.. Enumerable.Range(0, 57).Select(i => i < 19 ? 0.1f * i : i < 38 ? 0.1f * (i - 19) + 0.1f * i
                : 0.1f * (i - 38) + 0.1f * (i - 19) + 0.1f * i)], 57)]),
        .. Orders(F32),
        .. Orders(F64),
        .. Orders([.. Enumerable.Repeat(F32, 40).SelectMany(x => x)]),
        .. Orders([0f, -0f, 0f, -0f]),
        .. Orders<sbyte>([3, -128, 127, 0, -1, 3, 127]),
        .. Orders<short>([3, -32768, 32767, 0, -1, 3]),
        .. Orders<int>([.. Enumerable.Range(0, 1000).Select(i => i * 7919 % 211 - 100), int.MinValue, int.MaxValue]),
        .. Orders<long>([3, long.MinValue, long.MaxValue, 0, -1, 3, 1L << 32, (1L << 32) + 1]),
        .. Orders<byte>([3, 255, 128, 127, 0, 3]),
        .. Orders<ushort>([3, 65535, 32768, 0, 3]),
        .. Orders<uint>([3, uint.MaxValue, 1u << 31, 0, 3]),
        .. Orders<ulong>([3, ulong.MaxValue, 1ul << 63, 0, 3, 1ul << 32]),
        .. Orders([true, false, true, true, false]),
        .. Orders<float>([]),
        .. Orders([float.NaN]),
    ];

    private static Row Running<T>(string kind, T[] x, Func<T, T, T> op)
        where T : unmanaged
    {
        var expected = new T[x.Length];
        for (var i = 0; i < x.Length; i++) expected[i] = i == 0 ? x[0] : op(expected[i - 1], x[i]);
        return new("N35", $"running {kind} of {x.Length} {Name<T>()}", $$"""
            kernel @row(x: in({{Name<T>()}}, n), y: out({{Name<T>()}}, n); sizes(n)) {
              cumulate.{{kind}}(i < n) { %0: {{Name<T>()}} = load(x[i]) yield(%0) } into(%1: {{Name<T>()}}) { store(y[i], %1) }
            }
            """, [Tensor.From(x, x.Length)], new() { ["n"] = x.Length }, [Tensor.From(expected, x.Length)]);
    }

    /// <summary>
    /// The place of an element is the number of those that come before it: by counting, without a sort.
    /// </summary>
    private static IEnumerable<Row> Orders<T>(T[] x)
        where T : unmanaged
    {
        foreach (var descending in (bool[])[false, true])
        {
            var (keys, places) = (new T[x.Length], new long[x.Length]);
            var numbers = x.Select(
                v => v switch
                {
                    bool b => new Ordered(b ? 1 : 0),
                    float f => Ordered.Of(f),
                    double d => Ordered.Of(d),
                    _ => Ordered.Whole(v)
                }).ToArray();
            for (var i = 0; i < x.Length; i++)
            {
                var place = 0;
                for (var j = 0; j < x.Length; j++)
                {
                    var order = numbers[j].Order(numbers[i], descending);
                    if (order < 0 || (order == 0 && j < i)) place++;
                }
                (keys[place], places[place]) = (x[i], i);
            }
            yield return new("N36", $"{(descending ? "descending" : "ascending")} {x.Length} {Name<T>()}", $$"""
                kernel @row(x: in({{Name<T>()}}, n), y: out({{Name<T>()}}, n), p: out(i64, n); sizes(n)) {
                  sort.{{(descending ? "descending" : "ascending")}}(i < n) { %0: {{Name<T>()}} = load(x[i]) yield(%0) } into(%1: {{Name<T>()}}, %2: i64) {
                    store(y[i], %1)
                    store(p[i], %2)
                  }
                }
                """, [Tensor.From(x, x.Length)], new() { ["n"] = x.Length }, [Tensor.From(keys, x.Length), Tensor.From(places, x.Length)]);
        }
    }

    /// <summary>
    /// A number as it is ordered: a NaN, an infinity, or a value that doubles and integers both have exactly.
    /// </summary>
    private readonly record struct Ordered(BigInteger Value, double Float = 0, bool IsWhole = true)
    {
        public static Ordered Of(double value) => new(0, value, false);

        public static Ordered Whole<T>(T value) =>
            new(BigInteger.Parse($"{value}", System.Globalization.CultureInfo.InvariantCulture));

        public int Order(Ordered other, bool descending)
        {
            if (!IsWhole && (double.IsNaN(Float) || double.IsNaN(other.Float)))
                return double.IsNaN(Float).CompareTo(double.IsNaN(other.Float));
            var order = IsWhole ? Value.CompareTo(other.Value) : Float < other.Float ? -1 : Float > other.Float ? 1 : 0;
            return descending ? -order : order;
        }
    }
}
