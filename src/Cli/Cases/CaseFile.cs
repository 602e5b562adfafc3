// In: an .acc file whose comments contain a header block. Out: what to run, with which sizes, and the expected outcome.
using System.Globalization;
using System.Text;

namespace Accelerate.Cli.Cases;

/// <summary>
/// One call: `FN name=VALUE … == RESULT | RESULT within 1e-6`, or a call that must fail with a message.
/// </summary>
internal sealed record CaseCall(int Line, string Function, IReadOnlyList<string> Arguments,
    IReadOnlyList<string>? Expected,
    double? Tolerance, string? Failure);

/// <summary>`kernels 1`, `copies 0`, `dot 2`: the expected number of occurrences in the compiled function.</summary>
internal sealed record CaseCount(int Line, string? Function, string What, int Count);

/// <summary>The header of a case file; tests/cases/README.md describes it.</summary>
internal sealed record CaseFile(string Path, string Title, IReadOnlyList<CaseCall> Calls,
    IReadOnlyList<CaseCount> Counts,
    IReadOnlyList<(string Name, long[] Values)> Dims, IReadOnlyDictionary<string, string> Set,
    IReadOnlyList<string> Prints)
{
    private const int MostSizes = 1000;

    private static readonly string[] Keys = ["run", "fails", "expect", "prints", "dims", "set"];

    /// <exception cref="CliException">A line of the header is malformed, or no call is given.</exception>
    public static CaseFile Read(string path)
    {
        var title = "";
        var (calls, counts) = (new List<CaseCall>(), new List<CaseCount>());
        var dims = new List<(string, long[])>();
        var set = new Dictionary<string, string>();
        var prints = new List<string>();
        var number = 0;
        foreach (var line in ModelLoader.ReadSource(path).Text.Split('\n'))
        {
            number++;
            if (!line.StartsWith('#')) continue;
            var text = line[1..].Trim();
            var colon = text.IndexOf(':');
            var rest = colon < 0 ? "" : text[(colon + 1)..].Trim();
            CliException Bad(string why) =>
                new($"{path}:{number}: {why}", "tests/cases/README.md has the form of a header");
            switch (colon < 0 ? "" : text[..colon])
            {
                case var _ when text.StartsWith("---", StringComparison.Ordinal):
                    title = text.Trim('-', ' ');
                    break;
                case "run":
                    calls.Add(Call(number, rest, Bad));
                    break;
                case "fails":
                    var (call, message) = Cut(rest, " with ")
                        ?? throw Bad("a call that fails says `with` what message");
                    calls.Add(Call(number, call, Bad) with { Failure = message.Trim('"') });
                    break;
                case "expect":
                    counts.AddRange(Expectations(number, rest, Bad));
                    break;
                case "prints":
                    prints.Add(rest);
                    break;
                case "dims":
                    dims.AddRange(rest.Split(';', StringSplitOptions.TrimEntries).Select(d => Dim(d, Bad)));
                    break;
                case "set":
                    foreach (var pair in rest.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    {
                        var (name, value) = Cut(pair, "=") ?? throw Bad($"'{pair}' is not name=value");
                        set[name] = value;
                    }
                    break;
                // Other comments may contain a colon too, but a near miss of a key is an error, as it would silently
                // run nothing.
                case var key when Nearest.Of(key, Keys) is { } near:
                    throw Bad($"a header has no '{key}:'; did you mean `{near}:`?");
            }
        }
        if (dims.Aggregate(1.0, (product, d) => product * d.Item2.Length) > MostSizes)
            throw new CliException($"{path}: `dims` has more than {MostSizes} combinations");
        if (calls.Count == 0)
            throw new CliException($"{path} runs nothing", "a line `# run: FN name=VALUE …` says what to run");
        return new(path, title, calls, counts, dims, set, prints);
    }

    /// <summary>All combinations of the sizes.</summary>
    public IEnumerable<IReadOnlyDictionary<string, long>> Sizes()
    {
        IEnumerable<Dictionary<string, long>> all = [[]];
        foreach (var (name, values) in Dims)
            all = all.SelectMany(d => values.Select(v => new Dictionary<string, long>(d) { [name] = v })).ToList();
        return all;
    }

    private static CaseCall Call(int line, string text, Func<string, CliException> bad)
    {
        double? tolerance = null;
        if (Cut(text, " within ") is var (before, bound))
        {
            tolerance = double.TryParse(bound, NumberStyles.Float, CultureInfo.InvariantCulture, out var t) ? t
                : throw bad($"'{bound}' is no tolerance");
            text = before;
        }
        string[]? expected = null;
        if (Cut(text, "==") is var (call, results))
        {
            expected = results.Split('|', StringSplitOptions.TrimEntries);
            text = call;
        }
        var words = Words(text);
        return words.Count == 0 ? throw bad("no function is named")
            : new(line, words[0], words.Skip(1).ToList(), expected, tolerance, null);
    }

    private static IEnumerable<CaseCount> Expectations(int line, string text, Func<string, CliException> bad)
    {
        string? function = null;
        if (Cut(text, ":") is var (name, rest)) (function, text) = (name, rest);
        return text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part =>
        {
            var at = part.LastIndexOf(' ');
            return at > 0
                && int.TryParse(part[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                ? new CaseCount(line, function, part[..at].Trim(), count)
                    : throw bad($"'{part}' is not `kernels 1` or the like");
        }).ToList();
    }

    /// <summary>Parses `n in {0, 1, 7}`.</summary>
    private static (string, long[]) Dim(string text, Func<string, CliException> bad)
    {
        var (name, values) = Cut(text, " in ") ?? throw bad($"'{text}' is not `n in {{1, 7}}`");
        return (name, [.. values.Trim('{', '}').Split(',').Select(v =>
            long.TryParse(v, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture, out var n)
                ? n : throw bad($"'{v}' is no size"))]);
    }

    private static (string Before, string After)? Cut(string text, string at) =>
        text.IndexOf(at, StringComparison.Ordinal) is >= 0 and var i
        ? (text[..i].Trim(), text[(i + at.Length)..].Trim()) : null;

    /// <summary>Splits at blanks outside brackets.</summary>
    public static List<string> Words(string text)
    {
        var words = new List<string>();
        var (word, depth) = (new StringBuilder(), 0);
        foreach (var c in text + " ")
        {
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            if (c != ' ' || depth > 0) word.Append(c);
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }
        return words;
    }
}
