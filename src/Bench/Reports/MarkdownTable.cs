// In: cells. Out: a table in Markdown.
using System.Text;

namespace Accelerate.Bench.Reports;

internal static class MarkdownTable
{
    /// <summary>The first column to the left, the others to the right.</summary>
    public static string Print(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        var text = new StringBuilder();
        Row(header);
        Row([.. header.Select((_, i) => i == 0 ? "---" : "---:")]);
        foreach (var row in rows) Row(row);
        return text.ToString();

        void Row(IReadOnlyList<string> cells) =>
            // A bar would end the cell.
            text.Append($"| {string.Join(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal)))} |\n");
    }
}
