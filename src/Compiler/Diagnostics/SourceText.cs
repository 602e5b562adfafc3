// In: a path and its text. Out: lines, columns and spans over it.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>One source file: the path as the user wrote it, its text, and the starts of its lines.</summary>
public sealed class SourceText
{
    // No program is that long, and a device never ends.
    private const int MostBytes = 16 << 20;

    private readonly ImmutableArray<int> lineStarts;

    /// <summary>Takes the text unchanged; a line ends at LF, CR LF or a lone CR.</summary>
    internal SourceText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(text);
        Path = path;
        Text = text;
        lineStarts = LineStarts(text);
    }

    /// <summary>The path as the user wrote it.</summary>
    public string Path { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>The number of lines; at least one.</summary>
    public int LineCount => lineStarts.Length;

    /// <summary>
    /// Reads a file, or the content of a pipe: text in UTF-8, or in another encoding with a byte order mark.
    /// </summary>
    /// <exception cref="IOException">The file does not exist or is not a text; the message begins with the
    /// path.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied.</exception>
    internal static SourceText Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            return Load(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"{path}: no such file", e);
        }
        catch (IOException e)
        {
            throw new IOException($"{(path.Length > 0 ? path : "''")}: {e.Message}", e);
        }
    }

    /// <summary>The same with the system's own messages.</summary>
    internal static SourceText Load(string path)
    {
        using var reader = new StreamReader(new MemoryStream(InputFile.ReadAll(path, MostBytes)));
        return new(path, reader.ReadToEnd());
    }

    /// <summary>The line and column, both from 1, of an offset.</summary>
    public (int Line, int Column) Position(int offset)
    {
        var index = lineStarts.BinarySearch(Math.Clamp(offset, 0, Text.Length));
        var line = index >= 0 ? index : ~index - 1;
        return (line + 1, offset - lineStarts[line] + 1);
    }

    /// <summary>The line (from 1) of an offset.</summary>
    public int Line(int offset) => Position(offset).Line;

    /// <summary>The text of a line (from 1), without its end.</summary>
    public string LineText(int line)
    {
        var start = lineStarts[line - 1];
        var end = line < lineStarts.Length ? lineStarts[line] : Text.Length;
        return Text[start..end].TrimEnd('\r', '\n');
    }

    /// <summary>The span of the whole text.</summary>
    internal Span All => new(this, 0, Text.Length);

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
