// Random programs on every backend: the same in every run, so that a change is seen to break one; others with --matrix.
using Accelerate.Cli;
using Accelerate.Cli.Fuzz;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class FuzzTests(ITestOutputHelper output)
{
    // A program here takes a hundredth of a second; so many may take where eight processes share two cores.
    private static readonly FuzzLimits Limits = new(TimeSpan.FromSeconds(120), 3L << 30);

    /// <summary>
    /// `accc fuzz --seed SEED` goes on from what this prints. New seeds are for that command and `--matrix`: what they
    /// find is as old as the fault, not as the change that a test run is about.
    /// </summary>
    [LlvmFact]
    public void RandomProgramsAgreeEverywhere()
    {
        var log = new StringWriter();
        var matrix = FuzzMatrix.Of(null, null, NumPyProcess.Missing is null);
        var known = new Campaign(new Terminal(log, log), matrix, Limits, null).Run(1, 60, null, [], keepGoing: true, 1);
        var seed = 1_000_000 + (TargetMatrix.Full ? TargetMatrix.Seed * 10_000 : 0);
        var found = new Campaign(new Terminal(log, log), matrix, Limits, null)
            .Run(seed, TargetMatrix.Full ? 9_000 : 240, TimeSpan.FromSeconds(60), [], keepGoing: true, 1);
        output.WriteLine(log.ToString());
        Assert.True(known + found == 0, $"{known + found} programs with a difference, seeds from 1 and {seed}:\n{log}");
    }
}
