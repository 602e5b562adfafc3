// `accc bench compare`, `accc bench report` and `accc time --scenario` in this process: exit codes, files, messages.
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Store;
using Accelerate.Tests.Cli;
using static Accelerate.Tests.Bench.Reports.MadeUpResults;

namespace Accelerate.Tests.Bench.Reports;

public class CompareCommandTests : CommandLine
{
    [Theory]
    [InlineData(80, 0, "faster")]
    [InlineData(100, 0, "same")]
    [InlineData(120, 3, "slower")]
    [InlineData(120, 3, "slower", "db.duckdb")]
    public void TheExitCodeIsTheAnswer(double median, int code, string verdict, string file = "db.jsonl")
    {
        Runs(100, median, file: file);
        var (exit, output, error) = Run("bench", "compare", "00000001", "00000002", "--database", this[file]);
        // A regression in a database is kept there as well.
        Assert.Equal((code, code == 3 && file == "db.duckdb" ? "note: raised 1 alert; accc db stats shows them\n" : ""),
            (exit, error));
        Assert.Contains(verdict, output);
        Assert.StartsWith("A: 00000001 (run 00000001 of abc1234, 2026-11-30 13:00)\n", output);
    }

    [Fact]
    public void ARegressionIsAnAlertOfTheRunThatGotWorse()
    {
        Runs(100, 120, file: "db.duckdb");
        string[] compare = ["bench", "compare", "00000001", "00000002", "--database", this["db.duckdb"]];
        Assert.Equal(3, Run(compare).Code);
        var alert = Assert.Single(Alerts());
        Assert.Equal(("slower", "gemm", "a", "llvm", "def5678"),
            (Of("kind"), Of("benchmark"), Of("case_key"), Of("contender"), Of("commit")));
        // The message has the ratio; its result is one of the slower run's.
        Assert.Matches(@"^gemm a, llvm x2: takes 1\.2 \(1\.19\d* to 1\.20?\d*\) times as long, 120 us, "
            + "00000002 against 00000001$", Of("message"));
        Assert.Equal($"{Id(2)}", Of("run_id"));
        Assert.Equal("1", Query("SELECT count(*) AS n FROM results WHERE id = "
            + $"'{Of("result_id")}' AND run_id = '{Id(2)}'")[0].GetProperty("n").ToString());
        // Made again it raises nothing anew; the other way round nothing got worse.
        Assert.Equal((3, ""), (Run(compare) is var again ? again.Code : 0, again.Error));
        Assert.Equal(0, Run("bench", "compare", "00000002", "00000001", "--database", this["db.duckdb"]).Code);
        Assert.Single(Alerts());
        var stats = Output("db", "stats", "--database", this["db.duckdb"]);
        Assert.Contains("alerts     1 slower; the newest:\n", stats);
        Assert.Contains("slower   gemm a, llvm x2: takes 1.2 ", stats);
        Assert.Contains("nothing wrong", Output("db", "check", "--database", this["db.duckdb"]));
        // It goes with its run.
        Output("db", "purge", "--run", $"{Id(2)}", "--yes", "--database", this["db.duckdb"]);
        Assert.Empty(Alerts());
        Assert.DoesNotContain("newest", Output("db", "stats", "--database", this["db.duckdb"]));

        string Of(string column) => alert.GetProperty(column).ToString();
    }

    [Fact]
    public void AThresholdGatesAndFilesDecideWhatRaisesAlerts()
    {
        Runs(100, 120, file: "db.duckdb");
        string[] compare = ["bench", "compare", "00000001", "00000002", "--database", this["db.duckdb"]];
        Run([.. compare, "--threshold", "0.5"]);
        Assert.Empty(Alerts());
        // Sides of files are nobody's database: even with one at hand.
        Runs(100, 120);
        var file = this["db.jsonl"];
        Assert.Equal(3, Run("bench", "compare", $"{file},commit:abc", $"{file},commit:def", "--database",
            this["db.duckdb"]).Code);
        Assert.Empty(Alerts());
        // A run against itself says something of the measurement.
        Run("bench", "compare", "00000002", "00000002", "--database", this["db.duckdb"]);
        Assert.Empty(Alerts());
        using (var store = ResultStores.Open(this["db.duckdb"]))
        {
            var run = MadeUpResults.Run(3, "aaa9999");
            store.Append(new(run, [.. Processes(run, "a", "llvm", Around(100), r => r with { KernelCount = 4 })]));
        }
        Assert.Equal(3, Run("bench", "compare", "00000001", "00000003", "--gates", "kernels", "--database",
            this["db.duckdb"]).Code);
        var alert = Assert.Single(Alerts());
        Assert.Equal("more", alert.GetProperty("kind").GetString());
        Assert.Contains("kernels 3 to 4", alert.GetProperty("message").GetString());
    }

    private List<JsonElement> Alerts() => Query("SELECT * FROM benchmark_alerts");

    private List<JsonElement> Query(string sql) =>
    [
        .. JsonDocument.Parse(Output("db", "query", "--format", "json", "--database", this["db.duckdb"], "--sql", sql))
            .RootElement.EnumerateArray(),
    ];

    [Fact]
    public void AChartWithoutPeersIsAgainstTheInterpreterOrAnError()
    {
        using (var store = ResultStores.Open(this["two.jsonl"]))
        {
            var run = MadeUpResults.Run(1);
            store.Append(new(run,
            [
                .. Processes(run, "a", "llvm", Around(100)), .. Processes(run, "a", "interpreter", Around(400)),
            ]));
        }
        Output("bench", "report", "--database", "two.jsonl", "--chart", this["c.svg"], "--out", this["r.md"]);
        var chart = File.ReadAllText(this["c.svg"]);
        Assert.Contains("gemm a, llvm x2 / interpreter", chart);
        Assert.Contains("the interpreter", chart);
        Assert.DoesNotContain("best peer", chart);
        // With nobody to stand against there is neither chart nor report.
        Runs(100, 120);
        var error = Error(2, "bench", "report", "--database", "db.jsonl", "--chart", this["no.svg"]);
        Assert.Contains("--chart: nothing of 'the newest run' stands against a peer or the interpreter", error);
        Assert.Contains("  = help: accc bench run --peers", error);
        Assert.False(File.Exists(this["no.svg"]));
    }

    [Fact]
    public void NotKnownIsFourAndAnErrorIsTwo()
    {
        Runs(100, 130, processes: 3);
        Assert.Equal(4, Run("bench", "compare", "commit:abc", "commit:def", "--database", "db.jsonl").Code);
        Assert.Contains("no results of 'commit:999'",
            Error(2, "bench", "compare", "commit:abc", "commit:999", "--database", "db.jsonl"));
        Assert.Contains("there is no store of results",
            Error(2, "bench", "compare", "aa", "bb", "--database", "no.duckdb"));
        Write("bad.jsonl", "{}\n");
        Assert.Contains("line 1 is no batch", Error(2, "bench", "compare", "aa", "bb", "--database", "bad.jsonl"));
        Assert.Contains("--margin 5 is no share", Error(2, "bench", "compare", "aa", "bb", "--margin", "5"));
        Assert.Contains("did you mean 'kernels'?", Error(2, "bench", "compare", "aa", "bb", "--gates", "kernel"));
        Assert.Contains("B is missing", Error(2, "bench", "compare", "aa"));
    }

    [Fact]
    public void FilesAreSidesAndOutputs()
    {
        Runs(100, 120);
        var file = this["db.jsonl"];
        var (code, output, _) = Run("bench", "compare", $"{file},commit:abc", $"{file},commit:def",
            "--format", "json", "--out", this["out.json"], "--chart", this["c.svg"]);
        Assert.Equal((3, ""), (code, output));
        var row = JsonDocument.Parse(File.ReadAllText(this["out.json"])).RootElement.GetProperty("rows")[0];
        Assert.Equal("slower", row.GetProperty("verdict").GetString());
        Assert.Contains("gemm a, llvm x2", File.ReadAllText(this["c.svg"]));
        Assert.Contains(".svg or .png", Error(2, "bench", "compare", "aa", "bb", "--chart", "c.gif"));
    }

    /// <summary>Results are worth more than a report of them.</summary>
    [Fact]
    public void NothingIsWrittenOverResults()
    {
        Runs(100, 120);
        var (file, before) = (this["db.jsonl"], File.ReadAllText(this["db.jsonl"]));
        Assert.Contains("--out db.jsonl would write over the results in db.jsonl",
            Error(2, "bench", "compare", $"{file},commit:abc", $"{file},commit:def", "--out", file));
        Assert.Contains("would write over", Error(2, "bench", "report", "--database", file, "--out", file));
        Assert.Contains("--chart c.svg would write over --out c.svg", Error(2, "bench", "report", "--database", file,
            "--out", this["c.svg"], "--chart", this["c.svg"]));
        Assert.Equal(before, File.ReadAllText(file));
    }

    [Fact]
    public void AReportOfTheNewestRun()
    {
        Runs(100, 120);
        var text = Output("bench", "report", "--database", "db.jsonl");
        Assert.Contains("- run 00000002, suite quick", text);
        Assert.Contains("| gemm a | llvm | 2 | 12 | 120 us |", text);
        Assert.Contains("| gemm a | llvm | 2 | 12 | 100 us |",
            Output("bench", "report", "00000001", "--database", "db.jsonl"));
        Assert.Contains("\"median_us\": 1", Output("bench", "report", "--database", "db.jsonl", "--format", "json"));
    }

    [Theory]
    [InlineData("single-stream", 90)]
    [InlineData("multi-stream", 99)]
    [InlineData("server", 99)]
    [InlineData("offline", null)]
    public void AScenarioIsALineOfJson(string scenario, int? percentile)
    {
        string[] rate = scenario == "server" ? ["--qps", "2000", "--latency-bound", "1000"] : [];
        var text = Output(["time", "net.acc", "pair", "x=[[1]]", "y=[1]", "--backend", "interpreter",
            "--seconds", "0.05", "--scenario", scenario, .. rate]);
        var line = JsonDocument.Parse(text).RootElement;
        Assert.Equal((scenario, "performance"),
            (line.GetProperty("scenario").GetString(), line.GetProperty("mode").GetString()));
        Assert.Equal(line.GetProperty("queries").GetInt32(), line.GetProperty("samples_us").GetArrayLength());
        Assert.Equal(percentile, line.TryGetProperty("percentile", out var p) ? p.GetInt32() : null);
        // Who reads the lines of other processes reads this one.
        Assert.Equal(line.GetProperty("med_us").GetDouble(), Measurement.FromJson(text).MedUs);
        if (percentile is null) return;
        // Enough queries for none to be over; what is claimed is no less than what was seen.
        Assert.True(line.GetProperty("queries").GetInt32() >= (percentile == 90 ? 44 : 459));
        Assert.Equal(0.99, line.GetProperty("early_stopping").GetProperty("confidence").GetDouble());
        Assert.True(line.GetProperty("estimate_us").GetDouble() >= line.GetProperty($"p{percentile}_us").GetDouble());
    }

    [Fact]
    public void AccuracyModeTimesNothing()
    {
        var line = JsonDocument.Parse(Output("time", "net.acc", "pair", "x=[[1]]", "y=[7]", "--backend", "interpreter",
            "--scenario", "single-stream", "--mode", "accuracy", "--out", this["results"])).RootElement;
        Assert.Equal(("accuracy", 1), (line.GetProperty("mode").GetString(), line.GetProperty("queries").GetInt32()));
        Assert.False(line.TryGetProperty("med_us", out _));
        Assert.Equal(2, Directory.GetFiles(this["results"], "*.npy").Length);
    }

    [Theory]
    [InlineData("--qps belongs to a scenario", "--qps", "5")]
    [InlineData("did you mean 'server'?", "--scenario", "sever")]
    [InlineData("takes --qps and --latency-bound", "--scenario", "server", "--qps", "5")]
    [InlineData("--qps means nothing to --scenario offline", "--scenario", "offline", "--qps", "5")]
    [InlineData("it takes a number above 0", "--scenario", "server", "--qps", "0", "--latency-bound", "1")]
    [InlineData("more than 10000000 arrivals", "--scenario", "server", "--qps", "1e12", "--latency-bound", "1")]
    [InlineData("did you mean 'accuracy'?", "--scenario", "server", "--mode", "acuracy")]
    [InlineData("are two measurements", "--scenario", "offline", "--kernels")]
    public void WrongScenarios(string message, params string[] args) =>
        Assert.Contains(message, Error(2, ["time", "net.acc", "pair", "x=[[1]]", "y=[1]", .. args]));

    private void Runs(double a, double b, int processes = 12, string file = "db.jsonl")
    {
        using var store = ResultStores.Open(this[file]);
        foreach (var (run, median) in new[] { (MadeUpResults.Run(1), a), (MadeUpResults.Run(2, "def5678"), b) })
            store.Append(new(run, [.. Processes(run, "a", "llvm", Around(median).Take(processes))]));
    }
}
