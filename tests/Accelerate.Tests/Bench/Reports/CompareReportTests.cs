// Comparisons of made-up runs whose verdicts follow from how they were made: what is matched, what a side names, what
// the outcome is.
using System.Text.Json;
using Accelerate.Bench.Records;
using Accelerate.Bench.Reports;
using Accelerate.Bench.Statistics;
using Accelerate.Tests.Support;
using static Accelerate.Tests.Bench.Reports.MadeUpResults;

namespace Accelerate.Tests.Bench.Reports;

public class CompareReportTests
{
    private static readonly CompareSettings Settings = new(new ComparisonOptions(), 0, []);

    private static readonly RunRecord Old = Run(1, "abc1234"), New = Run(2, "def5678");

    /// <summary>Of two commits: a faster, a slower and an equal case, each twelve processes a side.</summary>
    [Fact]
    public void CommitsAreComparedCaseByCase()
    {
        using var store = Store(
            [.. Processes(Old, "a", "llvm", Around(100)), .. Processes(Old, "b", "llvm", Around(100)),
                .. Processes(Old, "c", "llvm", Around(100))],
            [.. Processes(New, "a", "llvm", Around(80)), .. Processes(New, "b", "llvm", Around(130)),
                .. Processes(New, "c", "llvm", Around(101))]);
        var report = Compare(store, "commit:abc", "commit:def5678");
        Assert.Equal(["gemm a, llvm x2", "gemm b, llvm x2", "gemm c, llvm x2"], report.Rows.Select(r => r.Case));
        Assert.Equal([Verdict.Faster, Verdict.Slower, Verdict.Same], report.Rows.Select(r => r.Comparison!.Verdict));
        Assert.Equal([0.8, 1.3, 1.01], report.Rows.Select(r => Math.Round(r.Comparison!.Ratio, 3)));
        Assert.Equal(Outcome.Regression, report.Outcome);
        // The two runs have blocks of the same numbers, which are no neighbours.
        Assert.All(report.Rows, r => Assert.Equal(1, r.Comparison!.Blocks));
        // The slower case is 30 % slower.
        Outcome At(double threshold) =>
            CompareReport.Of(report.A, report.B, Settings with { Threshold = threshold }).Outcome;
        Assert.Equal((Outcome.Passed, Outcome.Regression), (At(0.4), At(0.2)));
    }

    [Fact]
    public void ContendersOfOneRunAreComparedInTheirBlocks()
    {
        using var store = Store([.. Processes(Old, "a", "llvm", Around(100)),
            .. Processes(Old, "a", "onnxruntime", Around(150)), .. Processes(Old, "b", "llvm", Around(100)),
            .. Processes(Old, "a", "interpreter", Around(9000))]);
        var report = Compare(store, "contender:onnxruntime", "backend:llvm");
        var row = Assert.Single(report.Rows, r => r.Comparison is not null);
        Assert.Equal("gemm a, onnxruntime x2 / llvm x2", row.Case);
        Assert.Equal((12, Verdict.Faster), (row.Comparison!.Blocks, row.Comparison.Verdict));
        // B's second case has no opponent: it is named, and changes nothing.
        Assert.Equal("not in A", Assert.Single(report.Rows, r => r.Comparison is null).Note);
        Assert.Equal(Outcome.Passed, report.Outcome);
        // The interpreter has no number of workers: it meets every other.
        Assert.Single(Compare(store, "contender:interpreter", "contender:onnxruntime").Rows);
    }

    [Fact]
    public void ACaseThatIsGoneIsNoPass()
    {
        using var store = Store(
            [.. Processes(Old, "a", "llvm", Around(100)), .. Processes(Old, "b", "llvm", Around(100))],
            [.. Processes(New, "a", "llvm", Around(100)), .. Processes(New, "b", "llvm", [1],
                r => r with { Status = ResultStatus.Skipped, Median = null, Reason = "no avx512" })]);
        var report = Compare(store, "commit:abc", "commit:def");
        Assert.Equal(Outcome.Inconclusive, report.Outcome);
        Assert.Equal("B: skipped (no avx512)", report.Rows[1].Note);
    }

    /// <summary>A result that has become wrong is worse than a slow one, if only one process says so.</summary>
    [Fact]
    public void AWrongResultIsARegression()
    {
        using var store = Store([.. Processes(Old, "a", "llvm", Around(100))],
            [.. Processes(New, "a", "llvm", Around(50)), .. Processes(New, "a", "llvm", [1],
                r => r with { Status = ResultStatus.Wrong, Median = null, Reason = "differs by 0.5" })]);
        var report = Compare(store, "commit:abc", "commit:def");
        Assert.Equal(Outcome.Regression, report.Outcome);
        Assert.Equal("B: 1 of 13 processes wrong (differs by 0.5)", report.Rows[0].Note);
    }

    [Fact]
    public void CountsAreGatesWhereTheyAreNamed()
    {
        using var store = Store([.. Processes(Old, "a", "llvm", Around(100))],
            [.. Processes(New, "a", "llvm", Around(100), r => r with { KernelCount = 4, ArenaBytes = 2048 })]);
        var report = Compare(store, "commit:abc", "commit:def");
        Assert.Equal(
            [new Gate("kernels", 3, 4, GateResult.More), new Gate("arena_bytes", 4096, 2048, GateResult.Fewer)],
            report.Rows[0].Gates);
        Assert.Equal(Outcome.Passed, report.Outcome);
        Assert.Equal(Outcome.Regression,
            CompareReport.Of(report.A, report.B, Settings with { Gates = ["kernels"] }).Outcome);
        Assert.Equal(Outcome.Passed,
            CompareReport.Of(report.A, report.B, Settings with { Gates = ["arena_bytes", "ops"] }).Outcome);
    }

    /// <summary>
    /// Twelve processes against themselves are six blocks of two, of which each arm has one; three are too few for a
    /// verdict, though nothing differs more than they do from themselves.
    /// </summary>
    [Fact]
    public void ResultsAgainstThemselvesAreAnAaTest()
    {
        using var store = Store([.. Processes(Old, "a", "llvm", Around(100)), .. Processes(Old, "b", "llvm", [1, 2, 3]),
            .. Processes(Old, "c", "llvm", [1])]);
        var report = Compare(store, "00000001", "commit:abc");
        Assert.Equal([6, 2, null], report.Rows.Select(r => r.Comparison?.CountA));
        Assert.Equal([6, 1, null], report.Rows.Select(r => r.Comparison?.CountB));
        Assert.Equal([Verdict.Same, Verdict.Inconclusive, null], report.Rows.Select(r => r.Comparison?.Verdict));
        Assert.Equal(6, report.Rows[0].Comparison!.Blocks);
        Assert.Equal(100, report.Rows[0].Aa!.Repetitions);
        Assert.Null(report.Rows[2].Aa);
        Assert.Equal(Outcome.Inconclusive, report.Outcome);
        Assert.Contains("of 100 deals  nothing with 6 a side", CompareText.Table(report));
    }

    /// <summary>Two models have no benchmark in common: cases of one key are compared.</summary>
    [Fact]
    public void ModelsAreMatchedByTheirCases()
    {
        ResultRecord Of(ResultRecord r, string model) =>
            r with { Benchmark = model, Model = new(model, "transformer", 1_000_000) };
        using var store = Store([.. Processes(Old, "b1", "llvm", Around(100), r => Of(r, "bert")),
            .. Processes(Old, "b1", "llvm", Around(50), r => Of(r, "gpt2")),
            .. Processes(Old, "b8", "llvm", Around(50), r => Of(r, "gpt2"))]);
        var report = Compare(store, "model:bert", "model:gpt2");
        Assert.Equal(["bert / gpt2 b1, llvm x2", "gpt2 b8, llvm x2"], report.Rows.Select(r => r.Case));
        Assert.Equal(0.5, report.Rows[0].Comparison!.Ratio, 3);
    }

    [Fact]
    public void TooFewProcessesAreInconclusive()
    {
        using var store = Store([.. Processes(Old, "a", "llvm", [100, 101, 99])],
            [.. Processes(New, "a", "llvm", [300, 301, 299])]);
        var report = Compare(store, "commit:abc", "commit:def");
        Assert.Equal(Outcome.Inconclusive, report.Outcome);
        Assert.Contains("inconclusive: 12 a side for 10 %", CompareText.Table(report));
    }

    [Theory]
    [InlineData("commit:zzz", "there are no results")]
    [InlineData("0000000", "the beginning of 2 runs")]
    [InlineData("what", "names no results")]
    [InlineData("model:", "names no results")]
    [InlineData("model:a,model:b", "has two of model:")]
    [InlineData("contender:onnxruntime", "no measured case in common")]
    public void WhatNamesNothing(string side, string message)
    {
        using var store = Store([.. Processes(Old, "a", "llvm", [1]), .. Processes(Old, "z", "onnxruntime", [1])],
            [.. Processes(New, "a", "llvm", [1])]);
        var e = Assert.Throws<HarnessException>(() => Compare(store, side, "00000002"));
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void ACommitIsNoRun()
    {
        using var store = Store([.. Processes(Old, "a", "llvm", [1])]);
        Assert.Equal("did you mean commit:abc12?",
            Assert.Throws<HarnessException>(() => Selection.Parse("abc12").Find(() => store)).Help);
    }

    /// <summary>The newest run of those that a selection without a run leaves; simulated ones are none.</summary>
    [Fact]
    public void TheNewestRunIsMeant()
    {
        var made = Run(3, simulated: true);
        using var store = JsonLinesStore.Of([new(Old, [.. Processes(Old, "a", "llvm", [1])]),
            new(New, [.. Processes(New, "a", "llvm", [2])]), new(made, [.. Processes(made, "a", "llvm", [3])])]);
        Assert.Equal(New, Assert.Single(Selection.Newest(store).Runs));
        Assert.Equal(2, Selection.Parse("suite:quick").Find(() => store).Results.Single().Median);
        Assert.Equal(1, Selection.Parse("suite:quick,00000001").Find(() => store).Results.Single().Median);
        Assert.Throws<HarnessException>(() => Selection.Parse("commit:abc1234,machine:m2").Find(() => store));
    }

    /// <summary>What JSON says is what the table says, and is JSON where a ratio is not known.</summary>
    [Fact]
    public void JsonHasTheSameAnswers()
    {
        using var store = Store(
            [.. Processes(Old, "a", "llvm", Around(100)), .. Processes(Old, "b", "llvm", [100])],
            [.. Processes(New, "a", "llvm", Around(130)), .. Processes(New, "b", "llvm", [100])]);
        var json = JsonDocument.Parse(CompareText.ToJson(Compare(store, "commit:abc", "commit:def"))).RootElement;
        Assert.Equal("regression", json.GetProperty("outcome").GetString());
        var rows = json.GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(["slower", "inconclusive"], rows.Select(r => r.GetProperty("verdict").GetString()));
        Assert.Equal([true, false], rows.Select(r => r.GetProperty("is_regression").GetBoolean()));
        Assert.Equal(1.3, rows[0].GetProperty("ratio").GetDouble(), 3);
        Assert.Equal(JsonValueKind.Null, rows[1].GetProperty("interval").ValueKind);
    }

    [Fact]
    public void MachinesAndInterleavingAreSaid()
    {
        var other = Run(4, "def5678", "m2");
        using var store = JsonLinesStore.Of([new(Old, [.. Processes(Old, "a", "llvm", Around(100))]),
            new(other, [.. Processes(other, "a", "llvm", Around(100))])]);
        var text = CompareText.Markdown(Compare(store, "machine:m1", "machine:m2"));
        Assert.Contains("of different machines", text);
        Assert.Contains("1 of 1 cases were not interleaved", text);
        Assert.Contains("| gemm a, llvm x2 | 100 us | 100 us | 1.000 |", text);
        Assert.Contains("1 same; no regressions: passed", text);
    }

    /// <summary>Written and read again; what a killed writer left at the end is no batch.</summary>
    [Fact]
    public void AFileOfBatchesIsASide()
    {
        using var folder = new TemporaryFolder();
        using (var store = JsonLinesStore.Open(folder["a.jsonl"]))
        {
            store.Append(new(Old, [.. Processes(Old, "a", "llvm", Around(100))]));
            store.Append(new(New, [.. Processes(New, "a", "llvm", Around(100))]));
        }
        File.AppendAllText(folder["a.jsonl"], "{\"run\":{\"id\":");
        var side = Selection.Parse(folder["a.jsonl"]).Find(() => throw new InvalidOperationException());
        Assert.Equal((2, 24), (side.Runs.Count, side.Results.Count));
        var one = Selection.Parse(folder["a.jsonl"] + ",commit:def").Find(() => throw new InvalidOperationException());
        Assert.Equal(12, one.Results.Count);
        File.AppendAllText(folder["a.jsonl"], "\n");
        Assert.Contains("line 3 is no batch",
            Assert.Throws<DataException>(() => JsonLinesStore.Open(folder["a.jsonl"])).Message);
    }

    private static CompareReport Compare(IResultStore store, string a, string b) =>
        CompareReport.Of(Selection.Parse(a).Find(() => store), Selection.Parse(b).Find(() => store), Settings);

    private static JsonLinesStore Store(ResultRecord[] old, ResultRecord[]? @new = null) =>
        JsonLinesStore.Of([new(Old, old), .. @new is null ? Array.Empty<ResultBatch>() : [new(New, @new)]]);
}
