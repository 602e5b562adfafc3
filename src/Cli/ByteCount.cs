// In: a number of bytes as people write it. Out: the number.
using System.Globalization;

namespace Accelerate.Cli;

/// <summary>`4G`, `512M`, `512MiB`, `1000000`: powers of 1024, as `free` and `ulimit` count.</summary>
internal static class ByteCount
{
    private const string Units = "KMGTPE";

    /// <summary>Null for what is no such number, or more than 2^63 - 1.</summary>
    public static long? Parse(string text)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        var unit = text[digits..].ToUpperInvariant();
        if (unit.Length > 1 && (unit.EndsWith("IB", StringComparison.Ordinal) || unit == "B")) unit = unit[..^2];
        if (unit == "B") unit = "";
        var power = unit.Length == 0 ? 0 : unit.Length == 1 ? Units.IndexOf(unit[0]) + 1 : 0;
        if ((unit.Length > 0 && power == 0)
            || !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        return number <= long.MaxValue >> (10 * power) ? number << (10 * power) : null;
    }
}
