// In: cells. Out: a table in Markdown.
using System.Text;

namespace Accelerate.Bench.Reports;

internal static class MarkdownTable
{
    /// <summary>The first column is left-aligned, the others right-aligned.</summary>
    public static string Print(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        var text = new StringBuilder();
        Row(header);
        Row([.. header.Select((_, i) => i == 0 ? "---" : "---:")]);
        foreach (var row in rows) Row(row);
        return text.ToString();

        void Row(IReadOnlyList<string> cells) => text.Append($"| {string.Join(" | ", cells.Select(Cell))} |\n");

        // A bar would end the cell, a line end the table.
        static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
    }
}
