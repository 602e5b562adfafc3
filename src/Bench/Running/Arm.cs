// In: a case, a contender. Out: one contender on one case: the unit whose processes are repeated.
using System.Globalization;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;

namespace Accelerate.Bench.Running;

/// <summary>Another build of accc, measured in the same blocks as this one.</summary>
/// <param name="Name">The ending of its contenders' names.</param>
/// <param name="Path">Its accc.dll.</param>
internal sealed record OtherBuild(string Name, string Path);

/// <summary>A contender on a case, with everything that its process needs.</summary>
/// <param name="Case">The work.</param>
/// <param name="Backend">"llvm", "interpreter" (of kernels), "graph" (the f64 interpreter of graphs), "opencl" or
/// "peer".</param>
/// <param name="Threads">The number of workers.</param>
/// <param name="OptLevel">LLVM's level; null elsewhere.</param>
/// <param name="Ours">Our call; null for a peer's.</param>
/// <param name="Peer">The peer's call; null for ours.</param>
internal sealed record Arm(BenchmarkCase Case, string Backend, int Threads, int? OptLevel, OurCall? Ours, PeerCall? Peer)
{
    /// <summary>
    /// The name in tables and stores: the peer's name, or our backend with the way and the level if there are several:
    /// "llvm", "llvm dynamic", "llvm direct -O1".
    /// </summary>
    public string Contender => (Peer?.Name ?? Name(Backend, Ours!.Name, OptLevel)) + (IsTwin ? Again : "")
        + (Build is { } other ? $" @{other.Name}" : "");

    /// <summary>The other build of accc to measure; null for this one.</summary>
    public OtherBuild? Build { get; init; }

    /// <summary>
    /// Whether this is a copy of another contender: the difference between the two is the machine's noise.
    /// </summary>
    public bool IsTwin { get; init; }

    public ArmKey Key => new(Case.Benchmark.Name, Case.Key, Contender, Threads, Scenario?.Name ?? "single-stream");

    /// <summary>The arrival of calls; null for one after the other.</summary>
    public SuiteScenario? Scenario { get; init; }

    /// <summary>Why the combination cannot run on any machine; null if it can.</summary>
    public string? Impossible { get; init; }

    /// <summary>The ending of a twin's name.</summary>
    public const string Again = " again";

    public static string Name(string backend, string way, int? level) =>
        string.Join(' ', new[] { backend, way, level is null or 3 ? "" : $"-O{level}" }.Where(w => w.Length > 0));

    /// <summary>The words after `accc` that measure it.</summary>
    /// <param name="fill">Replaces placeholders such as `{data}`.</param>
    public IEnumerable<string> Words(Func<string, string> fill, double seconds, string? results) =>
        Ours!.Assembly is { } assembly
            ?
            [
                "bench", "execute", assembly, .. Ours.Arguments, "--threads", Text(Threads), "--seconds", Text(seconds),
                "--signed",
            ]
            : OfFile(fill, seconds, results);

    private IEnumerable<string> OfFile(Func<string, string> fill, double seconds, string? results) =>
    [
        "time", .. Ours!.Arguments.Select(fill), "--threads", Text(Threads), "--seconds", Text(seconds),
        .. Backend switch
        {
            "llvm" => Array.Empty<string>(),
            "graph" => ["--graph"],
            _ => ["--backend", Backend],
        },
        .. Scenario?.Words ?? [],
        // Our first process also reports the counts and the time of each kernel.
        .. results is null || Backend != "llvm" || Build is not null || Scenario is not null ? Array.Empty<string>() : ["--details"],
        .. OptLevel is { } level ? [$"-O{level}"] : Array.Empty<string>(),
        .. results is null ? Array.Empty<string>() : ["--out", results],
    ];

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>All arms of a list of cases.</summary>
internal static class Arms
{
    /// <summary>The cases of a suite.</summary>
    /// <exception cref="FormatException">There is no such benchmark or value.</exception>
    public static IReadOnlyList<BenchmarkCase> Cases(Suite suite, BenchmarkRegistry registry) =>
        [.. suite.Benchmarks.SelectMany(e => e.Combinations().Select(c => registry.Find(e.Name).Case(c)))];

    /// <summary>
    /// Ours first, for each way, backend, number of threads and level, then the peers. An impossible combination is an
    /// arm with the reason, so that it has a row.
    /// </summary>
    public static IEnumerable<Arm> Of(BenchmarkCase c, Suite suite, bool withPeers, bool allPeers,
        IReadOnlyList<OtherBuild>? builds = null)
    {
        var definition = c.Definition;
        foreach (var threads in suite.Threads)
        {
            if (definition.Unsupported is { } reason)
            {
                // The peers are measured anyway: their figures are the target for when ours is supported.
                yield return new Arm(c, suite.Backends[0], threads, null, new OurCall("", []), null)
                {
                    Impossible = reason,
                };
            }
            foreach (var way in definition.Ours)
            {
                if (way.Assembly is not null && suite.Scenario is null)
                {
                    yield return new Arm(c, "own", threads, null, way, null);
                    foreach (var build in builds ?? [])
                    {
                        yield return new Arm(c, "own", threads, null, way, null)
                        {
                            Build = build,
                            Impossible = "not supported: a class in C# is its own assembly's, and no build of accc "
                                + "is in it",
                        };
                    }
                }
                foreach (var backend in way.Assembly is null ? suite.Backends : [])
                {
                    int?[] levels = backend == "llvm" ? [.. suite.Levels.Select(l => (int?)l)] : [null];
                    foreach (var level in levels)
                    {
                        yield return new Arm(c, backend, threads, level, way, null)
                        {
                            Scenario = suite.Scenario,
                            Impossible = backend == "llvm" || threads == 1 ? null
                                : $"{backend} has one thread's row: it takes as many as it takes",
                        };
                        foreach (var build in backend == "llvm" ? builds ?? [] : [])
                            yield return new Arm(c, backend, threads, level, way, null) { Build = build, Scenario = suite.Scenario };
                    }
                }
            }
            foreach (var peer in withPeers && suite.Scenario is null ? definition.Peers.Where(p => allPeers || !p.IsSlow) : [])
            {
                if (threads == 1 || !peer.IsSingle) yield return new Arm(c, "peer", threads, null, null, peer);
            }
        }
    }
}
