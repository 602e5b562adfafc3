// In: the text of a generated program. Out: the contents of its header: calls, constant sizes, loose results,
// configurations.
using System.Globalization;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// `# run: f x=ones n=3`, `# dim: n=3`, `# loose: 0 w` (results by number, state by name), `# on: opencl; llvm x86-64
/// -O2 3`.
/// </summary>
internal sealed record FuzzHeader(IReadOnlyList<IReadOnlyList<string>> Calls, IReadOnlyDictionary<string, long> Dims,
    IReadOnlySet<string> Loose, IReadOnlyList<FuzzConfig> On)
{
    public static FuzzHeader Read(string text)
    {
        var calls = new List<IReadOnlyList<string>>();
        var dims = new Dictionary<string, long>();
        var loose = new HashSet<string>();
        var on = new List<FuzzConfig>();
        foreach (var line in text.Split('\n').TakeWhile(l => l.StartsWith('#')))
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            var rest = colon < 0 ? "" : line[(colon + 2)..].Trim();
            switch (colon < 0 ? "" : line[1..colon].Trim())
            {
                case "run":
                    calls.Add(Cases.CaseFile.Words(rest)[1..]);
                    break;
                case "dim":
                    var at = rest.IndexOf('=');
                    dims[rest[..at]] = long.Parse(rest[(at + 1)..], CultureInfo.InvariantCulture);
                    break;
                case "loose":
                    loose.UnionWith(rest.Split(' '));
                    break;
                case "on":
                    on.AddRange(rest.Split(';').Select(FuzzConfig.Parse));
                    break;
            }
        }
        return new(calls, dims, loose, on);
    }
}
