// In: an error that a stage found. Out: a value that any renderer can show.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate;

/// <summary>Who is at fault; it decides the exit code.</summary>
public enum DiagnosticClass
{
    /// <summary>The program is wrong (exit code 1).</summary>
    UserError,

    /// <summary>The program is right, but this compiler does not support it (exit code 3).</summary>
    Limitation,

    /// <summary>The compiler is wrong (exit code 70).</summary>
    CompilerBug,
}

/// <summary>One finding about a program.</summary>
/// <param name="Code">Its kind: the code is stable, with a title and an explanation.</param>
/// <param name="Message">One line in the names and sizes of the program as written.</param>
/// <param name="Span">Where: file, line and column, and the text concerned.</param>
public sealed record Diagnostic(Code Code, string Message, Span Span)
{
    /// <summary>The text next to the primary span; null for a bare underline.</summary>
    public string? Label { get; init; }

    /// <summary>Other places that explain it.</summary>
    public ImmutableArray<Label> Secondary { get; init; } = [];

    /// <summary>One line that says what to write instead.</summary>
    public string? Help { get; init; }

    /// <summary>The calls that led here, innermost first.</summary>
    public ImmutableArray<CallSite> Calls { get; init; } = [];

    /// <summary>Who is at fault.</summary>
    public DiagnosticClass Class => Code.Class;

    /// <summary>The message with the prefix of its class: `not supported: …`.</summary>
    public string Headline => Class switch
    {
        DiagnosticClass.Limitation => "not supported: " + Message,
        DiagnosticClass.CompilerBug => "compiler bug: " + Message,
        _ => Message,
    };

    /// <summary>
    /// The finding as a terminal shows it: its headline, the source lines with the places underlined, help, and the
    /// calls that led there.
    /// </summary>
    public override string ToString() => PrettyRenderer.Render(this);
}
