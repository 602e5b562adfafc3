// In: diagnostics from any stage. Out: the list of a whole run in source order, each error once.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>Collects the diagnostics of one run.</summary>
internal sealed class DiagnosticBag
{
    private readonly List<Diagnostic> all = [];
    private readonly HashSet<(string Id, Span Span, string Key)> seen = [];

    /// <summary>The number of reports, repetitions included.</summary>
    public int Reports { get; private set; }

    /// <summary>The number of diagnostics.</summary>
    public int Count => all.Count;

    /// <summary>Sorted by file, in the order in which files were first reported, then by position.</summary>
    public ImmutableArray<Diagnostic> Sorted()
    {
        var files = all.Select(d => d.Span.Source).Distinct().ToList();
        return [.. all.OrderBy(d => files.IndexOf(d.Span.Source)).ThenBy(d => d.Span.Start)];
    }

    /// <summary>In the order in which they were reported.</summary>
    public IReadOnlyList<Diagnostic> All => all;

    /// <summary>0 ok, 1 user error, 3 known limitation, 70 compiler bug: the worst of those present.</summary>
    public int ExitCode =>
        all.Any(d => d.Class == DiagnosticClass.CompilerBug) ? 70
        : all.Any(d => d.Class == DiagnosticClass.UserError) ? 1
        : all.Count > 0 ? 3 : 0;

    /// <summary>
    /// Adds a diagnostic, unless the same code has been reported for the same place (a function elaborated twice). The
    /// keys of a weights file, ACC3xxx, are separate errors, though all layers of a kind are declared at one place.
    /// </summary>
    public void Add(Diagnostic diagnostic)
    {
        Reports++;
        if (seen.Add(Key(diagnostic))) all.Add(diagnostic);
    }

    private static (string Id, Span Span, string Key) Key(Diagnostic diagnostic) =>
        (diagnostic.Code.Id, diagnostic.Span, diagnostic.Code.Id[3] == '3' ? diagnostic.Message : "");

    /// <summary>The current state, for <see cref="Undo"/>.</summary>
    internal (int Count, int Reports) Mark() => (Count, Reports);

    /// <summary>Removes the diagnostics reported since the mark: they were about a trial that does not count.</summary>
    internal void Undo((int Count, int Reports) mark)
    {
        foreach (var diagnostic in all.Skip(mark.Count)) seen.Remove(Key(diagnostic));
        all.RemoveRange(mark.Count, all.Count - mark.Count);
        Reports = mark.Reports;
    }

    /// <summary>Makes and adds one.</summary>
    public void Report(Code code, Span span, string message, string? label = null, string? help = null,
        params ReadOnlySpan<Label> secondary) =>
        Add(new Diagnostic(code, message, span) { Label = label, Help = help, Secondary = [.. secondary] });
}
