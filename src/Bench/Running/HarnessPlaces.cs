// In: environment variables, the folder of this program. Out: where sources, peers and their data lie.
namespace Accelerate.Bench.Running;

/// <param name="Root">Of the repository: what `bench/gemm.acc` is relative to.</param>
/// <param name="Peers">Where `bench/peers/build` puts runners, models and data: $PEERS_HOME.</param>
internal sealed record HarnessPlaces(string Root, string Peers)
{
    /// <summary>Where Debian puts the libraries that peers load by path.</summary>
    public const string Libraries = "/usr/lib/x86_64-linux-gnu";

    /// <summary>The repository is the folder above this program that has bench/suites; else the current folder.</summary>
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

    /// <summary>The suite as the user named it: a path, or a path or name below bench/ of the repository.</summary>
    public string? Suite(string name)
    {
        string[] candidates =
        [
            name, Path.Combine(Root, "bench", name), Path.Combine(Root, "bench", "suites", name),
            Path.Combine(Root, "bench", "suites", name + ".json"),
        ];
        return candidates.FirstOrDefault(File.Exists);
    }

    /// <summary>Every suite that is bundled.</summary>
    public IEnumerable<string> Suites() =>
        Directory.EnumerateFiles(Path.Combine(Root, "bench", "suites"), "*.json")
            .Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
