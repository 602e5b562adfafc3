// In: a reduction. Out: LLVM instructions that combine its terms in the order defined in KERNELS.md.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

internal sealed class ReductionPrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars,
    IndexPrinter index)
{
    private const int Width = IndexPrinter.Width;

    /// <summary>True for a reduction that is printed for all side-by-side iterations at once.</summary>
    public static bool SideBySide(Reduction r) => !IsArg(r.Kind);

    /// <summary>
    /// In order of the index. Inside a vector loop every lane reduces separately, in each of the side-by-side
    /// iterations. The terms of a short reduction are printed one after the other, so that equal indices, guards and
    /// loads are recognised.
    /// </summary>
    public void Serial(Reduction r)
    {
        var lanes = index.Lanes is null ? 0 : Width;
        var type = Types.Of(r.Result.Type, lanes);
        var taps = Taps.Unrolled(r, statements.Copies, inLanes: lanes > 0);
        var whole = Size.FloorDiv(r.Extent, taps);
        Operand[] sums = [.. Enumerable.Repeat(Identity(r, lanes), statements.Copies)];
        if (whole.Is(1))
        {
            Terms(0);
        }
        else
        {
            var slots = sums.Select(_ => text.Slot(type)).ToArray();
            foreach (var slot in slots) text.Do($"store {type} {sums[0].Text}, ptr {slot}, align 64");
            void Read() =>
                sums = [.. slots.Select(
                    slot => new Operand(text.Value($"load {type}, ptr {slot}, align 64"), r.Result.Type, lanes))];
            var step = $"{r.Variable}row'";
            text.For("0", index.Scalar(whole), "1", i =>
            {
                index.Define(taps == 1 ? r.Variable : step, i);
                Read();
                Terms(Size.Variable(step) * taps);
                foreach (var (slot, sum) in slots.Zip(sums)) text.Do($"store {type} {sum.Text}, ptr {slot}, align 64");
            });
            Read();
        }
        statements.Each(c => statements.Bind(r.Result, sums[c]));

        void Terms(Size first)
        {
            for (var tap = 0; tap < taps; tap++)
            {
                if (!r.Extent.Is(taps) && taps == 1) Term();
                else
                {
                    index.Unroll(r.Variable, first + tap);
                    Term();
                    index.Unroll(r.Variable, null);
                }
            }
        }

        void Term()
        {
            statements.Block(r.Body);
            statements.Each(c => sums[c] = Add(r, sums[c], lanes));
        }
    }

    /// <summary>
    /// The first index of the greatest (least): a later term wins only if it is strictly better, or the first NaN.
    /// </summary>
    public Operand SerialArg(Reduction r)
    {
        var source = r.Yield.Type;
        var lanes = index.Lanes is null ? 0 : Width;
        var (valueType, indexType) = (Types.Of(source, lanes), Types.Of(r.Result.Type, lanes));
        var (best, at) = (text.Slot(valueType), text.Slot(indexType));
        text.Do($"store {valueType} zeroinitializer, ptr {best}, align 64");
        text.Do($"store {indexType} zeroinitializer, ptr {at}, align 64");
        text.For("0", index.Scalar(r.Extent), "1", i =>
        {
            index.Define(r.Variable, i);
            statements.Block(r.Body);
            var term = scalars.Widen(statements.Of(r.Yield), lanes);
            var old = new Operand(text.Value($"load {valueType}, ptr {best}, align 64"), source, lanes);
            var oldAt = new Operand(text.Value($"load {indexType}, ptr {at}, align 64"), r.Result.Type, lanes);
            var wins = scalars.Compare(r.Kind == ReduceKind.ArgMax ? ScalarOp.Gt : ScalarOp.Lt, term, old);
            if (source.IsFloat)
            {
                var isNaN = scalars.Two("fcmp uno", term, term) with { Type = DType.Bool };
                var wasNumber = scalars.Two("fcmp ord", old, old) with { Type = DType.Bool };
                wins = scalars.Two("or", wins, scalars.Two("and", isNaN, wasNumber));
            }
            var first = scalars.Widen(new Operand(text.Value($"icmp eq i64 {i}, 0"), DType.Bool, 0), lanes);
            wins = scalars.Two("or", wins, first);
            var here = new Operand(i, DType.I64, 0);
            if (r.Result.Type == DType.I32) here = scalars.Cast("trunc", here, DType.I32);
            text.Do($"store {valueType} {scalars.Choose(wins, term, old).Text}, ptr {best}, align 64");
            text.Do($"store {indexType} {scalars.Choose(wins, scalars.Widen(here, lanes), oldAt).Text}, ptr {at}, align 64");
        });
        return new(text.Value($"load {indexType}, ptr {at}, align 64"), r.Result.Type, lanes);
    }

    /// <summary>
    /// In order of the index, with an epilogue after every step; several rows in step. Inside a vector loop every lane
    /// has its own value.
    /// </summary>
    public static void Running(IReadOnlyList<StatementPrinter> copies, LlvmText text, ScalarPrinter scalars,
        Cumulation c)
    {
        var lanes = copies[0].Index.Lanes is null ? 0 : Width;
        var (kind, type) = (c.Kind, c.Running.Type);
        var memory = Types.Of(type, lanes);
        var start = kind == ReduceKind.Add && type.IsFloat ? scalars.Constant(-0.0, type, lanes)
            : Identity(scalars, kind, type, lanes);
        var slots = copies.Select(_ => text.Slot(memory)).ToArray();
        foreach (var slot in slots) text.Do($"store {memory} {start.Text}, ptr {slot}, align 64");
        text.For("0", copies[0].Index.Scalar(c.Extent), "1", i =>
        {
            foreach (var (copy, slot) in copies.Zip(slots))
            {
                copy.Index.Define(c.Variable, i);
                copy.Block(c.Body);
                var term = scalars.Widen(copy.Of(c.Yield), lanes);
                var before = new Operand(text.Value($"load {memory}, ptr {slot}, align 64"), type, lanes);
                var running = Combine(scalars, kind, before, term);
                text.Do($"store {memory} {running.Text}, ptr {slot}, align 64");
                copy.Bind(c.Running, running);
                copy.Block(c.Epilogue);
            }
        });
    }

    public static bool IsArg(ReduceKind kind) => kind is ReduceKind.ArgMax or ReduceKind.ArgMin;

    /// <summary>Combines the running value with the term that the body has just yielded.</summary>
    public Operand Add(Reduction r, Operand sum, int lanes)
    {
        var term = scalars.Widen(statements.Of(r.Yield), lanes);
        return r.Factor is { } factor
            ? scalars.Compute(ScalarOp.Fma, r.Result.Type, term, scalars.Widen(statements.Of(factor), lanes), sum)
            : Combine(r.Kind, sum, term);
    }

    public Operand Combine(ReduceKind kind, Operand a, Operand b) => Combine(scalars, kind, a, b);

    public static Operand Combine(ScalarPrinter scalars, ReduceKind kind, Operand a, Operand b) =>
        scalars.Compute(Enum.Parse<ScalarOp>(kind.ToString()), a.Type, a, b);

    public Operand Identity(Reduction r, int lanes) => Identity(scalars, r.Kind, r.Result.Type, lanes);

    public static Operand Identity(ScalarPrinter scalars, ReduceKind kind, DType type, int lanes)
    {
        var bits = 8 * type.Bytes();
        return kind switch
        {
            ReduceKind.Add or ReduceKind.Or => scalars.Constant(0, type, lanes),
            ReduceKind.Mul => scalars.Constant(1, type, lanes),
            ReduceKind.And => scalars.Integer(type == DType.Bool ? 1 : -1, type, lanes),
            ReduceKind.Max when type.IsFloat => scalars.Constant(double.NegativeInfinity, type, lanes),
            ReduceKind.Min when type.IsFloat => scalars.Constant(double.PositiveInfinity, type, lanes),
            ReduceKind.Max =>
                scalars.Integer(type.IsSigned ? -System.Numerics.BigInteger.Pow(2, bits - 1) : 0, type, lanes),
            _ => scalars.Integer(System.Numerics.BigInteger.Pow(2, type.IsSigned ? bits - 1 : bits) - 1, type, lanes),
        };
    }
}
