// In: a measured case. Out: one flat record a row, and its JSON line: the columns of bench/README.md, in that order.
using System.Text.Encodings.Web;
using System.Text.Json;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// A row as it is kept. The names are the log's columns in snake case and stay as they are: logs of all times are read
/// as one table. What does not apply, or was not measured, is null.
/// </summary>
internal sealed record BenchRecord(
    Guid RunId, DateTime StartedAt, string? Commit, string Machine, string HardwareFingerprint, string Dotnet,
        string? Llvm,
    string File, string Function, string Case, string Dtype, string Backend, string? Target, int? OptLevel,
        int? Threads,
    double? CompileMs, string Cache, int Samples, double? MedianMs, double? P10Ms, double? P90Ms, double? MinMs,
    double Flops, double? Gflops, double? PeakGflops, double? PeakPercent, long Bytes, double? Gbps, double? Speedup,
    string Checked, double? MaxError, string? SkippedReason)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The records of a case, one a row of its table.</summary>
    public static IReadOnlyList<BenchRecord> From(BenchResult result, Machine machine, Guid runId,
        DateTime startedAt) =>
        [.. result.Rows.Select(row => new BenchRecord(
            runId, startedAt.ToUniversalTime(),
            machine.Commit, machine.ToString(), machine.Fingerprint, machine.Dotnet, machine.Llvm,
            result.Case.File, result.Case.Program.Name, result.Case.Text, result.Case.DType.Name(),
            row.Contender.Backend, row.Contender.Target, row.Contender.OptLevel, row.Contender.Threads,
            row.Skipped is null ? row.CompileMs : null, row.Contender.Cache,
            row.Times?.Count ?? 0, row.Times?.Median, row.Times?.P10, row.Times?.P90, row.Times?.Min,
            result.Flops, result.Gflops(row), result.Peak(row), result.PeakPercent(row),
            result.Bytes, result.Gbps(row), result.Speedup(row),
            row.Checked, row.MaxError, row.Skipped))];

    /// <summary>One line without its end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">The line is no record.</exception>
    public static BenchRecord FromJson(string line) => JsonSerializer.Deserialize<BenchRecord>(line, Json)!;
}
