// In: a Python script. Out: what it prints, run by a python3 that has numpy, or a test skipped with the reason.
using System.Diagnostics;
using Accelerate.Cli.Fuzz;

namespace Accelerate.Tests.Support;

internal static class NumPy
{
    public static string? Missing =>
        NumPyProcess.Missing is { } why ? $"python3 with numpy is not available: {why}" : null;

    public static string Run(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(NumPyProcess.Python)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])["-c", "import sys, numpy as np\n" + script, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(error.Result);
    }
}

/// <summary>A fact that needs python3 with numpy.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NumPyFactAttribute : FactAttribute
{
    public NumPyFactAttribute() => Skip = NumPy.Missing;
}

/// <summary>A theory that needs python3 with numpy.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NumPyTheoryAttribute : TheoryAttribute
{
    public NumPyTheoryAttribute() => Skip = NumPy.Missing;
}
