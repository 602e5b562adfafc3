// In: `x=images.npy,y=table.csv[64]`. Out: parameters with their files and the selected parts.
using System.Text.RegularExpressions;

namespace Accelerate.Data;

/// <summary>The file with the data of one parameter.</summary>
/// <param name="Parameter">The name of the function's parameter.</param>
/// <param name="Path">The file, or a folder of images.</param>
/// <param name="Part">The part of the file: columns of a table, a range of a text, the name of an array, `labels` of a
/// folder; null for all of it.</param>
public sealed partial record DataSpec(string Parameter, string Path, string? Part = null)
{
    /// <summary>
    /// Parses a list of name=FILE. A comma separates only before a name and `=`, since file names may contain commas.
    /// </summary>
    /// <exception cref="FormatException">An item is not name=FILE.</exception>
    internal static IReadOnlyList<DataSpec> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. Comma().Split(text).Select(One)];
    }

    private static DataSpec One(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0 || at == text.Length - 1) throw new FormatException($"'{text}' is not name=FILE");
        var (name, path) = (text[..at], text[(at + 1)..]);
        // If a file has exactly this name, the brackets are part of the name.
        return !System.IO.Path.Exists(path) && Bracket().Match(path) is { Success: true } match
            ? new(name, match.Groups["path"].Value, match.Groups["part"].Value) : new(name, path);
    }

    [GeneratedRegex(@",(?=[A-Za-z_]\w*=)")]
    private static partial Regex Comma();

    [GeneratedRegex(@"\A(?<path>.+)\[(?<part>[^\[\]]*)\]\z", RegexOptions.Singleline)]
    private static partial Regex Bracket();
}
