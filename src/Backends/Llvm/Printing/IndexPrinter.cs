// In: index polynomials over loop variables, sizes and loaded indices. Out: i64 instructions, one scalar or 16 lanes.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// The loop variable whose iterations are lanes: lane l of the block that starts at Start (a multiple of the width) is
/// iteration Start + l. Mask is the existing lanes, null for all.
/// </summary>
internal sealed record LaneLoop(string Variable, string Start, string? Mask);

internal sealed class IndexPrinter
{
    private readonly LlvmText text;
    private readonly ScalarPrinter scalars;
    private readonly IndexRanges ranges;

    public const int Width = 16;

    /// <summary>The values of names, from their definition to the end of that region.</summary>
    private readonly Dictionary<string, (Operand Value, int Region)> variables = [];
    private readonly HashSet<string> signed = [];
    private readonly Dictionary<string, Size> unrolled = [];

    public IndexPrinter(LlvmText text, ScalarPrinter scalars, IndexRanges ranges) =>
        (this.text, this.scalars, this.ranges) = (text, scalars, ranges);

    private IndexPrinter(IndexPrinter other, LaneLoop? lanes)
        : this(other.text, other.scalars, other.ranges)
    {
        (variables, signed, unrolled, Lanes) =
            (new(other.variables), [.. other.signed], new(other.unrolled), lanes ?? other.Lanes);
        if (lanes is not null) variables.Remove(lanes.Variable);
    }

    /// <summary>The current one of the iterations side by side.</summary>
    public Copy? Copy { get; set; }

    public LaneLoop? Lanes { get; private set; }

    /// <summary>
    /// A separate printer for another iteration, with the definitions so far; inside a lane loop if one is given.
    /// </summary>
    public IndexPrinter Fork(LaneLoop? lanes) => new(this, lanes);

    /// <summary>Defines a size or a loop variable, which is not negative.</summary>
    public void Define(string variable, string value) =>
        variables[variable] = (new(value, DType.I64, 0), text.Region);

    /// <summary>Defines a computed value that occurs in an offset, of any sign.</summary>
    public void DefineValue(string name, Operand value)
    {
        variables[name] = (value, text.Region);
        signed.Add(name);
    }

    /// <summary>Sets the iteration of an unrolled loop, or forgets it (null).</summary>
    public void Unroll(string variable, Size? iteration)
    {
        if (iteration is null) unrolled.Remove(variable);
        else unrolled[variable] = iteration;
    }

    /// <summary>The index with the meanings of its names in this copy and this iteration of unrolled loops.</summary>
    public Size Here(Size index)
    {
        Size? Place(string name) => Copy?.Place(name) ?? unrolled.GetValueOrDefault(name);
        return index.Variables().Any(v => Place(v) is not null) ? index.Substitute(Place) : index;
    }

    /// <summary>
    /// The index in terms of definitions: each name becomes the instruction that gives its value here, and an
    /// instruction has one result in one place. Equal definitions are equal values, whatever the names have meant
    /// before; the lane variable keeps its name, whose meaning is <see cref="Lanes"/>.
    /// </summary>
    public Size Definition(Size index) => Here(index).Substitute(name =>
        name == Lanes?.Variable ? null : Size.Variable(Find(name)?.Text ?? throw Undefined(name)));

    /// <summary>
    /// True for an index that consists of loop variables and sizes only, and is the same in all lanes.
    /// </summary>
    public bool IsPlain(Size index) => IsPlainHere(Here(index));

    private bool IsPlainHere(Size index) =>
        index.Variables().All(v => !VariesByName(v) && !signed.Contains(v) && Find(v) is not null);

    /// <summary>Null for a name that is not, or no longer, defined here.</summary>
    private Operand? Find(string name) =>
        variables.TryGetValue(name, out var known) && text.IsOpen(known.Region) ? known.Value : null;

    private static InvalidOperationException Undefined(string name) => new($"the index {name} is not defined here");

    /// <summary>The index in the first lane, and its step from lane to lane; null if that is not constant.</summary>
    public (Size First, long Step)? AlongLanes(Size index)
    {
        index = Here(index);
        if (Lanes is null || index.AffineIn(Lanes.Variable) is not var (step, rest) || !step.IsConstant) return null;
        if (!IsPlainHere(rest)) return null;
        Define("start'", Lanes.Start);
        return (rest + step.Value * Size.Variable("start'"), step.Value);
    }

    /// <summary>True if the index is proved to be non-negative.</summary>
    public bool NonNegative(Size index) => IsNonNegative(Here(index));

    private bool IsNonNegative(Size index) => ranges.NonNegative(index) && !index.Variables().Any(signed.Contains);

    /// <summary>The extent, or 0 if it is negative: such a loop does not run.</summary>
    public Size AtLeastZero(Size extent) => NonNegative(extent) ? extent : Size.Max(extent, Size.Zero);

    /// <summary>Prints the inside with one loop variable spread over lanes.</summary>
    public void InLanes(LaneLoop lanes, Action inside)
    {
        var before = Lanes;
        Lanes = lanes;
        variables.Remove(lanes.Variable);
        inside();
        Lanes = before;
    }

    /// <summary>True if the expression differs between lanes.</summary>
    public bool Varies(Size index) => Here(index).Variables().Any(VariesByName);

    private bool VariesByName(string name) =>
        name == Lanes?.Variable || Find(name) is { Lanes: > 0 };

    /// <summary>
    /// index = Base + Offset + Stride * lane with a scalar Base, constant Offset and Stride, if possible: the lane
    /// variable is split into 16 * block + lane, so that divisions by multiples of 16 can be resolved.
    /// </summary>
    public (string Base, long Stride, long Offset)? Affine(Size index)
    {
        index = Here(index);
        if (!index.Variables().Any(VariesByName)) return Split(index, 0);
        if (Lanes is null || index.Variables().Any(v => v != Lanes.Variable && VariesByName(v))) return null;
        if (index.AffineIn(Lanes.Variable) is var (stride, _) && stride.IsConstant)
        {
            var whole = index.Substitute(v => v == Lanes.Variable ? Size.Variable("start'") : null);
            Define("start'", Lanes.Start);
            return Split(whole, stride.Value);
        }
        var split = new IndexRanges(ranges);
        split.Add("lane'", Width);
        var parts =
            index.Substitute(v => v == Lanes.Variable ? Size.Variable("block'") * Width + Size.Variable("lane'")
                : null, split);
        if (parts.AffineIn("lane'") is not var (c, rest) || !c.IsConstant) return null;
        Define("block'", text.Value($"sdiv i64 {Lanes.Start}, {Width}"));
        return Split(rest, c.Value);
    }

    private (string, long, long) Split(Size index, long stride) =>
        (Print(index - index.Offset, 0).Text, stride, index.Offset);

    public string Scalar(Size index) => Print(Here(index), 0).Text;

    /// <summary>The index in every lane.</summary>
    public Operand Vector(Size index) => scalars.Widen(Print(Here(index), Width), Width);

    private Operand Print(Size index, int lanes)
    {
        Operand? sum = null;
        foreach (var term in index.Terms)
        {
            Operand? product = null;
            foreach (var atom in term.Atoms)
            {
                var factor = Print(atom, lanes);
                product = product is { } p ? Two("mul", p, factor) : factor;
            }
            if (product is { } value)
            {
                if (term.Coefficient != 1) value = Two("mul", value, Number(term.Coefficient));
                sum = sum is { } s ? Two("add", s, value) : value;
            }
            else
            {
                sum = sum is { } s ? Two("add", s, Number(term.Coefficient)) : Number(term.Coefficient);
            }
        }
        return sum ?? Number(0);
    }

    private static Operand Number(long value) => new($"{value}", DType.I64, 0);

    private Operand Two(string instruction, Operand a, Operand b)
    {
        var lanes = Math.Max(a.Lanes, b.Lanes);
        return scalars.Two(instruction, scalars.Widen(a, lanes), scalars.Widen(b, lanes));
    }

    private Operand Print(Atom atom, int lanes)
    {
        switch (atom)
        {
            case VariableAtom v:
                if (v.Name == Lanes?.Variable)
                {
                    if (lanes == 0) throw new InvalidOperationException($"{v.Name} differs between lanes");
                    var steps = $"<{string.Join(", ", Enumerable.Range(0, Width).Select(l => $"i64 {l}"))}>";
                    return scalars.Two("add", scalars.Widen(Number(0) with { Text = Lanes.Start }, Width),
                        new(steps, DType.I64, Width));
                }
                return Find(v.Name) ?? throw Undefined(v.Name);
            case FloorDivAtom d:
                return Divide(d, Print(d.Dividend, lanes), Print(d.Divisor, lanes));
            case MinAtom m:
                return Extreme("icmp slt", Print(m.Left, lanes), Print(m.Right, lanes));
            case MaxAtom m:
                return Extreme("icmp sgt", Print(m.Left, lanes), Print(m.Right, lanes));
            default:
                throw new InvalidOperationException($"no LLVM text for {atom.Text}");
        }
    }

    private Operand Extreme(string beats, Operand a, Operand b)
    {
        var first = Two(beats, a, b) with { Type = DType.Bool };
        return scalars.Choose(first, a, b);
    }

    private Operand Divide(FloorDivAtom atom, Operand a, Operand b)
    {
        // A symbolic divisor of 0 belongs to a loop that does not run, or to a failing check; the division must not
        // trap.
        if (!atom.Divisor.IsConstant)
            b = Two("add", b, scalars.Cast("zext", Two("icmp eq", b, Number(0)) with { Type = DType.Bool }, DType.I64));
        if (IsNonNegative(atom.Dividend)) return Two("udiv", a, b);
        var quotient = Two("sdiv", a, b);
        var rest = Two("sub", a, Two("mul", quotient, b));
        var below = Two("icmp slt", rest, Number(0)) with { Type = DType.Bool };
        return Two("sub", quotient, scalars.Cast("zext", below, DType.I64));
    }
}
