// In: a decimal number as text, and a float dtype. Out: the nearest value of the dtype, rounded once, ties to even.
using System.Globalization;
using System.Numerics;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// .NET parses f64, f32 and f16 with one rounding, but has no bf16: through f64, a number slightly above the midpoint
/// of two values would first round to the midpoint, and then to the even value below.
/// </summary>
internal static class DecimalText
{
    // The midpoint of two values has at most this many digits. Nobody writes more digits or such exponents, and they
    // would make the exact comparison slow.
    private const int MostDigits = 2000;

    /// <summary>
    /// The value as a double, which represents every value of the other dtypes; null if it is not a finite number.
    /// </summary>
    public static double? Parse(string word, DType type) => type switch
    {
        DType.F16 => Finite<Half>(word) is { } half ? (double)half : null,
        DType.F32 => Finite<float>(word),
        DType.BF16 => Finite<double>(word) is { } near && (float)Narrow(word, near) is var value
            && float.IsFinite(value) ? value : null,
        _ => Finite<double>(word),
    };

    private static BFloat16 Narrow(string word, double near)
    {
        // Only the exact midpoint of two values rounds differently from its neighbours.
        var side = IsMiddle(near) && word.Length <= MostDigits ? CompareExactly(word, near) : 0;
        return (BFloat16)(side > 0 ? Math.BitIncrement(near) : side < 0 ? Math.BitDecrement(near) : near);
    }

    private static bool IsMiddle(double near) => (BFloat16)Math.BitIncrement(near) != (BFloat16)Math.BitDecrement(near);

    private static T? Finite<T>(string word)
        where T : struct, IFloatingPointIeee754<T> =>
        T.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && T.IsFinite(value) ? value
            : null;

    /// <summary>The sign of the decimal number minus the double.</summary>
    private static int CompareExactly(string word, double value)
    {
        var (digits, exponent) = Split(word.Trim());
        if (digits.IsZero || Math.Abs(exponent) > MostDigits) return 0;
        var bits = BitConverter.DoubleToInt64Bits(Math.Abs(value));
        var raised = Math.Max((int)(bits >> 52), 1) - 1075;
        var fraction = (bits & ((1L << 52) - 1)) | (bits >> 52 == 0 ? 0 : 1L << 52);
        BigInteger binary = value < 0 ? -fraction : fraction;
        // Scales both sides by powers of ten and two to get integers.
        var left = digits * BigInteger.Pow(10, Math.Max(exponent, 0)) * BigInteger.Pow(2, Math.Max(-raised, 0));
        var right = binary * BigInteger.Pow(2, Math.Max(raised, 0)) * BigInteger.Pow(10, Math.Max(-exponent, 0));
        return left.CompareTo(right);
    }

    /// <summary>Splits `-12.5e3` into -125 and 2.</summary>
    private static (BigInteger Digits, int Exponent) Split(string word)
    {
        var e = word.IndexOfAny(['e', 'E']);
        var mantissa = e < 0 ? word : word[..e];
        var exponent = e < 0 ? 0
            : int.Parse(word.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var point = mantissa.IndexOf('.');
        if (point >= 0)
        {
            exponent -= mantissa.Length - point - 1;
            mantissa = mantissa.Remove(point, 1);
        }
        return (BigInteger.Parse(mantissa, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), exponent);
    }
}
