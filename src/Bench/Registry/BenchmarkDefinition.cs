// In: nothing. Out: what a benchmark is, and what a case of it is: our calls, the peers', the comparisons.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Registry;

/// <summary>A benchmark that suites name.</summary>
/// <param name="Name">Unique in the registry.</param>
/// <param name="Category">"kernels", "models", "training", "precision" or "own".</param>
/// <param name="Description">One line for `accc bench list`.</param>
/// <param name="Parameters">What a case may vary.</param>
/// <param name="Make">The case of those values.</param>
internal sealed record BenchmarkDefinition(string Name, string Category, string Description,
    IReadOnlyList<BenchmarkParameter> Parameters, Func<ParameterValues, CaseDefinition> Make)
{
    /// <summary>The networks it measures, for `accc bench list`.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The user's file and function; null for a bundled benchmark.</summary>
    public (string File, string Function)? OfFile { get; init; }

    /// <exception cref="FormatException">A value does not fit.</exception>
    public BenchmarkCase Case(IEnumerable<KeyValuePair<string, string>> given)
    {
        if (OfFile is not null) return FileBenchmark.Case(this, given);
        var values = ParameterValues.Of(Name, Parameters, given);
        return new(this, values, Make(values));
    }
}

/// <summary>A benchmark at one set of values.</summary>
internal sealed record BenchmarkCase(BenchmarkDefinition Benchmark, ParameterValues Values, CaseDefinition Definition)
{
    public string Key => Values.Key;

    /// <summary>The name of its folder of inputs: "gemm_m64_k64_n64_f32".</summary>
    public string Name => Key.Length == 0 ? Benchmark.Name : $"{Benchmark.Name}_{Key}";

    /// <summary>What contractions round to, or what the weights of a bundled benchmark are kept in.</summary>
    public string Precision => Benchmark.OfFile is not null ? "f32"
        : Benchmark.Parameters.FirstOrDefault(p => p.Name is "precision" or "weights") is { } parameter
            ? Values[parameter.Name] : "f32";
}

/// <summary>What is run for a case, and what its figures are related to.</summary>
/// <param name="Title">For tables: "GEMM 64³".</param>
/// <param name="Ours">Our calls; several where a table compares ways of ours with different peers.</param>
internal sealed record CaseDefinition(string Title, IReadOnlyList<OurCall> Ours)
{
    /// <summary>The peers' calls.</summary>
    public IReadOnlyList<PeerCall> Peers { get; init; } = [];

    /// <summary>The lines of a table; one of ours against all peers if there is none.</summary>
    public IReadOnlyList<ComparisonLine> Lines { get; init; } = [];

    /// <summary>Floating-point operations of a call, as the roofline counts them; null: counted from the
    /// kernels.</summary>
    public double? Flops { get; init; }

    /// <summary>Inputs, weights and results, touched once; null: counted from the program.</summary>
    public double? Bytes { get; init; }

    /// <summary>Images, sequences or tokens of a call.</summary>
    public double Items { get; init; } = 1;

    /// <summary>The network; its parameters are counted from the program where they are 0 here.</summary>
    public ModelRecord? Model { get; init; }

    /// <summary>Whether inputs and expected results are files that `bench/peers/build` makes.</summary>
    public bool HasData { get; init; }

    /// <summary>Who gave those results.</summary>
    public string Reference { get; init; } = "onnxruntime";

    /// <summary>Why nothing of ours can be measured; null where it can.</summary>
    public string? Unsupported { get; init; }
}

/// <summary>One way of ours to do the work.</summary>
/// <param name="Name">Among the case's ways; empty for the only one.</param>
/// <param name="Arguments">Of `accc time`: the file, the function, its arguments. `{data}` is the case's
/// folder.</param>
internal sealed record OurCall(string Name, IReadOnlyList<string> Arguments)
{
    /// <summary>Our result's file: the expected one's, "@y" where ours has channels innermost.</summary>
    public IReadOnlyDictionary<string, string> Results { get; init; } =
        new Dictionary<string, string> { ["0"] = "y" };

    /// <summary>An assembly with the user's class, for benchmarks that are C#; null for .acc.</summary>
    public string? Assembly { get; init; }
}

/// <summary>One way of a peer to do the work.</summary>
/// <param name="Name">Of the contender: "onednn_packed".</param>
/// <param name="Program">A runner of bench/peers: "ort", "dnnl", "torch".</param>
/// <param name="Arguments">`{threads}`, `{data}`, `{models}`, `{case}`, `{openblas}`, `{blis}`, `{libtorch}` and
/// `{llamacpp}` stand for what their names say.</param>
/// <param name="IsSlow">Never the best so far: it is run with --all-peers only.</param>
/// <param name="IsSingle">It runs on one thread only.</param>
internal sealed record PeerCall(string Name, string Program, IReadOnlyList<string> Arguments, bool IsSlow = false,
    bool IsSingle = false)
{
    /// <summary>
    /// The peer's results and the expected ones they are held to: its first process writes them, and nothing of it is
    /// timed when they are wrong. Empty for a peer that only times; <see cref="Every"/> is all that there are expected
    /// ones of.
    /// </summary>
    public IReadOnlyDictionary<string, string> Results { get; init; } = new Dictionary<string, string>();

    /// <summary>A peer's results that are each held to the expected one of its name.</summary>
    public static IReadOnlyDictionary<string, string> Every { get; } = new Dictionary<string, string> { ["*"] = "*" };

    /// <summary>The largest error that its results may have.</summary>
    public double Bound { get; init; } = 1e-4;

    /// <summary>That of a result by its expected one's name, where they are not all <see cref="Bound"/>.</summary>
    public Func<string, double>? BoundOf { get; init; }

    /// <summary>The case whose inputs it reads, where that is another one: the same work in f32.</summary>
    public string? Data { get; init; }

    /// <summary>An instruction set that it cannot do without, as Linux calls it: "avx512_bf16".</summary>
    public string? Needs { get; init; }
}

/// <summary>A line of a table: one of our ways against some of the peers.</summary>
/// <param name="Title">"GEMM 64³, constant B".</param>
/// <param name="Way">The name of our call.</param>
/// <param name="Peers">Whom it is compared with.</param>
/// <param name="Part">The part of the table, which has a geometric mean of its own.</param>
/// <param name="Plain">Our way without Winograd where this one has it; its line follows.</param>
internal sealed record ComparisonLine(string Title, string Way, IReadOnlyList<string> Peers, string Part,
    string Plain = "");
