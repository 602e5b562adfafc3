// In: a row of names and texts: a line of CSV, a row of Parquet, options of a command. Out: the result that it
// describes.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

/// <summary>
/// The columns are those of the view `benchmark_results`, so that exports can be imported. Rows need `benchmark`,
/// `contender`, `backend`, `machine` and `measured_at`, and `latency_ms` or a `status` with its `reason`; the rest is
/// optional. Computed columns of the view are ignored.
/// </summary>
/// <param name="fields">The texts by column; null for missing ones.</param>
/// <param name="origin">A hash of the row's source, from which missing ids are derived together with the row's
/// position.</param>
/// <param name="number">The position of the row in the source.</param>
internal sealed class FlatRow(IReadOnlyDictionary<string, string?> fields, string origin, int number)
{
    /// <summary>The required columns.</summary>
    public static IReadOnlyList<string> Required { get; } =
        ["benchmark", "contender", "backend", "machine", "measured_at"];

    private static readonly string[] Read =
    [
        "result_id", "run_id", "run_started_at", "command", "suite", "seed", "simulated", "category", "case_key",
        "params", "device", "hardware_type", "hardware_name", "cores", "memory_bytes", "features", "caches", "driver",
        "commit", "build", "os", "dotnet", "llvm", "model_name", "architecture_type", "parameter_count", "batch_size",
        "sequence_length", "precision", "threads", "opt_level", "target", "scenario", "block", "status", "reason",
        "checked", "max_error", "rechecked", "latency_ms", "latency_min_ms", "latency_p90_ms", "latency_p99_ms",
        "latency_max_ms", "cpu_ms", "throughput_samples_per_sec", "calls_per_second", "throughput_items_per_second",
        "memory_usage_mb", "peak_memory_mb", "first_token_latency_ms", "next_token_latency_ms", "compile_ms",
        "first_result_ms", "arena_bytes", "allocated_bytes", "flops", "bytes", "peak_gflops", "joules", "ops",
        "kernel_count", "instructions", "device_metrics",
    ];

    // Columns that the view computes or the store sets.
    private static readonly string[] Computed =
        ["model_id", "size_class", "position", "gflops", "gb_per_second", "peak_percent"];

    public static IReadOnlyList<string> Columns { get; } = [.. Required, .. Read, .. Computed];

    /// <summary>The column for a field of the JSON, which checks name.</summary>
    private static readonly Dictionary<string, string> ColumnOf = new(StringComparer.Ordinal)
    {
        ["min"] = "latency_min_ms",
        ["median"] = "latency_ms",
        ["p90"] = "latency_p90_ms",
        ["p99"] = "latency_p99_ms",
        ["max"] = "latency_max_ms",
        ["cpu"] = "cpu_ms",
        ["items_per_second"] = "throughput_items_per_second",
        ["first_token"] = "first_token_latency_ms",
        ["next_token"] = "next_token_latency_ms",
        ["memory_mb"] = "memory_usage_mb",
        ["model.name"] = "model_name",
        ["model.architecture"] = "architecture_type",
        ["model.parameters"] = "parameter_count",
        ["started_at"] = "run_started_at",
        ["hardware.fingerprint"] = "machine",
        ["hardware.kind"] = "hardware_type",
        ["hardware.name"] = "hardware_name",
        ["hardware.cores"] = "cores",
        ["hardware.memory_bytes"] = "memory_bytes",
    };

    private readonly List<(string Column, string Problem)> problems = [];

    /// <summary>Parses the result and its run, or lists the row's errors by column.</summary>
    public (RunRecord Run, ResultRecord Result)? Parse(out IReadOnlyList<(string Column, string Problem)> errors)
    {
        errors = problems;
        foreach (var column in Required.Where(c => Text(c) is null)) problems.Add((column, "is missing"));
        var measured = Time("measured_at") ?? default;
        var hardware = new HardwareRecord(Text("machine") ?? "", Text("hardware_type") ?? "cpu",
            Text("hardware_name") ?? Text("machine") ?? "", (int)(Whole("cores", int.MaxValue) ?? 0),
            Whole("memory_bytes") ?? 0,
            Text("features")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [], Caches(), Text("driver"));
        var environment = new EnvironmentRecord(Text("os") ?? "unknown", Text("dotnet") ?? "unknown", Text("llvm"),
            Text("commit"), Text("build") ?? "unknown");
        var command = Text("command") ?? "";
        // Rows of a file without a run's id belong to one run for each machine, environment and suite.
        var runId = Id("run_id") ?? Derived(origin, JsonSerializer.Serialize((object[])[hardware, environment]),
            command, Text("suite") ?? "");
        var run = new RunRecord(runId, Time("run_started_at") ?? measured, command, Text("suite"), Whole("seed") ?? 0,
            hardware, environment, Flag("simulated"));
        var batch = Whole("batch_size");
        var sequence = Whole("sequence_length");
        var precision = Text("precision") ?? "f32";
        var latency = Microseconds("latency_ms");
        var result = new ResultRecord
        {
            Id = Id("result_id") ?? Derived(origin, "result", number.ToString(CultureInfo.InvariantCulture)),
            RunId = runId,
            MeasuredAt = measured,
            Benchmark = Text("benchmark") ?? "",
            Category = Text("category") ?? "own",
            CaseKey = Text("case_key") ?? Key(batch, sequence, precision),
            Params = Text("params") ?? "{}",
            Contender = Text("contender") ?? "",
            Backend = Text("backend") ?? "",
            Device = Text("device") ?? "cpu",
            Precision = precision,
            Threads = (int?)Whole("threads", int.MaxValue),
            OptLevel = (int?)Whole("opt_level", int.MaxValue),
            Target = Text("target"),
            BatchSize = batch,
            SequenceLength = sequence,
            Scenario = Text("scenario") ?? "single-stream",
            Block = (int)(Whole("block", int.MaxValue) ?? 0),
            Model = Model(),
            Status = Status(latency),
            Reason = Text("reason"),
            Checked = Text("checked") ?? "none",
            MaxError = Number("max_error"),
            Rechecked = Whole("rechecked"),
            Min = Microseconds("latency_min_ms"),
            Median = latency,
            P90 = Microseconds("latency_p90_ms"),
            P99 = Microseconds("latency_p99_ms"),
            Max = Microseconds("latency_max_ms"),
            Cpu = Microseconds("cpu_ms"),
            CallsPerSecond = Number("calls_per_second") ?? (Number("throughput_samples_per_sec") / (batch ?? 1)),
            ItemsPerSecond = Number("throughput_items_per_second"),
            FirstToken = Microseconds("first_token_latency_ms"),
            NextToken = Microseconds("next_token_latency_ms"),
            CompileMs = Number("compile_ms"),
            FirstResultMs = Number("first_result_ms"),
            ArenaBytes = Whole("arena_bytes"),
            MemoryMb = Number("memory_usage_mb"),
            PeakMemoryMb = Number("peak_memory_mb"),
            AllocatedBytes = Number("allocated_bytes"),
            Flops = Number("flops"),
            Bytes = Number("bytes"),
            PeakGflops = Number("peak_gflops"),
            Joules = Number("joules"),
            Ops = (int?)Whole("ops", int.MaxValue),
            KernelCount = (int?)Whole("kernel_count", int.MaxValue),
            Instructions = Whole("instructions"),
            DeviceMetrics = Text("device_metrics") ?? "{}",
        };
        if (problems.Count == 0)
            problems.AddRange(BatchCheck.Of(run).Concat(BatchCheck.Of(result).Concat(
                    // In the row's unit, milliseconds.
                    BatchCheck.Falling(result, unit: 1000, ColumnOf)))
                .Select(p => (ColumnOf.GetValueOrDefault(p.Field, p.Field), p.Problem)));
        return problems.Count == 0 ? (run, result) : null;
    }

    /// <summary>Groups the rows of each run into a batch, which starts with the first of them.</summary>
    public static IReadOnlyList<ResultBatch> Batches(IEnumerable<(RunRecord Run, ResultRecord Result)> rows) =>
        [.. rows.GroupBy(r => r.Run.Id).Select(g => new ResultBatch(
            g.First().Run with { StartedAt = g.Min(r => r.Run.StartedAt) }, [.. g.Select(r => r.Result)]))];

    /// <summary>"b8_s128_f32".</summary>
    private static string Key(long? batch, long? sequence, string precision) => string.Join('_', new[]
    {
        batch is { } b ? string.Create(CultureInfo.InvariantCulture, $"b{b}") : null,
        sequence is { } s ? string.Create(CultureInfo.InvariantCulture, $"s{s}") : null, precision,
    }.OfType<string>());

    private ModelRecord? Model()
    {
        if (Text("model_name") is not { } name) return null;
        var parameters = Whole("parameter_count");
        if (parameters is null && Text("parameter_count") is null)
            problems.Add(("parameter_count", "is missing: the row has a model_name"));
        return new(name, Text("architecture_type") ?? "unknown", parameters ?? 0);
    }

    private ResultStatus Status(double? latency)
    {
        var text = Text("status");
        if (text is null && latency is null && Text("latency_ms") is null) problems.Add(("latency_ms", "is missing, and so is status"));
        return text switch
        {
            null or "measured" => ResultStatus.Measured,
            "skipped" => ResultStatus.Skipped,
            "failed" => ResultStatus.Failed,
            "wrong" => ResultStatus.Wrong,
            _ => Problem<ResultStatus>("status", $"'{text}' is none of measured, skipped, failed, wrong"),
        };
    }

    private Dictionary<string, long> Caches()
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, long>>(Text("caches") ?? "{}") ?? [];
        }
        catch (JsonException)
        {
            return Problem<Dictionary<string, long>>("caches", "is no JSON object of numbers") ?? [];
        }
    }

    private string? Text(string column) => fields.GetValueOrDefault(column);

    private double? Microseconds(string column) => Number(column) * 1000;

    private double? Number(string column) => Text(column) is not { } text ? null
        : !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value) ? Problem<double?>(column, $"'{text}' is no number")
        : value < 0 ? Problem<double?>(column, $"is {text}, below 0") : value;

    private long? Whole(string column, long most = long.MaxValue) => Text(column) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value <= most ? value : Problem<long?>(column, $"'{text}' is no whole number");

    private bool Flag(string column) => Text(column) switch
    {
        null or "false" => false,
        "true" => true,
        var text => Problem<bool>(column, $"'{text}' is neither true nor false"),
    };

    private Guid? Id(string column) => Text(column) is not { } text ? null
        : Guid.TryParse(text, out var id) ? id : Problem<Guid?>(column, $"'{text}' is no UUID");

    private DateTime? Time(string column) => Text(column) is not { } text ? null
        : DateTime.TryParse(text, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
            : Problem<DateTime?>(column, $"'{text}' is no time");

    private T? Problem<T>(string column, string problem)
    {
        problems.Add((column, problem));
        return default;
    }

    private static Guid Derived(params string[] parts) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts))).AsSpan(0, 16));
}
