// In: bench/suite/tests.py. Out: its verdict: the arithmetic of bench/compare, and what its rows name.
using System.Diagnostics;
using System.Text.RegularExpressions;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench;

public sealed class CompareTests
{
    [NumPyFact]
    public void TheSuitesOwnTestsPass()
    {
        var script = Path.Combine(Shared.Repository, "bench", "suite", "tests.py");
        using var process = Process.Start(
            new ProcessStartInfo("/usr/bin/python3", [script]) { RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, said);
        // Python calls no test at all a success as well.
        var ran = Regex.Match(said, @"^Ran (\d+) tests? in", RegexOptions.Multiline);
        Assert.True(ran.Success && int.Parse(ran.Groups[1].Value) >= 12 && !said.Contains("skipped"), said);
    }
}
