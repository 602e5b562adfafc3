// In: f16 or bf16 operands (Half, BFloat16). Out: the results of scalar operations: those of f32, rounded to the dtype.
using System.Runtime.CompilerServices;
using Accelerate.Runtime;

namespace Accelerate.Backends.Interpreter;

/// <summary>
/// Computes in f32 and rounds to the dtype. For + - * / and the square root two roundings equal one: f32 has 24 bits,
/// which is at least 2 * 11 + 2 (f16) and 2 * 8 + 2 (bf16). Where f16 is subnormal f32 is not, so the bound holds
/// there. bf16 is subnormal where f32 is; there sums are exact in both, and a product or quotient that is not a tie of
/// bf16 is further from one than f32's last place, or below half of the least subnormal. The rest (neg, abs, max, min,
/// rounding to integers) is exact; fma is not, and rounds to odd twice before the final rounding.
/// </summary>
internal static class NarrowOps
{
    public static T Neg<T>(T a) where T : unmanaged => To<T>(-From(a));

    public static T Abs<T>(T a) where T : unmanaged => To<T>(MathF.Abs(From(a)));

    public static T Sqrt<T>(T a) where T : unmanaged => To<T>(FloatOps.Sqrt(From(a)));

    public static T Floor<T>(T a) where T : unmanaged => To<T>(FloatOps.Floor(From(a)));

    public static T Ceil<T>(T a) where T : unmanaged => To<T>(FloatOps.Ceil(From(a)));

    public static T Trunc<T>(T a) where T : unmanaged => To<T>(FloatOps.Trunc(From(a)));

    public static T Round<T>(T a) where T : unmanaged => To<T>(FloatOps.Round(From(a)));

    public static T Add<T>(T a, T b) where T : unmanaged => To<T>(From(a) + From(b));

    public static T Sub<T>(T a, T b) where T : unmanaged => To<T>(From(a) - From(b));

    public static T Mul<T>(T a, T b) where T : unmanaged => To<T>(From(a) * From(b));

    public static T Div<T>(T a, T b) where T : unmanaged => To<T>(From(a) / From(b));

    public static T Max<T>(T a, T b) where T : unmanaged => float.IsNaN(From(a)) || From(a) > From(b) ? a : b;

    public static T Min<T>(T a, T b) where T : unmanaged => float.IsNaN(From(a)) || From(a) < From(b) ? a : b;

    public static bool ArgMax<T>(T a, T b) where T : unmanaged => FloatOps.ArgMax(From(a), From(b));

    public static bool ArgMin<T>(T a, T b) where T : unmanaged => FloatOps.ArgMin(From(a), From(b));

    public static bool Eq<T>(T a, T b) where T : unmanaged => From(a) == From(b);

    public static bool Ne<T>(T a, T b) where T : unmanaged => From(a) != From(b);

    public static bool Lt<T>(T a, T b) where T : unmanaged => From(a) < From(b);

    public static bool Le<T>(T a, T b) where T : unmanaged => From(a) <= From(b);

    public static bool Gt<T>(T a, T b) where T : unmanaged => From(a) > From(b);

    public static bool Ge<T>(T a, T b) where T : unmanaged => From(a) >= From(b);

    /// <summary>
    /// The product is exact in f64; the sum is rounded to odd there, so that the final rounding is the only one.
    /// </summary>
    public static T Fma<T>(T a, T b, T c) where T : unmanaged
    {
        var (product, addend) = ((double)From(a) * From(b), (double)From(c));
        var sum = product + addend;
        if (!double.IsFinite(sum)) return FromF64<T>(sum);
        var part = sum - product;
        var error = (product - (sum - part)) + (addend - part);
        var bits = BitConverter.DoubleToInt64Bits(sum);
        if (error != 0 && (bits & 1) == 0) bits += error > 0 == sum > 0 ? 1 : -1;
        return FromF64<T>(BitConverter.Int64BitsToDouble(bits));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float From<T>(T a) where T : unmanaged => typeof(T) == typeof(Half)
        ? (float)Unsafe.BitCast<T, Half>(a)
        : (float)Unsafe.BitCast<T, BFloat16>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T To<T>(float a) where T : unmanaged => typeof(T) == typeof(Half)
        ? Unsafe.BitCast<Half, T>((Half)a)
        : Unsafe.BitCast<BFloat16, T>((BFloat16)a);

    public static T FromF64<T>(double a) where T : unmanaged => typeof(T) == typeof(Half)
        ? Unsafe.BitCast<Half, T>((Half)a)
        : Unsafe.BitCast<BFloat16, T>((BFloat16)a);

    public static T FromSigned<T>(long a) where T : unmanaged =>
        a < 0 ? Neg(FromUnsigned<T>(unchecked(0UL - (ulong)a))) : FromUnsigned<T>((ulong)a);

    /// <summary>
    /// 53 bits are an exact f64; of larger values the lost bits are kept sticky in the last bit, so that no tie is
    /// created.
    /// </summary>
    public static T FromUnsigned<T>(ulong a) where T : unmanaged => a >> 53 == 0
        ? FromF64<T>(a)
        : FromF64<T>((a >> 11 | ((a & 0x7FF) != 0 ? 1UL : 0)) * 2048.0);
}
