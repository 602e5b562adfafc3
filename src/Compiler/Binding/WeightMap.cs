// In: the keys of a weights file, the state of a program and its rules. Out: which key fills which state.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>
/// `weights { }`: the first match wins, `*` within a segment, `**` across; a rule without a target drops the key,
/// several targets are all filled, and unmatched keys keep their names.
/// </summary>
internal static class WeightMap
{
    internal static ImmutableArray<WeightRule> Rules(SourceFile file, ModuleSyntax? module) =>
        Rules(file.Syntax.Items.Concat(module?.Items ?? []));

    internal static ImmutableArray<WeightRule> Rules(ModuleSyntax module) =>
        Rules((IEnumerable<ItemSyntax>)module.Items);

    private static ImmutableArray<WeightRule> Rules(IEnumerable<ItemSyntax> items) =>
        [.. items.OfType<WeightsSyntax>().SelectMany(w => w.Renames).Select(r =>
            new WeightRule(r.Source.Value, [.. r.Targets.Select(t => t.Value)], r.IsOptional, r.Span))];

    /// <summary>
    /// Maps state paths to keys in the file. Missing and extra keys and other shapes are reported, one line for each
    /// pattern of paths; an integer may be stored in any width, a float in any float dtype. The rules of a part's
    /// module, by its path, apply after the others to the keys under it, outer parts first.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Map(IReadOnlyDictionary<string, TensorType> keys,
        IEnumerable<StateSpec> state, IEnumerable<WeightRule> rules, Span file, DiagnosticBag bag,
        IReadOnlyDictionary<string, ImmutableArray<WeightRule>>? parts = null)
    {
        var whole = new WeightPatterns("", rules, bag);
        var inner = (parts ?? ImmutableDictionary<string, ImmutableArray<WeightRule>>.Empty).OrderBy(p => p.Key.Length)
            .ThenBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => new WeightPatterns(p.Key + ".", p.Value, bag)).ToList();
        var declared = state.ToDictionary(s => s.Path);
        var map = new Dictionary<string, string>();
        var extra = new List<(string Key, string Path)>();
        var misshapen = new List<(string Key, StateSpec Wanted)>();
        foreach (var (key, type) in keys)
        {
            IEnumerable<string> paths = whole.Rename(key);
            foreach (var own in inner) paths = paths.SelectMany(p => own.Rename(p)).ToList();
            foreach (var path in paths)
            {
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
                    misshapen.Add((key, wanted));
            }
        }
        foreach (var alike in misshapen.GroupBy(m => (WeightPatterns.Alike(m.Wanted.Path), keys[m.Key], m.Wanted.Type)))
        {
            var (key, wanted) = alike.First();
            bag.Report(Codes.WeightShape, wanted.Span,
                $"{key} is {keys[key]} in the weights file, {wanted.Path} is {wanted.Type} in the "
                    + $"program{Others(alike)}",
                help: Turned(keys[key], wanted.Type));
        }
        var spare = extra.Select(e => e.Path).ToList();
        // Not one key fits, by its name or by its shape: one mistake, and no list of all that is missing and extra.
        var wants = declared.Values.FirstOrDefault(s => !inner.Prepend(whole).Any(p => p.IsOptional(s.Path)));
        if (map.Count == 0 && extra.Count > 0 && wants is not null
            && !extra.Any(e => declared.Values.Any(s => s.Type.Shape.SequenceEqual(keys[e.Key].Shape))))
        {
            bag.Report(Codes.MissingWeight, wants.Span, $"no key of the weights file fits this program: it has "
                + $"{extra[0].Key} ({keys[extra[0].Key]}), wanted is {wants.Path} ({wants.Type})",
                help: "these are another network's weights, or hyper-parameters differ: `--set width=8`");
            return map;
        }
        foreach (var alike in declared.Values
            .Where(s => !map.ContainsKey(s.Path) && !inner.Prepend(whole).Any(p => p.IsOptional(s.Path)))
            .GroupBy(s => WeightPatterns.Alike(s.Path)))
        {
            var s = alike.First();
            bag.Report(Codes.MissingWeight, s.Span,
                $"the weights file has no key for {s.Path} ({s.Type}){Others(alike)}",
                help: Rule(s.Path, spare) is var (near, rule)
                    ? $"it has {near}; a rule could rename it: weights {{ {rule} }}"
                    : null);
        }
        foreach (var alike in extra.GroupBy(e => WeightPatterns.Alike(e.Key)))
        {
            var (key, path) = alike.First();
            var near = Spelling.Nearest(path, declared.Keys);
            bag.Add(new Diagnostic(Codes.ExtraWeight,
                $"the weights file has {key} ({keys[key]}), which the program has no place for{Others(alike)}", file)
            {
                Help = near is null
                    ? $"a rule leaves it out: weights {{ \"{(alike.Count() > 1 ? alike.Key : key)}\" -> _ }}"
                    : $"did the program mean {near}?",
            });
        }
        return map;
    }

    /// <summary>How to fix a key of another shape or kind.</summary>
    private static string Turned(TensorType stored, TensorType wanted)
    {
        if (stored.DType.IsFloat != wanted.DType.IsFloat)
            return "floats and integers are not converted into each other";
        var (from, to) = (stored.Shape.Select(s => s.Text).ToList(), wanted.Shape.Select(s => s.Text).ToList());
        if (!from.Order(StringComparer.Ordinal).SequenceEqual(to.Order(StringComparer.Ordinal)))
            return stored.Count.Equals(wanted.Count) ? "it has as many values in another shape: reshape it where the "
                + "file "
                + "is written" : "check the hyper-parameters: `--set width=8`";
        var order = new List<int>();
        foreach (var size in to) order.Add(Enumerable.Range(0, from.Count).First(i => from[i] == size
            && !order.Contains(i)));
        return "the file has the axes in another order: write it with "
            + (from.Count == 2 ? "`w.T`" : $"`w.transpose({string.Join(", ", order)})`") + " made contiguous"
            + (from.Count == 2 ? ", or take a layer of that layout: `Conv1D` has its weight [in, out], `Linear` "
                + "[out, in]" : "");
    }

    /// <summary>The number of paths that one line stands for, besides the one that it names.</summary>
    private static string Others<T>(IEnumerable<T> alike) => alike.Count() switch
    {
        1 => "",
        2 => ", and one like it",
        var n => $", and {n - 1} like it",
    };

    /// <summary>
    /// The unused key that was probably meant for a path, and the rule that would rename it: the same path under or
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
}
