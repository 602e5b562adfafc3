// In: every scalar operation on every dtype, with awkward inputs. Out: the device's results, held to the kernel
// interpreter.
using System.Globalization;
using System.Text;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.OpenCl;

public sealed class ScalarOpTests
{
    private static readonly ScalarOp[] Comparisons =
        [ScalarOp.Eq, ScalarOp.Ne, ScalarOp.Lt, ScalarOp.Le, ScalarOp.Gt, ScalarOp.Ge];

    private static readonly ScalarOp[] OnFloats =
    [
        ScalarOp.Neg, ScalarOp.Abs, ScalarOp.Sqrt, ScalarOp.Floor, ScalarOp.Ceil, ScalarOp.Trunc, ScalarOp.Round,
        ScalarOp.Add, ScalarOp.Sub, ScalarOp.Mul, ScalarOp.Div, ScalarOp.Max, ScalarOp.Min, .. Comparisons,
        ScalarOp.Fma, ScalarOp.Select,
    ];

    private static readonly ScalarOp[] OnIntegers =
    [
        ScalarOp.Neg, ScalarOp.Abs, ScalarOp.Not, ScalarOp.Add, ScalarOp.Sub, ScalarOp.Mul, ScalarOp.Div, ScalarOp.Rem,
        ScalarOp.Max, ScalarOp.Min, ScalarOp.And, ScalarOp.Or, ScalarOp.Xor, ScalarOp.Shl, ScalarOp.Shr, .. Comparisons,
        ScalarOp.Fma, ScalarOp.Select,
    ];

    private static readonly ScalarOp[] OnBool =
    [
        ScalarOp.Not, ScalarOp.And, ScalarOp.Or, ScalarOp.Xor, ScalarOp.Max, ScalarOp.Min,
        .. Comparisons, ScalarOp.Select,
    ];

    private static readonly DType[] Wide =
    [
        DType.Bool, DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64,
        DType.F32, DType.F64,
    ];

    private static readonly double[] AwkwardFloats =
    [
        0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3, 0.1, -0.7, 7.25, 100.9, -100.9, 127.5, 128, -128.5,
        -129, 255.9,
        256,
        32767.5, 65504, 65520, 65536, 16777215, 16777217, 2147483647, 2147483648, -2147483649, 4294967296,
        9223372036854775808.0,
        -9223372036854775808.0, 18446744073709551616.0, 1e-40, -1e-45, 1.1754943e-38, 3.4028235e38, -3.4028235e38,
        1e-310, 1e300,
        double.PositiveInfinity, double.NegativeInfinity, double.NaN,
    ];

    private static readonly long[] AwkwardIntegers =
    [
        0, 1, -1, 2, -2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, -128, -127, 255, 256, 32767, -32768,
        32768, 65535,
        8388609, 16777217, 2147483647, -2147483648, 2147483648, 4294967295, 0x0080_8000_0001, 0x7F80_0000_0001,
        long.MaxValue, long.MinValue, long.MaxValue - 1,
    ];

    public static TheoryData<DType> Types => [.. Wide];

    [OpenClTheory]
    [MemberData(nameof(Types))]
    public void EveryOperation(DType type)
    {
        if (type == DType.F64 && !OpenClDevice.Default.HasF64) return;
        var ops = type == DType.Bool ? OnBool : type.IsFloat ? OnFloats : OnIntegers;
        Compare(type, [.. ops.Select(op => (op, Comparisons.Contains(op) ? DType.Bool : type))]);
    }

    [OpenClTheory]
    [MemberData(nameof(Types))]
    public void EveryConversion(DType type) => Compare(type,
        [.. Wide.Where(to => OpenClDevice.Default.HasF64 || (type != DType.F64 && to != DType.F64))
            .Select(to => (ScalarOp.Convert, to))]);

    [OpenClTheory]
    [MemberData(nameof(Types))]
    public void EveryBitcast(DType type)
    {
        if (type == DType.Bool || (type == DType.F64 && !OpenClDevice.Default.HasF64)) return;
        Compare(type, [.. Wide.Where(to => to.Bytes() == type.Bytes() && to != DType.Bool
            && (to != DType.F64 || OpenClDevice.Default.HasF64)).Select(to => (ScalarOp.Bitcast, to))]);
    }

    [OpenClTheory]
    [MemberData(nameof(Types))]
    public void EveryReduction(DType type)
    {
        if (type == DType.F64 && !OpenClDevice.Default.HasF64) return;
        ReduceKind[] kinds = type == DType.Bool ? [ReduceKind.And, ReduceKind.Or, ReduceKind.Max, ReduceKind.Min]
            : [.. Enum.GetValues<ReduceKind>().Where(k => !type.IsFloat || k is not (ReduceKind.And or ReduceKind.Or))];
        var text = new StringBuilder($"program @p {{ sizes(n, m) input(x: {type.Name()}[n,m], \"x\")\n");
        for (var k = 0; k < kinds.Length; k++) text.Append($"output(y{k}: {Result(k).Name()}[n], \"y{k}\")\n");
        text.Append($"call(@k; x, {string.Join(", ", kinds.Select((_, k) => $"y{k}"))}) }}\n");
        text.Append($"kernel @k(x: in({type.Name()}, n*m), ");
        text.Append(string.Join(", ", kinds.Select((_, k) => $"y{k}: out({Result(k).Name()}, n)")));
        text.Append("; sizes(n, m)) { parallel(i < n) {\n");
        for (var k = 0; k < kinds.Length; k++)
        {
            text.Append($"%{2 * k}: {Result(k).Name()} = serial.{kinds[k].ToString().ToLowerInvariant()}(j < m) {{ ");
            text.Append($"%{2 * k + 1}: {type.Name()} = load(x[i*m+j]) yield(%{2 * k + 1}) }}\n");
            text.Append($"store(y{k}[i], %{2 * k})\n");
        }
        text.Append("} }\n");
        var values = Awkward(type);
        foreach (var m in (int[])[0, 1, 3, values.Count > 12 ? 12 : 2])
        {
            var rows = m == 0 ? 3 : (int)values.Count / m;
            using var x = m == 0 ? Tensor.Zeros(type, 3, 0) : values.Slice(0, rows * m).Reshape(rows, m);
            Agree(text.ToString(), type, x);
        }

        DType Result(int k) => kinds[k] switch
        {
            ReduceKind.ArgMax => DType.I64,
            ReduceKind.ArgMin => DType.I32,
            _ => type,
        };
    }

    [OpenClFact]
    public void NarrowFloatsConvertWithOneRounding()
    {
        if (!OpenClDevice.Default.HasF64) return;
        var ties = Awkward(DType.F64).ToArray<double>()
            .SelectMany(v => (double[])[v, v * (1 + Math.ScaleB(1, -8)), v * (1 + Math.ScaleB(1, -11)),
                v * (1 + Math.ScaleB(1, -8)) * (1 + Math.ScaleB(1, -50)),
                v * (1 + Math.ScaleB(1, -11)) * (1 - Math.ScaleB(1, -50))])
            .Concat(Enumerable.Range(0, 2000).Select(i => Math.ScaleB(1 + (i / 2000.0), (i % 60) - 45))).ToArray();
        Narrowed(DType.F64, Tensor.From(ties, ties.Length), ties);
        var singles = Array.ConvertAll(ties, v => (float)v);
        Narrowed(DType.F32, Tensor.From(singles, ties.Length), Array.ConvertAll(singles, v => (double)v));
        long[] integers =
            [.. AwkwardIntegers, .. AwkwardIntegers.Select(v => v * 257), 0x0101_0000_0000_0001, 0x0101_0000_0000_0000];
        var device = Narrow(DType.I64, Tensor.From(integers, integers.Length));
        Assert.Equal(integers.Select(v => (float)Exact(v)), device[1].ToArray<BFloat16>().Select(v => (float)v));
        Assert.Equal(integers.Select(v => (Half)v), device[0].ToArray<Half>());

        static BFloat16 Exact(long v)
        {
            // The sign of the difference says which way the double was rounded: one step back across it keeps the tie
            // apart.
            var near = (double)v;
            var error = Int128.Sign(v - (Int128)near);
            return (BFloat16)(error > 0 ? Math.BitIncrement(near) : error < 0 ? Math.BitDecrement(near) : near);
        }
    }

    [OpenClFact]
    public void NarrowFusedMultiplyAddRoundsOnce()
    {
        if (!OpenClDevice.Default.HasF64) return;
        double[] values = [0, 1, -1, 1.0009765625, 0.99951171875, 3.140625, -2.71875, 0.0009765625,
            6.103515625e-05, 5.9604644775390625e-08, 1024, -65504, 333.25, 1.0078125,
            double.PositiveInfinity, double.NaN];
        var triples = (from a in values from b in values from c in values select (a, b, c)).ToArray();
        Half[] Part(Func<(double A, double B, double C), double> of) => [.. triples.Select(t => (Half)of(t))];
        var (x, y, z) = (Part(t => t.A), Part(t => t.B), Part(t => t.C));
        var n = triples.Length;
        var device = Run("""
            program @p {
              sizes(n) input(a: f16[n], "a") input(b: f16[n], "b") input(c: f16[n], "c") output(y: f16[n], "y")
              call(@k; a, b, c, y)
            }
            kernel @k(a: in(f16, n), b: in(f16, n), c: in(f16, n), y: out(f16, n); sizes(n)) { vector(i < n) {
              %0: f16 = load(a[i]) %1: f16 = load(b[i]) %2: f16 = load(c[i])
              %3: f16 = fma(%0, %1, %2) store(y[i], %3) } }
            """, Tensor.From(x, n), Tensor.From(y, n), Tensor.From(z, n))[0];
        // Products and sums of these f16 have at most 53 bits between their ends: the f64 sum is exact or far from a
        // tie.
        using var expected = Tensor.From(
            [.. x.Select((v, i) => (Half)Math.FusedMultiplyAdd((double)v, (double)y[i], (double)z[i]))], n);
        Assert.True(expected.SameBits(device));
    }

    private static void Narrowed(DType type, Tensor x, double[] values)
    {
        var results = Narrow(type, x);
        using var halves = Tensor.From(Array.ConvertAll(values, v => (Half)v), values.Length);
        using var brains = Tensor.From(Array.ConvertAll(values, v => (BFloat16)v), values.Length);
        Assert.True(halves.SameBits(results[0]));
        Assert.True(brains.SameBits(results[1]));
    }

    private static Tensor[] Narrow(DType type, Tensor x) => Run($$"""
        program @p {
          sizes(n) input(x: {{type.Name()}}[n], "x") output(h: f16[n], "h") output(b: bf16[n], "b") call(@k; x, h, b)
        }
        kernel @k(x: in({{type.Name()}}, n), h: out(f16, n), b: out(bf16, n); sizes(n)) { vector(i < n) {
          %0: {{type.Name()}} = load(x[i])
          %1: f16 = convert(%0) store(h[i], %1)
          %2: bf16 = convert(%0) store(b[i], %2) } }
        """, x);

    /// <summary>
    /// One kernel with all the operations, over all pairs of awkward values; the third argument is a rotation.
    /// </summary>
    private static void Compare(DType type, (ScalarOp Op, DType Result)[] ops)
    {
        var t = type.Name();
        var text = new StringBuilder("program @p { sizes(n) input(s: bool[n], \"s\")\n");
        foreach (var name in (string[])["a", "b", "c"]) text.Append($"input({name}: {t}[n], \"{name}\")\n");
        for (var k = 0; k < ops.Length; k++) text.Append($"output(y{k}: {ops[k].Result.Name()}[n], \"y{k}\")\n");
        text.Append($"call(@k; a, b, c, s, {string.Join(", ", ops.Select((_, k) => $"y{k}"))}) }}\n");
        text.Append($"kernel @k(a: in({t}, n), b: in({t}, n), c: in({t}, n), s: in(bool, n), ");
        text.Append(string.Join(", ", ops.Select((o, k) => $"y{k}: out({o.Result.Name()}, n)")));
        text.Append("; sizes(n)) { vector(i < n) {\n");
        text.Append($"%0: {t} = load(a[i]) %1: {t} = load(b[i]) %2: {t} = load(c[i]) %3: bool = load(s[i])\n");
        for (var k = 0; k < ops.Length; k++)
        {
            var (op, result) = ops[k];
            text.Append($"%{k + 4}: {result.Name()} = {op.ToString().ToLowerInvariant()}({Arguments(op)})\n");
            text.Append($"store(y{k}[i], %{k + 4})\n");
        }
        text.Append("} }\n");

        using var values = Awkward(type);
        var count = (int)values.Count;
        var picks = (from i in Enumerable.Range(0, count) from j in Enumerable.Range(0, count) select (i, j)).ToArray();
        using var a = Pick(values, [.. picks.Select(p => p.i)]);
        using var b = Pick(values, [.. picks.Select(p => p.j)]);
        using var c = Pick(values, [.. picks.Select(p => (p.i + (3 * p.j) + 1) % count)]);
        using var s = Tensor.From([.. picks.Select(p => (p.i + p.j) % 3 == 0)], picks.Length);
        Agree(text.ToString(), type, s, a, b, c);
    }

    private static string Arguments(ScalarOp op) => op switch
    {
        ScalarOp.Fma => "%0, %1, %2",
        ScalarOp.Select => "%3, %0, %1",
        ScalarOp.Neg or ScalarOp.Abs or ScalarOp.Sqrt or ScalarOp.Floor or ScalarOp.Ceil or ScalarOp.Trunc
            or ScalarOp.Round or ScalarOp.Not or ScalarOp.Convert or ScalarOp.Bitcast => "%0",
        _ => "%0, %1",
    };

    private static Tensor Awkward(DType type)
    {
        if (type == DType.Bool) return Tensor.From([false, true], 2);
        if (type.IsFloat) return Tensor.FromDoubles(type, AwkwardFloats, AwkwardFloats.Length);
        // Modulo the width, so that each dtype has its own extremes among them.
        var bytes = new byte[AwkwardIntegers.Length * type.Bytes()];
        for (var i = 0; i < AwkwardIntegers.Length; i++)
            BitConverter.GetBytes(AwkwardIntegers[i]).AsSpan(0, type.Bytes()).CopyTo(bytes.AsSpan(i * type.Bytes()));
        var tensor = Tensor.Uninitialized(type, AwkwardIntegers.Length);
        bytes.CopyTo(tensor.Bytes);
        return tensor;
    }

    private static Tensor Pick(Tensor values, int[] at)
    {
        var (width, picked) = (values.Type.Bytes(), Tensor.Uninitialized(values.Type, at.Length));
        for (var i = 0; i < at.Length; i++)
            values.Bytes.Slice(at[i] * width, width).CopyTo(picked.Bytes[(i * width)..]);
        return picked;
    }

    private static Tensor[] Run(string text, params Tensor[] inputs)
    {
        using var device = new OpenClExecutable([ProgramReader.Read(text)]);
        using var session = device.CreateSession();
        return [.. session.Run("p", inputs)];
    }

    /// <summary>
    /// Raw bits, but for f32 on a device that rounds divide and square root loosely or flushes subnormals: 3 ULP.
    /// </summary>
    private static void Agree(string text, DType type, params Tensor[] inputs)
    {
        using var host = new InterpreterExecutable([ProgramReader.Read(text)]);
        using var reference = host.CreateSession();
        var expected = reference.Run("p", inputs);
        var results = Run(text, inputs);
        var exact = OpenClDevice.Default is { RoundsDivideAndSqrt: true, KeepsSubnormals: true } || type != DType.F32;
        for (var k = 0; k < expected.Count; k++)
        {
            if (expected[k].SameBits(results[k])) continue;
            var (e, r) = (expected[k].ToDoubles(), results[k].ToDoubles());
            var loose = expected[k].Type == DType.F32 && !exact;
            var differ = Enumerable.Range(0, e.Length).Where(i => !Near(e[i], r[i], loose)).ToList();
            Assert.True(loose && differ.Count == 0,
                $"output {k} of {type.Name()} ({expected[k].Type.Name()}): {differ.Count} differ: "
                + string.Join("; ", differ.Take(5).Select(i => $"[{i}] {Show(e[i])} is {Show(r[i])} for "
                    + string.Join(", ", inputs.Select(x => x.Count > i ? Show(x.ToDoubles()[i]) : "-")))));
        }

        static bool Near(double e, double r, bool loose) =>
            BitConverter.DoubleToInt64Bits(e) == BitConverter.DoubleToInt64Bits(r)
            || (double.IsNaN(e) && double.IsNaN(r))
            || (loose && Math.Abs(e - r) <= Math.Max(Math.Abs(e) * Math.ScaleB(3, -23), Math.ScaleB(1, -126)));

        static string Show(double v) => v.ToString("R", CultureInfo.InvariantCulture);
    }
}
