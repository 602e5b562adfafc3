// In: float operands. Out: the results of scalar operations as defined in KERNELS.md. Methods are named after their
// ScalarOp.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Accelerate.Backends.Interpreter;

/// <summary>The operations on f32 and f64. Operations not listed here do not exist on floats.</summary>
internal static class FloatOps
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static T Neg<T>(T a) where T : IBinaryFloatingPointIeee754<T> => -a;

    [MethodImpl(Inline)]
    public static T Abs<T>(T a) where T : IBinaryFloatingPointIeee754<T> => T.Abs(a);

    [MethodImpl(Inline)]
    public static T Sqrt<T>(T a) where T : IBinaryFloatingPointIeee754<T> => T.Sqrt(a);

    [MethodImpl(Inline)]
    public static T Floor<T>(T a) where T : IBinaryFloatingPointIeee754<T> => T.Floor(a);

    [MethodImpl(Inline)]
    public static T Ceil<T>(T a) where T : IBinaryFloatingPointIeee754<T> => T.Ceiling(a);

    [MethodImpl(Inline)]
    public static T Trunc<T>(T a) where T : IBinaryFloatingPointIeee754<T> => T.Truncate(a);

    [MethodImpl(Inline)]
    public static T Round<T>(T a) where T : IBinaryFloatingPointIeee754<T> => T.Round(a, MidpointRounding.ToEven);

    [MethodImpl(Inline)]
    public static T Add<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a + b;

    [MethodImpl(Inline)]
    public static T Sub<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a - b;

    [MethodImpl(Inline)]
    public static T Mul<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a * b;

    [MethodImpl(Inline)]
    public static T Div<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a / b;

    // Not T.Max, which orders zeros by sign, while hardware does not.
#pragma warning disable CS1718 // comparing a with itself detects a NaN
    [MethodImpl(Inline)]
    public static T Max<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a != a ? a : a > b ? a : b;

    [MethodImpl(Inline)]
    public static T Min<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a != a ? a : a < b ? a : b;

    /// <summary>
    /// Whether b replaces the greatest value a so far: the first NaN does, later equal values do not.
    /// </summary>
    [MethodImpl(Inline)]
    public static bool ArgMax<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a == a && (b != b || b > a);

    /// <summary>Whether b replaces the least value a so far: the first NaN does, later equal values do not.</summary>
    [MethodImpl(Inline)]
    public static bool ArgMin<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a == a && (b != b || b < a);
#pragma warning restore CS1718

    [MethodImpl(Inline)]
    public static bool Eq<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a == b;

    [MethodImpl(Inline)]
    public static bool Ne<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a != b;

    [MethodImpl(Inline)]
    public static bool Lt<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a < b;

    [MethodImpl(Inline)]
    public static bool Le<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a <= b;

    [MethodImpl(Inline)]
    public static bool Gt<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a > b;

    [MethodImpl(Inline)]
    public static bool Ge<T>(T a, T b) where T : IBinaryFloatingPointIeee754<T> => a >= b;

    [MethodImpl(Inline)]
    public static T Fma<T>(T a, T b, T c) where T : IBinaryFloatingPointIeee754<T> => T.FusedMultiplyAdd(a, b, c);
}
