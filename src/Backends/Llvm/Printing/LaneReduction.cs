// In: a lane reduction, or an argmax of a row, for one or several rows. Out: its value for each, in the order defined
// in KERNELS.md.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>16 partial results for a block of 4096, the lane tree 8-4-2-1, blocks combined pairwise.</summary>
internal sealed class LaneReduction(RowPrinter rows, IReadOnlyList<StatementPrinter> copies, LlvmText text,
    ScalarPrinter scalars)
{
    private const int Width = IndexPrinter.Width;

    /// <summary>The terms in a block of a lane reduction; part of the definition, not a tuning constant.</summary>
    private const int BlockLength = 4096;

    public void Print(Reduction r)
    {
        var results = RowPrinter.IsArg(r.Kind) ? First(r) : Combined(r);
        for (var c = 0; c < copies.Count; c++) copies[c].Bind(r.Result, results[c]);
    }

    private Operand[] Combined(Reduction r)
    {
        var extent = copies[0].Index.Scalar(r.Extent);
        if (r.Extent.IsConstant && r.Extent.Value <= BlockLength) return Block(r, "0", extent, r.Extent);

        var type = r.Result.Type;
        var element = Types.Of(type, 0);
        var stacks = copies.Select(_ => text.Slot($"[64 x {element}]")).ToArray();
        var depth = text.Slot("i64", 8);
        text.Do($"store i64 0, ptr {depth}, align 8");
        string At(string stack, string d) => text.Value($"getelementptr {element}, ptr {stack}, i64 {d}");
        Operand Read(string stack, string d) =>
            new(text.Value($"load {element}, ptr {At(stack, d)}, align {type.Bytes()}"), type, 0);
        void Write(string stack, string d, Operand x) =>
            text.Do($"store {element} {x.Text}, ptr {At(stack, d)}, align {type.Bytes()}");
        string Depth() => text.Value($"load i64, ptr {depth}, align 8");
        void Merge()
        {
            var top = text.Value($"sub i64 {Depth()}, 1");
            var below = text.Value($"sub i64 {top}, 1");
            foreach (var stack in stacks)
                Write(stack, below, ReductionPrinter.Combine(scalars, r.Kind, Read(stack, below), Read(stack, top)));
            text.Do($"store i64 {top}, ptr {depth}, align 8");
        }

        text.For("0", extent, $"{BlockLength}", start =>
        {
            var end = text.Value($"add i64 {start}, {BlockLength}");
            var inside = text.Value($"icmp slt i64 {end}, {extent}");
            end = text.Value($"select i1 {inside}, i64 {end}, i64 {extent}");
            var blocks = Block(r, start, end, Size.Variable("?"));
            var d = Depth();
            for (var c = 0; c < stacks.Length; c++) Write(stacks[c], d, blocks[c]);
            text.Do($"store i64 {text.Value($"add i64 {d}, 1")}, ptr {depth}, align 8");
            // Block b is followed by one merge for each of its trailing one bits: a binary counter.
            var number = text.Value($"udiv i64 {start}, {BlockLength}");
            text.Declare("declare i64 @llvm.cttz.i64(i64, i1 immarg)");
            var ones = text.Value($"call i64 @llvm.cttz.i64(i64 {text.Value($"xor i64 {number}, -1")}, i1 false)");
            text.For("0", ones, "1", _ => Merge());
        });
        var blocks = Depth();
        text.For("1", blocks, "1", _ => Merge());
        var none = new Operand(text.Value($"icmp eq i64 {blocks}, 0"), DType.Bool, 0);
        return [.. stacks.Select(
            stack => scalars.Choose(none, ReductionPrinter.Identity(scalars, r.Kind, type, 0), Read(stack, "0")))];
    }

    /// <summary>The block's value for each copy.</summary>
    private Operand[] Block(Reduction r, string from, string to, Size extent)
    {
        var sums = copies.Select(_ => Lanes.Start(r, text, scalars)).ToArray();
        // Several vectors of one row are added to the lanes one after the other, as the order requires. This helps a
        // polynomial, and in a maximum two terms are compared with each other outside the dependency chain.
        var vectors = sums[0].IsExtreme || (copies.Count == 1 && RowPrinter.IsHeavy(r.Body)) ? 2 : 1;
        rows.ForLanes(r.Variable, from, to, extent, vectors, (inside, count) =>
        {
            rows.Straight(inside, r.Body);
            Operand Term(int i) => scalars.Widen(inside[i].Of(r.Yield), Width);
            for (var i = 0; i < inside.Length; i += count)
                sums[i / count].Add([.. Enumerable.Range(i, count).Select(Term)], inside[i].Index.Lanes!.Mask);
        });
        return [.. sums.Select(s => Tree(r.Kind, s.Value(), text, scalars))];
    }

    internal static Operand Tree(ReduceKind kind, Operand lanes, LlvmText text, ScalarPrinter scalars) =>
        Tree(text, lanes, (a, b) => ReductionPrinter.Combine(scalars, kind, a, b));

    /// <summary>Lanes l and l + 8, then l and l + 4, l + 2, l + 1.</summary>
    internal static Operand Tree(LlvmText text, Operand lanes, Func<Operand, Operand, Operand> combine)
    {
        for (var half = Width / 2; half >= 1; half /= 2)
            lanes = combine(Part(text, lanes, 0, half), Part(text, lanes, half, half));
        return Lane0(text, lanes);
    }

    private static Operand Part(LlvmText text, Operand lanes, int first, int count)
    {
        var mask = Types.Lanes(first, count);
        return new(text.Value(
            $"shufflevector {lanes.LlvmType} {lanes.Text}, {lanes.LlvmType} poison, <{count} x i32> <{mask}>"),
            lanes.Type, count);
    }

    private static Operand Lane0(LlvmText text, Operand lanes) =>
        new(text.Value($"extractelement {lanes.LlvmType} {lanes.Text}, i64 0"), lanes.Type, 0);

    /// <summary>
    /// The partial results in memory that mem2reg turns into registers. A maximum or minimum of floats is `a > b ? a :
    /// b`, which is one instruction but loses a NaN in a; whether a lane has met one is recorded separately, outside
    /// the dependency chain. Zeros of either sign are equal, so that both forms keep the last of them.
    /// </summary>
    internal sealed class Lanes(ReduceKind kind, DType type, LlvmText text, ScalarPrinter scalars, string sum,
        string? nan)
    {
        private readonly string memory = Types.Of(type, Width);

        public static Lanes Start(Reduction r, LlvmText text, ScalarPrinter scalars)
        {
            var type = r.Result.Type;
            var isExtreme = r.Kind is ReduceKind.Max or ReduceKind.Min && type is DType.F32 or DType.F64;
            var memory = Types.Of(type, Width);
            var sum = text.Slot(memory);
            text.Do($"store {memory} {ReductionPrinter.Identity(scalars, r.Kind, type, Width).Text}, ptr {sum}, align 64");
            if (!isExtreme) return new Lanes(r.Kind, type, text, scalars, sum, null);
            var nan = text.Slot(memory);
            text.Do($"store {memory} zeroinitializer, ptr {nan}, align 64");
            return new Lanes(r.Kind, type, text, scalars, sum, nan);
        }

        /// <summary>True for a maximum or minimum of floats.</summary>
        public bool IsExtreme => nan is not null;

        /// <summary>Adds terms of one row, 16 side by side, then the next 16; a mask for one of them.</summary>
        public void Add(Operand[] terms, string? mask)
        {
            if (terms.Length == 2 && IsExtreme) Add(terms[0], terms[1]);
            else foreach (var term in terms) Add(term, mask);
        }

        private void Add(Operand term, string? mask)
        {
            var before = Load(sum);
            var next = IsExtreme ? Better(before, term) : ReductionPrinter.Combine(scalars, kind, before, term);
            if (IsExtreme) Meet(term, term, mask);
            if (mask is not null) next = scalars.Choose(new(mask, DType.Bool, Width), next, before);
            Store(sum, next);
        }

        /// <summary>
        /// Adds two terms of an extreme: which of three equal values is kept does not depend on which two are compared
        /// first.
        /// </summary>
        private void Add(Operand first, Operand second)
        {
            Meet(first, second, null);
            Store(sum, Better(Load(sum), Better(first, second)));
        }

        private Operand Better(Operand a, Operand b) =>
            scalars.Choose(scalars.Compare(kind == ReduceKind.Max ? ScalarOp.Gt : ScalarOp.Lt, a, b), a, b);

        /// <summary>Marks the lanes in which one of two terms is a NaN.</summary>
        private void Meet(Operand a, Operand b, string? mask)
        {
            var seen = scalars.Two("fcmp uno", a, b) with { Type = DType.Bool };
            if (mask is not null) seen = scalars.Two("and", seen, new Operand(mask, DType.Bool, Width));
            Store(nan!, scalars.Choose(seen, scalars.Constant(double.NaN, type, Width), Load(nan!)));
        }

        public Operand Value()
        {
            if (nan is null) return Load(sum);
            var seen = Load(nan);
            return scalars.Choose(scalars.Two("fcmp uno", seen, seen) with { Type = DType.Bool }, seen, Load(sum));
        }

        private Operand Load(string slot) => new(text.Value($"load {memory}, ptr {slot}, align 64"), type, Width);

        private void Store(string slot, Operand value) => text.Do($"store {memory} {value.Text}, ptr {slot}, align 64");
    }

    /// <summary>
    /// The first index of the greatest (least) term: each lane keeps its first, and the number of its block of 16; then
    /// the better of two lanes is kept, and of equal ones that with the lower index. A NaN is better than any number. A
    /// lane that has met nothing better than its identity gives its own first element, which exists wherever it could
    /// win.
    /// </summary>
    private Operand[] First(Reduction r)
    {
        var type = r.Yield.Type;
        var kind = r.Kind == ReduceKind.ArgMax ? ReduceKind.Max : ReduceKind.Min;
        var (values, blocks) = (Types.Of(type, Width), Types.Of(DType.I32, Width));
        var bests = copies.Select(_ => (Value: text.Slot(values), Start: text.Slot(blocks))).ToArray();
        foreach (var (value, start) in bests)
        {
            text.Do($"store {values} {ReductionPrinter.Identity(scalars, kind, type, Width).Text}, ptr {value}, align 64");
            text.Do($"store {blocks} zeroinitializer, ptr {start}, align 64");
        }
        Operand Value(int c) => new(text.Value($"load {values}, ptr {bests[c].Value}, align 64"), type, Width);
        Operand Start(int c) => new(text.Value($"load {blocks}, ptr {bests[c].Start}, align 64"), DType.I32, Width);
        rows.ForLanes(r.Variable, "0", copies[0].Index.Scalar(r.Extent), r.Extent, 1, (inside, _) =>
        {
            rows.Straight(inside, r.Body);
            for (var c = 0; c < inside.Length; c++)
            {
                var (term, old, at) = (scalars.Widen(inside[c].Of(r.Yield), Width), Value(c), Start(c));
                var wins = Beats(kind, term, old);
                var lanes = inside[c].Index.Lanes!;
                if (lanes.Mask is { } mask) wins = scalars.Two("and", wins, new Operand(mask, DType.Bool, Width));
                text.Do($"store {values} {scalars.Choose(wins, term, old).Text}, ptr {bests[c].Value}, align 64");
                var number = text.Value($"trunc i64 {text.Value($"lshr i64 {lanes.Start}, 4")} to i32");
                var here = scalars.Widen(new Operand(number, DType.I32, 0), Width);
                text.Do($"store {blocks} {scalars.Choose(wins, here, at).Text}, ptr {bests[c].Start}, align 64");
            }
        });
        return [.. copies.Select((_, c) => Winner(kind, Value(c), Start(c), r.Result.Type))];
    }

    private Operand Winner(ReduceKind kind, Operand value, Operand start, DType result)
    {
        var steps = $"<{string.Join(", ", Enumerable.Range(0, Width).Select(l => $"i64 {l}"))}>";
        var at = scalars.Two("shl", scalars.Cast("zext", start, DType.I64), scalars.Integer(4, DType.I64, Width));
        at = scalars.Two("add", at, new Operand(steps, DType.I64, Width));
        for (var half = Width / 2; half >= 1; half /= 2)
        {
            var (a, b) = (Part(text, value, 0, half), Part(text, value, half, half));
            var (i, j) = (Part(text, at, 0, half), Part(text, at, half, half));
            var neither =
                scalars.Compute(ScalarOp.Not, DType.Bool, scalars.Two("or", Beats(kind, a, b), Beats(kind, b, a)));
            var second =
                scalars.Two("or", Beats(kind, b, a), scalars.Two("and", neither, scalars.Compare(ScalarOp.Lt, j, i)));
            (value, at) = (scalars.Choose(second, b, a), scalars.Choose(second, j, i));
        }
        var first = Lane0(text, at);
        return result == DType.I64 ? first : scalars.Cast("trunc", first, result);
    }

    /// <summary>Strictly better, where a NaN is better than any number.</summary>
    private Operand Beats(ReduceKind kind, Operand a, Operand b)
    {
        if (!a.Type.IsFloat) return scalars.Compare(kind == ReduceKind.Max ? ScalarOp.Gt : ScalarOp.Lt, a, b);
        // Better or unordered, and b is a number.
        var better = scalars.Two(kind == ReduceKind.Max ? "fcmp ugt" : "fcmp ult", a, b) with { Type = DType.Bool };
        return scalars.Two("and", better, scalars.Two("fcmp ord", b, b) with { Type = DType.Bool });
    }
}
