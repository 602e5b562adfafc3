// Every program of the design parses; the committed parser is the one that the grammar generates.
using System.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Syntax;

internal static class Programs
{
    /// <summary>The programs and the library of the design.</summary>
    public static IEnumerable<string> All() =>
        Directory.EnumerateFiles(Shared.PathTo("design", "language"), "*.acc", SearchOption.AllDirectories).Order();
}

public sealed class ProgramTests
{
    [SharedFact("design/language")]
    public void EveryProgramParses()
    {
        var count = 0;
        foreach (var path in Programs.All())
        {
            Source.Parse(File.ReadAllText(path), Path.GetFileName(path));
            count++;
        }
        Assert.True(count >= 20, $"only {count} programs");
    }

    [GeneratorFact]
    public void CommittedParserIsTheGeneratedOne()
    {
        var committed = Path.Combine(Shared.Repository, "src", "Compiler", "Syntax", "Generated");
        var fresh = Directory.CreateTempSubdirectory("acc-grammar");
        try
        {
            var (exit, output) = Run(Path.Combine(Shared.Repository, "grammar", "generate"), fresh.FullName);
            Assert.True(exit == 0, output);
            foreach (var name in (string[])["AccLexer.cs", "AccParser.cs"])
            {
                Assert.Equal(File.ReadAllText(Path.Combine(committed, name)),
                    File.ReadAllText(Path.Combine(fresh.FullName, name)));
            }
        }
        finally
        {
            fresh.Delete(true);
        }
    }

    internal static (int Exit, string Output) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd() + error.Result;
            process.WaitForExit();
            return (process.ExitCode, output);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}

/// <summary>A test that needs antlr-ng from npm; skipped, with the reason, where it cannot be had.</summary>
public sealed class GeneratorFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(() =>
        Environment.GetEnvironmentVariable("ACC_ANTLR") is not null ? null
        : ProgramTests.Run("npm", "view", "antlr-ng@1.0.10", "version").Exit == 0 ? null
        : "antlr-ng 1.0.10 cannot be fetched: no npm, or its registry is out of reach");

    /// <summary>Asks npm once a run.</summary>
    public GeneratorFactAttribute() => Skip = Reason.Value;
}
