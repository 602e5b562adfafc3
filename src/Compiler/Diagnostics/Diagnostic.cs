// What a stage found wrong comes in; one value that any renderer can show goes out.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>Whose fault it is; it decides the exit code.</summary>
public enum DiagnosticClass
{
    /// <summary>The program is wrong (exit code 1).</summary>
    UserError,

    /// <summary>The program is right, this compiler cannot do it (exit code 3).</summary>
    Limitation,

    /// <summary>The compiler is wrong (exit code 70).</summary>
    CompilerBug,
}

/// <summary>A stable code with its title and the paragraph that `accc explain` prints.</summary>
public sealed record Code(string Id, string Title, string Explanation)
{
    /// <summary>Decided by the first digit: 4 is a limitation, 9 a compiler bug, all else a user error.</summary>
    public DiagnosticClass Class => Id[3] switch
    {
        '4' => DiagnosticClass.Limitation,
        '9' => DiagnosticClass.CompilerBug,
        _ => DiagnosticClass.UserError,
    };

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>A place and what is said beside it.</summary>
public sealed record Label(Span Span, string Text);

/// <summary>A function that was being elaborated, and the call that entered it.</summary>
public sealed record CallSite(string Function, Span Span);

/// <summary>One finding. The message uses the user's names and sizes as written.</summary>
public sealed record Diagnostic(Code Code, string Message, Span Span)
{
    /// <summary>What is said beside the primary span; null for a bare underline.</summary>
    public string? Label { get; init; }

    /// <summary>Other places that explain it.</summary>
    public ImmutableArray<Label> Secondary { get; init; } = [];

    /// <summary>One line that says what to write instead.</summary>
    public string? Help { get; init; }

    /// <summary>The calls that led here, innermost first.</summary>
    public ImmutableArray<CallSite> Calls { get; init; } = [];

    /// <summary>Whose fault it is.</summary>
    public DiagnosticClass Class => Code.Class;

    /// <summary>The message with what its class puts in front: `not supported: …`.</summary>
    public string Headline => Class switch
    {
        DiagnosticClass.Limitation => "not supported: " + Message,
        DiagnosticClass.CompilerBug => "compiler bug: " + Message,
        _ => Message,
    };
}
