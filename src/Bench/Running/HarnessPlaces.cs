// In: environment variables, the folder of this program. Out: the folders of sources, peers and their data.
namespace Accelerate.Bench.Running;

/// <param name="Root">The repository's root, which `bench/gemm.acc` is relative to.</param>
/// <param name="Peers">The folder in which `bench/peers/build` puts runners, models and data: $PEERS_HOME.</param>
internal sealed record HarnessPlaces(string Root, string Peers)
{
    /// <summary>Debian's folder of the libraries that peers load by path.</summary>
    public const string Libraries = "/usr/lib/x86_64-linux-gnu";

    /// <summary>
    /// The repository is the folder above this program that has bench/suites, or otherwise the current folder.
    /// </summary>
    public static HarnessPlaces Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !Directory.Exists(Path.Combine(folder.FullName, "bench", "suites")))
            folder = folder.Parent;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(home, ".cache");
        var peers = Environment.GetEnvironmentVariable("PEERS_HOME") is { Length: > 0 } own ? own
            : Path.Combine(cache, "accelerate-peers");
        return new(folder?.FullName ?? Directory.GetCurrentDirectory(), peers);
    }

    /// <summary>The folder of a case's inputs, weights and expected results.</summary>
    public string Data(string caseName) => Path.Combine(Peers, "data", caseName);

    /// <summary>Finds a suite by a path, or by a path or name below bench/ of the repository.</summary>
    public string? Suite(string name)
    {
        string[] candidates =
        [
            name, Path.Combine(Root, "bench", name), Path.Combine(Root, "bench", "suites", name),
            Path.Combine(Root, "bench", "suites", name + ".json"),
        ];
        return candidates.FirstOrDefault(File.Exists);
    }

    /// <summary>All bundled suites.</summary>
    public IEnumerable<string> Suites() =>
        Directory.EnumerateFiles(Path.Combine(Root, "bench", "suites"), "*.json")
            .Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
