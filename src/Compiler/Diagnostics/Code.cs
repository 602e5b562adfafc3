// The parts of a diagnostic: its code, its secondary places, the calls that led to it.
namespace Accelerate.Compiler.Diagnostics;

/// <summary>A stable code with its title and the paragraph that `accc explain` prints.</summary>
public sealed record Code(string Id, string Title, string Explanation)
{
    /// <summary>Given by the first digit: 4 is a limitation, 9 a compiler bug, all others are user errors.</summary>
    public DiagnosticClass Class => Id[3] switch
    {
        '4' => DiagnosticClass.Limitation,
        '9' => DiagnosticClass.CompilerBug,
        _ => DiagnosticClass.UserError,
    };

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>A place and the text shown next to it.</summary>
public sealed record Label(Span Span, string Text);

/// <summary>A function that was being elaborated, and the call that entered it.</summary>
public sealed record CallSite(string Function, Span Span);
