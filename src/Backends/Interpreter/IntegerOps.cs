// In: integer or bool operands. Out: the results of scalar operations as defined in KERNELS.md. Named after their
// ScalarOp.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Accelerate.Backends.Interpreter;

/// <summary>The operations on integers of every width: two's complement, wrapping, with no undefined case.</summary>
internal static class IntegerOps
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static T Neg<T>(T a) where T : unmanaged, IBinaryInteger<T> => unchecked(T.Zero - a);

    [MethodImpl(Inline)]
    public static T Abs<T>(T a) where T : unmanaged, IBinaryInteger<T> => a < T.Zero ? Neg(a) : a;

    [MethodImpl(Inline)]
    public static T Not<T>(T a) where T : unmanaged, IBinaryInteger<T> => ~a;

    [MethodImpl(Inline)]
    public static T Add<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => unchecked(a + b);

    [MethodImpl(Inline)]
    public static T Sub<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => unchecked(a - b);

    [MethodImpl(Inline)]
    public static T Mul<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => unchecked(a * b);

    [MethodImpl(Inline)]
    public static T Div<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        b == T.Zero ? ~T.Zero : IsMinusOne(b) ? Neg(a) : a / b;

    [MethodImpl(Inline)]
    public static T Rem<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        b == T.Zero ? a : IsMinusOne(b) ? T.Zero : a % b;

    [MethodImpl(Inline)]
    public static T Max<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a > b ? a : b;

    [MethodImpl(Inline)]
    public static T Min<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a < b ? a : b;

    [MethodImpl(Inline)]
    public static bool ArgMax<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => b > a;

    [MethodImpl(Inline)]
    public static bool ArgMin<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => b < a;

    [MethodImpl(Inline)]
    public static T And<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a & b;

    [MethodImpl(Inline)]
    public static T Or<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a | b;

    [MethodImpl(Inline)]
    public static T Xor<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a ^ b;

    [MethodImpl(Inline)]
    public static T Shl<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        IsCount(b) ? a << int.CreateTruncating(b) : T.Zero;

    [MethodImpl(Inline)]
    public static T Shr<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        IsCount(b) ? a >> int.CreateTruncating(b) : a < T.Zero ? ~T.Zero : T.Zero;

    [MethodImpl(Inline)]
    public static bool Eq<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a == b;

    [MethodImpl(Inline)]
    public static bool Ne<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a != b;

    [MethodImpl(Inline)]
    public static bool Lt<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a < b;

    [MethodImpl(Inline)]
    public static bool Le<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a <= b;

    [MethodImpl(Inline)]
    public static bool Gt<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a > b;

    [MethodImpl(Inline)]
    public static bool Ge<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> => a >= b;

    [MethodImpl(Inline)]
    public static T Fma<T>(T a, T b, T c) where T : unmanaged, IBinaryInteger<T> => unchecked((a * b) + c);

    [MethodImpl(Inline)]
    private static bool IsMinusOne<T>(T a) where T : unmanaged, IBinaryInteger<T> => a < T.Zero && a == ~T.Zero;

    /// <summary>Whether the count, as an unsigned number, is below the width.</summary>
    [MethodImpl(Inline)]
    private static unsafe bool IsCount<T>(T b) where T : unmanaged, IBinaryInteger<T> =>
        b >= T.Zero && b < T.CreateTruncating(8 * sizeof(T));
}

/// <summary>The operations on bool, where false is below true.</summary>
internal static class BoolOps
{
    public static bool Not(bool a) => !a;

    public static bool And(bool a, bool b) => a & b;

    public static bool Or(bool a, bool b) => a | b;

    public static bool Xor(bool a, bool b) => a ^ b;

    public static bool Max(bool a, bool b) => a | b;

    public static bool Min(bool a, bool b) => a & b;

    public static bool ArgMax(bool a, bool b) => b & !a;

    public static bool ArgMin(bool a, bool b) => a & !b;

    public static bool Eq(bool a, bool b) => a == b;

    public static bool Ne(bool a, bool b) => a != b;

    public static bool Lt(bool a, bool b) => !a & b;

    public static bool Le(bool a, bool b) => !a | b;

    public static bool Gt(bool a, bool b) => a & !b;

    public static bool Ge(bool a, bool b) => a | !b;
}
