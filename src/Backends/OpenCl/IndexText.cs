// In: sizes and guards of kernel IR, and facts about the variables. Out: OpenCL C expressions of type long.
using System.Collections.Immutable;
using System.Text;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.OpenCl;

/// <summary>Size arithmetic as text. A division whose dividend is proved non-negative uses C's own.</summary>
internal sealed class IndexText(OpenClPrelude prelude)
{
    private IndexRanges ranges = new();

    /// <summary>A size, a loop index, or an indirectly loaded i64 value.</summary>
    public static string Variable(string name) =>
        VariableName.LoadedId(name) is { } id ? $"v{id}" : OpenClTypes.Name("i", name);

    /// <summary>States that from here on, 0 &lt;= variable &lt; extent.</summary>
    public void Add(string variable, Size extent) => ranges.Add(variable, extent);

    /// <summary>Facts added by the action are forgotten afterwards.</summary>
    public void Inside(Action action)
    {
        var outer = ranges;
        ranges = new IndexRanges(outer);
        action();
        ranges = outer;
    }

    public string Of(Size size)
    {
        if (size.Terms.IsEmpty) return "0L";
        var sum = new StringBuilder();
        foreach (var term in size.Terms)
        {
            var negative = term.Coefficient < 0;
            if (sum.Length > 0) sum.Append(negative ? " - " : " + ");
            else if (negative) sum.Append('-');
            // The least long has no negation, so it keeps its sign.
            if (term.Coefficient == long.MinValue) return Expanded(size);
            sum.Append(Product(Math.Abs(term.Coefficient), term.Atoms));
        }
        return sum.ToString();
    }

    /// <summary>An expression that can be used as an operand.</summary>
    public string Bracketed(Size size) =>
        size is { Terms: [{ Coefficient: 1, Atoms: [VariableAtom v] }] } ? Variable(v.Name) : $"({Of(size)})";

    /// <summary>A number of iterations: 0 for a negative extent.</summary>
    public string Count(Size extent) => IsNonNegative(extent) ? Of(extent) : $"max({Of(extent)}, 0L)";

    /// <summary>The comparisons of each guard that are not proved.</summary>
    public string Holds(IEnumerable<Guard> guards) => string.Join(" && ", guards.SelectMany(Holds));

    private IEnumerable<string> Holds(Guard guard)
    {
        var index = Of(guard.Index);
        if (!IsNonNegative(guard.Index)) yield return $"{index} >= 0L";
        yield return $"{index} < {Of(guard.Extent)}";
    }

    private string Expanded(Size size) => string.Join(" + ", size.Terms.Select(t =>
        OpenClTypes.Index(t.Coefficient) + (t.Atoms.IsEmpty ? "" : $" * {Product(1, t.Atoms)}")));

    private string Product(long coefficient, ImmutableArray<Atom> atoms)
    {
        var factors = atoms.Select(Factor);
        return string.Join(" * ", coefficient == 1 && !atoms.IsEmpty
            ? factors : factors.Prepend(OpenClTypes.Index(coefficient)));
    }

    private string Factor(Atom atom) => atom switch
    {
        VariableAtom v => Variable(v.Name),
        FloorDivAtom { Divisor: { IsConstant: true } q } d when IsNonNegative(d.Dividend) =>
            $"({Bracketed(d.Dividend)} / {Of(q)})",
        FloorDivAtom d => $"{prelude.Use("acc_floor_div")}({Of(d.Dividend)}, {Of(d.Divisor)})",
        // Overloaded on every integer type; both sides are longs, because constants have the suffix L.
        MinAtom m => $"min({Of(m.Left)}, {Of(m.Right)})",
        MaxAtom m => $"max({Of(m.Left)}, {Of(m.Right)})",
        _ => throw new InvalidOperationException($"no OpenCL form of {atom.GetType().Name}"),
    };

    /// <summary>Whether it is proved for all values in range; a loaded index has no known range.</summary>
    private bool IsNonNegative(Size size) =>
        !size.Mentions(VariableKind.Loaded) && ranges.NonNegative(size);
}
