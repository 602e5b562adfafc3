// `accc db …` in this process: files in and out, queries that cannot do harm, backups that can be restored.
using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;
using Accelerate.Cli;
using Accelerate.Cli.Db;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench;

public sealed class DbCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    // A name that a connection string and SQL would have to quote.
    private string Database => folder["b;'x'.duckdb"];

    public void Dispose() => folder.Dispose();

    /// <summary>What a flat row can say of results: all but samples and kernels.</summary>
    private const string Flat = """
        SELECT result_id, run_id, run_started_at, command, suite, seed, measured_at, benchmark, case_key,
            json(params) AS p, contender, backend, device, hardware_type, hardware_name, machine, cores, memory_bytes,
            features, json(caches) AS c, driver, commit, build, os, dotnet, llvm, model_id, size_class, batch_size,
            sequence_length, precision, threads, opt_level, target, scenario, block, status, reason, checked, max_error,
            rechecked,
            round(latency_ms, 9) AS l, round(latency_max_ms, 9) AS m, round(first_token_latency_ms, 9) AS f,
            calls_per_second, throughput_items_per_second, memory_usage_mb, compile_ms, arena_bytes, flops, joules, ops,
            instructions, json(device_metrics) AS d
        FROM benchmark_results ORDER BY result_id
        """;

    [Theory]
    [InlineData("parquet", false)]
    [InlineData("csv", false)]
    [InlineData("json", false)]
    [InlineData("jsonl", true)]
    [InlineData("json", true)]
    public void ImportingAFileTwiceGivesWhatWasExportedOnce(string format, bool isBatch)
    {
        var (first, second) = (StoreRecords.Run(1), StoreRecords.Run(2));
        ResultBatch[] batches =
        [
            new(first, [StoreRecords.Full(first, 1), StoreRecords.Bare(first, 2, reason: "a \"b\",\nc")]),
            new(second, [StoreRecords.Full(second, 3)]),
        ];
        Fill(batches);
        var file = folder[$"r.{format}"];
        if (!isBatch)
            Has("3 rows", Run(0, "export", "--out", file).Error);
        else if (format == "jsonl")
            File.WriteAllLines(file, batches.Select(b => b.ToJson()));
        else
        {
            using var documents = JsonDocument.Parse($"[{batches[0].ToJson()}, {batches[1].ToJson()}]");
            File.WriteAllText(file,
                JsonSerializer.Serialize(documents, new JsonSerializerOptions { WriteIndented = true }));
        }
        var copy = folder["copy.duckdb"];
        Has("3 new results; 1 file imported, 0 imported before, 0 refused",
            Run(0, "import", file, "--database", copy).Output);
        Has("0 new results; 0 files imported, 1 imported before, 0 refused",
            Run(0, "import", file, "--database", copy).Output);
        // Under another name it is the same file, and into where it came from it brings nothing.
        File.Copy(file, folder[$"oth[e]r*.{format}"]);
        Has("0 new results; 0 files imported, 1 imported before",
            Run(0, "import", folder[$"oth[e]r*.{format}"], "--database", copy).Output);
        Has("0 new results; 1 file imported", Run(0, "import", file).Output);
        Assert.Equal(Run(0, "query", "--format", "json", "--sql", Flat).Output,
            Run(0, "query", "--format", "json", "--sql", Flat, "--database", copy).Output);
        Has("nothing wrong", Run(0, "check", "--database", copy).Output);
    }

    private const string Header = "benchmark,contender,backend,machine,measured_at,latency_ms";

    /// <summary>Line numbers count from 1, as editors do.</summary>
    [Theory]
    [InlineData("a.csv", Header + "\ng,x,peer,m,2026-01-01,1\ng,x,peer,m,2026-01-01,-2\n",
        "a.csv:3: latency_ms: is -2, below 0")]
    [InlineData("a.csv", Header + "\ng,x,peer,m,2026-01-01,fast\n", "a.csv:2: latency_ms: 'fast' is no number")]
    [InlineData("a.csv", Header + "\ng,x,peer,m,2026-01-01,NaN\n", "a.csv:2: latency_ms: 'NaN' is no number")]
    [InlineData("a.csv", Header + "\ng,,peer,m,yesterday,1\n", "a.csv:2: contender: is missing")]
    [InlineData("a.csv", Header + "\ng,x,peer,m,yesterday,1\n", "a.csv:2: measured_at: 'yesterday' is no time")]
    [InlineData("a.csv", Header + "\ng,x,peer,m,1999-12-31,1\n", "a.csv:2: measured_at: is 1999-12-31")]
    [InlineData("a.csv", Header + "\ng,x,peer,m,2026-01-01,\n", "a.csv:2: latency_ms: is missing")]
    [InlineData("a.csv", Header + "\ng,x,peer,m,2026-01-01\n", "a.csv:2: has 5 fields, the header 6")]
    [InlineData("a.csv", Header + ",speed\ng,x,peer,m,2026-01-01,1,2\n", "a.csv:2: speed: is no column")]
    [InlineData("a.csv", Header + ",status\ng,x,peer,m,2026-01-01,,skipped\n", "a.csv:2: reason: is missing")]
    [InlineData("a.csv", Header + ",latency_min_ms\ng,x,peer,m,2026-01-01,1,2\n",
        "a.csv:2: latency_ms: is 1, latency_min_ms is 2")]
    [InlineData("a.csv", Header + ",threads\n\"g\n\",x,peer,m,2026-01-01,1,1\ng,x,peer,m,2026-01-01,1,0\n",
        "a.csv:4: threads: is below 1")]
    [InlineData("a.csv", Header + "\ng,\"x,peer,m,2026-01-01,1\n", "a.csv:2: a quote is not closed")]
    [InlineData("a.csv", Header + "\n", "a.csv: has no results")]
    [InlineData("a.json", "[\n{},\n{\"benchmark\": 1]", "a.json:3: ")]
    [InlineData("a.json", "{\"benchmark\": \"g\", \"contender\": \"x\"}", "a.json:1: backend: is missing")]
    [InlineData("a.jsonl", "\n[1]\n", "a.jsonl:2: is no object")]
    [InlineData("a.jsonl", "{\"run\":{\"id\":1}}\n", "a.jsonl:1: $.run.id: ")]
    [InlineData("a.jsonl", "{\"run\":{},\"results\":[]}\n", "a.jsonl:1: run.hardware: is missing")]
    [InlineData("a.parquet", "PAR1 and more", "a.parquet: ")]
    [InlineData("a.txt", "", "ends with none of")]
    public void ABadFileIsRefusedWithThePlaceAndImportsNothing(string name, string text, string error)
    {
        File.WriteAllText(folder[name], text);
        var run = Run(1, "import", folder[name]);
        Has(error, run.Error);
        Has("0 new results; 0 files imported, 0 imported before, 1 refused", run.Output);
        Assert.Equal("0\n", Csv("count(*) FROM runs"));
    }

    [Fact]
    public void EveryFieldOfABatchIsChecked()
    {
        var run = StoreRecords.Run();
        var good = StoreRecords.Full(run, 1);
        var bad = new ResultBatch(run, [good, good, good with { Id = Guid.NewGuid(), RunId = Guid.NewGuid() }]);
        Assert.Equal(["results[1].id", "results[2].run_id"], BatchCheck.Of(bad).Select(p => p.Field));
        (string Field, ResultRecord Result)[] wrong =
        [
            ("min", good with { Min = -1 }), ("median", good with { Median = double.NaN }),
            ("median", good with { Median = null }), ("p99", good with { P99 = 250 }),
            ("scenario", good with { Scenario = "batch" }), ("params", good with { Params = "[]" }),
            ("device_metrics", good with { DeviceMetrics = "{" }), ("threads", good with { Threads = 0 }),
            ("batch_size", good with { BatchSize = 0 }), ("ops", good with { Ops = -1 }),
            ("samples[1]", good with { Samples = [1, -1] }),
            ("kernels[0]", good with { Kernels = [new("k", null, -1, 1, 1, 1)] }),
            ("model.parameters", good with { Model = new("m", "cnn", -1) }), ("case_key", good with { CaseKey = "" }),
            ("reason", good with { Status = ResultStatus.Failed }), ("status", good with { Status = (ResultStatus)9 }),
            ("measured_at", good with { MeasuredAt = DateTime.UtcNow.AddDays(3) }),
            ("benchmark", good with { Benchmark = null! }),
        ];
        foreach (var (field, result) in wrong)
            Assert.Contains("results[0]." + field, BatchCheck.Of(new ResultBatch(run, [result])).Select(p => p.Field));
        Assert.Empty(BatchCheck.Of(new ResultBatch(run, [good, StoreRecords.Bare(run, 2)])));
    }

    [Fact]
    public void FoldersAreImportedAndOriginalsArchived()
    {
        Directory.CreateDirectory(folder["in/deep"]);
        File.WriteAllText(folder["in/deep/a.csv"], Header + "\ng,x,peer,m,2026-01-01,1\ng,x,peer,m,2026-01-02,2\n");
        File.WriteAllText(folder["in/bad.csv"], Header + "\ng,x,peer,m,2026-01-01,1\ng,x,peer,m,2026-01-01,0\n");
        File.WriteAllText(folder["in/notes.txt"], "not for import");
        var run = Run(1, "import", folder["in"], "--archive", folder["archive"]);
        Has("2 new results; 1 file imported, 0 imported before, 1 refused", run.Output);
        Has("bad.csv:3: latency_ms: of a measured result is above 0", run.Error);
        var archived = Assert.Single(Directory.GetFiles(folder["archive"]));
        Assert.EndsWith("-a.csv", archived, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(folder["in/deep/a.csv"]), File.ReadAllText(archived));
        // One run for the file, as no row says of which; the case is named by what there is.
        Assert.Equal("1,2026-01-01 00:00:00,f32,3\n",
            Csv("count(DISTINCT run_id), min(run_started_at), any_value(case_key), sum(latency_ms)::INT "
                + "FROM benchmark_results"));
        // What was purged comes back from the same file.
        Run(0, "purge", "--before", "2026-06-01", "--yes");
        Has("2 new results; 0 files imported, 1 imported before",
            Run(0, "import", folder["in/deep"]).Output);
    }

    [Theory]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration")]
    [InlineData("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration")]
    [InlineData("SELECT * FROM read_blob('/proc/self/environ')", "disabled by configuration")]
    [InlineData("SELECT * FROM glob('/etc/*')", "disabled by configuration")]
    [InlineData("SELECT * FROM '/etc/passwd'", "does not exist")]
    [InlineData("SELECT * FROM read_parquet('http://127.0.0.1:9/x')", "disabled by configuration")]
    [InlineData("COPY runs TO 'OUT'", "disabled by configuration")]
    [InlineData("EXPORT DATABASE 'OUT'", "disabled by configuration")]
    [InlineData("ATTACH 'OUT'", "disabled by configuration")]
    [InlineData("ATTACH ':memory:' AS m", "read-only")]
    [InlineData("INSTALL httpfs", "disabled by configuration")]
    [InlineData("LOAD httpfs", "disabled through configuration")]
    [InlineData("SET enable_external_access = true", "locked")]
    [InlineData("SET temp_directory = 'OUT'", "locked")]
    [InlineData("PRAGMA profiling_output = 'OUT'", "locked")]
    [InlineData("DELETE FROM runs", "read-only")]
    [InlineData("INSERT INTO imports VALUES ('a', 'b', 'c', now(), 0)", "read-only")]
    [InlineData("DROP VIEW benchmark_runs", "read-only")]
    [InlineData("CREATE TABLE t (i INTEGER)", "read-only")]
    [InlineData("SELECT 1; SELECT 2", "more than one statement")]
    [InlineData("SELEC 1", "syntax error")]
    [InlineData("", "")]
    public void AQueryReadsTheDatabaseAndNothingElse(string sql, string error)
    {
        Fill(StoreRecords.Batch(StoreRecords.Run(), 1));
        var run = Run(1, "query", "--sql", sql.Replace("OUT", folder["out"], StringComparison.Ordinal));
        Assert.Equal("", run.Output);
        Has(error, run.Error);
        Assert.DoesNotContain("root:", run.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(folder["out"]));
        Assert.Equal("1,1\n", Csv("(SELECT count(*) FROM runs), (SELECT count(*) FROM benchmark_runs)"));
    }

    [Fact]
    public void AQueryHasALimitOfTimeAndOfRows()
    {
        Fill();
        var clock = Stopwatch.StartNew();
        var run = Run(1, "query", "--timeout", "0.000001", "--sql",
            "SELECT sum(range % 7) FROM range(1000000000000)");
        Has("stopped after ", run.Error);
        clock.Restart();
        run = Run(1, "query", "--timeout", "0.3", "--sql",
            "SELECT sum(range % 7) FROM range(1000000000000)");
        Has("stopped after 0.3 s", run.Error);
        // Without the limit it takes days.
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.3, 60);
        run = Run(0, "query", "--limit", "3", "--format", "csv", "--sql", "SELECT range AS r FROM range(1e12::BIGINT)");
        Assert.Equal("r\n0\n1\n2\n", run.Output);
        Assert.Equal("note: there are more than 3 rows; --limit N reads more\n", run.Error);
        Assert.Equal("", Run(0, "query", "--limit", "3", "--sql", "SELECT range AS r FROM range(3)").Error);
        Run(2, "query", "--timeout", "0", "--sql", "SELECT 1");
        Run(2, "query", "--limit", "0", "--sql", "SELECT 1");
        Run(2, "query", "--format", "xml", "--sql", "SELECT 1");
    }

    [Fact]
    public void RowsArePrintedAsTableJsonAndCsv()
    {
        Fill();
        const string Sql = """
            SELECT 'a,"b"' AS t, 1 / 3 AS x, NULL AS n, true AS b, 2::BIGINT AS i,
                TIMESTAMP '2026-01-02 03:04:05.5' AS d, [1, 2] AS l, 'inf'::DOUBLE AS f
            """;
        Assert.Equal("""
            t             x  n     b  i                      d      l         f
            a,"b"  0.333333  -  true  2  2026-01-02 03:04:05.5  [1,2]  Infinity

            """, Run(0, "query", "--sql", Sql).Output);
        Assert.Equal(""""
            t,x,n,b,i,d,l,f
            "a,""b""",0.3333333333333333,,true,2,2026-01-02 03:04:05.5,"[1,2]",Infinity

            """", Run(0, "query", "--format", "csv", "--sql", Sql).Output);
        Assert.Equal("""
            [{"t":"a,\"b\"","x":0.3333333333333333,"n":null,"b":true,"i":2,"d":"2026-01-02 03:04:05.5",
            """ + """
            "l":"[1,2]","f":"Infinity"}]

            """, Run(0, "query", "--format", "json", "--sql", Sql).Output);
    }

    [Fact]
    public void BackupsAreComparedKeptAndRestored()
    {
        var runs = Enumerable.Range(1, 5).Select(n => StoreRecords.Run(n)).ToList();
        Fill([.. runs.Select(r => StoreRecords.Batch(r, 1, 2))]);
        for (var i = 0; i < 3; i++)
        {
            var output = Run(0, "backup", "--to", folder["backups"], "--restore-drill", "--keep", "2").Output;
            Assert.Matches(@"results +10 +10 +equal\n", output);
            Assert.DoesNotContain("different", output, StringComparison.Ordinal);
            Assert.Equal(i == 2, output.Contains("deleted ", StringComparison.Ordinal));
        }
        var kept = DatabaseCopy.Backups(Database, folder["backups"]);
        Assert.Equal(2, kept.Count);
        Assert.True(new FileInfo(kept[0]).Length < new FileInfo(Database).Length / 4);
        using (var gzip = new GZipStream(File.OpenRead(kept[0]), CompressionMode.Decompress))
        using (var restored = File.Create(folder["restored.duckdb"]))
            gzip.CopyTo(restored);
        Assert.Equal(Run(0, "query", "--sql", Flat).Output,
            Run(0, "query", "--sql", Flat, "--database", folder["restored.duckdb"]).Output);
        Has("nothing wrong", Run(0, "check", "--database", folder["restored.duckdb"]).Output);
        // The drill sees what is lost: a backup of another state.
        Run(0, "purge", "--run", runs[0].Id.ToString(), "--yes");
        using var connection = ReadOnlyQuery.Open(Database);
        Has("results (8 rows, 10 rows)",
            DatabaseCopy.Different(DatabaseCopy.Contents(connection), DatabaseCopy.Restored(kept[0])));
        File.WriteAllText(folder["x.duckdb.gz"], "no backup");
        Assert.Throws<StoreException>(() => DatabaseCopy.Restored(folder["x.duckdb.gz"]));
    }

    [Fact]
    public void VacuumKeepsEverythingButTheRoom()
    {
        Fill([.. SampleData.Batches(runs: 8, resultsOfRun: 200, models: 5, machines: 2, seed: 3)]);
        using (var store = DuckDbStore.Open(Database))
            store.Append(StoreRecords.Batch(StoreRecords.Run(), 1, 2));
        Run(0, "purge", "--simulated", "--yes");
        var (rows, size) = (Run(0, "query", "--sql", Flat).Output, new FileInfo(Database).Length);
        File.CreateSymbolicLink(folder["link.duckdb"], Database);
        Has(" -> ", Run(0, "vacuum", "--database", folder["link.duckdb"]).Output);
        Assert.NotNull(new FileInfo(folder["link.duckdb"]).LinkTarget);
        Assert.True(new FileInfo(Database).Length < size);
        Assert.Equal(rows, Run(0, "query", "--sql", Flat).Output);
        Assert.Equal("8\n", Csv("count(*) FROM benchmark_samples"));
        Has("nothing wrong", Run(0, "check").Output);
        Has("optimised", Run(0, "optimise").Output);
        Assert.Equal(rows, Run(0, "query", "--sql", Flat).Output);
        Assert.Equal([Path.GetFileName(Database), "link.duckdb"], Directory.GetFiles(folder.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void PurgeAsksAndThenDeletes()
    {
        var (first, second, made) = (StoreRecords.Run(1), StoreRecords.Run(2), StoreRecords.Run(3, simulated: true));
        Fill(StoreRecords.Batch(first, 1), StoreRecords.Batch(second, 1, 2), StoreRecords.Batch(made, 1, 2, 3));
        Has("takes --before", Run(2, "purge").Error);
        Run(2, "purge", "--before", "yesterday");
        Run(2, "purge", "--run", "x");
        var asked = Run(1, "purge", "--simulated").Error;
        Has("1 run with 3 results would be deleted", asked);
        Has("--yes deletes them", asked);
        Assert.Equal("3\n", Csv("count(*) FROM runs"));
        Has("deleted 1 run with 3 results", Run(0, "purge", "--simulated", "--yes").Output);
        Has("deleted 1 run with 2 results",
            Run(0, "purge", "--run", second.Id.ToString(), "--yes").Output);
        Has("deleted 0 runs", Run(0, "purge", "--before", "2026-03-04").Output);
        Assert.Equal($"{first.Id}\n", Csv("run_id FROM benchmark_runs"));
        Has("deleted 1 run with 1 result\n", Run(0, "purge", "--before", "2026-03-05", "--yes").Output);
    }

    [Fact]
    public void CheckReportsAPlantedValue()
    {
        Fill(StoreRecords.Batch(StoreRecords.Run(), 1, 2));
        Has("schema 3, nothing wrong", Run(0, "check").Output);
        using (var store = DuckDbStore.Open(Database))
            store.Connection.Execute("UPDATE results SET compile_ms = -5 WHERE case_key = 'm2_f32'");
        var id = StoreRecords.Full(StoreRecords.Run(), 2).Id;
        Assert.Equal($"results: compile_ms is negative or no number: 1 row, one is {id}\n",
            Run(1, "check").Output);
    }

    [Fact]
    public void OneResultIsAddedFromOptions()
    {
        Has("added result", Run(0, "add", "--benchmark", "gemm", "--contender", "openblas", "--latency-ms",
            "3.5", "--model", "net", "--architecture", "mlp", "--parameters", "5000000", "--batch", "8", "--sequence",
            "128", "--measured-at", "2026-11-30T12:00:00+02:00", "--device-metrics", "{\"a\":1}").Output);
        Assert.Equal($"3.5,net,small,b8_s128_f32,peer,2026-11-30 10:00:00,1,{Machine.This.Fingerprint}\n",
            Csv("latency_ms, model_name, size_class, case_key, backend, measured_at, device_metrics->'a', machine "
                + "FROM performance_results"));
        Run(0, "add", "--benchmark", "gemm", "--contender", "x", "--status", "skipped", "--reason", "no",
            "--simulated");
        Assert.Equal("1,2\n", Csv("(SELECT count(*) FROM benchmark_results), (SELECT count(*) FROM results)"));
        Has("--latency-ms 'a' is no number",
            Run(2, "add", "--benchmark", "gemm", "--contender", "x", "--latency-ms", "a").Error);
        Has("--contender", Run(2, "add", "--benchmark", "gemm").Error);
    }

    [Fact]
    public void SampleDataIsSeenByThoseWhoAsk()
    {
        Has("240 simulated results", Run(0, "init", "--sample-data").Output);
        Has("0 simulated results", Run(0, "init", "--sample-data").Output);
        Assert.Equal("0,240\n", Csv("(SELECT count(*) FROM performance_results), "
            + "(SELECT count(*) FROM performance_results_with_simulated)"));
        Has("nothing wrong", Run(0, "check").Output);
        var stats = Run(0, "stats").Output;
        Assert.Matches(@"results +240\n", stats);
        Assert.Matches(@"simulated +240 results\n", stats);
        Assert.Matches("measured +2026-01-01 00:00:00 to 2026-01-01 ", stats);
        Has("schema 3 already", Run(0, "migrate").Output);
    }

    [Fact]
    public void WhatWaitsInTheSpoolIsPartOfTheDatabase()
    {
        Fill(StoreRecords.Batch(StoreRecords.Run(1), 1));
        Spool.Append(Database, StoreRecords.Batch(StoreRecords.Run(2), 1));
        Assert.Equal("2\n", Csv("count(*) FROM benchmark_runs"));
        Spool.Append(Database, StoreRecords.Batch(StoreRecords.Run(3), 1));
        Has("merged what was spooled: 1 new result\n", Run(0, "migrate").Error);
    }

    [Fact]
    public void BatchesThroughStandardInputAreAcknowledged()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var first = StoreRecords.Batch(StoreRecords.Run(1), 1, 2);
        var second = StoreRecords.Batch(StoreRecords.Run(2), 1);
        var wrong = second with { Run = second.Run with { Command = null! } };
        var text = $"{first.ToJson()}\n\n{first.ToJson()}\n{wrong.ToJson()}\n{second.ToJson()}\n";
        var refused = Assert.Throws<CliException>(
            () => DbImport.Stream(new(output, error), Database, new StringReader(text)));
        Assert.Equal("line 4: run.command: is missing", refused.Message);
        Assert.Equal($"kept {first.Run.Id}: 2 new results\nkept {first.Run.Id}: 0 new results\n", output.ToString());
        Assert.Equal("1\n", Csv("count(*) FROM runs"));
    }

    [Theory]
    [InlineData("there is no command 'frob'", "frob")]
    [InlineData("did you mean 'import'?", "imprt")]
    [InlineData("there is no command\n  = help: accc db --help")]
    [InlineData("did you mean --sql?", "query", "--sqll", "SELECT 1")]
    [InlineData("accc db query --help lists the options", "query", "--frobnicate")]
    public void WrongCommandLinesAreUsageErrors(string message, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(ExitCodes.Usage, Accc.Run(["db", .. args], output, error));
        Has(message, error.ToString());
    }

    [Theory]
    [InlineData("query", "--sql", "SELECT 1")]
    [InlineData("stats")]
    [InlineData("check")]
    [InlineData("purge", "--simulated")]
    [InlineData("vacuum")]
    [InlineData("backup")]
    [InlineData("export", "--out", "x.csv")]
    public void WhatReadsADatabaseMakesNone(params string[] args)
    {
        Has("there is no database", Run(1, args).Error);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void ExportNamesWhatThereIs()
    {
        Fill();
        Has("did you mean 'benchmark_runs'?",
            Run(2, "export", "--view", "benchmark_run", "--out", folder["x.csv"]).Error);
        Run(2, "export", "--out", folder["x.xml"]);
        Has("there is no folder", Run(1, "export", "--out", folder["no/x.csv"]).Error);
        Run(0, "export", "--view", "models", "--format", "csv", "--out", folder["x"]);
        Assert.Equal("id,name,architecture,size_class,parameter_count\n", File.ReadAllText(folder["x"]));
    }

    [Fact]
    public void TheBenchmarkOfTheDatabasePrintsItsTable()
    {
        var lines = Run(0, "bench", "--rows", "1000").Output.Split('\n');
        Assert.Equal("1000 results of 1 run, 50 models, 10 machines, 10 samples a result", lines[0]);
        Assert.Equal(["import", "size", "newest run: its results", "median by model and contender",
            "best of a machine, by case"], lines[3..8].Select(l => l.Split("  ")[0]));
        Run(2, "bench", "--rows", "999");
    }

    /// <summary>Blocks of docs/BENCH_DATABASE.md, one after another on one database.</summary>
    [Fact]
    public void TheDocumentShowsRealOutput()
    {
        var path = Path.Combine(Shared.Repository, "docs", "BENCH_DATABASE.md");
        var blocks = File.ReadAllText(path).ReplaceLineEndings("\n").Split("```console\n").Skip(1)
            .SelectMany(b => b[..b.IndexOf("```", StringComparison.Ordinal)].Split("$ ./accc ").Skip(1)).ToList();
        Assert.True(blocks.Count >= 7);
        foreach (var block in blocks)
        {
            var line = block[..block.IndexOf('\n')];
            // Single quotes group, and stand around the last word.
            var parts = line.Split('\'');
            string[] words = [.. parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries), .. parts.Skip(1).Take(1)];
            var (output, error) = (new StringWriter(), new StringWriter());
            Accc.Run([.. words, "--database", folder["benchmarks.duckdb"]], output, error);
            Assert.Equal(block[(block.IndexOf('\n') + 1)..],
                $"{output}{error}".Replace(folder.Root + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
        }
    }

    /// <summary>70 MB that every command would otherwise wait for; the loader itself says what it loads.</summary>
    [LinuxFact]
    public void DuckDbIsLoadedByCommandsOnDatabasesAlone()
    {
        Assert.DoesNotContain("libduckdb", Loaded("--help"), StringComparison.Ordinal);
        Assert.DoesNotContain("libduckdb", Loaded("env"), StringComparison.Ordinal);
        Assert.DoesNotContain("libduckdb", Loaded("db", "--help"), StringComparison.Ordinal);
        Has("libduckdb", Loaded("db", "init"));
        Assert.True(File.Exists(Database)); // by ACC_BENCH_DB
    }

    private string Loaded(params string[] args)
    {
        var start = ChildProcess.StartInfo(args);
        start.Environment["LD_DEBUG"] = "files";
        start.Environment["LD_DEBUG_OUTPUT"] = folder["loaded"];
        start.Environment[ResultStores.Variable] = Database;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error + output.Result);
        var files = Directory.GetFiles(folder.Root, "loaded.*");
        var text = string.Concat(files.Select(File.ReadAllText));
        Has("libcoreclr", text);
        foreach (var file in files) File.Delete(file);
        return text;
    }

    private static void Has(string expected, string actual) =>
        Assert.Contains(expected, actual, StringComparison.Ordinal);

    private void Fill(params ResultBatch[] batches)
    {
        using var store = DuckDbStore.Open(Database);
        store.Append(batches);
    }

    /// <summary>Rows of a query without their header.</summary>
    private string Csv(string select) =>
        string.Join('\n', Run(0, "query", "--format", "csv", "--sql", "SELECT " + select).Output.Split('\n').Skip(1));

    private (string Output, string Error) Run(int code, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        string[] database = args[0] == "bench" || args.Contains("--database") ? [] : ["--database", Database];
        var got = Accc.Run(["db", .. args, .. database], output, error);
        Assert.True(got == code, $"exit code {got}, not {code}\n{output}\n{error}");
        return (output.ToString(), error.ToString());
    }
}
