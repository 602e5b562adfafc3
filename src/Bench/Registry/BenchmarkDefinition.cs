// In: nothing. Out: the definitions of a benchmark and of its cases: our calls, the peers', the comparisons.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Registry;

/// <summary>A benchmark that suites can name.</summary>
/// <param name="Name">The name, unique in the registry.</param>
/// <param name="Category">"kernels", "models", "training", "precision" or "own".</param>
/// <param name="Description">One line for `accc bench list`.</param>
/// <param name="Parameters">The parameters of a case.</param>
/// <param name="Make">Makes the case for given values.</param>
internal sealed record BenchmarkDefinition(string Name, string Category, string Description,
    IReadOnlyList<BenchmarkParameter> Parameters, Func<ParameterValues, CaseDefinition> Make)
{
    /// <summary>The networks it measures, for `accc bench list`.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The user's file and function; null for a bundled benchmark.</summary>
    public (string File, string Function)? OfFile { get; init; }

    /// <exception cref="FormatException">A value is not acceptable.</exception>
    public BenchmarkCase Case(IEnumerable<KeyValuePair<string, string>> given)
    {
        if (OfFile is not null) return FileBenchmark.Case(this, given);
        var values = ParameterValues.Of(Name, Parameters, given);
        return new(this, values, Make(values));
    }
}

/// <summary>A benchmark with one set of values.</summary>
internal sealed record BenchmarkCase(BenchmarkDefinition Benchmark, ParameterValues Values, CaseDefinition Definition)
{
    public string Key => Values.Key;

    /// <summary>The name of its folder of inputs: "gemm_m64_k64_n64_f32".</summary>
    public string Name => Key.Length == 0 ? Benchmark.Name : $"{Benchmark.Name}_{Key}";

    /// <summary>The precision of contractions, or of the weights of a bundled benchmark.</summary>
    public string Precision => Benchmark.OfFile is not null ? "f32"
        : Benchmark.Parameters.FirstOrDefault(p => p.Name is "precision" or "weights") is { } parameter
            ? Values[parameter.Name] : "f32";
}

/// <summary>The calls of a case, and the reference values of its figures.</summary>
/// <param name="Title">For tables: "GEMM 64³".</param>
/// <param name="Ours">Our calls; several if a table compares different ways of ours with different peers.</param>
internal sealed record CaseDefinition(string Title, IReadOnlyList<OurCall> Ours)
{
    /// <summary>The peers' calls.</summary>
    public IReadOnlyList<PeerCall> Peers { get; init; } = [];

    /// <summary>The lines of a table; if empty, one line with ours against all peers.</summary>
    public IReadOnlyList<ComparisonLine> Lines { get; init; } = [];

    /// <summary>
    /// Floating-point operations per call, as the roofline counts them; null to count them from the kernels.
    /// </summary>
    public double? Flops { get; init; }

    /// <summary>Inputs, weights and results, each counted once; null to count them from the program.</summary>
    public double? Bytes { get; init; }

    /// <summary>Images, sequences or tokens per call.</summary>
    public double Items { get; init; } = 1;

    /// <summary>The network; if its number of parameters is 0, it is counted from the program.</summary>
    public ModelRecord? Model { get; init; }

    /// <summary>Whether `bench/peers/build` makes files of inputs and expected results.</summary>
    public bool HasData { get; init; }

    /// <summary>The source of those results.</summary>
    public string Reference { get; init; } = "onnxruntime";

    /// <summary>Why nothing of ours can be measured; null if it can.</summary>
    public string? Unsupported { get; init; }
}

/// <summary>One way of ours to do the work.</summary>
/// <param name="Name">The name among the case's ways; empty for the only one.</param>
/// <param name="Arguments">The arguments of `accc time`: the file, the function, its arguments. `{data}` is the case's
/// folder.</param>
internal sealed record OurCall(string Name, IReadOnlyList<string> Arguments)
{
    /// <summary>Maps our result's file to the expected one's, with "@y" if ours has channels innermost.</summary>
    public IReadOnlyDictionary<string, string> Results { get; init; } =
        new Dictionary<string, string> { ["0"] = "y" };

    /// <summary>An assembly with the user's class, for benchmarks in C#; null for .acc.</summary>
    public string? Assembly { get; init; }
}

/// <summary>One way of a peer to do the work.</summary>
/// <param name="Name">The name of the contender: "onednn_packed".</param>
/// <param name="Program">A runner of bench/peers: "ort", "dnnl", "torch".</param>
/// <param name="Arguments">The arguments, with the placeholders `{threads}`, `{data}`, `{models}`, `{case}`,
/// `{openblas}`, `{blis}`, `{libtorch}` and `{llamacpp}`.</param>
/// <param name="IsSlow">Whether it has never been the best so far, and therefore runs only with --all-peers.</param>
/// <param name="IsSingle">Whether it runs on one thread only.</param>
internal sealed record PeerCall(string Name, string Program, IReadOnlyList<string> Arguments, bool IsSlow = false,
    bool IsSingle = false)
{
    /// <summary>
    /// Maps the peer's results to the expected ones: its first process writes them, and nothing of it is timed if they
    /// are wrong. Empty for a peer that only times; <see cref="Every"/> for all results with an expected one.
    /// </summary>
    public IReadOnlyDictionary<string, string> Results { get; init; } = new Dictionary<string, string>();

    /// <summary>Compares each result of a peer with the expected one of the same name.</summary>
    public static IReadOnlyDictionary<string, string> Every { get; } = new Dictionary<string, string> { ["*"] = "*" };

    /// <summary>The largest acceptable error of its results.</summary>
    public double Bound { get; init; } = 1e-4;

    /// <summary>
    /// The error bound of a result by its expected one's name, if they differ from <see cref="Bound"/>.
    /// </summary>
    public Func<string, double>? BoundOf { get; init; }

    /// <summary>The case whose inputs it reads, if that is another one: the same work in f32.</summary>
    public string? Data { get; init; }

    /// <summary>A required instruction set, by Linux's name: "avx512_bf16".</summary>
    public string? Needs { get; init; }
}

/// <summary>A line of a table: one of our ways against some of the peers.</summary>
/// <param name="Title">"GEMM 64³, constant B".</param>
/// <param name="Way">The name of our call.</param>
/// <param name="Peers">The peers to compare with.</param>
/// <param name="Part">The part of the table, which has its own geometric mean.</param>
/// <param name="Plain">Our way without Winograd, if this one uses it; its line follows.</param>
internal sealed record ComparisonLine(string Title, string Way, IReadOnlyList<string> Peers, string Part,
    string Plain = "");
