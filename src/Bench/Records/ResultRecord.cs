// In: nothing. Out: the records of a measurement: the run, the machine, the model, one process's figures, its kernels.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Accelerate.Bench.Records;

/// <summary>Whether a record has figures, and otherwise why not.</summary>
internal enum ResultStatus
{
    /// <summary>The result was right and was timed.</summary>
    Measured,

    /// <summary>The combination cannot run here; <see cref="ResultRecord.Reason"/> says why.</summary>
    Skipped,

    /// <summary>The process ended without a measurement.</summary>
    Failed,

    /// <summary>The result disagrees with the reference: nothing was timed.</summary>
    Wrong,
}

/// <summary>A measured network.</summary>
/// <param name="Name">"resnet50".</param>
/// <param name="Architecture">Its family: "cnn", "transformer", "rnn", "mlp", "diffusion".</param>
/// <param name="Parameters">The number of elements of all its parameters.</param>
internal sealed record ModelRecord(string Name, string Architecture, long Parameters)
{
    /// <summary>tiny below 10⁶ parameters, small 10⁷, medium 10⁸, large 10⁹, xl 10¹⁰, xxl above.</summary>
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

/// <summary>The properties of the machine that figures depend on.</summary>
/// <param name="Fingerprint">Equal on machines whose figures may be compared.</param>
/// <param name="Kind">"cpu" or "gpu".</param>
/// <param name="Name">The processor as the system names it.</param>
/// <param name="Cores">Logical processors.</param>
/// <param name="MemoryBytes">The machine's memory.</param>
/// <param name="Features">Instruction set features, sorted: "avx2 avx512f …".</param>
/// <param name="Caches">Bytes by level: {"L1": 32768, …}.</param>
/// <param name="Driver">The driver of a GPU; null for a CPU.</param>
internal sealed record HardwareRecord(string Fingerprint, string Kind, string Name, int Cores, long MemoryBytes,
    IReadOnlyList<string> Features, IReadOnlyDictionary<string, long> Caches, string? Driver = null);

/// <summary>The properties of the software that figures depend on.</summary>
/// <param name="Os">Name and version of the operating system.</param>
/// <param name="Dotnet">The runtime's version.</param>
/// <param name="Llvm">libLLVM's version; null if it is absent.</param>
/// <param name="Commit">git's name of the commit; null outside a repository.</param>
/// <param name="Build">A hash of the compiled sources: equal builds give equal code.</param>
internal sealed record EnvironmentRecord(string Os, string Dotnet, string? Llvm, string? Commit, string Build);

/// <summary>One invocation of a harness.</summary>
/// <param name="Id">Unique.</param>
/// <param name="StartedAt">The start of the run, UTC.</param>
/// <param name="Command">The command line that repeats it.</param>
/// <param name="Suite">The suite's name; null for a single benchmark.</param>
/// <param name="Seed">The seed of the order of processes.</param>
/// <param name="Simulated">Whether the results are simulated, for tests and samples; views exclude these unless
/// requested.</param>
internal sealed record RunRecord(Guid Id, DateTime StartedAt, string Command, string? Suite, long Seed,
    HardwareRecord Hardware, EnvironmentRecord Environment, bool Simulated = false);

/// <summary>A kernel of a measured call.</summary>
/// <param name="Name">Its name in dumps.</param>
/// <param name="Where">The layer or file:line it comes from.</param>
/// <param name="Calls">The number of its calls in a call of the function.</param>
/// <param name="Microseconds">Time of all of them together.</param>
/// <param name="Flops">Floating-point operations of all of them together.</param>
/// <param name="Bytes">The bytes that they must read and write.</param>
internal sealed record KernelRecord(string Name, string? Where, int Calls, double Microseconds, double Flops,
    double Bytes);

/// <summary>
/// One process's measurement of one contender on one case. Null values were not measured or do not apply.
/// </summary>
internal sealed record ResultRecord
{
    public required Guid Id { get; init; }

    public required Guid RunId { get; init; }

    /// <summary>The time of measurement, UTC.</summary>
    public required DateTime MeasuredAt { get; init; }

    /// <summary>The benchmark's name in the registry: "gemm".</summary>
    public required string Benchmark { get; init; }

    /// <summary>"kernels", "models", "training", "precision", "own".</summary>
    public required string Category { get; init; }

    /// <summary>
    /// The case within the benchmark: "m512_k512_n512_f32". Together with the benchmark it identifies the work.
    /// </summary>
    public required string CaseKey { get; init; }

    /// <summary>The benchmark's parameters as a JSON object.</summary>
    public string Params { get; init; } = "{}";

    /// <summary>One of our ways or a peer: "llvm", "llvm direct", "interpreter", "onnxruntime".</summary>
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

    /// <summary>The block of interleaved processes; processes of one block are neighbours in time.</summary>
    public int Block { get; init; }

    public ModelRecord? Model { get; init; }

    public ResultStatus Status { get; init; }

    /// <summary>Why there are no figures.</summary>
    public string? Reason { get; init; }

    /// <summary>
    /// The reference that the result was compared with before timing: "interpreter", "onnxruntime", "none".
    /// </summary>
    public string Checked { get; init; } = "none";

    /// <summary>The largest difference from it, relative to its largest element.</summary>
    public double? MaxError { get; init; }

    /// <summary>The number of timed results that were compared again, a random 1 %.</summary>
    public long? Rechecked { get; init; }

    /// <summary>Microseconds per call.</summary>
    public double? Min { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? Median { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? P90 { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? P99 { get; init; }

    /// <inheritdoc cref="Min"/>
    public double? Max { get; init; }

    /// <summary>Processor time of the calling thread per call, in microseconds: the median.</summary>
    public double? Cpu { get; init; }

    /// <summary>Calls per second.</summary>
    public double? CallsPerSecond { get; init; }

    /// <summary>Items per second: images, tokens; calls if a call has one item.</summary>
    public double? ItemsPerSecond { get; init; }

    /// <summary>Microseconds from a prompt to its first token: the call on the whole prompt.</summary>
    public double? FirstToken { get; init; }

    /// <summary>Microseconds of each further token: the median.</summary>
    public double? NextToken { get; init; }

    /// <summary>Milliseconds from source to machine code.</summary>
    public double? CompileMs { get; init; }

    /// <summary>Milliseconds from the start of the process to its first result.</summary>
    public double? FirstResultMs { get; init; }

    /// <summary>Bytes of the temporaries of a call.</summary>
    public long? ArenaBytes { get; init; }

    /// <summary>The process's memory during the timed part: the mean of readings.</summary>
    public double? MemoryMb { get; init; }

    /// <summary>The process's peak memory.</summary>
    public double? PeakMemoryMb { get; init; }

    /// <summary>Managed bytes that a call allocates.</summary>
    public double? AllocatedBytes { get; init; }

    /// <summary>Floating-point operations per call.</summary>
    public double? Flops { get; init; }

    /// <summary>Bytes of inputs, weights and results, each counted once.</summary>
    public double? Bytes { get; init; }

    /// <summary>GFLOP/s of f32 fma on as many threads, measured in the same process.</summary>
    public double? PeakGflops { get; init; }

    /// <summary>Joules per call, where the machine reports them.</summary>
    public double? Joules { get; init; }

    /// <summary>The number of nodes of the optimised graph.</summary>
    public int? Ops { get; init; }

    /// <summary>The number of kernels of a call.</summary>
    public int? KernelCount { get; init; }

    /// <summary>The number of machine instructions in the compiled kernels.</summary>
    public long? Instructions { get; init; }

    /// <summary>Anything else, a JSON object: settings of the peer, readings of the device.</summary>
    public string DeviceMetrics { get; init; } = "{}";

    /// <summary>All samples in microseconds, in the order in which they were taken; none is dropped.</summary>
    public IReadOnlyList<double> Samples { get; init; } = [];

    public IReadOnlyList<KernelRecord> Kernels { get; init; } = [];

    /// <summary>
    /// A block identifier unique over all runs: rows of one block are neighbours in time. Rows of another build belong
    /// to a run of their own, whose session is the run that they were measured in.
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

    /// <summary>The work and the contender, without the process: the key that several processes share.</summary>
    [JsonIgnore]
    public ArmKey Arm => new(Benchmark, CaseKey, Contender, Threads, Scenario);
}

/// <summary>One contender on one case: the unit whose processes are repeated.</summary>
internal readonly record struct ArmKey(string Benchmark, string CaseKey, string Contender, int? Threads,
    string Scenario);

/// <summary>A run with results: the unit of writing and reading, and a line of the spool.</summary>
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

    /// <summary>One line, without a line end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">The line is not a batch.</exception>
    public static ResultBatch FromJson(string line) => JsonSerializer.Deserialize<ResultBatch>(line, Json)
        ?? throw new JsonException("a batch is an object");
}
