// In: a reduction. Out: LLVM instructions that combine its terms in the order KERNELS.md fixes.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

internal sealed class ReductionPrinter(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index)
{
    private const int Width = IndexPrinter.Width;

    /// <summary>Terms a block of a lane reduction has; part of the meaning, not a tuning constant.</summary>
    private const int BlockLength = 4096;

    /// <summary>True for a reduction that is printed for all iterations that stand side by side at once.</summary>
    public static bool SideBySide(Reduction r) => !IsArg(r.Kind);

    /// <summary>
    /// In order of the index. Inside a vector loop every lane reduces for itself, in each of the iterations side by side. The
    /// terms of a short reduction are printed one after the other, so that indices, guards and loads that are equal are seen
    /// to be.
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
            void Read() => sums = [.. slots.Select(slot => new Operand(text.Value($"load {type}, ptr {slot}, align 64"), r.Result.Type, lanes))];
            var step = $"{r.Variable}row'";
            text.For("0", index.Scalar(whole), "1", i =>
            {
                index.Define(taps == 1 ? r.Variable : step, i);
                Read();
                statements.Apart(() => Terms(Size.Variable(step) * taps));
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
            statements.Each(c => sums[c] = Combine(r.Kind, sums[c], scalars.Widen(statements.Of(r.Yield), lanes)));
        }
    }

    /// <summary>16 partial results a block of 4096, the lane tree 8-4-2-1, blocks combined pairwise.</summary>
    public Operand Lanes(Reduction r)
    {
        if (IsArg(r.Kind)) return SerialArg(r);
        var extent = index.Scalar(r.Extent);
        if (r.Extent.IsConstant && r.Extent.Value <= BlockLength) return Tree(r, Block(r, "0", extent, r.Extent));

        var element = Types.Of(r.Result.Type, 0);
        var stack = text.Slot($"[64 x {element}]");
        var depth = text.Slot("i64", 8);
        text.Do($"store i64 0, ptr {depth}, align 8");
        string At(string d) => text.Value($"getelementptr {element}, ptr {stack}, i64 {d}");
        Operand Read(string d) => new(text.Value($"load {element}, ptr {At(d)}, align {r.Result.Type.Bytes()}"), r.Result.Type, 0);
        void Write(string d, Operand x) => text.Do($"store {element} {x.Text}, ptr {At(d)}, align {r.Result.Type.Bytes()}");
        string Depth() => text.Value($"load i64, ptr {depth}, align 8");
        void Merge()
        {
            var top = text.Value($"sub i64 {Depth()}, 1");
            var below = text.Value($"sub i64 {top}, 1");
            Write(below, Combine(r.Kind, Read(below), Read(top)));
            text.Do($"store i64 {top}, ptr {depth}, align 8");
        }

        text.For("0", extent, $"{BlockLength}", start =>
        {
            var end = text.Value($"add i64 {start}, {BlockLength}");
            var inside = text.Value($"icmp slt i64 {end}, {extent}");
            end = text.Value($"select i1 {inside}, i64 {end}, i64 {extent}");
            var block = Tree(r, Block(r, start, end, Size.Variable("?")));
            var d = Depth();
            Write(d, block);
            text.Do($"store i64 {text.Value($"add i64 {d}, 1")}, ptr {depth}, align 8");
            // Block b is followed by one merge for every trailing one of b: a binary counter.
            var number = text.Value($"udiv i64 {start}, {BlockLength}");
            text.Declare("declare i64 @llvm.cttz.i64(i64, i1 immarg)");
            var ones = text.Value($"call i64 @llvm.cttz.i64(i64 {text.Value($"xor i64 {number}, -1")}, i1 false)");
            text.For("0", ones, "1", _ => Merge());
        });
        var blocks = Depth();
        text.For("1", blocks, "1", _ => Merge());
        var none = text.Value($"icmp eq i64 {blocks}, 0");
        return scalars.Choose(new(none, DType.Bool, 0), Identity(r, 0), Read("0"));
    }

    private Operand Block(Reduction r, string from, string to, Size extent)
    {
        var type = Types.Of(r.Result.Type, Width);
        var slot = text.Slot(type);
        text.Do($"store {type} {Identity(r, Width).Text}, ptr {slot}, align 64");
        statements.ForLanes(r.Variable, from, to, extent, () =>
        {
            statements.Block(r.Body);
            var term = scalars.Widen(statements.Of(r.Yield), Width);
            var so_far = new Operand(text.Value($"load {type}, ptr {slot}, align 64"), r.Result.Type, Width);
            var next = Combine(r.Kind, so_far, term);
            if (index.Lanes!.Mask is { } mask) next = scalars.Choose(new(mask, DType.Bool, Width), next, so_far);
            text.Do($"store {type} {next.Text}, ptr {slot}, align 64");
        });
        return new(text.Value($"load {type}, ptr {slot}, align 64"), r.Result.Type, Width);
    }

    /// <summary>Lanes l and l + 8, then l and l + 4, l + 2, l + 1.</summary>
    private Operand Tree(Reduction r, Operand lanes)
    {
        for (var half = Width / 2; half >= 1; half /= 2)
        {
            Operand Part(int first)
            {
                var mask = string.Join(", ", Enumerable.Range(first, half).Select(l => $"i32 {l}"));
                return new(text.Value($"shufflevector {lanes.LlvmType} {lanes.Text}, {lanes.LlvmType} poison, <{half} x i32> <{mask}>"), lanes.Type, half);
            }
            lanes = Combine(r.Kind, Part(0), Part(half));
        }
        return new(text.Value($"extractelement {lanes.LlvmType} {lanes.Text}, i64 0"), lanes.Type, 0);
    }

    /// <summary>The first index of the greatest (least): a later term wins only if it is strictly better, or the first NaN.</summary>
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

    /// <summary>In order of the index, with an epilogue after every step. Inside a vector loop every lane has its own value.</summary>
    public void Running(Cumulation c)
    {
        var lanes = index.Lanes is null ? 0 : Width;
        var (kind, type) = (c.Kind, c.Running.Type);
        var memory = Types.Of(type, lanes);
        var slot = text.Slot(memory);
        var start = kind == ReduceKind.Add && type.IsFloat ? scalars.Constant(-0.0, type, lanes) : Identity(kind, type, lanes);
        text.Do($"store {memory} {start.Text}, ptr {slot}, align 64");
        text.For("0", index.Scalar(c.Extent), "1", i =>
        {
            index.Define(c.Variable, i);
            statements.Block(c.Body);
            var term = scalars.Widen(statements.Of(c.Yield), lanes);
            var before = new Operand(text.Value($"load {memory}, ptr {slot}, align 64"), type, lanes);
            var running = Combine(kind, before, term);
            text.Do($"store {memory} {running.Text}, ptr {slot}, align 64");
            statements.Bind(c.Running, running);
            statements.Block(c.Epilogue);
        });
    }

    public static bool IsArg(ReduceKind kind) => kind is ReduceKind.ArgMax or ReduceKind.ArgMin;

    public Operand Combine(ReduceKind kind, Operand a, Operand b) =>
        scalars.Compute(Enum.Parse<ScalarOp>(kind.ToString()), a.Type, a, b);

    public Operand Identity(Reduction r, int lanes) => Identity(r.Kind, r.Result.Type, lanes);

    private Operand Identity(ReduceKind kind, DType type, int lanes)
    {
        var bits = 8 * type.Bytes();
        return kind switch
        {
            ReduceKind.Add or ReduceKind.Or => scalars.Constant(0, type, lanes),
            ReduceKind.Mul => scalars.Constant(1, type, lanes),
            ReduceKind.And => scalars.Integer(type == DType.Bool ? 1 : -1, type, lanes),
            ReduceKind.Max when type.IsFloat => scalars.Constant(double.NegativeInfinity, type, lanes),
            ReduceKind.Min when type.IsFloat => scalars.Constant(double.PositiveInfinity, type, lanes),
            ReduceKind.Max => scalars.Integer(type.IsSigned ? -System.Numerics.BigInteger.Pow(2, bits - 1) : 0, type, lanes),
            _ => scalars.Integer(System.Numerics.BigInteger.Pow(2, type.IsSigned ? bits - 1 : bits) - 1, type, lanes),
        };
    }
}
