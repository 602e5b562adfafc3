// In: an f32 value. Out: log or log1p of it in kernel IR, both on one polynomial for log(1 + f), f in [-1/3, 1/3].
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static partial class VectorMath
{
    // ln 2 rounded to f32 has a relative error of 2.7e-9, so one fma with the exponent is enough. The exponent comes as
    // an integer multiple of 2^23, its place in the bits.
    private const double Ln2PerBit = 0.69314718055994531 / 8388608;

    /// <summary>
    /// log(1 + f) = f + f^2 q(f), |f| &lt;= 1/3; q minimises the relative error, degree 8 (9.9e-9 rounded; degree 7
    /// costs log an error of 1.05 units). 10 operations.
    /// </summary>
    private static Value LogNearOne(BlockBuilder b, Value f)
    {
        var q = Polynomial(b, f, -0.12949124, 0.140048251, -0.121671125, 0.14001146, -0.166823089, 0.200107485,
            -0.249997169, 0.333332092, -0.5);
        return b.Fma(b.Binary(ScalarOp.Mul, f, f), q, f);
    }

    /// <summary>The log above the pole, inf for inf, -inf at the pole, NaN elsewhere. 6 operations.</summary>
    private static Value LogSpecials(BlockBuilder b, Value log, Value x, double pole)
    {
        var infinity = b.Float(double.PositiveInfinity, x.Type);
        var p = b.Float(pole, x.Type);
        var above = b.Select(b.Compare(ScalarOp.Eq, x, infinity), x, log);
        var below = b.Select(b.Compare(ScalarOp.Eq, x, p),
            b.Float(double.NegativeInfinity, x.Type), b.Float(double.NaN, x.Type));
        return b.Select(b.Compare(ScalarOp.Gt, x, p), above, below);
    }

    /// <summary>
    /// x = 2^k (1 + f) with 2/3 &lt;= 1 + f &lt; 4/3; subnormals are first scaled by 2^23.
    /// 27 operations; distance 1, error 0.945 at 2.66705942.
    /// </summary>
    private static Value LogF32(BlockBuilder b, Value x)
    {
        var isSubnormal = b.Compare(ScalarOp.Lt, x, b.Float(1.17549435e-38, DType.F32));
        var scaled = b.Select(isSubnormal, b.Binary(ScalarOp.Mul, x, b.Float(8388608, DType.F32)), x);
        var shift = b.Select(isSubnormal, b.Float(-23.0 * 8388608, DType.F32), b.Float(0, DType.F32));
        var bits = Bits(b, scaled);
        // The bits of 2/3: the multiple of 2^23 by which the number exceeds them is the exponent.
        var exponent = b.Binary(ScalarOp.And,
            b.Binary(ScalarOp.Sub, bits, b.Integer(0x3F2AAAAB, DType.I32)), b.Integer(-8388608, DType.I32));
        var mantissa = b.Bitcast(b.Binary(ScalarOp.Sub, bits, exponent), DType.F32);
        var f = b.Binary(ScalarOp.Sub, mantissa, b.Float(1, DType.F32));
        var k = b.Binary(ScalarOp.Add, b.Convert(exponent, DType.F32), shift);
        return LogSpecials(b, b.Fma(k, b.Float(Ln2PerBit, DType.F32), LogNearOne(b, f)), x, 0);
    }

    /// <summary>
    /// 1 + x = 2^k (1 + f); f = 2^-k x - (1 - 2^-k), where the product is exact, so only k depends on the rounded sum 1
    /// + x. The exponent is kept negative: then k = 0 adds a -0 and a result of -0 keeps its sign. 25 operations;
    /// distance 2, error 1.586 at 0.334478706.
    /// </summary>
    private static Value Log1pF32(BlockBuilder b, Value x)
    {
        var sum = b.Binary(ScalarOp.Add, x, b.Float(1, DType.F32));
        // Below the bits of 4/3, so that 2/3 < 2^-k (1 + x) < 4/3 again.
        var exponent = b.Binary(ScalarOp.And,
            b.Binary(ScalarOp.Sub, b.Integer(0x3FAAAAAA, DType.I32), Bits(b, sum)), b.Integer(-8388608, DType.I32));
        // 4 * 2^-k: without the 4 it has no normal f32 for k = 128.
        var scale = b.Bitcast(b.Binary(ScalarOp.Add, exponent, b.Integer(0x40800000, DType.I32)), DType.F32);
        var rest = b.Fma(scale, b.Float(-0.25, DType.F32), b.Float(1, DType.F32));
        var product = b.Bitcast(b.Binary(ScalarOp.Add, Bits(b, x), exponent), DType.F32);
        var f = b.Binary(ScalarOp.Sub, product, rest);
        var k = b.Convert(exponent, DType.F32);
        return LogSpecials(b, b.Fma(k, b.Float(-Ln2PerBit, DType.F32), LogNearOne(b, f)), x, -1);
    }
}
