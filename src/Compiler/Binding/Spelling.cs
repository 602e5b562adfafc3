// In: a misspelt name and the existing names. Out: the one that was probably meant.
namespace Accelerate.Compiler.Binding;

internal static class Spelling
{
    // The distance takes time proportional to the product of the lengths; longer names are not checked.
    private const int Longest = 200;

    /// <summary>The nearest name by edit distance, if it is within a third of the length; null otherwise.</summary>
    public static string? Nearest(string name, IEnumerable<string> names) => name.Length > Longest ? null :
        names.Where(n => n != ".." && Math.Abs(n.Length - name.Length) <= Math.Max(1, name.Length / 3)).Distinct()
            .Select(n => (Name: n, Distance: Distance(name, n)))
            .Where(c => c.Distance <= Math.Max(1, name.Length / 3) && IsSlip(name, c.Name, c.Distance))
            .OrderBy(c => c.Distance).ThenBy(c => c.Name, StringComparer.Ordinal)
            .Select(c => c.Name).FirstOrDefault();

    /// <summary>
    /// True if one name may be a typo for the other. With one or two letters, a change makes another name: `y` is not a
    /// typo for `x`, nor `np` for `n`, but `X` may be, `xx`, and of two letters `fd` for `fc` and `hw` for `wh`.
    /// </summary>
    public static bool IsSlip(string a, string b, int distance)
    {
        if (string.Equals(a, b, StringComparison.OrdinalIgnoreCase)) return true;
        if (a.Length > b.Length) (a, b) = (b, a);
        return (a.Length, b.Length) switch
        {
            (1, 2) => b[0] == a[0] && b[1] == a[0],
            (1, _) => false,
            (2, 2) => a[0] == b[0] || (a[0] == b[1] && a[1] == b[0]),
            (2, _) => b.StartsWith(a, StringComparison.Ordinal) && distance < 2,
            _ => distance < b.Length,
        };
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours.</summary>
    public static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[a.Length, b.Length];
    }
}
