// In: a value of one dtype. Out: the result of Convert and Bitcast to another dtype, with a single rounding.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Accelerate.Backends.Interpreter;

/// <summary>Conversions between the dtypes that kernels compute in.</summary>
internal static class Conversions
{
    public static TTo FromBool<TTo>(bool a) where TTo : INumberBase<TTo> => a ? TTo.One : TTo.Zero;

    /// <summary>a ≠ 0; a NaN is true.</summary>
    public static bool ToBool<TFrom>(TFrom a) where TFrom : INumberBase<TFrom> => a != TFrom.Zero;

    public static TTo IntegerToInteger<TFrom, TTo>(TFrom a)
        where TFrom : IBinaryInteger<TFrom>
        where TTo : IBinaryInteger<TTo> => TTo.CreateTruncating(a);

    /// <summary>Truncates and saturates; NaN becomes 0.</summary>
    public static TTo FloatToInteger<TFrom, TTo>(TFrom a)
        where TFrom : IBinaryFloatingPointIeee754<TFrom>
        where TTo : IBinaryInteger<TTo>, IMinMaxValue<TTo> => TTo.CreateSaturating(a);

    public static TTo SignedToFloat<TFrom, TTo>(TFrom a)
        where TFrom : IBinaryInteger<TFrom>
        where TTo : IBinaryFloatingPointIeee754<TTo> => FromI64<TTo>(long.CreateTruncating(a));

    public static TTo UnsignedToFloat<TFrom, TTo>(TFrom a)
        where TFrom : IBinaryInteger<TFrom>
        where TTo : IBinaryFloatingPointIeee754<TTo>
    {
        var bits = ulong.CreateTruncating(a);
        // .NET converts u64 to f32 through f64, which rounds twice. Half the value as i64, with the lost bit kept
        // sticky, rounds once; doubling is exact.
        return (long)bits >= 0
            ? FromI64<TTo>((long)bits)
            : FromI64<TTo>((long)((bits >> 1) | (bits & 1))) * TTo.CreateChecked(2);
    }

    public static double Widen(float a) => a;

    public static float Narrow(double a) => (float)a;

    public static TTo Bits<TFrom, TTo>(TFrom a)
        where TFrom : struct
        where TTo : struct => Unsafe.BitCast<TFrom, TTo>(a);

    private static T FromI64<T>(long a) where T : IBinaryFloatingPointIeee754<T> =>
        typeof(T) == typeof(float) ? T.CreateTruncating((float)a) : T.CreateTruncating((double)a);
}
