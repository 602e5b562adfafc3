// The database of results: what goes in comes out, whoever else writes, and whatever happens to the process.
using System.Globalization;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;
using Accelerate.Tests.Support;
using DuckDB.NET.Data;

namespace Accelerate.Tests.Bench;

public class StoreTests
{
    [Fact]
    public void ABatchComesBackWithEveryField()
    {
        using var folder = new TemporaryFolder();
        var (first, second) = (StoreRecords.Run(1), StoreRecords.Run(2));
        ResultBatch[] batches =
        [
            new(first, [StoreRecords.Full(first, 2), StoreRecords.Bare(first, 1)]),
            new(second, [StoreRecords.Full(second, 3)]),
        ];
        using (var store = DuckDbStore.Open(folder["b.duckdb"]))
            foreach (var batch in batches) store.Append(batch);
        using var reopened = DuckDbStore.Open(folder["b.duckdb"]);
        // A line of JSON has every field, or the spool would lose some.
        Assert.Equal([Json(second, []), Json(first, [])], reopened.Runs(new()).Select(r => Json(r, [])));
        // In the order of measurement, which is not that of the batch.
        Assert.Equal(Json(first, [batches[0].Results[1], batches[0].Results[0]]),
            Json(first, reopened.Results(new(Run: first.Id), details: true)));
        Assert.Equal(Json(second, batches[1].Results), Json(second, reopened.Results(new(second.Id), details: true)));
        Assert.All(reopened.Results(new()), r => Assert.True(r.Samples.Count == 0 && r.Kernels.Count == 0));
    }

    /// <summary>No field of the records is missing in the fixture, so none can be forgotten in the columns.</summary>
    [Fact]
    public void TheFixtureHasAllFields()
    {
        var (full, bare) = (StoreRecords.Full(StoreRecords.Run(), 1), StoreRecords.Bare(StoreRecords.Run(), 2));
        string[] same = ["Id", "RunId", "Status", "Reason"];
        foreach (var property in typeof(ResultRecord).GetProperties().Where(p => p.CanWrite && !same.Contains(p.Name)))
            Assert.False(Equals(property.GetValue(full) ?? "", property.GetValue(bare) ?? ""), property.Name);
    }

    [Fact]
    public void FiltersPassWhatTheyName()
    {
        using var folder = new TemporaryFolder();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        var (first, second, made) = (StoreRecords.Run(1), StoreRecords.Run(2), StoreRecords.Run(3, simulated: true));
        store.Append(new(first, [StoreRecords.Full(first, 1), StoreRecords.Bare(first, 2)]));
        store.Append(new(second, [StoreRecords.Full(second, 3)]));
        store.Append(new(made, [StoreRecords.Full(made, 4)]));
        int[] Numbers(ResultFilter filter) =>
            [.. store.Results(filter).Select(r => BitConverter.ToInt32(r.Id.ToByteArray(), 12))];
        long[] Seeds(ResultFilter filter) => [.. store.Runs(filter).Select(r => r.Seed)];

        Assert.Equal([1, 2, 3], Numbers(new()));
        Assert.Equal([1, 2, 3, 4], Numbers(new(Simulated: true)));
        Assert.Equal([3], Numbers(new(Run: second.Id)));
        Assert.Equal([1, 2], Numbers(new(Commit: "c0ffee1")));
        Assert.Equal([1, 2, 3], Numbers(new(Commit: "c0ff")));
        Assert.Equal([], Numbers(new(Machine: "f00")));
        Assert.Equal([1, 2, 3], Numbers(new(Machine: "f00d")));
        Assert.Equal([1, 3], Numbers(new(Benchmark: "gemm")));
        Assert.Equal([2], Numbers(new(Contender: "onnxruntime")));
        Assert.Equal([1, 3], Numbers(new(Model: "resnet50")));
        Assert.Equal([1, 2], Numbers(new(Suite: "quick")));
        Assert.Equal([1], Numbers(new(Suite: "quick", Benchmark: "gemm", Contender: "llvm direct")));

        Assert.Equal([1002, 1001], Seeds(new()));
        Assert.Equal([1003, 1002, 1001], Seeds(new(Simulated: true)));
        Assert.Equal([1001], Seeds(new(Contender: "onnxruntime")));
        Assert.Equal([1002, 1001], Seeds(new(Model: "resnet50")));
        Assert.Equal([], Seeds(new(Model: "vgg")));
    }

    [Fact]
    public void AResultIsKeptOnceAndABadBatchNotAtAll()
    {
        using var folder = new TemporaryFolder();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        var run = StoreRecords.Run();
        Assert.Equal(2, store.Append([StoreRecords.Batch(run, 1, 2)]));
        Assert.Equal(1, store.Append([StoreRecords.Batch(run, 2, 3)]));
        // The second batch claims another run for its result: the first must not stay either.
        var other = StoreRecords.Run(2);
        Assert.Throws<StoreException>(() => store.Append(
            [StoreRecords.Batch(other, 5), new(other, [StoreRecords.Full(other, 6), StoreRecords.Full(run, 4)])]));
        Assert.Equal(3, store.Results(new()).Count);
        Assert.Single(store.Runs(new()));
        // The id of another run's result is the engine's to refuse.
        var stolen = StoreRecords.Full(other, 7) with { Id = StoreRecords.Full(run, 1).Id };
        Assert.Throws<StoreException>(() => store.Append(new ResultBatch(other, [stolen])));
        store.Append(StoreRecords.Batch(other, 5));
        Assert.Equal(4, store.Results(new()).Count);
    }

    [Fact]
    public void WrongAndFailedResultsRaiseAlerts()
    {
        using var folder = new TemporaryFolder();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        var run = StoreRecords.Run();
        store.Append(new ResultBatch(run,
        [
            StoreRecords.Full(run, 1), StoreRecords.Bare(run, 2, "a", ResultStatus.Wrong, "off by 1"),
            StoreRecords.Bare(run, 3, "b", ResultStatus.Failed, "killed"), StoreRecords.Bare(run, 4),
        ]));
        Assert.Equal(["failed softmax n8 by b: killed", "wrong softmax n8 by a: off by 1"],
            store.Connection.Rows("SELECT kind, message FROM alerts ORDER BY kind",
                row => $"{row.Get<string>("kind")} {row.Get<string>("message")}"));
    }

    /// <summary>Limits of the size classes as the issue and ModelRecord state them.</summary>
    [Theory]
    [InlineData(999_999, "tiny")]
    [InlineData(1_000_000, "small")]
    [InlineData(25_557_032, "medium")]
    [InlineData(355_000_000, "large")]
    [InlineData(7_000_000_000, "xl")]
    [InlineData(70_000_000_000, "xxl")]
    public void ModelsHaveASizeClass(long parameters, string expected)
    {
        using var folder = new TemporaryFolder();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        var run = StoreRecords.Run();
        store.Append(new ResultBatch(run,
            [StoreRecords.Full(run, 1) with { Model = new("m", "transformer", parameters) }]));
        Assert.Equal((expected, parameters), store.Connection.Rows("SELECT size_class, parameter_count FROM models",
            row => (row.Get<string>("size_class"), row.Get<long>("parameter_count"))).Single());
        Assert.Empty(DatabaseCheck.Problems(store.Connection));
    }

    [Fact]
    public void ADatabaseOfTheFirstVersionIsBroughtForward()
    {
        using var folder = new TemporaryFolder();
        var path = folder["old.duckdb"];
        using (var old = DuckDbStore.Connect(path, TimeSpan.Zero))
        {
            Assert.Equal([1], Schema.Migrate(old, path, target: 1));
            Assert.Equal(1, Schema.Version(old));
            old.Execute("INSERT INTO models VALUES ('x', 'vgg', 'cnn', 'large', 138357544)");
            old.Execute("""
                INSERT INTO hardware_platforms VALUES ('h', 'f', 'cpu', 'c', 1, 1, [], '{}', NULL);
                INSERT INTO environments VALUES ('e', 'os', 'net', NULL, NULL, 'b');
                INSERT INTO runs VALUES ('00000000-0000-0000-0000-000000000001', '2026-01-01', 'c', NULL, 0, 'h', 'e',
                    false);
                """);
        }
        // Reading alone changes nothing, and says what does.
        var refused = Assert.Throws<StoreException>(() => ReadOnlyQuery.Open(path));
        Assert.Contains("schema 1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("accc db migrate", refused.Help, StringComparison.Ordinal);
        using (var store = DuckDbStore.Open(path))
        {
            Assert.Equal([2, 3], store.Migrated);
            Assert.Single(store.Runs(new()));
            Assert.Equal(1, store.Connection.Scalar<long>("SELECT count(*) FROM benchmark_runs"));
            Assert.Equal(138357544, store.Connection.Scalar<long>("SELECT parameter_count FROM models"));
            Assert.Empty(DatabaseCheck.Problems(store.Connection));
        }
        using (var store = DuckDbStore.Open(path)) Assert.Empty(store.Migrated);
    }

    [Fact]
    public void DatabasesOfOthersAreRefusedAndLeft()
    {
        using var folder = new TemporaryFolder();
        using (var store = DuckDbStore.Open(folder["newer.duckdb"]))
            store.Connection.Execute("INSERT INTO schema_versions VALUES (99, now()::TIMESTAMP, 'of the future')");
        var newer = Assert.Throws<StoreException>(() => DuckDbStore.Open(folder["newer.duckdb"]));
        Assert.Contains("schema 99", newer.Message, StringComparison.Ordinal);
        using (var cats = DuckDbStore.Connect(folder["other.duckdb"], TimeSpan.Zero))
            cats.Execute("CREATE TABLE cats (name VARCHAR)");
        var other = Assert.Throws<StoreException>(() => DuckDbStore.Open(folder["other.duckdb"]));
        Assert.Contains("not of benchmarks", other.Message, StringComparison.Ordinal);
        File.WriteAllText(folder["text"], new string('x', 50_000));
        Assert.Contains("no DuckDB database",
            Assert.Throws<StoreException>(() => DuckDbStore.Open(folder["text"])).Message, StringComparison.Ordinal);
        Assert.Equal(new string('x', 50_000), File.ReadAllText(folder["text"]));
        Assert.Contains("there is no database", Assert.Throws<StoreException>(
            () => DuckDbStore.Open(folder["none.duckdb"], create: false)).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<StoreException>(() => DuckDbStore.Open(folder.Root)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A migration that fails leaves the database at the step before it.</summary>
    [Fact]
    public void AStepOfTheSchemaIsTakenWholeOrNot()
    {
        using var folder = new TemporaryFolder();
        using var connection = DuckDbStore.Connect(folder["b.duckdb"], TimeSpan.Zero);
        Schema.Migrate(connection, "b", target: 1);
        // What the second statement of the second step makes is there already.
        connection.Execute("CREATE TABLE imports (x INTEGER)");
        Assert.Throws<DuckDBException>(() => Schema.Migrate(connection, "b"));
        Assert.Equal(1, Schema.Version(connection));
        Assert.Equal(0, connection.Scalar<long>("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'alerts'"));
    }

    [Fact]
    public void ViewsHaveTheColumnsThatUsersKnow()
    {
        using var folder = new TemporaryFolder();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        string[] known =
        [
            "model_id", "model_name", "device", "hardware_type", "architecture_type", "parameter_count", "batch_size",
            "sequence_length", "precision", "latency_ms", "throughput_samples_per_sec", "throughput_items_per_second",
            "memory_usage_mb", "first_token_latency_ms", "peak_memory_mb", "device_metrics", "run_id", "commit",
            "machine", "contender", "backend", "threads", "case_key",
        ];
        foreach (var view in (string[])["benchmark_results", "performance_results"])
            Assert.Empty(known.Except(Columns(store, view)));
        Assert.Empty(((string[])["run_id", "started_at", "command", "suite", "commit", "machine", "results"])
            .Except(Columns(store, "benchmark_runs")));
        Assert.Equal("BIGINT", store.Connection.Scalar<string>(
            "SELECT data_type FROM duckdb_columns() WHERE table_name = 'models' AND column_name = 'parameter_count'"));
        Assert.Equal("JSON", store.Connection.Scalar<string>("SELECT data_type FROM duckdb_columns() "
            + "WHERE table_name = 'benchmark_results' AND column_name = 'device_metrics'"));
    }

    /// <summary>By hand from the fixture: 200.2 + 1 us, 8 items a call, 8.2e9 operations, 1.02e8 bytes.</summary>
    [Fact]
    public void ViewsComputeWhatRecordsDo()
    {
        using var folder = new TemporaryFolder();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        var run = StoreRecords.Run();
        store.Append(new ResultBatch(run, [StoreRecords.Full(run, 1), StoreRecords.Bare(run, 2)]));
        var made = StoreRecords.Run(2, simulated: true);
        store.Append(StoreRecords.Batch(made, 3));
        double Value(string column) => store.Connection.Scalar<double>($"SELECT {column} FROM performance_results");
        Assert.Equal(0.2012, Value("latency_ms"), 1e-12);
        Assert.Equal(12.0005, Value("first_token_latency_ms"), 1e-12);
        Assert.Equal(4995.004995 * 8, Value("throughput_samples_per_sec"), 1e-6);
        Assert.Equal(39960.03996, Value("throughput_items_per_second"), 1e-6);
        Assert.Equal(40755.467, Value("gflops"), 1e-3); // 8.2e9 / 201.2e-6 / 1e9
        Assert.Equal(506.958, Value("gb_per_second"), 1e-3); // 1.02e8 / 201.2e-6 / 1e9
        Assert.Equal(30992.75, Value("peak_percent"), 1e-2); // 40755.467 / 131.5 * 100
        long Count(string view) => store.Connection.Scalar<long>($"SELECT count(*) FROM {view}");
        Assert.Equal((1, 2, 1), (Count("performance_results"), Count("benchmark_results"), Count("benchmark_runs")));
        Assert.Equal((2, 3, 2), (Count("performance_results_with_simulated"), Count("benchmark_results_with_simulated"),
            Count("benchmark_runs_with_simulated")));
        Assert.Equal((4, 2), (Count("benchmark_samples"), Count("benchmark_kernels")));
        Assert.Equal("1:200.2 2:100.1 3:0.30000000000000004 4:500.5", store.Connection.Scalar<string>("SELECT "
            + "string_agg(position || ':' || microseconds, ' ' ORDER BY position) FROM benchmark_samples"));
        Assert.Equal((2L, 1L, 1L), store.Connection.Rows("SELECT results, measured, skipped FROM benchmark_runs",
            row => (row.Get<long>("results"), row.Get<long>("measured"), row.Get<long>("skipped"))).Single());
    }

    [Fact]
    public void PurgedRunsAreGoneAndOthersStay()
    {
        using var folder = new TemporaryFolder();
        var (first, second) = (StoreRecords.Run(1), StoreRecords.Run(2));
        using (var store = DuckDbStore.Open(folder["b.duckdb"]))
        {
            store.Append(StoreRecords.Batch(first, 1, 2));
            store.Append(new ResultBatch(second,
            [
                StoreRecords.Full(second, 3) with { Model = null },
                StoreRecords.Bare(second, 4, "x", ResultStatus.Wrong),
            ]));
            store.Delete([first.Id]);
            Assert.Equal([second.Id], store.Runs(new()).Select(r => r.Id));
            Assert.Equal(2, store.Results(new()).Count);
            Assert.Equal((0, 1, 1, 2, 1), Counts(store));
            Assert.Empty(DatabaseCheck.Problems(store.Connection));
            // What was purged can come back.
            store.Append(StoreRecords.Batch(first, 1, 2));
            Assert.Equal(4, store.Results(new()).Count);
            // As a process leaves it that was ended right after the first transaction of a purge.
            store.Connection.Execute("INSERT INTO purged_runs VALUES ($run)", ("run", second.Id));
            Assert.Equal([first.Id], store.Runs(new()).Select(r => r.Id));
            Assert.Equal(2, store.Results(new()).Count);
            Assert.Equal(2, store.Connection.Scalar<long>("SELECT count(*) FROM benchmark_results"));
        }
        using (var store = DuckDbStore.Open(folder["b.duckdb"])) Assert.Equal((1, 1, 1, 2, 0), Counts(store));
    }

    [Fact]
    public void CheckFindsWhatCannotBe()
    {
        using var folder = new TemporaryFolder();
        var run = StoreRecords.Run();
        using var store = DuckDbStore.Open(folder["b.duckdb"]);
        store.Append(StoreRecords.Batch(run, 1, 2));
        Assert.Empty(DatabaseCheck.Problems(store.Connection));
        // The engine refuses orphans: a copy without its constraints has some, as other programs make them.
        store.Connection.Execute("CREATE TABLE samples_2 AS FROM samples; DROP TABLE samples; "
            + "ALTER TABLE samples_2 RENAME TO samples");
        store.Connection.Execute("INSERT INTO samples VALUES ($id, [1, -2])", ("id", StoreRecords.Id(9, 9)));
        store.Connection.Execute("UPDATE results SET p90_us = -1 WHERE case_key = 'm1_f32'");
        store.Connection.Execute("UPDATE models SET size_class = 'tiny'");
        var found = DatabaseCheck.Problems(store.Connection).Select(p => $"{p.Where}: {p.Problem} ({p.Rows})");
        Assert.Equal(
        [
            "models: size_class is not that of parameter_count (1)", "results: p90_us is negative or no number (1)",
            "results: quantiles fall (1)", "samples.result_id: is no foreign key to results ()",
            "samples.result_id: refers to no row of results (1)", "samples: a sample is negative or no number (1)",
            "samples: has no primary key result_id ()",
        ], found.Order(StringComparer.Ordinal));
        store.Connection.Execute("DROP VIEW benchmark_kernels");
        Assert.Equal(["benchmark_kernels is missing"],
            DatabaseCheck.Problems(store.Connection).Select(p => $"{p.Where} {p.Problem}"));
    }

    private static (long Models, long Machines, long Runs, long Results, long Alerts) Counts(DuckDbStore store)
    {
        long Of(string table) => store.Connection.Scalar<long>($"SELECT count(*) FROM {table}");
        return (Of("models"), Of("hardware_platforms"), Of("runs"), Of("results"), Of("alerts"));
    }

    private static List<string> Columns(DuckDbStore store, string view) =>
        store.Connection.Rows($"DESCRIBE {view}", row => row.Get<string>("column_name"));

    private static string Json(RunRecord run, IReadOnlyList<ResultRecord> results) =>
        string.Create(CultureInfo.InvariantCulture, $"{new ResultBatch(run, results).ToJson()}");
}
