// In: a number and a noun in the singular. Out: both, for a message.
using System.Numerics;

namespace Accelerate.Runtime;

internal static class Quantity
{
    /// <summary>`1 axis`, `2 axes`, `0 arguments`.</summary>
    public static string Of(BigInteger count, string one) =>
        $"{count} {(count == 1 ? one : one.EndsWith("is", StringComparison.Ordinal) ? one[..^2] + "es" : one + "s")}";

    /// <summary>`1 is`, `2 are`.</summary>
    public static string Are(long count) => count == 1 ? "1 is" : $"{count} are";
}
