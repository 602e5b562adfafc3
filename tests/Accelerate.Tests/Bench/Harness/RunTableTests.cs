// The table of a run on results made up for it, against sums done by hand.
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;

namespace Accelerate.Tests.Bench.Harness;

public sealed class RunTableTests
{
    private static readonly Suite Suite = Suite.Parse(
        """{ "name": "s", "description": "d", "threads": [1], "benchmarks": [{ "name": "b" }] }""");

    /// <summary>10 GB/s of DRAM, 100 of L3, 1000 GFLOP/s never reached.</summary>
    private static readonly Dictionary<int, MachineLimits> Limits = new()
    {
        [1] = new(1, 1000, [new("L3", 8_000_000, 100, 50), new("DRAM", long.MaxValue, 10, 5)], 0),
    };

    private readonly Dictionary<ArmKey, List<ResultRecord>> records = [];

    [Fact]
    public void TheBestPeerHasTheLeastMedianAndTheRatioIsOfMedians()
    {
        Add("llvm a", [10, 20, 40]);
        Add("p", [30, 5, 30]);  // median 30, though once the quickest
        Add("q", [26, 25, 24]); // median 25
        var line = Only();
        Assert.Equal(("q", 25.0, 20.0, 1.25), (line.Peer, line.Best, line.Ours, line.Ratio));
        Assert.Equal((24.0 / 40, 26.0 / 10), line.Spread);
        Assert.Equal(["q", "p"], line.Others.Select(o => o.Peer));
    }

    [Fact]
    public void TheLimitIsTheHigherFloor()
    {
        // 2 MFLOP at 100 GFLOP/s are 20 µs, 4 MB from L3 at 100 GB/s are 40 µs, of which 80 µs are twice as many.
        Add("llvm a", [80], peak: 100);
        Assert.Equal(("50 GB/s", "L3 50 %"), (Only().Rate, Only().Bound));
    }

    [Fact]
    public void ArithmeticBoundsACaseOfFewBytes()
    {
        // 2 MFLOP at 40 GFLOP/s are 50 µs, more than the 40 µs of its bytes.
        Add("llvm a", [100], peak: 40);
        Assert.Equal(("20 GFLOP/s", "FMA 50 %"), (Only().Rate, Only().Bound));
    }

    [Fact]
    public void ARefusedContenderHasItsReasonAndTheOthersTheirFigures()
    {
        Add("llvm a", [], reason: "wrong result");
        Add("p", [30]);
        var line = Only();
        Assert.Equal(("wrong result", null, 30.0), (line.Note, line.Ours, line.Best));
        Assert.Contains("wrong result", new RunTable([Case()], Suite, records, Limits).Text());
    }

    [Fact]
    public void MeansAreGeometricAndSayWhatIsMissing()
    {
        var twice = Case("c");
        Add("llvm a", [10]);
        Add("p", [40]);
        Add("llvm a", [10], benchmark: "c");
        Add("p", [10], benchmark: "c");
        var table = new RunTable([Case(), twice, Case("d")], Suite, records, Limits);
        // Ratios 4 and 1; the third case has no figures.
        Assert.Equal([(1, "part", 2.0, 2, 3)], table.Means());
        var markdown = table.Markdown("accc bench run s");
        Assert.Contains("| part | 2.000 (2 of 3 rows) |", markdown);
        Assert.Contains("| title | 10 µs | L3 400 % | 40 µs p | 4.00 (4.00–4.00) |", markdown);
        Assert.Contains("| title | not measured |  | - |  |", markdown);
    }

    [Fact]
    public void BlocksOfAnotherRunAreOtherBlocks()
    {
        // The one ratio of a block is 30/10; the second run's block 0 has no neighbour.
        Add("llvm a", [10]);
        Add("p", [30]);
        Add("llvm a", [60], run: Guid.NewGuid());
        Assert.Equal((3.0, 3.0), Only().Spread);
    }

    [Fact]
    public void VerdictsAreOfOursAgainstTheBestPeer()
    {
        Add("llvm a", [10, 11, 10.5, 10.2, 10.8, 10.1]);
        Add("p", [20, 21, 20.5, 20.2, 20.8, 20.1]);
        Assert.Equal(Accelerate.Bench.Statistics.Verdict.Faster, Only().Test!.Verdict);
        Assert.Contains("faster", RunTable.Text(Only()));
    }

    [Fact]
    public void AnOpenComparisonSaysHowManyProcessesItNeeds()
    {
        // Four on a side are never enough for a verdict.
        Add("llvm a", [10, 11, 10.5, 10.2]);
        Add("p", [20, 21, 20.5, 20.2]);
        var open = Assert.Single(new RunTable([Case()], Suite, records, Limits).Open());
        Assert.Equal(("b", 1), (open.Case, open.Threads));
        Assert.InRange(open.Needed, 5, 200);
        records.Clear();
        Add("llvm a", [10, 11, 10.5, 10.2, 10.3, 10.1]);
        Add("p", [20, 21, 20.5, 20.2, 20.3, 20.1]);
        Assert.Empty(new RunTable([Case()], Suite, records, Limits).Open());
    }

    [Fact]
    public void AnotherBuildIsComparedInTheBlocksOfThisOne()
    {
        Add("llvm a", [10, 11, 10.5, 10.2, 10.8, 10.1]);
        Add("llvm a @before", [20, 21, 20.5, 20.2, 20.8, 20.1]);
        var table = new RunTable([Case()], Suite, records, Limits, [new("before", "/before/accc.dll")]);
        Assert.Equal(["llvm a", "llvm a @before"], table.Contenders.Select(c => c.Arm.Contender));
        Assert.Equal([null, Accelerate.Bench.Statistics.Verdict.Slower], table.Contenders.Select(c => c.Test?.Verdict));
        Assert.Contains("times llvm a's time", table.Text());
    }

    [Fact]
    public void TwoArmsOfOneContenderShowTheMachinesNoise()
    {
        var suite = Arms.Of(Case(), Suite, withPeers: false, allPeers: false).ToList();
        var (one, two) = (suite[0], suite[0] with { IsTwin = true });
        Add("llvm a", [10, 11, 10.5, 10.2, 10.8, 10.1]);
        Add("llvm a again", [10.1, 10.9, 10.4, 10.3, 10.7, 10.2]);
        Assert.Equal("llvm a again", two.Contender);
        var noise = RunTable.Noise(one, two, records);
        Assert.Matches("^A/A of b, llvm a, 1t: (same|inconclusive), processes vary by [0-9.]+ %, [0-9]+ of 100 deals", noise);
    }

    private static BenchmarkCase Case(string name = "b") => new BenchmarkDefinition(name, "kernels", "", [],
        _ => new("title", [new("a", ["x.acc", "f"])])
        {
            Lines = [new("title", "a", ["p", "q"], "part")],
            Peers = [new("p", "p", []), new("q", "q", [])],
        }).Case([]);

    private readonly Guid own = Guid.NewGuid();

    private RunLine Only() => new RunTable([Case()], Suite, records, Limits).Lines.Single();

    private void Add(string contender, double[] medians, double? peak = null, string? reason = null, string benchmark = "b",
        Guid? run = null)
    {
        var key = new ArmKey(benchmark, "", contender, 1, "single-stream");
        if (!records.TryGetValue(key, out var list)) records[key] = list = [];
        ResultRecord Make(int block, double? median) => new()
        {
            Id = Guid.NewGuid(),
            RunId = run ?? own,
            MeasuredAt = DateTime.UtcNow,
            Benchmark = benchmark,
            Category = "kernels",
            CaseKey = "",
            Contender = contender,
            Backend = contender.Split(' ')[0],
            Threads = 1,
            Block = block,
            Median = median,
            Flops = 2e6,
            Bytes = 4e6,
            PeakGflops = peak,
            Status = reason is null ? ResultStatus.Measured : ResultStatus.Wrong,
            Reason = reason,
        };
        list.AddRange(medians.Select((m, i) => Make(i, m)));
        if (reason is not null) list.Add(Make(0, null));
    }
}
