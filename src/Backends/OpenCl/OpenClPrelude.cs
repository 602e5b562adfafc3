// In: the names of the functions that a kernel text calls. Out: their definitions, each after those it calls.
using System.Text;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The functions before a kernel: operations that NUMERICS.md defines and OpenCL C leaves open or lacks.
/// </summary>
internal sealed class OpenClPrelude
{
    private readonly SortedSet<int> used = [];
    private readonly SortedDictionary<string, string> generated = new(StringComparer.Ordinal);

    /// <summary>The functions with a fixed text, ordered so that each comes after those it calls.</summary>
    private static readonly (string Name, string[] Calls, string Text)[] Fixed =
    [
        ("acc_floor_div", [], """
            /* a / b towards minus infinity; a divisor that is not positive belongs to a nest without iterations */
            static long acc_floor_div(long a, long b) {
              const long d = b > 0 ? b : 1;
              return a / d - (a % d < 0 ? 1 : 0);
            }
            """),
        ("acc_bf16", [], """
            /* the nearest bf16, ties to even */
            static float acc_bf16(float x) {
              const uint u = as_uint(x);
              return x != x ? NAN : as_float((u + 0x7fffu + ((u >> 16) & 1u)) & 0xffff0000u);
            }
            """),
        ("acc_bf16_bits", [], """
            static ushort acc_bf16_bits(float x) {
              return x != x ? (ushort)0x7fc0 : (ushort)(as_uint(x) >> 16);
            }
            """),
        ("acc_bf16_value", [], """
            static float acc_bf16_value(ushort h) {
              return as_float((uint)h << 16);
            }
            """),
        ("acc_f16_bits", [], """
            /* the nearest f16, ties to even, in integers: 65520 and above is infinite, below 2^-14 subnormal */
            static ushort acc_f16_bits(float x) {
              const uint u = as_uint(x);
              const uint sign = (u >> 16) & 0x8000u;
              const uint m = u & 0x7fffffffu;
              if (m > 0x7f800000u) return 0x7e00;
              if (m >= 0x477ff000u) return (ushort)(sign | 0x7c00u);
              if (m >= 0x38800000u) return (ushort)(sign | ((m + 0xfffu + ((m >> 13) & 1u) - 0x38000000u) >> 13));
              if (m < 0x33000000u) return (ushort)sign;
              const uint shift = 126u - (m >> 23);
              const uint f = (m & 0x7fffffu) | 0x800000u;
              const uint q = f >> shift;
              const uint rest = f & ((1u << shift) - 1u);
              const uint tie = 1u << (shift - 1u);
              return (ushort)(sign | (q + (rest > tie || (rest == tie && (q & 1u) != 0u) ? 1u : 0u)));
            }
            """),
        ("acc_f16_value", [], """
            static float acc_f16_value(ushort h) {
              const uint sign = ((uint)h & 0x8000u) << 16;
              const uint m = (uint)h & 0x7fffu;
              if (m > 0x7c00u) return NAN;
              if (m == 0x7c00u) return as_float(sign | 0x7f800000u);
              if (m < 0x400u) return as_float(sign | as_uint((float)m * 0x1p-24f));
              return as_float(sign | ((m << 13) + 0x38000000u));
            }
            """),
        ("acc_f16", ["acc_f16_bits", "acc_f16_value"], """
            static float acc_f16(float x) {
              return acc_f16_value(acc_f16_bits(x));
            }
            """),
        ("acc_odd_ulong", [], """
            /* 24 bits rounded to odd, so that a second rounding to 8 bits makes no tie */
            static float acc_odd_ulong(ulong m) {
              const int drop = 40 - (int)clz(m);
              if (drop <= 0) return (float)m;
              const ulong kept = m >> drop;
              return (float)(((kept << drop) != m ? kept | 1UL : kept) << drop);
            }
            """),
        ("acc_odd_double", [], """
            /* f64 to f32 rounded to odd, so that a second rounding to f16 or bf16 makes no tie */
            static float acc_odd_double(double x) {
              const float near = (float)x;
              if (x != x || (double)near == x || isinf(near)) return near;
              const uint u = as_uint(near);
              return as_float((fabs((double)near) > fabs(x) ? u - 1u : u) | 1u);
            }
            """),
        ("acc_odd_fma", ["acc_odd_double"], """
            /* a * b + c of f16 or bf16: the product is exact in f64, the sum is rounded to odd */
            static float acc_odd_fma(float a, float b, float c) {
              const double p = (double)a * (double)b;
              const double q = (double)c;
              const double s = p + q;
              const double t = s - p;
              const double e = (p - (s - t)) + (q - t);
              ulong u = as_ulong(s);
              if (!isinf(s) && e != 0.0 && (u & 1UL) == 0UL) u += (e > 0.0) == (s > 0.0) ? 1UL : -1UL;
              return acc_odd_double(as_double(u));
            }
            """),
    ];

    /// <summary>True if one of the functions computes in f64.</summary>
    public bool NeedsF64 { get; private set; }

    /// <summary>The name of a function with a fixed text, which then becomes part of the prelude.</summary>
    public string Use(string name)
    {
        var at = Array.FindIndex(Fixed, f => f.Name == name);
        used.Add(at);
        NeedsF64 |= Fixed[at].Text.Contains("double", StringComparison.Ordinal);
        foreach (var callee in Fixed[at].Calls) Use(callee);
        return name;
    }

    /// <summary>
    /// Integer division or remainder: x / 0 is -1 (all ones), MIN / -1 is MIN, x rem 0 is x, x rem -1 is 0.
    /// </summary>
    public string Divide(DType type, bool remainder)
    {
        var (t, modular) = (OpenClTypes.Value(type), OpenClTypes.Modular(type));
        var name = $"acc_{(remainder ? "rem" : "div")}_{type.Name()}";
        // The divisor is made safe first, so that a compiler which moves the division before the test cannot cause a
        // trap.
        var unsafeDivisor = type.IsSigned ? "b == 0 || b == -1" : "b == 0";
        var atZero = remainder ? "a" : OpenClTypes.Integer(-1, type);
        var negated = $"as_{t}(({OpenClTypes.Unsigned(type)})(0u - ({modular})a))";
        var atMinusOne = !type.IsSigned ? "" : $"b == -1 ? {(remainder ? "0" : negated)} : ";
        return Generate(name, $$"""
            static {{t}} {{name}}({{t}} a, {{t}} b) {
              const {{t}} d = {{unsafeDivisor}} ? 1 : b;
              return b == 0 ? {{atZero}} : {{atMinusOne}}a {{(remainder ? "%" : "/")}} d;
            }
            """);
    }

    /// <summary>
    /// Float to integer: truncates, saturates, NaN becomes 0. The bounds are powers of two, exact in every float dtype.
    /// </summary>
    public string FloatToInteger(DType from, DType to)
    {
        var (f, t) = (OpenClTypes.Value(from), OpenClTypes.Value(to));
        var name = $"acc_{to.Name()}_{(from == DType.F64 ? "f64" : "f32")}";
        var bits = 8 * to.Bytes() - (to.IsSigned ? 1 : 0);
        var bound = OpenClTypes.Float(Math.ScaleB(1, bits), from);
        var floor = to.IsSigned ? $"-{bound}" : OpenClTypes.Float(0, from);
        return Generate(name, $$"""
            static {{t}} {{name}}({{f}} x) {
              if (x != x) return 0;
              if (x <= {{floor}}) return {{OpenClTypes.Least(to)}};
              if (x >= {{bound}}) return {{OpenClTypes.Greatest(to)}};
              return ({{t}})x;
            }
            """);
    }

    /// <summary>Combines the 16 lanes of a reduction as 8-4-2-1.</summary>
    public string LaneTree(ReduceKind kind, DType type)
    {
        var (t, name) = (OpenClTypes.Value(type), $"acc_tree_{kind.ToString().ToLowerInvariant()}_{type.Name()}");
        var text = new StringBuilder(
            $"/* lanes l and l + 8, then l + 4, l + 2, l + 1 */\nstatic {t} {name}(const {t}* x) {{\n");
        for (var (half, from) = (8, "x"); half > 0; from = $"{(char)('a' + (3 - int.Log2(half)))}", half /= 2)
        {
            var to = (char)('a' + (3 - int.Log2(half)));
            for (var lane = 0; lane < half; lane++)
            {
                string At(int l) => from == "x" ? $"x[{l}]" : $"{from}{l}";
                text.Append(
                    $"  const {t} {to}{lane} = {OpenClOps.Combine(kind, type, At(lane), At(lane + half), this)};\n");
            }
        }
        return Generate(name, text.Append("  return d0;\n}").ToString());
    }

    public string Text()
    {
        var text = new StringBuilder();
        foreach (var at in used) text.Append(Fixed[at].Text).Append("\n\n");
        foreach (var function in generated.Values) text.Append(function).Append("\n\n");
        return text.Replace("\r", "").ToString();
    }

    private string Generate(string name, string text)
    {
        generated[name] = text;
        return name;
    }
}
