// In: a Python script. Out: what it prints, run by a python3 that has numpy, or a test skipped with the reason.
using System.Diagnostics;

namespace Accelerate.Tests.Support;

internal static class NumPy
{
    private static readonly Lazy<string?> WhyAbsent = new(() =>
    {
        try
        {
            Run("pass");
            return null;
        }
        catch (Exception e)
        {
            return $"python3 with numpy is not available: {e.Message}";
        }
    });

    public static string? Missing => WhyAbsent.Value;

    public static string Run(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3")
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
