// In: a source, a start and a length. Out: the place that a diagnostic points at.
namespace Accelerate.Compiler.Diagnostics;

/// <summary>A stretch of a source text: start and length in UTF-16 units.</summary>
public readonly record struct Span(SourceText Source, int Start, int Length)
{
    /// <summary>The offset after the last character.</summary>
    public int End => Start + Length;

    /// <summary>Line (from 1) of the first character.</summary>
    public int Line => Source.Position(Start).Line;

    /// <summary>Column (from 1) of the first character.</summary>
    public int Column => Source.Position(Start).Column;

    /// <summary>The text covered.</summary>
    public string Text => Source.Text.Substring(Start, Length);

    /// <summary>The smallest span that covers this and another of the same source.</summary>
    public Span To(Span other)
    {
        var start = Math.Min(Start, other.Start);
        return new(Source, start, Math.Max(End, other.End) - start);
    }

    /// <summary>
    /// `mlp.acc:6:44`: without the folder, so that the compiled program does not depend on where the file is.
    /// </summary>
    public string Place => $"{Path.GetFileName(Source.Path)}:{Line}:{Column}";

    /// <summary>path:line:column, the form in which messages name a place.</summary>
    public override string ToString() => $"{Source.Path}:{Line}:{Column}";
}
