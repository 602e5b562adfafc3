// In: exact integers and doubles. Out: results rounded once, computed with big integers: the tests' own arithmetic.
using System.Numerics;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

/// <summary>Arithmetic that shares nothing with the machine's floating point.</summary>
internal static class Exact
{
    /// <summary>a*b + c, rounded once to f32 or f64. Finite operands only.</summary>
    public static double Fma(double a, double b, double c, bool single) => Fma(a, b, c, single ? DType.F32 : DType.F64);

    /// <summary>a*b + c, rounded once to a float dtype. Finite operands only.</summary>
    public static double Fma(double a, double b, double c, DType type)
    {
        var ((ma, ea), (mb, eb), (mc, ec)) = (Parts(a), Parts(b), Parts(c));
        var (product, scale) = (ma * mb, ea + eb);
        var low = Math.Min(scale, ec);
        var sum = (product << (scale - low)) + (mc << (ec - low));
        if (!sum.IsZero) return Round(sum, low, type);
        // An exact zero is +0, unless both terms are -0.
        return double.IsNegative(a) != double.IsNegative(b) && double.IsNegative(c) && product.IsZero && mc.IsZero
            ? -0.0 : 0.0;
    }

    /// <summary>a / b, rounded once. Finite operands that are not zero.</summary>
    public static double Quotient(double a, double b, DType type)
    {
        var ((ma, ea), (mb, eb)) = (Parts(a), Parts(b));
        var quotient = BigInteger.DivRem(BigInteger.Abs(ma) << 120, BigInteger.Abs(mb), out var rest);
        // What is lost stays as a last bit, far below the one that rounding looks at.
        quotient = (quotient << 1) + (rest.IsZero ? 0 : 1);
        return Round(ma.Sign * mb.Sign * quotient, ea - eb - 121, type);
    }

    /// <summary>The square root of a finite number above zero, rounded once.</summary>
    public static double Sqrt(double a, DType type)
    {
        var (m, e) = Parts(a);
        var even = (e & 1) == 0 ? m : m << 1;
        var wide = even << 120;
        var root = (BigInteger)Math.Sqrt((double)wide);
        while (root * root > wide) root -= BigInteger.Max(1, (root * root - wide) / (2 * root));
        while ((root + 1) * (root + 1) <= wide) root += BigInteger.Max(1, (wide - root * root) / (2 * root + 1));
        return Round((root << 1) + (root * root == wide ? 0 : 1), (e - (e & 1)) / 2 - 61, type);
    }

    /// <summary>m * 2^e rounded to nearest even; subnormals kept, overflow to infinity.</summary>
    public static double Round(BigInteger m, int e, bool single) => Round(m, e, single ? DType.F32 : DType.F64);

    /// <summary>m * 2^e rounded to nearest even in a float dtype; subnormals kept, overflow to infinity.</summary>
    public static double Round(BigInteger m, int e, DType type)
    {
        if (m.IsZero) return 0;
        var (precision, least, greatest) = type switch
        {
            DType.F16 => (11, -24, 15),
            DType.BF16 => (8, -133, 127),
            DType.F32 => (24, -149, 127),
            _ => (53, -1074, 1023),
        };
        var magnitude = BigInteger.Abs(m);
        var cut = Math.Max((int)magnitude.GetBitLength() - precision, least - e);
        if (cut > 0)
        {
            var kept = magnitude >> cut;
            var rest = magnitude - (kept << cut);
            var order = rest.CompareTo(BigInteger.One << (cut - 1));
            if (order > 0 || (order == 0 && !kept.IsEven)) kept++;
            (magnitude, e) = (kept, e + cut);
        }
        if (magnitude.IsZero) return m.Sign < 0 ? -0.0 : 0.0;
        if ((int)magnitude.GetBitLength() + e - 1 > greatest) return m.Sign * double.PositiveInfinity;
        // At most 53 bits are left, and the value is a double: two exact steps, the first one never subnormal.
        return m.Sign * Math.ScaleB((double)magnitude, e);
    }

    private static (BigInteger Mantissa, int Exponent) Parts(double a)
    {
        var bits = BitConverter.DoubleToInt64Bits(a);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        if (exponent != 0) mantissa |= 1L << 52;
        return (bits < 0 ? -mantissa : mantissa, Math.Max(exponent, 1) - 1075);
    }
}
