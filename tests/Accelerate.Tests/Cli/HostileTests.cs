// Hostile files and command lines, the same in every run, others with --matrix: none may end, last, take or leave what
// `accc fuzz-input` forbids.
using Accelerate.Cli.Hostile;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class HostileTests
{
    private static readonly string[] Folders =
        [.. ((string[])["examples", "tests/cases", "tests/errors"]).Select(f => Path.Combine(Shared.Repository, f))];

    /// <summary>
    /// As many as 40 seconds allow, 1,000 at most without --matrix. The long run: `accc fuzz-input --seed 1 --inputs
    /// 100000`; a finding of this one is seen again by `accc fuzz-input` with its seed and number.
    /// </summary>
    [Fact]
    public void NoInputBreaksTheCommand()
    {
        var (seed, count) = TargetMatrix.Full ? (TargetMatrix.Seed, long.MaxValue / 2) : (1, 1000);
        var plan = new HostilePlan(HostileInputs.Kinds, seed, 0, count, TimeSpan.FromSeconds(40), Folders);
        var report = new HostileWatch(plan).Run(_ => { });
        // How long one takes is for the long run, on a machine with nothing else to do: here other tests share its cores.
        var findings = report.Findings.Where(f => !f.IsSlow).ToList();
        Assert.True(findings.Count == 0, $"seed {seed}:\n"
            + string.Join('\n', findings.Select(f => $"--first {f.Number}: {f.Problem}\n    {f.Command}")));
        Assert.True(report.Ran.Values.Sum() > 0, "no input was run");
    }

    [Fact]
    public void AnInputIsTheSameEveryTime()
    {
        var corpus = new Corpus(Folders);
        // The others begin with lowered programs, which take seconds to make.
        foreach (var kind in HostileInputs.Kinds.Where(k => k is not ("graph" or "kernel" or "program")))
            for (var i = 0; i < 50; i++)
            {
                var (one, two) = (HostileInputs.Make([kind], 7, i, corpus), HostileInputs.Make([kind], 7, i, corpus));
                Assert.Equal(one.ToString(), two.ToString());
                Assert.Equal(one.Files.OfType<RegularFile>().Select(f => Convert.ToHexString(f.Bytes)),
                    two.Files.OfType<RegularFile>().Select(f => Convert.ToHexString(f.Bytes)));
            }
    }
}
