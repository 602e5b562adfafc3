// In: a result. Out: its row of the table of results, and the reverse.
using System.Collections.Immutable;
using System.Text.Json;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

/// <summary>The columns of `results` in the order of the table, which DuckDB's appender requires.</summary>
internal static class ResultColumns
{
    public static ImmutableArray<(string Name, Func<ResultRecord, object?> Value)> All { get; } =
    [
        ("id", r => r.Id), ("run_id", r => r.RunId), ("position", _ => null), ("measured_at", r => r.MeasuredAt),
        ("benchmark", r => r.Benchmark), ("category", r => r.Category), ("case_key", r => r.CaseKey),
        ("params", r => r.Params), ("contender", r => r.Contender), ("backend", r => r.Backend),
        ("device", r => r.Device), ("precision", r => r.Precision), ("threads", r => r.Threads),
        ("opt_level", r => r.OptLevel), ("target", r => r.Target), ("batch_size", r => r.BatchSize),
        ("sequence_length", r => r.SequenceLength), ("scenario", r => r.Scenario), ("block", r => r.Block),
        ("model_id", r => r.Model is { } model ? ParentRows.Id(model) : null), ("status", r => Text(r.Status)),
        ("reason", r => r.Reason), ("checked", r => r.Checked), ("max_error", r => r.MaxError),
        ("rechecked", r => r.Rechecked), ("min_us", r => r.Min), ("median_us", r => r.Median), ("p90_us", r => r.P90),
        ("p99_us", r => r.P99), ("max_us", r => r.Max), ("cpu_us", r => r.Cpu),
        ("calls_per_second", r => r.CallsPerSecond), ("items_per_second", r => r.ItemsPerSecond),
        ("first_token_us", r => r.FirstToken), ("next_token_us", r => r.NextToken), ("compile_ms", r => r.CompileMs),
        ("first_result_ms", r => r.FirstResultMs), ("arena_bytes", r => r.ArenaBytes), ("memory_mb", r => r.MemoryMb),
        ("peak_memory_mb", r => r.PeakMemoryMb), ("allocated_bytes", r => r.AllocatedBytes), ("flops", r => r.Flops),
        ("bytes", r => r.Bytes), ("peak_gflops", r => r.PeakGflops), ("joules", r => r.Joules), ("ops", r => r.Ops),
        ("kernel_count", r => r.KernelCount), ("instructions", r => r.Instructions),
        ("device_metrics", r => r.DeviceMetrics),
    ];

    public static string Text(ResultStatus status) => status switch
    {
        ResultStatus.Measured => "measured",
        ResultStatus.Skipped => "skipped",
        ResultStatus.Failed => "failed",
        ResultStatus.Wrong => "wrong",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };

    /// <summary>Reads a row of `results` joined with the model's columns.</summary>
    public static ResultRecord Read(SqlRow row, IReadOnlyList<double> samples, IReadOnlyList<KernelRecord> kernels) =>
        new()
        {
            Id = row.Get<Guid>("id"),
            RunId = row.Get<Guid>("run_id"),
            MeasuredAt = row.Utc("measured_at"),
            Benchmark = row.Get<string>("benchmark"),
            Category = row.Get<string>("category"),
            CaseKey = row.Get<string>("case_key"),
            Params = row.Get<string>("params"),
            Contender = row.Get<string>("contender"),
            Backend = row.Get<string>("backend"),
            Device = row.Get<string>("device"),
            Precision = row.Get<string>("precision"),
            Threads = row.Value<int>("threads"),
            OptLevel = row.Value<int>("opt_level"),
            Target = row.Text("target"),
            BatchSize = row.Value<long>("batch_size"),
            SequenceLength = row.Value<long>("sequence_length"),
            Scenario = row.Get<string>("scenario"),
            Block = row.Get<int>("block"),
            Model = row.Text("model_name") is { } name
                ? new(name, row.Get<string>("architecture"), row.Get<long>("parameter_count")) : null,
            Status = Enum.Parse<ResultStatus>(row.Get<string>("status"), ignoreCase: true),
            Reason = row.Text("reason"),
            Checked = row.Get<string>("checked"),
            MaxError = row.Value<double>("max_error"),
            Rechecked = row.Value<long>("rechecked"),
            Min = row.Value<double>("min_us"),
            Median = row.Value<double>("median_us"),
            P90 = row.Value<double>("p90_us"),
            P99 = row.Value<double>("p99_us"),
            Max = row.Value<double>("max_us"),
            Cpu = row.Value<double>("cpu_us"),
            CallsPerSecond = row.Value<double>("calls_per_second"),
            ItemsPerSecond = row.Value<double>("items_per_second"),
            FirstToken = row.Value<double>("first_token_us"),
            NextToken = row.Value<double>("next_token_us"),
            CompileMs = row.Value<double>("compile_ms"),
            FirstResultMs = row.Value<double>("first_result_ms"),
            ArenaBytes = row.Value<long>("arena_bytes"),
            MemoryMb = row.Value<double>("memory_mb"),
            PeakMemoryMb = row.Value<double>("peak_memory_mb"),
            AllocatedBytes = row.Value<double>("allocated_bytes"),
            Flops = row.Value<double>("flops"),
            Bytes = row.Value<double>("bytes"),
            PeakGflops = row.Value<double>("peak_gflops"),
            Joules = row.Value<double>("joules"),
            Ops = row.Value<int>("ops"),
            KernelCount = row.Value<int>("kernel_count"),
            Instructions = row.Value<long>("instructions"),
            DeviceMetrics = row.Get<string>("device_metrics"),
            Samples = samples,
            Kernels = kernels,
        };

    /// <summary>Reads a row of `runs` joined with the columns of machine and environment.</summary>
    public static RunRecord ReadRun(SqlRow row) => new(row.Get<Guid>("id"), row.Utc("started_at"),
        row.Get<string>("command"), row.Text("suite"), row.Get<long>("seed"),
        new HardwareRecord(row.Get<string>("fingerprint"), row.Get<string>("kind"), row.Get<string>("hardware_name"),
            row.Get<int>("cores"), row.Get<long>("memory_bytes"), row.Get<List<string>>("features"),
            JsonSerializer.Deserialize<Dictionary<string, long>>(row.Get<string>("caches"))!, row.Text("driver")),
        new EnvironmentRecord(row.Get<string>("os"), row.Get<string>("dotnet"), row.Text("llvm"), row.Text("commit"),
            row.Get<string>("build")), row.Get<bool>("simulated"));
}
