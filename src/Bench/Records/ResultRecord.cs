// In: nothing. Out: what is kept of a measurement: the run, the machine, the model, one process's figures, its kernels.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Accelerate.Bench.Records;

/// <summary>Whether a record has figures, and if not why there are none.</summary>
internal enum ResultStatus
{
    /// <summary>The result was right and the times are there.</summary>
    Measured,

    /// <summary>The combination cannot run here; <see cref="ResultRecord.Reason"/> says why.</summary>
    Skipped,

    /// <summary>The process ended without a record.</summary>
    Failed,

    /// <summary>The result disagrees with the reference: nothing was timed.</summary>
    Wrong,
}

/// <summary>A network that is measured.</summary>
/// <param name="Name">"resnet50".</param>
/// <param name="Architecture">Its family: "cnn", "transformer", "rnn", "mlp", "diffusion".</param>
/// <param name="Parameters">Elements of all its parameters.</param>
internal sealed record ModelRecord(string Name, string Architecture, long Parameters)
{
    /// <summary>tiny below 10⁶ parameters, small 10⁷, medium 10⁸, large 10⁹, xl 10¹⁰, xxl from there.</summary>
    [JsonIgnore]
    public string SizeClass => Parameters switch
    {
        < 1_000_000 => "tiny",
        < 10_000_000 => "small",
        < 100_000_000 => "medium",
        < 1_000_000_000 => "large",
        < 10_000_000_000 => "xl",
        _ => "xxl",
    };
}

/// <summary>The machine, as far as figures depend on it.</summary>
/// <param name="Fingerprint">Equal on machines whose figures may be compared.</param>
/// <param name="Kind">"cpu" or "gpu".</param>
/// <param name="Name">The processor as the system names it.</param>
/// <param name="Cores">Logical processors.</param>
/// <param name="MemoryBytes">Of the machine.</param>
/// <param name="Features">Of the instruction set, sorted: "avx2 avx512f …".</param>
/// <param name="Caches">Bytes by level: {"L1": 32768, …}.</param>
/// <param name="Driver">Of a GPU; null for a CPU.</param>
internal sealed record HardwareRecord(string Fingerprint, string Kind, string Name, int Cores, long MemoryBytes,
    IReadOnlyList<string> Features, IReadOnlyDictionary<string, long> Caches, string? Driver = null);

/// <summary>The software, as far as figures depend on it.</summary>
/// <param name="Os">Name and version of the system.</param>
/// <param name="Dotnet">The runtime's version.</param>
/// <param name="Llvm">libLLVM's version; null where it is absent.</param>
/// <param name="Commit">What git calls the sources; null outside a repository.</param>
/// <param name="Build">A hash of the sources that were compiled: equal builds give equal code.</param>
internal sealed record EnvironmentRecord(string Os, string Dotnet, string? Llvm, string? Commit, string Build);

/// <summary>One invocation of a harness.</summary>
/// <param name="Id">Unique.</param>
/// <param name="StartedAt">UTC.</param>
/// <param name="Command">The command line that repeats it.</param>
/// <param name="Suite">The suite's name; null for a single benchmark.</param>
/// <param name="Seed">Of the order of processes.</param>
/// <param name="Simulated">Made up, for tests and samples; left out of every view unless asked for.</param>
internal sealed record RunRecord(Guid Id, DateTime StartedAt, string Command, string? Suite, long Seed,
    HardwareRecord Hardware, EnvironmentRecord Environment, bool Simulated = false);

/// <summary>A kernel of a measured call.</summary>
/// <param name="Name">As dumps name it.</param>
/// <param name="Where">The layer or file:line it comes from.</param>
/// <param name="Calls">Calls of it in a call of the function.</param>
/// <param name="Microseconds">Of all of them together.</param>
/// <param name="Flops">Floating-point operations of all of them together.</param>
/// <param name="Bytes">What they must read and write.</param>
internal sealed record KernelRecord(string Name, string? Where, int Calls, double Microseconds, double Flops,
    double Bytes);

/// <summary>What one process measured of one contender on one case. What was not measured, or does not apply, is
/// null.</summary>
internal sealed record ResultRecord
{
    public required Guid Id { get; init; }

    public required Guid RunId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime MeasuredAt { get; init; }

    /// <summary>The benchmark's name in the registry: "gemm".</summary>
    public required string Benchmark { get; init; }

    /// <summary>"kernels", "models", "training", "precision", "own".</summary>
    public required string Category { get; init; }

    /// <summary>The case among the benchmark's: "m512_k512_n512_f32". With the benchmark it names the work.</summary>
    public required string CaseKey { get; init; }

    /// <summary>The benchmark's parameters as a JSON object.</summary>
    public string Params { get; init; } = "{}";

    /// <summary>Who did the work, a way of ours or a peer: "llvm", "llvm direct", "interpreter", "onnxruntime".</summary>
    public required string Contender { get; init; }

    /// <summary>"llvm", "interpreter", "graph", "opencl", or "peer".</summary>
    public required string Backend { get; init; }

    /// <summary>"cpu" or the GPU's name.</summary>
    public string Device { get; init; } = "cpu";

    public string Precision { get; init; } = "f32";

    public int? Threads { get; init; }

    public int? OptLevel { get; init; }

    public string? Target { get; init; }

    public long? BatchSize { get; init; }

    public long? SequenceLength { get; init; }

    /// <summary>"single-stream", "multi-stream", "server", "offline".</summary>
    public string Scenario { get; init; } = "single-stream";

    /// <summary>The block of the interleaving that the process ran in; processes of one block are neighbours in
    /// time.</summary>
    public int Block { get; init; }

    public ModelRecord? Model { get; init; }

    public ResultStatus Status { get; init; }

    /// <summary>Why there are no figures.</summary>
    public string? Reason { get; init; }

    /// <summary>What the result was compared with before it was timed: "interpreter", "onnxruntime", "none".</summary>
    public string Checked { get; init; } = "none";

    /// <summary>The largest difference to it, relative to its largest element.</summary>
    public double? MaxError { get; init; }

    /// <summary>Timed results that were compared again, a random 1 %.</summary>
    public long? Rechecked { get; init; }

    /// <summary>Microseconds of a call.</summary>
    public double? Min { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? Median { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? P90 { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? P99 { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? Max { get; init; }

    /// <summary>Microseconds of a call that the calling thread computed, by its own clock: the median.</summary>
    public double? Cpu { get; init; }

    /// <summary>Calls a second.</summary>
    public double? CallsPerSecond { get; init; }

    /// <summary>Items a second: images, tokens; calls where a call has one.</summary>
    public double? ItemsPerSecond { get; init; }

    /// <summary>Microseconds from a prompt to its first token: the call on the whole prompt.</summary>
    public double? FirstToken { get; init; }

    /// <summary>Microseconds of each further token: the median.</summary>
    public double? NextToken { get; init; }

    /// <summary>Milliseconds from source to machine code.</summary>
    public double? CompileMs { get; init; }

    /// <summary>Milliseconds from the start of the process to its first result.</summary>
    public double? FirstResultMs { get; init; }

    /// <summary>Bytes of temporaries of a call.</summary>
    public long? ArenaBytes { get; init; }

    /// <summary>The process's memory over the timed part: the mean of readings.</summary>
    public double? MemoryMb { get; init; }

    /// <summary>The most the process held at once.</summary>
    public double? PeakMemoryMb { get; init; }

    /// <summary>Managed bytes that a call allocates.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>Floating-point operations of a call.</summary>
    public double? Flops { get; init; }

    /// <summary>Inputs, weights and results, touched once.</summary>
    public double? Bytes { get; init; }

    /// <summary>GFLOP/s of f32 fma on as many threads, read in the same process.</summary>
    public double? PeakGflops { get; init; }

    /// <summary>Joules of a call, where the machine reports them.</summary>
    public double? Joules { get; init; }

    /// <summary>Nodes of the optimised graph.</summary>
    public int? Ops { get; init; }

    /// <summary>Kernels of a call.</summary>
    public int? KernelCount { get; init; }

    /// <summary>Machine instructions in the compiled kernels.</summary>
    public long? Instructions { get; init; }

    /// <summary>Anything else, a JSON object: settings of the peer, readings of the device.</summary>
    public string DeviceMetrics { get; init; } = "{}";

    /// <summary>All samples in microseconds, in the order they were taken; none is dropped.</summary>
    public IReadOnlyList<double> Samples { get; init; } = [];

    public IReadOnlyList<KernelRecord> Kernels { get; init; } = [];

    /// <summary>
    /// The block, over all runs: rows of one are neighbours in time. Those of another build are of a run of their own,
    /// whose session is the run that they were measured in.
    /// </summary>
    [JsonIgnore]
    public string Neighbours
    {
        get
        {
            using var metrics = JsonDocument.Parse(DeviceMetrics);
            var session = metrics.RootElement.TryGetProperty("session", out var other) ? other.GetString() : null;
            return $"{session ?? $"{RunId}"}/{Block}";
        }
    }

    [JsonIgnore]
    public double? Gflops => Flops / Median * 1e-3;

    [JsonIgnore]
    public double? Gbps => Bytes / Median * 1e-3;

    [JsonIgnore]
    public double? PeakPercent => 100 * Gflops / PeakGflops;

    /// <summary>The work and who did it, without the process: what several processes are medians of.</summary>
    [JsonIgnore]
    public ArmKey Arm => new(Benchmark, CaseKey, Contender, Threads, Scenario);
}

/// <summary>One contender at one case: what processes are repeated of.</summary>
internal readonly record struct ArmKey(string Benchmark, string CaseKey, string Contender, int? Threads,
    string Scenario);

/// <summary>A run with results: what is written and read at once, and a line of the spool.</summary>
internal sealed record ResultBatch(RunRecord Run, IReadOnlyList<ResultRecord> Results)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>One line without its end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">The line is no batch.</exception>
    public static ResultBatch FromJson(string line) => JsonSerializer.Deserialize<ResultBatch>(line, Json)
        ?? throw new JsonException("a batch is an object");
}
