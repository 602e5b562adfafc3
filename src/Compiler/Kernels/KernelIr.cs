// The kernel IR at a glance: a loop nest over flat buffers, in single assignment form. KERNELS.md defines the meaning
// of each kind.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>The shape of a kernel's work; derived from its text.</summary>
internal enum KernelKind
{
    /// <summary>Elementwise work and gathers: loops around straight-line code.</summary>
    Map,

    /// <summary>Lane reductions, running values and orders over a row that stays in the first-level cache.</summary>
    Row,

    /// <summary>One register-tiled contraction, or two of them as attention.</summary>
    Contraction,
}

/// <summary>A scalar in single assignment form. Bool is one bit in values and one byte in buffers.</summary>
internal sealed record Value(int Id, DType Type)
{
    /// <summary>The name of an i64 value in an offset (the one indirection of an accessor).</summary>
    public string IndexName => VariableName.Loaded(Id);
}

/// <summary>The scalar operations. NUMERICS.md defines every case; none is undefined.</summary>
internal enum ScalarOp
{
    Neg, Abs, Sqrt, Floor, Ceil, Trunc, Round, Not,
    Add, Sub, Mul, Div, Rem, Max, Min, And, Or, Xor, Shl, Shr,
    Eq, Ne, Lt, Le, Gt, Ge,
    Fma, Select, Convert, Bitcast,
}

internal enum LoopKind
{
    /// <summary>
    /// Iterations in any order, on any worker. Parallel loops are the outermost ones and nest perfectly.
    /// </summary>
    Parallel,

    /// <summary>Iterations in order.</summary>
    Serial,

    /// <summary>Iterations in any order; the body is straight-line code and in-order reductions.</summary>
    Vector,
}

/// <summary>How a reduction combines its terms.</summary>
internal enum ReduceKind
{
    Add, Mul, Max, Min, And, Or, ArgMax, ArgMin,
}

/// <summary>0 &lt;= Index &lt; Extent.</summary>
internal sealed record Guard(Size Index, Size Extent)
{
    public IEnumerable<Size> Sizes => [Index, Extent];

    public Guard Map(Func<Size, Size> size) => new(size(Index), size(Extent));

    /// <summary>
    /// The same condition without a division: x // c + d is in 0 .. n exactly when x + c·d is in 0 .. c·n.
    /// </summary>
    public Guard Undivided()
    {
        if (Index.Terms.Where(t => t.Atoms.Any(a => a is FloorDivAtom))
            .ToList() is not [{ Coefficient: 1, Atoms: [FloorDivAtom floor] }])
            return this;
        if (!floor.Divisor.IsConstant || floor.Divisor.Value <= 0) return this;
        var rest = Index - Size.FloorDiv(floor.Dividend, floor.Divisor);
        return new Guard(floor.Dividend + rest * floor.Divisor, Extent * floor.Divisor);
    }
}

internal sealed record Block(ImmutableArray<Statement> Statements)
{
    public static readonly Block Empty = new([]);
}

/// <summary>One loop of a statement: its variable goes from 0 to the extent.</summary>
internal sealed record Axis(string Variable, Size Extent)
{
    public Axis Map(Func<Size, Size> size) => this with { Extent = size(Extent) };
}

/// <summary>A block inside a statement, and those of the statement's loops that it runs in, outermost first.</summary>
internal sealed record Scope(Block Block, ImmutableArray<Axis> Axes);

/// <summary>
/// The base of all statements. Each reports the blocks it contains, the values it defines and the sizes it mentions, so
/// that code that walks or rewrites kernels does not depend on its kind.
/// </summary>
internal abstract record Statement
{
    /// <summary>The blocks inside, in the order of the text.</summary>
    public virtual ImmutableArray<Scope> Scopes => [];

    /// <summary>The loops that the statement runs, each once.</summary>
    public virtual ImmutableArray<Axis> Axes => [];

    /// <summary>The values that it defines itself: for later statements, or for its own blocks.</summary>
    public virtual ImmutableArray<Value> Defines => [];

    /// <summary>Its own sizes, without those of the statements inside: extents, offsets, guards.</summary>
    public virtual IEnumerable<Size> Sizes => Axes.Select(a => a.Extent);

    /// <summary>The same statement with its own sizes and inner blocks replaced.</summary>
    public abstract Statement Map(Func<Size, Size> size, Func<Block, Block> block);
}

/// <summary>
/// Result = op(arguments); the result's type determines that of Convert, Bitcast and the comparisons.
/// </summary>
internal sealed record Compute(Value Result, ScalarOp Op, ImmutableArray<Value> Arguments) : Statement
{
    public override ImmutableArray<Value> Defines => [Result];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) => this;
}

/// <summary>A constant: a double (exact in the dtype) for floats, a long for integers and bool.</summary>
internal sealed record Literal(Value Result, double Float, long Integer) : Statement
{
    public override ImmutableArray<Value> Defines => [Result];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) => this;
}

/// <summary>An index expression as an i64 value.</summary>
internal sealed record IndexValue(Value Result, Size Index) : Statement
{
    public override ImmutableArray<Value> Defines => [Result];

    public override IEnumerable<Size> Sizes => [Index];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) => this with { Index = size(Index) };
}

/// <summary>
/// The element at an offset if all guards hold, else the fill (a value defined before). In bounds by construction.
/// </summary>
internal sealed record Load(Value Result, int Buffer, Size Offset, ImmutableArray<Guard> Guards, Value? Fill)
    : Statement
{
    public override ImmutableArray<Value> Defines => [Result];

    public override IEnumerable<Size> Sizes => Guards.SelectMany(g => g.Sizes).Prepend(Offset);

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) =>
        this with { Offset = size(Offset), Guards = [.. Guards.Select(g => g.Map(size))] };
}

/// <summary>Writes the element if all guards hold. In bounds by construction.</summary>
internal sealed record Store(int Buffer, Size Offset, Value Value) : Statement
{
    public ImmutableArray<Guard> Guards { get; init; } = [];

    public override IEnumerable<Size> Sizes => Guards.SelectMany(g => g.Sizes).Prepend(Offset);

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) =>
        this with { Offset = size(Offset), Guards = [.. Guards.Select(g => g.Map(size))] };
}

internal sealed record Loop(LoopKind Kind, string Variable, Size Extent, Block Body) : Statement
{
    public override ImmutableArray<Scope> Scopes => [new(Body, Axes)];

    public override ImmutableArray<Axis> Axes => [new(Variable, Extent)];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) =>
        this with { Extent = size(Extent), Body = block(Body) };
}

/// <summary>
/// Combines the values that the body yields for each index. Lanes: 16 partial results, lane tree 8-4-2-1, blocks of
/// 4096 combined pairwise. Otherwise in order of the index, starting from the identity.
/// </summary>
internal sealed record Reduction(Value Result, ReduceKind Kind, bool Lanes, string Variable, Size Extent, Block Body,
    Value Yield) : Statement
{
    /// <summary>
    /// For a float sum in order whose terms are products: result = fma(yield, factor, result), rounded once.
    /// </summary>
    public Value? Factor { get; init; }

    public override ImmutableArray<Scope> Scopes => [new(Body, Axes)];

    public override ImmutableArray<Axis> Axes => [new(Variable, Extent)];

    public override ImmutableArray<Value> Defines => [Result];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) =>
        this with { Extent = size(Extent), Body = block(Body) };
}

/// <summary>
/// For each index in order: running = op(running, the body's yield), then the epilogue with it. It starts at the
/// identity, for a float sum at -0, so that the first value is the first term.
/// </summary>
internal sealed record Cumulation(ReduceKind Kind, string Variable, Size Extent, Block Body, Value Yield, Value Running,
    Block Epilogue) : Statement
{
    public override ImmutableArray<Scope> Scopes => [new(Body, Axes), new(Epilogue, Axes)];

    public override ImmutableArray<Axis> Axes => [new(Variable, Extent)];

    public override ImmutableArray<Value> Defines => [Running];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) =>
        this with { Extent = size(Extent), Body = block(Body), Epilogue = block(Epilogue) };
}

/// <summary>
/// Sorts the values that the body yields for each index: ascending, or descending; stable, NaN last in both, -0 and +0
/// equal. Then runs the epilogue for each place, with the key there and the index for which it was yielded.
/// </summary>
internal sealed record Ordering(bool IsDescending, string Variable, Size Extent, Block Body, Value Yield, Value Key,
    Value At,
    Block Epilogue) : Statement
{
    public override ImmutableArray<Scope> Scopes => [new(Body, Axes), new(Epilogue, Axes)];

    public override ImmutableArray<Axis> Axes => [new(Variable, Extent)];

    public override ImmutableArray<Value> Defines => [Key, At];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) =>
        this with { Extent = size(Extent), Body = block(Body), Epilogue = block(Epilogue) };
}

/// <summary>
/// For every m and n: acc = +0, then acc = fma(left, right, acc) (integers: acc + left * right, wrapping) for every k
/// in order, the last axis fastest; then the epilogue with acc. Left sees m and k, right sees n and k.
/// </summary>
internal sealed record Contract(Axis M, Axis N, ImmutableArray<Axis> K, Block Left, Value LeftYield, Block Right,
    Value RightYield,
    Value Accumulator, Block Epilogue) : Statement
{
    public override ImmutableArray<Scope> Scopes =>
        [new(Left, [M, .. K]), new(Right, [N, .. K]), new(Epilogue, [M, N])];

    public override ImmutableArray<Axis> Axes => [M, N, .. K];

    public override ImmutableArray<Value> Defines => [Accumulator];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) => this with
    {
        M = M.Map(size),
        N = N.Map(size),
        K = [.. K.Select(k => k.Map(size))],
        Left = block(Left),
        Right = block(Right),
        Epilogue = block(Epilogue),
    };
}

/// <summary>A block with one result.</summary>
internal sealed record Part(Block Block, Value Yield)
{
    public Part Map(Func<Block, Block> block) => this with { Block = block(Block) };
}

/// <summary>
/// For every m: weights of the keys s, and the sum over s of weight times value(s, e) for every e, in one pass over
/// blocks of keys: see KERNELS.md for the order. Query sees m and k, key s and k, value s and e, until (how many keys
/// the row has; all if null) m, score m and s, the weight no axis, the epilogue m and e. Greatest is the row's greatest
/// score, where the epilogue asks for it.
/// </summary>
internal sealed record Attend(
    Axis M, Axis S, Axis E, Axis K, int KeyBlock, Part Query, Part Key, Part Value, Part? Until,
    Value Product, Part Score, Value Difference, Part Weight, Value Sum, Value Total, Value? Greatest, Block Epilogue)
        : Statement
{
    public override ImmutableArray<Scope> Scopes =>
        [new(Query.Block, [M, K]), new(Key.Block, [S, K]), new(Value.Block, [S, E]),
            .. Until is null ? Array.Empty<Scope>() : [new(Until.Block, [M])],
            new(Score.Block, [M, S]), new(Weight.Block, [M, S]), new(Epilogue, [M, E])];

    public override ImmutableArray<Axis> Axes => [M, S, E, K];

    public override ImmutableArray<Value> Defines =>
        [.. new[] { Product, Difference, Sum, Total, Greatest }.OfType<Value>()];

    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) => this with
    {
        M = M.Map(size),
        S = S.Map(size),
        E = E.Map(size),
        K = K.Map(size),
        Query = Query.Map(block),
        Key = Key.Map(block),
        Value = Value.Map(block),
        Until = Until?.Map(block),
        Score = Score.Map(block),
        Weight = Weight.Map(block),
        Epilogue = block(Epilogue),
    };
}

/// <summary>
/// Marks the call as failed with an index out of range if the bool value is true; the kernel goes on.
/// </summary>
internal sealed record Flag(Value Condition) : Statement
{
    public override Statement Map(Func<Size, Size> size, Func<Block, Block> block) => this;
}

/// <summary>
/// A buffer that a kernel is given: row-major elements of one dtype. Updated: an output that has values already;
/// elements that the kernel does not store keep theirs.
/// </summary>
internal sealed record KernelBuffer(string Name, DType Type, Size Count, bool IsOutput, bool IsUpdated = false);

/// <summary>A unit of native code. Equal texts are one kernel, called with different buffers and sizes.</summary>
internal sealed record Kernel(
    string Name, ImmutableArray<KernelBuffer> Buffers, ImmutableArray<string> Sizes, Block Body)
{
    public KernelKind Kind => Statements(Body).Any(s => s is Contract or Attend) ? KernelKind.Contraction
        : Statements(Body).Any(s => s is Reduction { Lanes: true } or Cumulation or Ordering) ? KernelKind.Row
        : KernelKind.Map;

    /// <summary>The outer nest of parallel loops, and the block inside it.</summary>
    public (ImmutableArray<Loop> Loops, Block Inner) ParallelNest()
    {
        var loops = ImmutableArray.CreateBuilder<Loop>();
        var inner = Body;
        while (inner.Statements is [Loop { Kind: LoopKind.Parallel } loop])
        {
            loops.Add(loop);
            inner = loop.Body;
        }
        return (loops.ToImmutable(), inner);
    }

    /// <summary>Every statement, outer ones before inner ones.</summary>
    public static IEnumerable<Statement> Statements(Block block) =>
        block.Statements.SelectMany(s => s.Scopes.SelectMany(x => Statements(x.Block)).Prepend(s));
}
