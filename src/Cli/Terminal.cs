// In: diagnostics and texts of a command. Out: lines on the two streams, in the requested format.
using System.Collections.Immutable;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli;

internal static class ExitCodes
{
    public const int Ok = 0;
    public const int UserError = 1;
    public const int Usage = 2;
    public const int Limitation = 3;
    public const int Bug = 70;

    /// <summary>The exit code that a shell reports for a process ended by SIGINT.</summary>
    public const int Interrupted = 130;
}

/// <summary>A command cannot continue; the message is for the user.</summary>
internal sealed class CliException(string message, string? help = null, int exitCode = ExitCodes.UserError)
    : Exception(message)
{
    public string? Help { get; } = help;

    public int ExitCode { get; } = exitCode;
}

/// <summary>A command has failed and has already reported why.</summary>
internal sealed class ReportedException(int exitCode) : Exception
{
    public int ExitCode { get; } = exitCode;
}

internal enum DiagnosticFormat
{
    Pretty, MsBuild, Json,
}

/// <summary>The streams of a command: results go to Output, diagnostics and progress to Error.</summary>
internal sealed record Terminal(TextWriter Output, TextWriter Error)
{
    // As many as a person reads; a wrong width could otherwise give an error for each of a model's tensors.
    private const int Shown = 20;

    public void Report(ImmutableArray<Diagnostic> diagnostics, DiagnosticFormat format)
    {
        if (diagnostics.IsEmpty) return;
        if (format == DiagnosticFormat.Pretty)
        {
            Error.Write(PrettyRenderer.Render(diagnostics.Take(Shown)));
            var more = diagnostics.Length - Shown;
            if (more > 0) Error.Write($"\n… and {more} more; --diagnostics msbuild lists all, a line each\n");
        }
        else
            foreach (var d in diagnostics)
            {
                var json = format == DiagnosticFormat.Json;
                Error.Write((json ? JsonRenderer.Render(d) : MsBuildRenderer.Render(d)) + "\n");
            }
    }
}

/// <summary>Suggests the nearest known name for a wrong one.</summary>
internal static class Nearest
{
    /// <summary>`did you mean `predict`?` if one is near enough, otherwise the list.</summary>
    public static string Help(string word, IEnumerable<string> known, string what)
    {
        var names = known.ToList();
        if (Of(word, names) is { } best) return $"did you mean '{best}'?";
        return names.Count == 0 ? $"there are no {what}" : $"the {what} are {string.Join(", ", names)}";
    }

    /// <summary>The name that was probably meant, or null.</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        var best = known.Select(n => (Name: n, Distance: Distance(word, n))).OrderBy(n => n.Distance).FirstOrDefault();
        // At most a third of the letters may differ.
        return best.Name is not null && best.Distance <= Math.Max(1, Math.Max(word.Length, best.Name.Length) / 3)
            && Spelling.IsSlip(word, best.Name, best.Distance)
            ? best.Name : null;
    }

    /// <summary>The number of letters to insert, drop, change or swap, ignoring case.</summary>
    private static int Distance(string a, string b)
    {
        (a, b) = (a.ToLowerInvariant(), b.ToLowerInvariant());
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(change, 1 + Math.Min(d[i - 1, j], d[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
