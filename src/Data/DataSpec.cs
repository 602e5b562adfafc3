// In: `x=images.npy,y=table.csv[64]`. Out: parameters with their files and the parts of them.
using System.Text.RegularExpressions;

namespace Accelerate.Data;

/// <summary>A parameter's data.</summary>
/// <param name="Parameter">Its name.</param>
/// <param name="Path">The file or folder.</param>
/// <param name="Part">What stands in brackets behind it; null for nothing.</param>
public sealed partial record DataSpec(string Parameter, string Path, string? Part = null)
{
    /// <summary>The files of a text: a comma separates where a name and `=` follow it.</summary>
    /// <exception cref="FormatException">A part is not name=FILE.</exception>
    public static IReadOnlyList<DataSpec> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. Comma().Split(text).Select(One)];
    }

    private static DataSpec One(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0 || at == text.Length - 1) throw new FormatException($"'{text}' is not name=FILE");
        var (name, path) = (text[..at], text[(at + 1)..]);
        // A file of that very name has no part.
        return !System.IO.Path.Exists(path) && Bracket().Match(path) is { Success: true } match
            ? new(name, match.Groups["path"].Value, match.Groups["part"].Value) : new(name, path);
    }

    [GeneratedRegex(@",(?=[A-Za-z_]\w*=)")]
    private static partial Regex Comma();

    [GeneratedRegex(@"\A(?<path>.+)\[(?<part>[^\[\]]*)\]\z", RegexOptions.Singleline)]
    private static partial Regex Bracket();
}
