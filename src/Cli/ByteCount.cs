// In: a number of bytes as people write it. Out: the number.
using System.Globalization;

namespace Accelerate.Cli;

/// <summary>Parses `4G`, `512M`, `512MiB`, `1000000`: powers of 1024, as in `free` and `ulimit`.</summary>
internal static class ByteCount
{
    private const string Units = "KMGTPE";

    /// <summary>Null if the text is not such a number, or is more than 2^63 - 1.</summary>
    public static long? Parse(string text)
    {
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        var unit = text[digits..].ToUpperInvariant();
        if (unit is [_, 'I', 'B']) unit = unit[..1];
        int? power = unit switch
        {
            "" or "B" => 0,
            [var letter] when Units.Contains(letter) => Units.IndexOf(letter) + 1,
            _ => null,
        };
        if (power is not { } thousands
            || !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        return number <= long.MaxValue >> (10 * thousands) ? number << (10 * thousands) : null;
    }
}
