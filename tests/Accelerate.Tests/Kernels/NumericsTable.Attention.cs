// The row of the numerics table on attention, against the definition in plain loops.
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

internal static partial class NumericsTable
{
    /// <summary>Rows, keys, values, features; how many keys the rows see: all, or as many as a list says.</summary>
    private static IEnumerable<Row> AttentionRows() =>
    [
        Attention(1, 1, 1, 1, null), Attention(2, 64, 3, 5, null), Attention(3, 65, 17, 4, null),
            Attention(1, 200, 2, 33, null),
        Attention(2, 0, 2, 2, null), Attention(3, 5, 0, 2, null), Attention(2, 70, 2, 0, null),
            Attention(0, 3, 3, 3, null),
        Attention(4, 150, 3, 3, [150, 1, 64, 65]), Attention(3, 40, 2, 2, [0, -7, 1000]),
    ];

    private static Row Attention(int m, int s, int e, int k, long[]? seen)
    {
        var (q, keys, v) = (Terms(m * k), Terms(s * k + 1)[1..], Terms(s * e + 2)[2..]);
        var (sums, totals, highs) = (new float[m * e], new float[m * e], new float[m * e]);
        static float Weight(float d) => 1 / ((d * d) + 1);
        static float Fma(float a, float b, float c) => (float)Exact.Fma(a, b, c, single: true);
        for (var i = 0; i < m; i++)
        {
            var (greatest, total, sum) = (float.NegativeInfinity, 0f, new float[e]);
            var count = (int)Math.Clamp(seen?[i] ?? s, 0, s);
            for (var from = 0; from < count; from += 64)
            {
                var block = Enumerable.Range(from, Math.Min(64, count - from)).ToArray();
                var y = block.Select(j =>
                {
                    var x = 0f;
                    for (var p = 0; p < k; p++) x = Fma(q[i * k + p], keys[j * k + p], x);
                    return x * 0.25f;
                }).ToArray();
                var highest = y.Append(greatest).Where(x => !float.IsNaN(x)).Max() + 0f;
                var shift = float.IsNegativeInfinity(highest) ? 0 : highest;
                var scale = from == 0 ? 0 : Weight(greatest - shift);
                var w = y.Select(x => Weight(x - shift)).ToArray();
                total = Fma(scale, total, Lanes(w, 0, (a, b) => a + b));
                for (var c = 0; c < e; c++)
                {
                    sum[c] = scale * sum[c];
                    for (var j = 0; j < block.Length; j++) sum[c] = Fma(w[j], v[block[j] * e + c], sum[c]);
                }
                greatest = highest;
            }
            for (var c = 0; c < e; c++)
                (sums[i * e + c], totals[i * e + c], highs[i * e + c]) = (sum[c], total, greatest);
        }
        var until = seen is null ? "" : "until { %0: i64 = load(u[i]) yield(%0) }";
        return new("N37", $"attention {m}x{s}x{e}x{k}", $$"""
            kernel @row(q: in(f32, m*k), key: in(f32, s*k), v: in(f32, s*e), u: in(i64, m), y: out(f32, m*e), z: out(f32, m*e), g: out(f32, m*e); sizes(m, s, e, k)) {
              attend(i < m, j < s, c < e; p < k; block 64) {
                query { %1: f32 = load(q[i*k+p]) yield(%1) }
                key { %2: f32 = load(key[j*k+p]) yield(%2) }
                value { %3: f32 = load(v[j*e+c]) yield(%3) }
                {{until}}
                score(%4: f32) { %5: f32 = const(0.25) %6: f32 = mul(%4, %5) yield(%6) }
                weight(%7: f32) { %8: f32 = mul(%7, %7) %9: f32 = const(1.0) %10: f32 = add(%8, %9) %11: f32 = div(%9, %10) yield(%11) }
                into(%12: f32, %13: f32, %14: f32) { store(y[i*e+c], %12) store(z[i*e+c], %13) store(g[i*e+c], %14) }
              }
            }
            """, [Tensor.From(q, q.Length), Tensor.From(keys, keys.Length), Tensor.From(v, v.Length), Tensor.From(seen ?? new long[m], m)],
            new() { ["m"] = m, ["s"] = s, ["e"] = e, ["k"] = k },
                [Tensor.From(sums, sums.Length), Tensor.From(totals, totals.Length), Tensor.From(highs, highs.Length)]);
    }
}
