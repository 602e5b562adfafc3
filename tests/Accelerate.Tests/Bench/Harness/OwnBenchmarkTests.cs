// Benchmarks that are classes in C#: what they print is not what they measure; other builds; command lines of the
// harness.
using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Tests.Cli;

namespace Accelerate.Tests.Bench.Harness;

/// <summary>Prints a better measurement than it has, wherever it can.</summary>
[Benchmark("forger", Description = "prints what it likes")]
public sealed class Forger : BenchmarkBase
{
    private const string Forged =
        """{"peer":"ours","threads":1,"min_us":0.001,"med_us":0.001,"p90_us":0.001,"cpu_us":0,"n":9}""";

    private string mode = "";

    public override IReadOnlyDictionary<string, string> Parameters { get; } =
        new Dictionary<string, string> { ["mode"] = "prints" };

    public override void SetUp(IReadOnlyDictionary<string, string> parameters, int threads)
    {
        mode = parameters["mode"];
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine(Forged);
    }

    public override void Execute() => Thread.Sleep(2);

    public override void Process(IDictionary<string, double> metrics)
    {
        // The word is gone, and what is left of the input with it.
        metrics["left"] = Console.In.Read();
        Console.WriteLine(Forged);
        Console.Write(Forged);
        if (mode == "exits") Environment.Exit(0);
    }

    protected override void Dispose(bool disposing) => Console.WriteLine(Forged);
}

[UnsupportedOSPlatform("windows")]
public sealed class OwnBenchmarkTests : CommandLine
{
    private static string Own => typeof(Forger).Assembly.Location;

    [Theory]
    [InlineData("prints", "measured")]
    [InlineData("exits", "failed")]
    public void AForgedLineIsNotBelieved(string mode, string status)
    {
        Run("bench", "run", "--assembly", Own, "--benchmark", "forger", "--params", $$"""{"mode": "{{mode}}"}""",
            "--processes", "1", "--seconds", "0.01", "--database", this["b.duckdb"]);
        var row = Rows().Single();
        Assert.Equal(status, row.GetProperty("status").GetString());
        if (status == "measured")
        {
            // It sleeps 2 ms.
            Assert.InRange(row.GetProperty("latency_ms").GetDouble(), 2, 1000);
            Assert.Equal(-1, row.GetProperty("device_metrics").ToString() is var m
                ? JsonDocument.Parse(m).RootElement.GetProperty("own.left").GetDouble() : 0);
        }
        else
        {
            Assert.Equal("its process ended by itself, without a measurement", row.GetProperty("reason").GetString());
        }
    }

    /// <summary>The word is another one in each process, and two lines that have it are no measurement.</summary>
    [Theory]
    [InlineData("read word; echo \"$word $LINE\"", null)]
    [InlineData("read word; echo \"$word $LINE\"; echo \"$FORGED\"", null)]
    [InlineData("read word; echo \"$word $LINE\"; echo \"$word $FORGED\"", "signed two measurements")]
    [InlineData("echo \"$FORGED\"", "without a measurement")]
    [InlineData("read word; echo \"${word}x $FORGED\"", "without a measurement")]
    public void OnlyALineWithTheWordCounts(string script, string? refusal)
    {
        string[] words = [];
        var definition = new BenchmarkDefinition("b", "own", "", [],
            _ => new("b", [new("", ["b"]) { Assembly = "own.dll" }]));
        var suite = Suite.Parse("""{ "name": "s", "description": "d", "benchmarks": [{ "name": "b" }] }""");
        var arm = Arms.Of(definition.Case([]), suite, false, false).Single();
        var runner = new ProcessRunner(new(Path.GetTempPath(), Path.GetTempPath()), w =>
        {
            words = [.. w];
            var start = new ProcessStartInfo("/bin/sh", ["-c", script]);
            start.Environment["LINE"] = """{"peer":"ours","min_us":1,"med_us":2,"p90_us":3}""";
            start.Environment["FORGED"] = """{"peer":"ours","min_us":1,"med_us":0.1,"p90_us":3}""";
            return start;
        });
        if (refusal is null) Assert.Equal(2, runner.Run(arm, 0.1, null).MedUs);
        else Assert.Contains(refusal, Assert.Throws<NoMeasurementException>(() => runner.Run(arm, 0.1, null)).Message);
        Assert.Contains("--signed", words);
    }

    [Fact]
    public void AnotherBuildOfAClassIsARowWithAReason()
    {
        var (code, output, error) = Run("bench", "run", "--assembly", Own, "--benchmark", "forger", "--processes", "1",
            "--seconds", "0.01", "--build", "before=" + typeof(Accelerate.Cli.Accc).Assembly.Location, "--database",
            this["b.duckdb"]);
        Assert.True(code == 0, output + error);
        var rows = Rows();
        Assert.Equal(["own", "own @before"], rows.Select(r => r.GetProperty("contender").GetString()).Order());
        var other = rows.Single(r => r.GetProperty("contender").GetString() == "own @before");
        Assert.Equal("skipped", other.GetProperty("status").GetString());
        Assert.StartsWith("not supported: a class in C# is its own assembly's",
            other.GetProperty("reason").GetString());
    }

    /// <summary>Its rows are a run's of their own, neighbours of this build's in the same blocks.</summary>
    [Fact]
    public void AnotherBuildsRowsCarryItsCommit()
    {
        var definition = new BenchmarkDefinition("b", "own", "", [], _ => new("b", [new("", ["b.acc"])]));
        var suite = Suite.Parse("""{ "name": "s", "description": "d", "benchmarks": [{ "name": "b" }] }""");
        var arms = Arms.Of(definition.Case([]), suite, false, false, [new("before", "/nowhere/accc.dll")])
            .Select(a => a with { Ours = a.Ours! with { Results = new Dictionary<string, string>() } }).ToList();
        var run = Reports.MadeUpResults.Run(1, "this1111");
        var other = Reports.MadeUpResults.Run(2, "that2222");
        using var store = JsonLinesStore.Of([]);
        var places = new HarnessPlaces(this["."], this["."]);
        // The other build is started by its path: a `dotnet` that is first on the path here would be needed to answer
        // for it.
        var runner = new ProcessRunner(places, _ => new("/bin/echo", ["""{"peer":"ours","min_us":1,"med_us":2,"p90_us":3,"flops":1}"""]));
        using var check = new ResultCheck(places, runner);
        var harness = new Accelerate.Bench.Running.Harness(new(0.1, 1, true), store, runner, check, run, new Silent(),
            new Dictionary<string, RunRecord> { ["before"] = other });
        harness.Execute(arms, 2);
        Assert.All(store.Results(new(Run: run.Id)), r => Assert.Equal("llvm", r.Contender));
        Assert.All(store.Results(new(Run: other.Id)), r => Assert.Equal("llvm @before", r.Contender));
        Assert.Equal(2, store.Results(new(Commit: "this1111")).Count);
        Assert.NotEmpty(store.Results(new(Commit: "that2222")));
    }

    [Fact]
    public void RowsOfOneSessionAreNeighbours()
    {
        var run = Reports.MadeUpResults.Run(1);
        var other = Reports.MadeUpResults.Run(2);
        var mine = Reports.MadeUpResults.Processes(run, "a", "llvm", [1, 2]).ToList();
        var theirs = Reports.MadeUpResults.Processes(other, "a", "llvm", [1, 2],
            r => r with { DeviceMetrics = $$"""{"session": "{{run.Id}}"}""" }).ToList();
        Assert.Equal(mine.Select(r => r.Neighbours), theirs.Select(r => r.Neighbours));
        Assert.Equal(2, mine.Select(r => r.Neighbours).Distinct().Count());
        Assert.NotEqual(mine[0].Neighbours, (mine[0] with { RunId = other.Id }).Neighbours);
    }

    /// <summary>This build, asked as if it were another one, says what it says of itself.</summary>
    [Fact]
    public void AnotherBuildIsAskedForItsCommit()
    {
        var mine = Machine.This.Environment();
        Assert.Equal(mine, Machine.This.Environment(typeof(Accelerate.Cli.Accc).Assembly.Location));
        Write("accc.dll", "no assembly");
        Assert.Contains("is no part of a build of accc",
            Assert.Throws<FormatException>(() => Machine.This.Environment(this["accc.dll"])).Message);
        var error = Error(2, "bench", "run", "quick", "--build", "x=" + this["accc.dll"], "--database", "none");
        Assert.Contains("is no part of a build of accc", error);
        Assert.Contains("  = help: ", error);
    }

    [Fact]
    public void AnAssemblysBenchmarksAreListed()
    {
        Assert.DoesNotContain("forger", Output("bench", "list"));
        var list = Output("bench", "list", "--assembly", Own);
        Assert.Contains("forger", list);
        Assert.Contains("mode=prints", list);
        Assert.Contains("prints what it likes", list);
        Assert.Contains("is no .NET assembly", Error(2, "bench", "list", "--assembly", Write("no.dll", "no")));
    }

    [Theory]
    [InlineData("""{"mode": "a\nb"}""")]
    [InlineData("""{"mode": "a\u0007b"}""")]
    public void AValueWithALineEndIsRefused(string parameters) => Assert.Contains("mode has a control character in it",
        Error(2, "bench", "run", "--assembly", Own, "--benchmark", "forger", "--params", parameters, "--database", "none"));

    [Fact]
    public void TheUsageOfRunIsItsOwn()
    {
        var help = Run("bench", "run", "--help").Output;
        // The program's name is the test's host here.
        Assert.Matches(@"Usage:\n  \S+ bench run \[<SUITE>...\] \[options\]\n", help.ReplaceLineEndings("\n"));
        string[] options = ["--benchmark <NAME>", "--params <JSON>", "--build <NAME=accc.dll>", "--assembly <FILE>"];
        foreach (var option in options)
            Assert.Contains(option, help);
    }

    /// <summary>Whatever is wrong with a command line or a store: what would help stands below.</summary>
    [Theory]
    [InlineData("bench", "run")]
    [InlineData("bench", "run", "absent")]
    [InlineData("bench", "run", "quick", "--only", "nothing", "--database", "none")]
    [InlineData("bench", "run", "quick", "--threads", "x")]
    [InlineData("bench", "run", "quick", "--processes", "0")]
    [InlineData("bench", "run", "quick", "--seconds", "-1")]
    [InlineData("bench", "run", "--benchmark", "absent")]
    [InlineData("bench", "run", "--benchmark", "gemm", "--params", "{\"m\": \"x\"}")]
    [InlineData("bench", "run", "quick", "--database", "absent/b.duckdb")]
    [InlineData("bench", "run", "quick", "--build", "x")]
    [InlineData("bench", "run", "--assembly", "absent.dll", "--benchmark", "x")]
    [InlineData("bench", "run", "--unknown")]
    [InlineData("bench", "list", "absent")]
    [InlineData("bench", "list", "--format", "xml")]
    [InlineData("bench", "compare", "zz", "yy")]
    [InlineData("bench", "compare", "aa", "bb", "--threshold", "-1")]
    [InlineData("bench", "compare", "aa", "bb", "--margin", "2")]
    [InlineData("bench", "report", "--bandwidth", "0")]
    [InlineData("bench", "report", "--chart", "c.gif")]
    [InlineData("bench", "report", "--database", "absent.duckdb")]
    [InlineData("bench", "compare", "bad.jsonl", "bad.jsonl")]
    [InlineData("db", "query", "--sql", "SELECT 1", "--timeout", "0")]
    [InlineData("db", "query", "--sql", "SELECT 1", "--limit", "0")]
    [InlineData("db", "query", "--sql", "SELECT 1", "--database", "absent.duckdb")]
    [InlineData("db", "stats", "--database", "bad.jsonl")]
    [InlineData("db", "export", "--out", "x.xml", "--database", "absent.duckdb")]
    [InlineData("db", "purge", "--database", "absent.duckdb")]
    [InlineData("db", "add", "--benchmark", "b", "--contender", "c")]
    [InlineData("db", "init", "--database", "absent/x.duckdb")]
    [InlineData("db", "backup", "--database", "absent.duckdb")]
    [InlineData("db", "nothing")]
    public void EveryErrorHasHelp(params string[] args)
    {
        Write("bad.jsonl", "{}\n");
        var (code, output, error) = Run([.. args.Select(a => a is "bad.jsonl" or "absent.duckdb" ? this[a] : a)]);
        Assert.True(code != 0, output);
        var lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Single(lines, l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.True(lines[^1].StartsWith("  = help: ", StringComparison.Ordinal) && lines[^1].Length > 12, error);
    }

    [Fact]
    public void FilesThatAreNotImportedSayWhereTheColumnsAre()
    {
        Write("bad.csv", "benchmark\nx\n");
        var error = Run("db", "import", this["bad.csv"], "--database", this["b.duckdb"]).Error;
        Assert.Contains("error: ", error);
        Assert.EndsWith("  = help: docs/BENCH_DATABASE.md has the columns; a file with an error is not imported at all\n",
            error);
    }

    private List<JsonElement> Rows() => [.. JsonDocument.Parse(Output("db", "query", "--format", "json", "--database",
        this["b.duckdb"], "--sql", "SELECT * FROM benchmark_results")).RootElement.EnumerateArray()];

    private sealed class Silent : IHarnessObserver
    {
        public void Plan(int processes) => Assert.True(processes > 0);

        public void Starts(Arm arm, int block) => Assert.True(block >= 0);

        public void Ends(ResultRecord record) => Assert.Equal("b", record.Benchmark);

        public void Skips(Arm arm, int block) => Assert.True(block >= 0);
    }
}
