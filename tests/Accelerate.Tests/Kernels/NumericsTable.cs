// In: nothing. Out: the rows of KERNELS.md's numerics table as kernels with inputs and the bytes every backend must
// give.
using System.Numerics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

/// <summary>
/// A kernel's text, its input buffers (an inout one as it is before), sizes, and what its output buffers hold
/// afterwards.
/// </summary>
internal sealed record Row(
    string Id, string Case, string Text, Tensor[] Inputs, Dictionary<string, long> Sizes, Tensor[] Expected,
        bool Flags = false)
{
    /// <summary>
    /// Runs the row on a backend: (kernel, buffers in its order, sizes) => whether an index was out of range.
    /// </summary>
    public void Run(Func<Kernel, Tensor[], Func<string, long>, bool> backend)
    {
        var kernel = KernelReader.Read(Text);
        KernelVerifier.Verify(kernel);
        var (inputs, expected) = (new Queue<Tensor>(Inputs), new Queue<Tensor>(Expected));
        // 0xEE first: an element that is not stored shows.
        Tensor[] buffers = [.. kernel.Buffers.Select(b =>
        {
            if (b.IsUpdated) expected.Dequeue();
            if (!b.IsOutput || b.IsUpdated) return inputs.Dequeue().Clone();
            var tensor = Tensor.Uninitialized(b.Type, expected.Dequeue().Shape);
            tensor.Bytes.Fill(0xEE);
            return tensor;
        })];
        Assert.Equal(Flags, backend(kernel, buffers, name => Sizes[name]));
        var outputs = buffers.Where((_, i) => kernel.Buffers[i].IsOutput).ToArray();
        for (var i = 0; i < outputs.Length; i++)
        {
            Assert.True(Expected[i].SameBits(outputs[i]),
                $"{Id} {Case}: inputs\n{string.Join('\n', Inputs.Select(t => t.Format()))}\nexpected\n{Expected[i].Format()}\nnot\n{outputs[i].Format()}");
        }
    }

    public override string ToString() => $"{Id} {Case}";
}

/// <summary>All rows. Each expectation is written without the interpreter, by big integers, bits or plain C#.</summary>
internal static partial class NumericsTable
{
    public static IEnumerable<Row> Rows => All.Value;

    private static readonly Lazy<Row[]> All =
        new(() => [.. FloatRows(), .. NarrowRows(), .. IntegerRows(), .. ConversionRows(),
            .. NarrowConversionRows(), .. StructureRows(), .. OrderRows(), .. AttentionRows()]);

    private static readonly float[] F32 =
    [
        0f, -0f, 1f, -1f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, -2.5f, 0.49999997f, 3.1415927f, -7f, 1e-45f, -1e-45f,
            1.1754942e-38f,
        1.17549435e-38f, 3.4028235e38f, -3.4028235e38f, 8388607.5f, 8388609f, 16777217f, 2147483648f, -2147483648f,
            1e10f,
        9.223372e18f, 1.8446744e19f, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    private static readonly double[] F64 =
    [
        0d, -0d, 1d, -1d, 0.5, -0.5, 1.5, -2.5, 0.49999999999999994, 3.141592653589793, 5e-324, -5e-324,
            2.225073858507201e-308,
        2.2250738585072014e-308, 1.7976931348623157e308, 4503599627370495.5, 4503599627370497.0, 1.00000005960464477539,
        1.00000017881393432617, 3.4028235677973366e38, 1.4012984643248171e-45, 7.006492321624085e-46, 2147483647.9,
            -2147483648.9,
        4294967295.5, 9223372036854774784.0, 9223372036854775808.0, 1.8446744073709552e19, double.PositiveInfinity,
        double.NegativeInfinity, double.NaN,
    ];

    private static string Name<T>() where T : unmanaged => DType.Of<T>().Name();

    /// <summary>y[i] = body's %9 of x[i] as %0.</summary>
    private static Row Unary<TIn, TOut>(string id, string title, string body, TIn[] x, Func<TIn, TOut> expected)
        where TIn : unmanaged
        where TOut : unmanaged => new(id, $"{title} {Name<TIn>()} {Name<TOut>()}".TrimEnd(), $$"""
            kernel @row(x: in({{Name<TIn>()}}, n), y: out({{Name<TOut>()}}, n); sizes(n)) {
              vector(i < n) { %0: {{Name<TIn>()}} = load(x[i]) {{body}} store(y[i], %9) }
            }
            """, [Tensor.From(x, x.Length)], new() { ["n"] = x.Length }, [Tensor.From(x.Select(expected).ToArray(), x.Length)]);

    /// <summary>z[i*n+j] = body's %9 of x[i] as %0 and x[j] as %1: all pairs of the values.</summary>
    private static Row Pairs<TIn, TOut>(string id, string title, string body, TIn[] x, Func<TIn, TIn, TOut> expected)
        where TIn : unmanaged
        where TOut : unmanaged => new(id, $"{title} {Name<TIn>()}", $$"""
            kernel @row(x: in({{Name<TIn>()}}, n), z: out({{Name<TOut>()}}, n*n); sizes(n)) {
              parallel(i < n) {
                %0: {{Name<TIn>()}} = load(x[i])
                vector(j < n) { %1: {{Name<TIn>()}} = load(x[j]) {{body}} store(z[i*n+j], %9) }
              }
            }
            """, [Tensor.From(x, x.Length)], new() { ["n"] = x.Length },
            [Tensor.From(x.SelectMany(a => x.Select(b => expected(a, b))).ToArray(), x.Length, x.Length)]);

    // f32 by way of f64: 53 bits are more than 2 * 24 + 2, so that the second rounding changes nothing.
    private static IEnumerable<Row> FloatRows() =>
    [
        Pairs("N1", "add", "%9: f32 = add(%0, %1)", F32, (a, b) => (float)((double)a + b)),
        Pairs("N1", "sub", "%9: f32 = sub(%0, %1)", F32, (a, b) => (float)((double)a - b)),
        Pairs("N1", "mul", "%9: f32 = mul(%0, %1)", F32, (a, b) => (float)((double)a * b)),
        Pairs("N1", "div", "%9: f32 = div(%0, %1)", F32, (a, b) => (float)((double)a / b)),
        Pairs("N1", "add", "%9: f64 = add(%0, %1)", F64, (a, b) => a + b),
        Pairs("N1", "sub", "%9: f64 = sub(%0, %1)", F64, (a, b) => a - b),
        Pairs("N1", "mul", "%9: f64 = mul(%0, %1)", F64, (a, b) => a * b),
        Pairs("N1", "div", "%9: f64 = div(%0, %1)", F64, (a, b) => a / b),
        Pairs("N2", "mul then add rounds twice", "%2: f32 = mul(%0, %0) %9: f32 = add(%2, %1)", F32,
            (a, b) => (float)((double)(float)((double)a * a) + b)),
        Pairs("N3", "fma(a, b, -a)", "%2: f32 = neg(%0) %9: f32 = fma(%0, %1, %2)", F32, (a, b) =>
            (float)Fma(a, b, -a, true)),
        Pairs("N3", "fma(a, b, 1/3)", "%2: f32 = const(0.3333333432674408) %9: f32 = fma(%0, %1, %2)", F32,
            (a, b) => (float)Fma(a, b, 0.3333333432674408, true)),
        Pairs("N3", "fma(a, b, -a)", "%2: f64 = neg(%0) %9: f64 = fma(%0, %1, %2)", F64, (a, b) =>
            Fma(a, b, -a, false)),
        Pairs("N4", "max", "%9: f32 = max(%0, %1)", F32, (a, b) => float.IsNaN(a) ? a : a > b ? a : b),
        Pairs("N4", "max", "%9: f64 = max(%0, %1)", F64, (a, b) => double.IsNaN(a) ? a : a > b ? a : b),
        Pairs("N4", "min", "%9: f32 = min(%0, %1)", F32, (a, b) => float.IsNaN(a) ? a : a < b ? a : b),
        Pairs("N4", "min", "%9: f64 = min(%0, %1)", F64, (a, b) => double.IsNaN(a) ? a : a < b ? a : b),
        Unary("N5", "neg", "%1: f32 = neg(%0) %9: u32 = bitcast(%1)", F32, a =>
            BitConverter.SingleToUInt32Bits(a) ^ 0x80000000),
        Unary("N5", "neg", "%1: f64 = neg(%0) %9: u64 = bitcast(%1)", F64, a =>
            BitConverter.DoubleToUInt64Bits(a) ^ (1UL << 63)),
        Unary("N5", "abs", "%1: f32 = abs(%0) %9: u32 = bitcast(%1)", F32, a =>
            BitConverter.SingleToUInt32Bits(a) & 0x7FFFFFFF),
        Unary("N5", "abs", "%1: f64 = abs(%0) %9: u64 = bitcast(%1)", F64, a =>
            BitConverter.DoubleToUInt64Bits(a) << 1 >> 1),
        Unary("N6", "sqrt", "%9: f32 = sqrt(%0)", F32, a => (float)Math.Sqrt(a)),
        Unary("N6", "sqrt", "%9: f64 = sqrt(%0)", F64, Math.Sqrt),
        Unary("N7", "floor", "%9: f32 = floor(%0)", F32, a => (float)Integral(a, -1)),
        Unary("N7", "floor", "%9: f64 = floor(%0)", F64, a => Integral(a, -1)),
        Unary("N7", "ceil", "%9: f32 = ceil(%0)", F32, a => (float)Integral(a, 1)),
        Unary("N7", "ceil", "%9: f64 = ceil(%0)", F64, a => Integral(a, 1)),
        Unary("N7", "trunc", "%9: f32 = trunc(%0)", F32, a => (float)Integral(a, 0)),
        Unary("N7", "trunc", "%9: f64 = trunc(%0)", F64, a => Integral(a, 0)),
        Unary("N8", "round", "%9: f32 = round(%0)", F32, a => (float)HalfToEven(a)),
        Unary("N8", "round", "%9: f64 = round(%0)", F64, HalfToEven),
        .. Comparisons("N9", F32),
        .. Comparisons("N9", F64),
    ];

    private static IEnumerable<Row> Comparisons<T>(string id, T[] x) where T : unmanaged, INumber<T>
    {
        Row Compare(string op, Func<T, T, bool> holds) => Pairs(id, op, $"%9: bool = {op}(%0, %1)", x, holds);
        bool Ordered(T a, T b) => !T.IsNaN(a) && !T.IsNaN(b);
        return
        [
            Compare("eq", (a, b) => Ordered(a, b) && a.CompareTo(b) == 0),
            Compare("ne", (a, b) => !Ordered(a, b) || a.CompareTo(b) != 0),
            Compare("lt", (a, b) => Ordered(a, b) && a.CompareTo(b) < 0),
            Compare("le", (a, b) => Ordered(a, b) && a.CompareTo(b) <= 0),
            Compare("gt", (a, b) => Ordered(a, b) && a.CompareTo(b) > 0),
            Compare("ge", (a, b) => Ordered(a, b) && a.CompareTo(b) >= 0),
        ];
    }

    private static double Fma(double a, double b, double c, bool single) =>
        double.IsFinite(a) && double.IsFinite(b) && double.IsFinite(c) ? Exact.Fma(a, b, c, single)
        : double.IsFinite(c) || double.IsNaN(c) ? a * b + c
        : double.IsFinite(a) && double.IsFinite(b) ? c : a * b + c;

    /// <summary>Towards -inf, zero or +inf; the sign, also of a zero, is the operand's.</summary>
    private static double Integral(double a, int direction)
    {
        if (!double.IsFinite(a) || Math.Abs(a) >= 1L << 53) return a;
        var whole = (double)(long)a;
        if (direction < 0 && whole > a) whole--;
        if (direction > 0 && whole < a) whole++;
        return Math.CopySign(whole, a);
    }

    private static double HalfToEven(double a)
    {
        if (!double.IsFinite(a) || Math.Abs(a) >= 1L << 53) return a;
        var low = (long)Integral(a, -1);
        var above = a - low;
        return Math.CopySign(above > 0.5 || (above == 0.5 && low % 2 != 0) ? low + 1 : low, a);
    }
}
