// In: the rules of `weights { }` for the keys under a path. Out: the new name of a key.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Compiler.Binding;

/// <summary>The rules of a program, or of one part under its path.</summary>
internal sealed partial class WeightPatterns
{
    private readonly string prefix;
    private readonly List<(Regex Pattern, ImmutableArray<string> Targets)> rules = [];
    private readonly List<Regex> optional = [];

    public WeightPatterns(string prefix, IEnumerable<WeightRule> written, DiagnosticBag bag)
    {
        this.prefix = prefix;
        foreach (var rule in written)
        {
            var stars = Star().Matches(rule.Source).Select(m => m.Value == "*" ? "([^.]*)" : "(.*)").ToList();
            foreach (var n in rule.Targets.SelectMany(t => Reference().Matches(t)).Where(m => Group(m) is var n
                && (n < 1 || n > stars.Count)))
                bag.Report(Codes.BadRename, rule.Span, $"{n.Value} stands for no star: the pattern has {stars.Count}");
            rules.Add((Whole(rule.Source, Star(), (_, k) => stars[k]), rule.Targets));
            if (!rule.IsOptional) continue;
            optional.AddRange(rule.Targets.Select(target => Whole(target, Reference(),
                (m, _) => Group(m) is var n && n >= 1 && n <= stars.Count ? stars[n - 1] : "(.*)")));
        }
    }

    /// <summary>The paths that a key fills: itself if no rule applies, none if it is dropped.</summary>
    public ImmutableArray<string> Rename(string key)
    {
        if (!key.StartsWith(prefix, StringComparison.Ordinal)) return [key];
        foreach (var (pattern, targets) in rules)
        {
            if (pattern.Match(key[prefix.Length..]) is not { Success: true } match) continue;
            return [.. targets.Select(t => prefix + Reference().Replace(t, m => match.Groups[Group(m)].Value))];
        }
        return [key];
    }

    /// <summary>True if a file may lack a key for this state.</summary>
    public bool IsOptional(string path) => path.StartsWith(prefix, StringComparison.Ordinal)
        && optional.Any(o => o.IsMatch(path[prefix.Length..]));

    /// <summary>The pattern of all paths that differ from this one in numbers: `layer*.*.bn*.weight`.</summary>
    public static string Alike(string path) => Digits().Replace(path, "*");

    /// <summary>A text with some of its parts replaced by patterns, to be matched as a whole.</summary>
    private static Regex Whole(string text, Regex part, Func<Match, int, string> pattern)
    {
        var (result, at, k) = (new StringBuilder("^"), 0, 0);
        foreach (Match m in part.Matches(text))
        {
            result.Append(Regex.Escape(text[at..m.Index])).Append(pattern(m, k++));
            at = m.Index + m.Length;
        }
        return new Regex(result.Append(Regex.Escape(text[at..])).Append('$').ToString(), RegexOptions.CultureInvariant);
    }

    private static int Group(Match reference) =>
        int.TryParse(reference.Groups[1].Value, CultureInfo.InvariantCulture, out var n) ? n : 0;

    [GeneratedRegex(@"\*\*?")]
    private static partial Regex Star();

    [GeneratedRegex(@"\$(\d+)")]
    private static partial Regex Reference();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
