// The keys of a weights file, the state of a program and its rules come in; which key fills which state goes out.
using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// `weights { }`: first match wins, `*` within a segment, `**` across, no target drops, unmatched keys are
/// themselves.
/// </summary>
public static class WeightMap
{
    internal static ImmutableArray<WeightRule> Rules(SourceFile file, ModuleSyntax? module) =>
        Rules(file.Syntax.Items.Concat(module?.Items ?? []));

    internal static ImmutableArray<WeightRule> Rules(ModuleSyntax module) =>
        Rules((IEnumerable<ItemSyntax>)module.Items);

    private static ImmutableArray<WeightRule> Rules(IEnumerable<ItemSyntax> items) =>
        [.. items.OfType<WeightsSyntax>().SelectMany(w => w.Renames)
            .Select(r => new WeightRule(r.Source.Value, r.Target?.Value, r.Span))];

    /// <summary>
    /// State path to key in the file. What is missing, extra or of another shape is reported; an integer may be stored
    /// in
    /// any width, a float in any float dtype. The rules of a part's module, by its path, apply after the others to the
    /// keys under it, outer parts first.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Map(IReadOnlyDictionary<string, TensorType> keys,
        IEnumerable<StateSpec> state, IEnumerable<WeightRule> rules, Span file, DiagnosticBag bag,
        IReadOnlyDictionary<string, ImmutableArray<WeightRule>>? parts = null)
    {
        var patterns = Compile(rules, bag);
        var inner = (parts ?? ImmutableDictionary<string, ImmutableArray<WeightRule>>.Empty).OrderBy(p => p.Key.Length)
            .ThenBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => (Prefix: p.Key + ".", Patterns: Compile(p.Value, bag))).ToList();
        var declared = state.ToDictionary(s => s.Path);
        var map = new Dictionary<string, string>();
        var extra = new List<(string Key, string Path)>();
        foreach (var (key, type) in keys)
        {
            var renamed = Rename(key, patterns);
            foreach (var (prefix, own) in inner)
            {
                if (renamed is null || !renamed.StartsWith(prefix, StringComparison.Ordinal)) continue;
                renamed = Rename(renamed[prefix.Length..], own) is { } rest ? prefix + rest : null;
            }
            if (renamed is not { } path) continue;
            if (!declared.TryGetValue(path, out var wanted))
            {
                extra.Add((key, path));
                continue;
            }
            if (!map.TryAdd(path, key))
            {
                bag.Report(Codes.BadRename, wanted.Span,
                    $"the keys {map[path]} and {key} of the weights file both become {path}");
            }
            if (!type.Shape.SequenceEqual(wanted.Type.Shape) || type.DType.IsFloat != wanted.Type.DType.IsFloat)
            {
                bag.Report(Codes.WeightShape, wanted.Span,
                    $"{key} is {type} in the weights file, {path} is {wanted.Type}",
                    help: "check the hyper-parameters: `--set width=8`");
            }
        }
        var spare = extra.Select(e => e.Path).ToList();
        foreach (var s in declared.Values.Where(s => !map.ContainsKey(s.Path)))
        {
            bag.Report(Codes.MissingWeight, s.Span, $"the weights file has no key for {s.Path} ({s.Type})",
                help: Rule(s.Path, spare) is var (near, rule)
                    ? $"it has {near}; a rule could rename it: weights {{ {rule} }}"
                    : null);
        }
        foreach (var (key, path) in extra)
        {
            var near = Spelling.Nearest(path, declared.Keys);
            bag.Add(new Diagnostic(Codes.ExtraWeight,
                $"the weights file has {key} ({keys[key]}), which the program has no place for", file)
            {
                Help = near is null
                    ? $"a rule leaves it out: weights {{ \"{key}\" -> _ }}" : $"did the program mean {near}?",
            });
        }
        return map;
    }

    /// <summary>
    /// The spare key that was probably meant for a path, and the rule that would rename it: the same path under or
    /// above another, or the nearest spelling.
    /// </summary>
    private static (string Key, string Rule)? Rule(string path, List<string> spare)
    {
        if (spare.FirstOrDefault(k => k.EndsWith("." + path, StringComparison.Ordinal)) is { } longer)
            return (longer, $"\"{longer[..^(path.Length + 1)]}.**\" -> \"$1\"");
        if (spare.FirstOrDefault(k => path.EndsWith("." + k, StringComparison.Ordinal)) is { } shorter)
            return (shorter, $"\"**\" -> \"{path[..^(shorter.Length + 1)]}.$1\"");
        var near = Spelling.Nearest(path, spare)
            ?? (spare.Count < 40 ? spare.FirstOrDefault(p => Last(p) == Last(path)) : null);
        return near is null ? null : (near, $"\"{near}\" -> \"{path}\"");
    }

    private static string Last(string path) => path[(path.LastIndexOf('.') + 1)..];

    private static List<(Regex Pattern, string? Target)> Compile(IEnumerable<WeightRule> rules, DiagnosticBag bag)
    {
        var patterns = new List<(Regex, string?)>();
        foreach (var rule in rules)
        {
            var text = new StringBuilder("^");
            var groups = 0;
            for (var i = 0; i < rule.Source.Length; i++)
            {
                if (rule.Source[i] != '*')
                {
                    text.Append(Regex.Escape(rule.Source[i].ToString()));
                    continue;
                }
                groups++;
                var across = i + 1 < rule.Source.Length && rule.Source[i + 1] == '*';
                text.Append(across ? "(.*)" : "([^.]*)");
                if (across) i++;
            }
            if (rule.Target is not null)
            {
                foreach (Match m in Regex.Matches(rule.Target, @"\$(\d+)"))
                {
                    if (int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) is var n
                        && n >= 1 && n <= groups) continue;
                    bag.Report(Codes.BadRename, rule.Span, $"{m.Value} stands for no star: the pattern has {groups}");
                }
            }
            patterns.Add((new Regex(text.Append('$').ToString(), RegexOptions.CultureInvariant), rule.Target));
        }
        return patterns;
    }

    private static string? Rename(string key, List<(Regex Pattern, string? Target)> patterns)
    {
        foreach (var (pattern, target) in patterns)
        {
            if (pattern.Match(key) is not { Success: true } match) continue;
            return target is null ? null : Regex.Replace(target, @"\$(\d+)",
                m => match.Groups[int.Parse(m.Groups[1].Value,
                    System.Globalization.CultureInfo.InvariantCulture)].Value);
        }
        return key;
    }
}
