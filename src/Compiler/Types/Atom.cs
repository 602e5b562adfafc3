// The indivisible factors of a size: variables, floor divisions, minima and maxima. Each has a canonical text.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Types;

/// <summary>
/// A factor that is opaque to the polynomial normal form; equality is equality of <see cref="Text"/>.
/// </summary>
internal abstract class Atom(string text)
{
    public string Text { get; } = SizeLimitException.Bounded(text);

    public abstract Size Substitute(Func<string, Size?> map, IndexRanges? ranges);

    public abstract long Evaluate(Func<string, long> bindings);

    /// <summary>The variables in it, each once. Cached, as the atoms of a size are nested.</summary>
    public abstract ImmutableArray<string> Variables();

    private protected static ImmutableArray<string> Both(Size a, Size b) => [.. a.Variables().Union(b.Variables())];

    /// <summary>a / b rounded towards minus infinity. Throws DivideByZeroException unless b is positive.</summary>
    public static long Floor(long a, long b) => SizeValues.Floor(a, b);
}

internal sealed class VariableAtom(string name) : Atom(name)
{
    public string Name { get; } = name;

    public override Size Substitute(Func<string, Size?> map, IndexRanges? ranges) => map(Name) ?? Size.Of(this);

    public override long Evaluate(Func<string, long> bindings) => bindings(Name);

    private readonly ImmutableArray<string> variables = [name];

    public override ImmutableArray<string> Variables() => variables;
}

internal sealed class FloorDivAtom(Size dividend, Size divisor) : Atom($"floor({dividend.Text},{divisor.Text})")
{
    public Size Dividend { get; } = dividend;

    public Size Divisor { get; } = divisor;

    public override Size Substitute(Func<string, Size?> map, IndexRanges? ranges) =>
        SizeDivision.FloorDiv(Dividend.Substitute(map, ranges), Divisor.Substitute(map, ranges), ranges);

    public override long Evaluate(Func<string, long> bindings) =>
        Floor(Dividend.Evaluate(bindings), Divisor.Evaluate(bindings));

    private readonly ImmutableArray<string> variables = Both(dividend, divisor);

    public override ImmutableArray<string> Variables() => variables;
}

internal sealed class MinAtom(Size left, Size right) : Atom($"min({left.Text},{right.Text})")
{
    public Size Left { get; } = left;

    public Size Right { get; } = right;

    public override Size Substitute(Func<string, Size?> map, IndexRanges? ranges) =>
        Size.Min(Left.Substitute(map, ranges), Right.Substitute(map, ranges));

    public override long Evaluate(Func<string, long> bindings) =>
        Math.Min(Left.Evaluate(bindings), Right.Evaluate(bindings));

    private readonly ImmutableArray<string> variables = Both(left, right);

    public override ImmutableArray<string> Variables() => variables;
}

internal sealed class MaxAtom(Size left, Size right) : Atom($"max({left.Text},{right.Text})")
{
    public Size Left { get; } = left;

    public Size Right { get; } = right;

    public override Size Substitute(Func<string, Size?> map, IndexRanges? ranges) =>
        Size.Max(Left.Substitute(map, ranges), Right.Substitute(map, ranges));

    public override long Evaluate(Func<string, long> bindings) =>
        Math.Max(Left.Evaluate(bindings), Right.Evaluate(bindings));

    private readonly ImmutableArray<string> variables = Both(left, right);

    public override ImmutableArray<string> Variables() => variables;
}
