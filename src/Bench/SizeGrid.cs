// In: words such as `n=1,32`. Out: all combinations of those sizes, the first word varying slowest.
using System.Globalization;

namespace Accelerate.Bench;

internal static class SizeGrid
{
    /// <exception cref="FormatException">A word is not `name=value,value`, or a name is given twice.</exception>
    public static IReadOnlyList<IReadOnlyDictionary<string, long>> Parse(IEnumerable<string> words)
    {
        List<Dictionary<string, long>> grid = [new(StringComparer.Ordinal)];
        foreach (var word in words)
        {
            var equals = word.IndexOf('=');
            if (equals <= 0)
                throw new FormatException($"'{word}' is no size: write n=32, or n=1,32 for one table each");
            var name = word[..equals];
            if (grid[0].ContainsKey(name)) throw new FormatException($"the size {name} is given twice");
            var values = word[(equals + 1)..].Split(',').Select(v =>
                long.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value
                    : throw new FormatException($"'{word}': '{v}' is no size")).ToList();
            grid = [.. from row in grid
                from value in values
                select new Dictionary<string, long>(row, StringComparer.Ordinal) { [name] = value }];
        }
        return grid;
    }
}
