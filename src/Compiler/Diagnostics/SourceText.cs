// A path and its text come in; lines, columns and spans over it go out.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>One source file: the path as the user wrote it, its text, and where its lines begin.</summary>
public sealed class SourceText
{
    private readonly ImmutableArray<int> _lineStarts;

    /// <summary>Takes the text as it is; a line ends at LF, CR LF or a lone CR.</summary>
    public SourceText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(text);
        Path = path;
        Text = text;
        _lineStarts = LineStarts(text);
    }

    /// <summary>The path as the user wrote it.</summary>
    public string Path { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>How many lines there are; at least one.</summary>
    public int LineCount => _lineStarts.Length;

    /// <summary>Reads a file.</summary>
    public static SourceText Read(string path) => new(path, File.ReadAllText(path));

    /// <summary>Line and column, both from 1, of an offset.</summary>
    public (int Line, int Column) Position(int offset)
    {
        var index = _lineStarts.BinarySearch(Math.Clamp(offset, 0, Text.Length));
        var line = index >= 0 ? index : ~index - 1;
        return (line + 1, offset - _lineStarts[line] + 1);
    }

    /// <summary>The line (from 1) of an offset.</summary>
    public int Line(int offset) => Position(offset).Line;

    /// <summary>The text of a line (from 1), without its end.</summary>
    public string LineText(int line)
    {
        var start = _lineStarts[line - 1];
        var end = line < _lineStarts.Length ? _lineStarts[line] : Text.Length;
        return Text[start..end].TrimEnd('\r', '\n');
    }

    /// <summary>The span of the whole text.</summary>
    public Span All => new(this, 0, Text.Length);

    private static ImmutableArray<int> LineStarts(string text)
    {
        var starts = ImmutableArray.CreateBuilder<int>();
        starts.Add(0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
            {
                starts.Add(i + 1);
            }
        }
        return starts.ToImmutable();
    }
}
