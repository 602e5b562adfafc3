// In: a batch written by someone else. Out: its errors, field by field, by the names in its JSON.
using System.Globalization;
using System.Text.Json;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

/// <summary>Rejects impossible measurements and violations of what readers of the database rely on.</summary>
internal static class BatchCheck
{
    private static readonly string[] Scenarios = ["single-stream", "multi-stream", "server", "offline"];

    /// <summary>Figures that must be finite and not negative if present.</summary>
    private static readonly (string Field, Func<ResultRecord, double?> Value)[] Figures =
    [
        ("max_error", r => r.MaxError), ("rechecked", r => r.Rechecked), ("min", r => r.Min),
        ("median", r => r.Median), ("p90", r => r.P90), ("p99", r => r.P99), ("max", r => r.Max), ("cpu", r => r.Cpu),
        ("calls_per_second", r => r.CallsPerSecond), ("items_per_second", r => r.ItemsPerSecond),
        ("first_token", r => r.FirstToken), ("next_token", r => r.NextToken), ("compile_ms", r => r.CompileMs),
        ("first_result_ms", r => r.FirstResultMs), ("arena_bytes", r => r.ArenaBytes), ("memory_mb", r => r.MemoryMb),
        ("peak_memory_mb", r => r.PeakMemoryMb), ("allocated_bytes", r => r.AllocatedBytes), ("flops", r => r.Flops),
        ("bytes", r => r.Bytes), ("peak_gflops", r => r.PeakGflops), ("joules", r => r.Joules), ("ops", r => r.Ops),
        ("kernel_count", r => r.KernelCount), ("instructions", r => r.Instructions),
        ("sequence_length", r => r.SequenceLength), ("opt_level", r => r.OptLevel), ("block", r => r.Block),
    ];

    public static IEnumerable<(string Field, string Problem)> Of(ResultBatch batch)
    {
        if (batch.Run is null) return [("run", "is missing")];
        if (batch.Results is null) return [("results", "is missing")];
        var problems = Of(batch.Run).Select(p => ($"run.{p.Field}", p.Problem)).ToList();
        var seen = new HashSet<Guid>();
        foreach (var (index, result) in batch.Results.Index())
        {
            if (result is null)
            {
                problems.Add(($"results[{index}]", "is missing"));
                continue;
            }
            problems.AddRange(Of(result).Concat(Falling(result))
                .Select(p => ($"results[{index}].{p.Field}", p.Problem)));
            if (result.RunId != batch.Run.Id)
                problems.Add(($"results[{index}].run_id", $"is {result.RunId}, the run's id is {batch.Run.Id}"));
            if (!seen.Add(result.Id)) problems.Add(($"results[{index}].id", "is that of another result"));
        }
        return problems;
    }

    public static IEnumerable<(string Field, string Problem)> Of(RunRecord run)
    {
        if (run.Id == Guid.Empty) yield return ("id", "is missing");
        if (TimeProblem(run.StartedAt) is { } time) yield return ("started_at", time);
        if (run.Command is null) yield return ("command", "is missing");
        if (run.Hardware is not { } hardware) yield return ("hardware", "is missing");
        else
        {
            if (string.IsNullOrEmpty(hardware.Fingerprint)) yield return ("hardware.fingerprint", "is missing");
            if (hardware.Kind is not ("cpu" or "gpu")) yield return ("hardware.kind", "is neither cpu nor gpu");
            if (hardware.Name is null) yield return ("hardware.name", "is missing");
            if (hardware.Cores < 0) yield return ("hardware.cores", "is below 0");
            if (hardware.MemoryBytes < 0) yield return ("hardware.memory_bytes", "is below 0");
            if (hardware.Features?.Contains(null!) ?? true) yield return ("hardware.features", "is missing");
            if (hardware.Caches is null) yield return ("hardware.caches", "is missing");
        }
        if (run.Environment is not { } environment) yield return ("environment", "is missing");
        else
        {
            if (environment.Os is null) yield return ("environment.os", "is missing");
            if (environment.Dotnet is null) yield return ("environment.dotnet", "is missing");
            if (environment.Build is null) yield return ("environment.build", "is missing");
        }
    }

    public static IEnumerable<(string Field, string Problem)> Of(ResultRecord result)
    {
        if (result.Id == Guid.Empty) yield return ("id", "is missing");
        if (TimeProblem(result.MeasuredAt) is { } time) yield return ("measured_at", time);
        foreach (var (field, text) in ((string, string?)[])[("benchmark", result.Benchmark),
            ("category", result.Category), ("case_key", result.CaseKey), ("contender", result.Contender),
            ("backend", result.Backend), ("device", result.Device), ("precision", result.Precision),
            ("checked", result.Checked)])
            if (string.IsNullOrEmpty(text)) yield return (field, "is missing");
        if (!Scenarios.Contains(result.Scenario))
            yield return ("scenario", $"is none of {string.Join(", ", Scenarios)}");
        if (!IsObject(result.Params)) yield return ("params", "is no JSON object");
        if (!IsObject(result.DeviceMetrics)) yield return ("device_metrics", "is no JSON object");
        if (result.Threads < 1) yield return ("threads", "is below 1");
        if (result.BatchSize < 1) yield return ("batch_size", "is below 1");
        if (!Enum.IsDefined(result.Status)) yield return ("status", "is none of measured, skipped, failed, wrong");
        foreach (var (field, value) in Figures)
            if (value(result) is { } figure && NumberProblem(figure) is { } problem) yield return (field, problem);
        if (result.Status == ResultStatus.Measured && result.Median is null or <= 0)
            yield return ("median", "of a measured result is above 0");
        if (result.Status != ResultStatus.Measured && string.IsNullOrEmpty(result.Reason))
            yield return ("reason", "is missing: there are no figures");
        if (result.Model is { } model)
        {
            if (string.IsNullOrEmpty(model.Name)) yield return ("model.name", "is missing");
            if (string.IsNullOrEmpty(model.Architecture)) yield return ("model.architecture", "is missing");
            if (model.Parameters < 0) yield return ("model.parameters", "is below 0");
        }
        if (result.Samples is null) yield return ("samples", "is missing");
        else
            foreach (var (index, sample) in result.Samples.Index())
                if (NumberProblem(sample) is { } problem) yield return ($"samples[{index}]", problem);
        if (result.Kernels is null) yield return ("kernels", "is missing");
        else
            foreach (var (index, kernel) in result.Kernels.Index())
            {
                if (string.IsNullOrEmpty(kernel?.Name)) yield return ($"kernels[{index}].name", "is missing");
                else if ((NumberProblem(kernel.Microseconds) ?? NumberProblem(kernel.Flops)
                    ?? NumberProblem(kernel.Bytes) ?? NumberProblem(kernel.Calls)) is { } problem)
                    yield return ($"kernels[{index}]", problem);
            }
    }

    /// <summary>Reports quantiles that are below lower ones.</summary>
    /// <param name="result">The result, with quantiles in microseconds.</param>
    /// <param name="unit">The divisor for values in messages.</param>
    /// <param name="names">The names of fields in messages, if they differ from the JSON.</param>
    public static IEnumerable<(string Field, string Problem)> Falling(ResultRecord result, double unit = 1,
        IReadOnlyDictionary<string, string>? names = null)
    {
        (string Field, double Value)? last = null;
        foreach (var (field, value) in ((string, double?)[])[("min", result.Min), ("median", result.Median),
            ("p90", result.P90), ("p99", result.P99), ("max", result.Max)])
        {
            if (value is not { } figure) continue;
            if (last is { } before && figure < before.Value)
                yield return (field, $"is {Text(figure / unit)}, "
                    + $"{names?.GetValueOrDefault(before.Field) ?? before.Field} is {Text(before.Value / unit)}");
            last = (field, figure);
        }
    }

    private static string? NumberProblem(double value) => !double.IsFinite(value) ? "is no number"
        : value < 0 ? $"is {Text(value)}, below 0" : null;

    private static string? TimeProblem(DateTime time) => time == default ? "is missing"
        : time.Year < 2000 || time > DateTime.UtcNow.AddDays(1)
            ? $"is {time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}, before 2000 or in the future" : null;

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static bool IsObject(string? json)
    {
        try
        {
            using var document = JsonDocument.Parse(json ?? "null");
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
