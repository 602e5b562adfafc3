// In: the parts of a generated program. Out: its source with a header block, and smaller programs of the same form.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>How closely the f64 reference interpreter, rounding every node to its dtype, predicts a value.</summary>
internal enum Grade
{
    /// <summary>Equal: all operations so far are exact, or rounded once by IEEE 754.</summary>
    Exact,

    /// <summary>Within the bound of NUMERICS: sums in another order, elementary functions.</summary>
    Rounded,

    /// <summary>
    /// Unpredictable: a rounded value went through a function with jumps, such as `floor`. Only backends are compared.
    /// </summary>
    Loose,
}

/// <summary>A variable of a generated program.</summary>
internal sealed record FuzzValue(string Name, DType Type, ImmutableArray<Size> Shape, Grade Grade)
{
    public int Rank => Shape.Length;

    public string TypeText => Text(Type, Shape);

    public static string Text(DType type, ImmutableArray<Size> shape) =>
        shape.IsEmpty ? type.Name() : $"{type.Name()}[{string.Join(", ", shape.Select(s => s.Display))}]";
}

/// <summary>A parameter and its value, in the form of `accc run`.</summary>
internal sealed record FuzzParameter(FuzzValue Value, string Fill, bool IsInout = false);

/// <summary>A piece of state: `param` or `buffer`, and its initial value.</summary>
internal sealed record FuzzState(string Kind, FuzzValue Value, string Initial);

/// <summary>
/// One or more lines that define a variable, or assign state if they define none. <see cref="Op"/> names the purpose of
/// the statement; for a library function it begins with `nn.`.
/// </summary>
internal sealed record FuzzStatement(string Op, string Text, FuzzValue? Defines, ImmutableArray<string> Uses);

/// <summary>A complete program with one exported function `f`, and the calls that run it.</summary>
internal sealed record FuzzProgram
{
    public required int Seed { get; init; }

    public required ImmutableArray<FuzzParameter> Parameters { get; init; }

    public ImmutableArray<FuzzState> State { get; init; } = [];

    public required ImmutableArray<FuzzStatement> Statements { get; init; }

    public required ImmutableArray<FuzzValue> Results { get; init; }

    /// <summary>The size variables of the program and their values.</summary>
    public required ImmutableSortedDictionary<string, long> Sizes { get; init; }

    /// <summary>True if sizes become constants outside the text, as with `--dim`.</summary>
    public bool IsPinned { get; init; }

    public int Calls { get; init; } = 1;

    /// <summary>
    /// True to return the gradients of a sum of the float results by all float parameters instead of the results.
    /// </summary>
    public bool IsGradient { get; init; }

    /// <summary>The program without statements that neither a result nor an assignment of state needs.</summary>
    public FuzzProgram Live()
    {
        var needed = Results.Select(r => r.Name).ToHashSet();
        var kept = new List<FuzzStatement>();
        foreach (var statement in Statements.Reverse())
        {
            if (statement.Defines is { } value && !needed.Contains(value.Name)) continue;
            kept.Add(statement);
            needed.UnionWith(statement.Uses);
        }
        kept.Reverse();
        ImmutableArray<FuzzParameter> parameters = [.. Parameters.Where(p => needed.Contains(p.Value.Name))];
        return this with
        {
            // Only floats have gradients.
            IsGradient = IsGradient && parameters.Any(p => p.Value.Type.IsFloat) && Results.Any(r => r.Type.IsFloat),
            Statements = [.. kept],
            Parameters = parameters,
            State = [.. State.Where(s => needed.Contains(s.Value.Name))],
        };
    }

    /// <summary>The file: a header that says how to run it, then the program.</summary>
    public string Source(string on = "")
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# --- accc fuzz --seed {Seed} --programs 1\n");
        // Sizes that are not alone on an axis of some parameter are parameters themselves.
        var variables = Parameters.SelectMany(p => p.Value.Shape).Concat(Results.SelectMany(r => r.Shape))
            .SelectMany(s => s.Variables()).Concat(Sizes.Keys.Where(MentionedInText)).ToHashSet();
        var bound = Parameters.SelectMany(p => p.Value.Shape).Where(IsVariable).Select(s => s.Display).ToHashSet();
        var sizes = Sizes.Where(s => variables.Contains(s.Key)).ToList();
        var run = string.Join(' ', ["f", .. Parameters.Select(p => $"{p.Value.Name}={p.Fill}"),
            .. IsPinned ? [] : sizes.Select(s => $"{s.Key}={s.Value}")]);
        for (var call = 0; call < Calls; call++) text.Append(CultureInfo.InvariantCulture, $"# run: {run}\n");
        if (IsPinned)
            foreach (var (name, value) in sizes) text.Append(CultureInfo.InvariantCulture, $"# dim: {name}={value}\n");
        var differentiated = Parameters.Select(p => p.Value).Where(v => v.Type.IsFloat).ToList();
        var loose = IsGradient
            ? [.. Enumerable.Range(0, differentiated.Count + 1).Select(i => i.ToString(CultureInfo.InvariantCulture))]
            : Results.Select((r, i) => (r.Grade, Name: i.ToString(CultureInfo.InvariantCulture)))
                .Concat(State.Select(s => (s.Value.Grade, s.Value.Name)))
            .Concat(Parameters.Where(p => p.IsInout).Select(p => (p.Value.Grade, p.Value.Name)))
            .Where(v => v.Grade == Grade.Loose).Select(v => v.Name).ToList();
        if (loose.Count > 0) text.Append(CultureInfo.InvariantCulture, $"# loose: {string.Join(' ', loose)}\n");
        if (on != "") text.Append(CultureInfo.InvariantCulture, $"# on: {on}\n");
        if (Statements.Any(s => s.Op.StartsWith("nn.", StringComparison.Ordinal))) text.Append("use nn\n");
        var indent = State.IsEmpty ? "" : "    ";
        if (!State.IsEmpty)
        {
            text.Append("module Fuzz {\n");
            foreach (var s in State) text.Append($"    {s.Kind} {s.Value.Name}: {s.Value.TypeText} = {s.Initial}\n");
        }
        List<string> parameters = [.. Parameters.Select(p =>
            $"{(p.IsInout ? "inout " : "")}{p.Value.Name}: {p.Value.TypeText}"),
            .. sizes.Where(s => !bound.Contains(s.Key)).Select(s => $"{s.Key}: int")];
        var results = Results.IsEmpty ? ""
            : Results.Length == 1 ? $" -> {Results[0].TypeText}"
            : $" -> ({string.Join(", ", Results.Select(r => r.TypeText))})";
        var head = IsGradient ? "fn sum_of" : "export fn f";
        if (IsGradient) results = " -> f32";
        text.Append($"{indent}{head}({string.Join(", ", parameters)}){results} {{\n");
        foreach (var line in Statements.SelectMany(s => s.Text.Split('\n')))
            text.Append($"{indent}    {line}\n");
        if (IsGradient) text.Append($"    return {Sum}\n}}\n{Gradient(parameters, differentiated)}");
        else if (!Results.IsEmpty)
            text.Append($"{indent}    return {string.Join(", ", Results.Select(r => r.Name))}\n");
        if (!IsGradient) text.Append($"{indent}}}\n");
        if (!State.IsEmpty) text.Append("}\n");
        return text.ToString();
    }

    /// <summary>
    /// A number that depends on every float of the results, differently on each element, so that errors cannot cancel.
    /// </summary>
    private string Sum => string.Join(" + ", Results.Where(r => r.Type.IsFloat).Select((r, i) =>
        r.Rank == 0 ? $"f32({r.Name})" : $"sum(sin(f32({r.Name}) + {i}))"));

    private static string Gradient(List<string> parameters, List<FuzzValue> by)
    {
        var names = string.Join(", ", parameters.Select(p => p[..p.IndexOf(':')]));
        return $"export fn f({string.Join(", ", parameters)}) -> (f32, {string.Join(", ", by.Select(v => v.TypeText))}) {{\n"
            + $"    let value, by = value_and_grad(sum_of, wrt: [{string.Join(", ", by.Select(v => v.Name))}])({names})\n"
            + $"    return value, {string.Join(", ", by.Select((_, i) => $"by[{i}]"))}\n}}\n";
    }

    /// <summary>The purposes of the statements, each once, in order; this identifies a find.</summary>
    public string Ops => string.Join(' ', Statements.Select(s => s.Op).Distinct().Order(StringComparer.Ordinal));

    public static bool IsVariable(Size size) => size.Terms is [{ Coefficient: 1, Atoms: [VariableAtom] }];

    private bool MentionedInText(string size) => Statements.Any(s => Mentions(s.Text, size));

    private static bool Mentions(string text, string word)
    {
        for (var at = text.IndexOf(word, StringComparison.Ordinal); at >= 0;
            at = text.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            var before = at > 0 && (char.IsLetterOrDigit(text[at - 1]) || text[at - 1] == '_');
            var end = at + word.Length;
            var after = end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] == '_');
            if (!before && !after) return true;
        }
        return false;
    }
}
