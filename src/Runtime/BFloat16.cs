// In: a float or double. Out: the nearest bfloat16 (8 exponent bits, 8 significant bits), ties to even, and back.
namespace Accelerate;

/// <summary>One bf16 element: the high half of an f32. Subnormals are kept; every NaN becomes a quiet NaN.</summary>
/// <param name="Bits">The 16 bits: 1 of sign, 8 of exponent, 7 of fraction.</param>
public readonly record struct BFloat16(ushort Bits)
{
    /// <summary>Converts exactly.</summary>
    public static explicit operator float(BFloat16 value) =>
        BitConverter.UInt32BitsToSingle((uint)value.Bits << 16);

    /// <summary>Rounds to the nearest value, ties to even.</summary>
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
        {
            return new((ushort)((bits >> 16) | 0x40)); // quiet bit: a payload in the low half alone would become inf
        }
        uint even = (bits >> 16) & 1;
        return new((ushort)((bits + 0x7FFF + even) >> 16)); // a carry out of the fraction is the next exponent, or inf
    }

    /// <summary>
    /// Rounds once: the step to f32 rounds to odd, so that it cannot create a tie for the second step.
    /// </summary>
    public static explicit operator BFloat16(double value)
    {
        float near = (float)value;
        if (near != value && !double.IsNaN(value) && !float.IsInfinity(near))
        {
            uint bits = BitConverter.SingleToUInt32Bits(near);
            bool roundedAway = Math.Abs((double)near) > Math.Abs(value);
            uint towardZero = roundedAway ? bits - 1 : bits;
            near = BitConverter.UInt32BitsToSingle(towardZero | 1);
        }
        return (BFloat16)near;
    }

    /// <summary>The shortest text that parses to the same value.</summary>
    public override string ToString() => Tensor.Scalar(this).Format();
}
