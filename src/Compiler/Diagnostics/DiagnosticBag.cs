// Diagnostics come in from any stage; the list of a whole run goes out, in source order, each mistake once.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>Collects the diagnostics of one run.</summary>
internal sealed class DiagnosticBag
{
    private readonly List<Diagnostic> _all = [];
    private readonly HashSet<(string Id, Span Span, string Key)> _seen = [];

    /// <summary>How often something was reported, repetitions included.</summary>
    public int Reports { get; private set; }

    /// <summary>How many there are.</summary>
    public int Count => _all.Count;

    /// <summary>In the order of the files as first reported, then of the text.</summary>
    public ImmutableArray<Diagnostic> Sorted()
    {
        var files = _all.Select(d => d.Span.Source).Distinct().ToList();
        return [.. _all.OrderBy(d => files.IndexOf(d.Span.Source)).ThenBy(d => d.Span.Start)];
    }

    /// <summary>In the order they were reported.</summary>
    public IReadOnlyList<Diagnostic> All => _all;

    /// <summary>0 ok, 1 user error, 3 known limitation, 70 compiler bug: the worst of what is here.</summary>
    public int ExitCode =>
        _all.Any(d => d.Class == DiagnosticClass.CompilerBug) ? 70
        : _all.Any(d => d.Class == DiagnosticClass.UserError) ? 1
        : _all.Count > 0 ? 3 : 0;

    /// <summary>
    /// Adds one, unless the same code is already there for the same place (a function elaborated twice). The keys of a
    /// weights file, ACC3xxx, are each a mistake of their own, though all layers of a kind are declared at one place.
    /// </summary>
    public void Add(Diagnostic diagnostic)
    {
        Reports++;
        if (_seen.Add(Key(diagnostic))) _all.Add(diagnostic);
    }

    private static (string Id, Span Span, string Key) Key(Diagnostic diagnostic) =>
        (diagnostic.Code.Id, diagnostic.Span, diagnostic.Code.Id[3] == '3' ? diagnostic.Message : "");

    /// <summary>What there is now, for <see cref="Undo"/>.</summary>
    internal (int Count, int Reports) Mark() => (Count, Reports);

    /// <summary>Takes back what was reported since the mark: it was about something that does not count.</summary>
    internal void Undo((int Count, int Reports) mark)
    {
        foreach (var diagnostic in _all.Skip(mark.Count)) _seen.Remove(Key(diagnostic));
        _all.RemoveRange(mark.Count, _all.Count - mark.Count);
        Reports = mark.Reports;
    }

    /// <summary>Makes and adds one.</summary>
    public void Report(Code code, Span span, string message, string? label = null, string? help = null,
        params ReadOnlySpan<Label> secondary) =>
        Add(new Diagnostic(code, message, span) { Label = label, Help = help, Secondary = [.. secondary] });
}
