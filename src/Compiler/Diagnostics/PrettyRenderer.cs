// In: diagnostics. Out: text for a terminal: the source lines, underlined, with labels, help and call chain.
using System.Text;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>The default rendering, shown by LANGUAGE.md under "Diagnostics".</summary>
internal static class PrettyRenderer
{
    private sealed record Mark(int Column, int Length, string? Text, bool Primary);

    /// <summary>One diagnostic; every line ends with LF.</summary>
    public static string Render(Diagnostic d)
    {
        var text = new StringBuilder();
        text.Append($"error[{d.Code}]: {VisibleText.Word(d.Headline)}\n");

        // The file of the primary span comes first; marks in other files follow under their own arrows.
        var labels = d.Secondary.Select(l => (l.Span, Text: (string?)l.Text, Primary: false))
            .Prepend((d.Span, Text: d.Label, Primary: true)).ToList();
        var width = labels.Max(l => l.Span.Line).ToString().Length;
        var gutter = new string(' ', width);
        var first = true;
        foreach (var file in labels.GroupBy(l => l.Span.Source))
        {
            text.Append($"{gutter}{(first ? "-->" : ":::")} {VisibleText.Word($"{file.First().Span}")}\n");
            text.Append($"{gutter} |\n");
            first = false;
            var previous = 0;
            foreach (var line in file.GroupBy(l => l.Span.Line).OrderBy(g => g.Key))
            {
                if (previous != 0 && line.Key > previous + 1)
                {
                    text.Append($"{gutter} :\n");
                }
                previous = line.Key;
                var source = VisibleText.Columns(file.Key.LineText(line.Key));
                text.Append($"{line.Key.ToString().PadLeft(width)} | {source}".TrimEnd()).Append('\n');
                var marks = line.Select(l => ToMark(l.Span, l.Text, l.Primary, source.Length)).ToList();
                foreach (var row in Rows(marks))
                {
                    text.Append($"{gutter} | {row}".TrimEnd()).Append('\n');
                }
            }
        }
        foreach (var call in d.Calls)
        {
            text.Append($"{gutter} = in {call.Function}, called at {VisibleText.Word($"{call.Span}")}\n");
        }
        if (d.Help is not null)
        {
            text.Append($"{gutter} = help: {VisibleText.Word(d.Help)}\n");
        }
        return text.ToString();
    }

    /// <summary>All diagnostics of a run, separated by empty lines.</summary>
    public static string Render(IEnumerable<Diagnostic> all) => string.Join("\n", all.Select(Render));

    // A span that extends past the end of its line is underlined up to it; an empty one gets one caret.
    private static Mark ToMark(Span span, string? text, bool primary, int lineLength)
    {
        var column = span.Column - 1;
        var length = Math.Max(1, Math.Min(span.Length, lineLength - column));
        return new(column, length, string.IsNullOrEmpty(text) ? null : VisibleText.Word(text), primary);
    }

    /// <summary>
    /// The underlines with the rightmost label next to them, then one row per label from right to left, connected to
    /// its underline by bars.
    /// </summary>
    private static IEnumerable<string> Rows(List<Mark> marks)
    {
        var sorted = marks.OrderBy(m => m.Column).ThenBy(m => m.Primary).ToList();
        var row = new StringBuilder();
        foreach (var mark in sorted.OrderBy(m => m.Primary)) // the primary is drawn last: it shows where marks overlap
        {
            Draw(row, mark.Column, new string(mark.Primary ? '^' : '-', mark.Length));
        }
        var hanging = sorted.Where(m => m.Text is not null).ToList();
        var last = sorted[^1];
        if (last.Text is not null && row.Length == last.Column + last.Length)
        {
            row.Append(' ').Append(last.Text);
            hanging.Remove(last);
        }
        yield return row.ToString();
        if (hanging.Count == 0)
        {
            yield break;
        }
        yield return Bars(hanging).ToString();
        for (var i = hanging.Count - 1; i >= 0; i--)
        {
            var bars = Bars(hanging.Take(i).Where(m => m.Column < hanging[i].Column));
            Draw(bars, hanging[i].Column, hanging[i].Text!);
            yield return bars.ToString();
        }
    }

    private static StringBuilder Bars(IEnumerable<Mark> marks)
    {
        var row = new StringBuilder();
        foreach (var mark in marks)
        {
            Draw(row, mark.Column, "|");
        }
        return row;
    }

    private static void Draw(StringBuilder row, int column, string text)
    {
        if (row.Length < column + text.Length)
        {
            row.Append(' ', column + text.Length - row.Length);
        }
        for (var i = 0; i < text.Length; i++)
        {
            row[column + i] = text[i];
        }
    }
}
