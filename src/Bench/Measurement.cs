// In: nothing. Out: the line of JSON that a measuring process prints, the same for ours and the peers.
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Accelerate.Bench.Records;

namespace Accelerate.Bench;

/// <summary>
/// One process, one case, one line. A peer's runner prints the first six; the rest is known only to our process. Times
/// are microseconds per call unless the name says otherwise.
/// </summary>
internal record Measurement
{
    /// <summary>Who measured: "ours" or the peer.</summary>
    public required string Peer { get; init; }

    public int Threads { get; init; }

    public required double? MinUs { get; init; }

    public required double? MedUs { get; init; }

    public required double? P90Us { get; init; }

    /// <summary>Processor time of the calling thread per call: the median.</summary>
    public double? CpuUs { get; init; }

    /// <summary>The number of samples or calls.</summary>
    public long N { get; init; }

    public double? P99Us { get; init; }

    public double? MaxUs { get; init; }

    /// <summary>GFLOP/s of f32 fma in registers, in this process.</summary>
    public double? PeakGflops { get; init; }

    public double? CompileMs { get; init; }

    public double? FirstCallMs { get; init; }

    /// <summary>Milliseconds since the process began.</summary>
    public double? FirstResultMs { get; init; }

    /// <summary>Floating-point operations per call, counted from the kernels.</summary>
    public double? Flops { get; init; }

    /// <summary>Bytes of inputs, state and results, each counted once.</summary>
    public double? Bytes { get; init; }

    /// <summary>The number of elements of all parameters that the function uses.</summary>
    public long? Parameters { get; init; }

    /// <summary>The number of kernels in the program.</summary>
    public int? Kernels { get; init; }

    /// <summary>The number of nodes of the optimised graph, including called functions and regions.</summary>
    public int? Ops { get; init; }

    /// <summary>The number of LLVM instructions printed for the kernels, before LLVM optimises them.</summary>
    public long? Instructions { get; init; }

    /// <summary>Bytes of the temporaries of a call.</summary>
    public long? ArenaBytes { get; init; }

    /// <summary>Managed bytes that a call allocates on the calling thread.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>The mean resident memory between the samples.</summary>
    public double? MemoryMb { get; init; }

    public double? PeakMemoryMb { get; init; }

    /// <summary>Energy per call, where the machine reports it.</summary>
    public double? Joules { get; init; }

    /// <summary>The number of timed calls whose results were compared with the first call's; all were equal.</summary>
    public long? Rechecked { get; init; }

    /// <summary>All samples, in the order in which they were taken.</summary>
    public IReadOnlyList<double>? SamplesUs { get; init; }

    /// <summary>The time of a call by kernel.</summary>
    public IReadOnlyList<KernelRecord>? Profile { get; init; }

    /// <summary>Whether a scenario's load proves its target; null without a scenario.</summary>
    public bool? Valid { get; init; }

    /// <summary>Why the load is not valid.</summary>
    public string? Reason { get; init; }

    /// <summary>Samples a second of a scenario's load.</summary>
    public double? SamplesPerSecond { get; init; }

    /// <summary>The percentile of a scenario's estimate: 90 or 99.</summary>
    public double? Percentile { get; init; }

    /// <summary>An upper bound of that percentile, with the confidence of early stopping.</summary>
    public double? EstimateUs { get; init; }

    /// <summary>Microseconds from a prompt to its first token: the median over texts.</summary>
    public double? FirstTokenUs { get; init; }

    /// <summary>Microseconds of each further token: the median over all of them.</summary>
    public double? NextTokenUs { get; init; }

    /// <summary>Tokens per call, if a call generates a text.</summary>
    public long? Tokens { get; init; }

    /// <summary>The benchmark's own figures, by name.</summary>
    public IReadOnlyDictionary<string, double>? Metrics { get; init; }

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Summarises the samples of this process.</summary>
    public static Measurement Of(CallSamples samples, int threads)
    {
        const double Micro = 1e6;
        double[] sorted = [.. samples.Elapsed.Order()];
        double At(double q) => Micro * SampleSummary.Percentile(sorted, q);
        using var process = Process.GetCurrentProcess();
        return new()
        {
            Peer = "ours",
            Threads = threads,
            MinUs = At(0),
            MedUs = At(0.5),
            P90Us = At(0.9),
            P99Us = At(0.99),
            MaxUs = At(1),
            CpuUs = Micro * SampleSummary.Of(samples.Computed).Median,
            N = sorted.Length,
            AllocatedBytes = samples.AllocatedBytes,
            MemoryMb = samples.MemoryBytes / (1 << 20),
            PeakMemoryMb = process.PeakWorkingSet64 / (double)(1 << 20),
            Joules = samples.Joules,
            Rechecked = samples.Rechecked,
            SamplesUs = [.. samples.Elapsed.Select(e => Math.Round(Micro * e, 4))],
        };
    }

    /// <summary>One line, without a line end.</summary>
    public string ToJson() => JsonSerializer.Serialize<object>(this, Json);

    /// <exception cref="JsonException">The line is not a measurement.</exception>
    public static Measurement FromJson(string line) => JsonSerializer.Deserialize<Measurement>(line, Json)
        ?? throw new JsonException("a measurement is an object");
}
