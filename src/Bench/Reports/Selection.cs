// In: the user's text for one side of a comparison, a store. Out: its runs and results.
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;

namespace Accelerate.Bench.Reports;

/// <summary>A comparison or report is not possible, with a suggestion.</summary>
internal sealed class HarnessException(string message, string? help = null) : Exception(message)
{
    public string? Help { get; } = help;
}

/// <summary>One side: its runs, and its results in the order in which they were measured.</summary>
internal sealed record Side(Selection Selection, IReadOnlyList<RunRecord> Runs, IReadOnlyList<ResultRecord> Results)
{
    public string Name => Selection.Text;
}

/// <summary>
/// A run's id or a prefix of it, `commit:HASH`, `machine:FINGERPRINT`, `backend:llvm`, `contender:onnxruntime`,
/// `model:NAME`, `suite:NAME`, or a file of batches; commas combine several conditions. A selection without run, commit
/// and file is the newest run with such results, because figures of different builds cannot form one arm.
/// </summary>
internal sealed record Selection(string Text)
{
    private static readonly string[] Kinds = ["commit", "machine", "backend", "contender", "model", "suite"];

    private Dictionary<string, string> Values { get; init; } = [];

    public string? File { get; private init; }

    private string? RunPrefix { get; init; }

    private string? Value(string kind) => Values.GetValueOrDefault(kind);

    /// <summary>Whether the user names the contender: then the other side may be a different one.</summary>
    public bool NamesContender => Values.ContainsKey("contender") || Values.ContainsKey("backend");

    public bool NamesModel => Values.ContainsKey("model");

    /// <exception cref="HarnessException">It selects nothing.</exception>
    public static Selection Parse(string text)
    {
        if (System.IO.File.Exists(text)) return new(text) { File = text };
        string? file = null, run = null;
        Dictionary<string, string> values = [];
        foreach (var part in text.Split(','))
        {
            var at = part.IndexOf(':');
            if (at > 0 && Kinds.Contains(part[..at]) && at + 1 < part.Length)
            {
                if (!values.TryAdd(part[..at], part[(at + 1)..]))
                    throw new HarnessException($"'{text}' has two of {part[..at]}:");
            }
            else if (file is null && System.IO.File.Exists(part)) file = part;
            else if (run is null && part.Length >= 2 && part.All(c => char.IsAsciiHexDigit(c) || c == '-'))
                run = part.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
            else
                throw new HarnessException($"'{part}' names no results",
                    "it takes the beginning of a run's id, a file of JSON lines, or "
                    + string.Join(", ", Kinds.Select(k => $"{k}:…")));
        }
        return new(text) { File = file, RunPrefix = run, Values = values };
    }

    /// <param name="store">Called if the selection does not name a file.</param>
    /// <exception cref="HarnessException">There are no results, or the selection is ambiguous between runs.</exception>
    public Side Find(Func<IResultStore> store)
    {
        // A user who names a file knows its contents, so simulated results are included.
        if (File is null) return Find(store(), simulated: false);
        using var own = ResultStores.Open(File);
        return Find(own, simulated: true);
    }

    private Side Find(IResultStore store, bool simulated)
    {
        var filter = new ResultFilter(Commit: Value("commit"), Machine: Value("machine"),
            Contender: Value("contender"), Model: Value("model"), Suite: Value("suite"), Simulated: simulated);
        IReadOnlyList<RunRecord> runs = store.Runs(filter);
        if (RunPrefix is not null)
        {
            runs = [.. runs.Where(r => r.Id.ToString("N").StartsWith(RunPrefix, StringComparison.Ordinal))];
            if (runs.Count > 1)
                throw new HarnessException($"'{Text}' is the beginning of {runs.Count} runs",
                    string.Join(", ", runs.Select(r => r.Id.ToString("N")[..12])));
        }
        var isNewest = RunPrefix is null && File is null && !Values.ContainsKey("commit");
        List<RunRecord> found = [];
        List<ResultRecord> results = [];
        foreach (var run in runs)
        {
            var own = store.Results(filter with { Run = run.Id })
                .Where(r => Value("backend") is not { } backend || r.Backend == backend).ToList();
            if (own.Count == 0) continue;
            found.Add(run);
            results.AddRange(own);
            if (isNewest) break;
        }
        if (found.Count > 0) return new(this, found, results);
        // A commit hash is hexadecimal, like a run's id.
        var isCommit = RunPrefix is not null && store.Runs(new(Commit: RunPrefix, Simulated: simulated)).Count > 0;
        throw new HarnessException($"there are no results of '{Text}'",
            isCommit ? $"did you mean commit:{RunPrefix}?" : "accc bench run makes some");
    }

    /// <summary>The newest run of a store.</summary>
    public static Side Newest(IResultStore store) => new Selection("the newest run").Find(store, simulated: false);
}
