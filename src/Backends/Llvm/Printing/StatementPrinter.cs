// In: the statements of a kernel. Out: LLVM instructions: vector loops as 16 lanes with a masked tail, loads by
// accessor.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Values that do not depend on the lane stay scalar; they are widened where they are combined with lanes.
/// </summary>
internal sealed partial class StatementPrinter(Kernel kernel, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
    string[] buffers, string status, Func<StatementPrinter, Contract, ContractPrinter> contraction,
    Func<StatementPrinter, Attend, AttentionPrinter> attention, Func<Size, string> scratch, Func<Loop, int> vectors)
{
    private const int Width = IndexPrinter.Width;
    private Dictionary<string, string> fills = [];
    private Dictionary<int, Statement> definitions = [];
    private readonly HashSet<(Store, Copy)> waiting = [];
    private Dictionary<Store, ImmutableArray<Store>>? interleaved;
    private string? nowhere;

    public Operand Of(Value value) => copy.Of(value.Id);

    public void Bind(Value value, Operand operand)
    {
        copy.Bind(value.Id, operand);
        if (value.Type != DType.I64) return;
        var name = VariableName.Loaded(value.Id, copy.Number);
        if (copy.Number > 0) copy.Place(value.IndexName, Size.Variable(name));
        index.DefineValue(name, operand);
    }

    public void Block(Block block)
    {
        foreach (var statement in block.Statements)
        {
            switch (statement)
            {
                case Loop { Kind: LoopKind.Vector } l when Copies == 1 && copy.Number == 0 && RowPrinter.Takes(l):
                    new RowPrinter([this], text, scalars).VectorLoop(l);
                    break;
                case Loop { Kind: LoopKind.Vector } l:
                    Vector(l);
                    break;
                case Reduction { Lanes: false } r when ReductionPrinter.SideBySide(r):
                    new ReductionPrinter(this, text, scalars, index).Serial(r);
                    break;
                default:
                    Each(() => Statement(statement));
                    break;
            }
        }
    }

    public void Statement(Statement statement)
    {
        switch (statement)
        {
            case Compute c when scalars.HasScaling && index.Lanes is not null
                && ExponentScaling.Find(c, Remembered(c)) is var (p, n)
                && Of(p).Lanes == Width && Of(n).Lanes == Width:
                Bind(c.Result, ExponentScaling.Print(Of(p), Of(n), text));
                break;
            case Compute c:
                Bind(c.Result, scalars.Compute(c.Op, c.Result.Type, [.. c.Arguments.Select(Of)]));
                break;
            case Literal l:
                ExponentScaling.Remember(definitions, l);
                Bind(l.Result, l.Result.Type.IsFloat ? scalars.Constant(l.Float, l.Result.Type)
                    : scalars.Integer(l.Integer, l.Result.Type, 0));
                break;
            case IndexValue i:
                Bind(i.Result, index.Varies(i.Index) ? index.Vector(i.Index)
                    : new(index.Scalar(i.Index), DType.I64, 0));
                break;
            case Load l:
                Bind(l.Result, Load(l));
                break;
            case Store s:
                Store(s);
                break;
            case Flag f:
                Flag(Of(f.Condition));
                break;
            case Loop l:
                text.For("0", index.Scalar(l.Extent), "1", i =>
                {
                    index.Define(l.Variable, i);
                    Block(l.Body);
                });
                break;
            case Reduction r when index.Lanes is null && (r.Lanes || RowPrinter.IsStraight(r.Body)):
                new LaneReduction(new RowPrinter([this], text, scalars), [this], text, scalars).Print(r);
                break;
            case Reduction r when ReductionPrinter.IsArg(r.Kind):
                Bind(r.Result, new ReductionPrinter(this, text, scalars, index).SerialArg(r));
                break;
            // In the lanes of an enclosing reduction.
            case Reduction { Lanes: false } r:
                new ReductionPrinter(this, text, scalars, index).Serial(r);
                break;
            case Cumulation c:
                ReductionPrinter.Running([this], text, scalars, c);
                break;
            case Ordering o:
                new OrderPrinter(this, text, scalars, index, scratch).Print(o);
                break;
            case Contract c:
                var printer = contraction(this, c);
                printer.Begin();
                text.For("0", index.Scalar(printer.Jobs), "1", job => printer.Print(job, job));
                break;
            case Attend a:
                var rows = attention(this, a);
                text.For("0", index.Scalar(rows.Jobs), "1", rows.Print);
                break;
            default:
                throw new InvalidOperationException($"no LLVM text for {statement.GetType().Name}");
        }
    }

    /// <summary>The definitions so far, of all copies together: an id is defined once in a kernel.</summary>
    private Dictionary<int, Statement> Remembered(Compute last)
    {
        ExponentScaling.Remember(definitions, last);
        return definitions;
    }

    /// <summary>The lanes l for which start + l is below the end.</summary>
    public string TailMask(string start, string end)
    {
        var left = scalars.Widen(new(text.Value($"sub i64 {end}, {start}"), DType.I64, 0), Width);
        var lanes = $"<{string.Join(", ", Enumerable.Range(0, Width).Select(l => $"i64 {l}"))}>";
        return text.Value($"icmp slt <{Width} x i64> {lanes}, {left.Text}");
    }

    /// <summary>The address of a buffer's first element.</summary>
    public string Buffer(int buffer) => buffers[buffer];

    /// <summary>The address of an element, at an offset that is the same in all lanes.</summary>
    public string At(int buffer, Size offset) => Address(buffer, index.Scalar(offset));

    private static string VectorOf(string element) => $"<{Width} x {element}>";

    /// <summary>
    /// Offsets that differ by a constant share a pointer, to which the instruction adds the constant.
    /// </summary>
    private string Address(int buffer, string offset, long constant = 0)
    {
        var memory = Types.Memory(kernel.Buffers[buffer].Type);
        var address = text.Value($"getelementptr {memory}, ptr {buffers[buffer]}, i64 {offset}");
        return constant == 0 ? address : text.Value($"getelementptr {memory}, ptr {address}, i64 {constant}");
    }

    /// <summary>Eight bytes that may be read in place of a missing element.</summary>
    private string Nowhere()
    {
        if (nowhere is null)
        {
            nowhere = text.Slot("i64", 8);
            text.AtEntry($"store i64 0, ptr {nowhere}, align 8");
        }
        return nowhere;
    }

    /// <summary>
    /// 16 elements of the value, which are read in place of missing elements; null if it is not a constant of a memory
    /// type.
    /// </summary>
    private string? Fill(Operand value)
    {
        if (value.Text[0] == '%' || Types.Memory(value.Type) != Types.Element(value.Type)) return null;
        var lanes = $"{VectorOf(Types.Memory(value.Type))} {Types.Splat(Types.Memory(value.Type), value.Text, Width)}";
        if (!fills.TryGetValue(lanes, out var line))
        {
            fills[lanes] = line = text.Slot(VectorOf(Types.Memory(value.Type)));
            text.AtEntry($"store {lanes}, ptr {line}, align 64");
        }
        return line;
    }

    /// <summary>The lanes (or the scalar) in which all guards hold; null if there are none.</summary>
    public Operand? Holds(IEnumerable<Guard> guards) => Holding(guards) switch
    {
        ({ } same, { } lanes) => scalars.Compute(ScalarOp.And, DType.Bool, same, lanes),
        var (same, lanes) => same ?? lanes,
    };

    /// <summary>
    /// Whether the guards that are equal in all lanes hold, and the lanes in which the others do; null for none.
    /// </summary>
    private (Operand? Same, Operand? InLanes) Holding(IEnumerable<Guard> guards)
    {
        Operand? same = null, inLanes = null;
        foreach (var guard in guards)
        {
            var varies = index.Varies(guard.Index) || index.Varies(guard.Extent);
            Operand Print(Size s) => varies ? index.Vector(s) : new(index.Scalar(s), DType.I64, 0);
            // One unsigned comparison checks both bounds if the extent is not negative; otherwise nothing may pass.
            var (at, extent) = (Print(guard.Index), Print(guard.Extent));
            var here = scalars.Two("icmp ult", at, extent) with { Type = DType.Bool };
            if (!index.NonNegative(guard.Extent))
            {
                var some = scalars.Two("icmp sgt", extent, scalars.Integer(0, DType.I64, extent.Lanes));
                here = scalars.Two("and", here, some with { Type = DType.Bool });
            }
            if (varies) inLanes = inLanes is { } h ? scalars.Two("and", h, here) : here;
            else same = same is { } h ? scalars.Two("and", h, here) : here;
        }
        return (same, inLanes);
    }

    /// <summary>The existing lanes in which the guards hold; null for all.</summary>
    private string? Mask(Operand? holds) => (index.Lanes!.Mask, holds) switch
    {
        (var mask, null) => mask,
        (null, { } lanes) => lanes.Text,
        ({ } mask, { } lanes) => text.Value($"and {VectorOf("i1")} {mask}, {lanes.Text}"),
    };

    /// <summary>A load's guards that are not known to hold.</summary>
    private IEnumerable<Guard> Open(Load load) => load.Guards.Where(g => !proved.Contains((load.Result.Id, g)));

    private Operand Load(Load load)
    {
        if (loaded is null) return Read(load);
        var reading = Reading.Of(load, text.Region, index, load.Fill is { } fill ? Of(fill) : null);
        if (!loaded.TryGetValue(reading, out var value)) loaded[reading] = value = Read(load);
        return value;
    }

    private Operand Read(Load load)
    {
        var type = load.Result.Type;
        var memory = Types.Memory(type);
        var align = type.Bytes();
        var (same, inLanes) = Holding(Open(load));
        var fill = load.Fill is { } f ? Of(f) : (Operand?)null;
        var affine = index.Affine(load.Offset);

        if (affine is (var scalar, 0, var shift) && inLanes is null)
        {
            // If the guard fails, the read goes to the stack: an empty buffer has no memory at its address.
            var address = Address(load.Buffer, scalar, shift);
            if (same is { } h) address = text.Value($"select i1 {h.Text}, ptr {address}, ptr {Nowhere()}");
            var read = FromMemory(text.Value($"load {memory}, ptr {address}, align {align}"), type, 0);
            return same is { } g ? scalars.Choose(g, read, fill!.Value) : read;
        }

        var vector = VectorOf(memory);
        var suffix = Types.SuffixMemory(type, Width);
        var outside = fill is { } value ? ToMemory(scalars.Widen(value, Width)) : "zeroinitializer";
        if (affine is (var start, 1, var more))
        {
            var address = Address(load.Buffer, start, more);
            // A condition that is equal in all lanes selects the pointer, to a line of the fill if that is a constant.
            // (As a splat joined with a constant mask it was lost in the upper half by LLVM 19 on AVX2.)
            var line = same is null ? null : Fill(fill!.Value);
            if (same is { } there)
                address = text.Value(
                    $"select i1 {there.Text}, ptr {address}, ptr {line ?? Fill(scalars.Constant(0, DType.F64))}");
            Operand read;
            if (Mask(inLanes) is { } mask)
            {
                text.Declare(
                    $"declare {vector} @llvm.masked.load.{suffix}.p0(ptr, i32 immarg, {VectorOf("i1")}, {vector})");
                read = FromMemory(text.Value(
                    $"call {vector} @llvm.masked.load.{suffix}.p0(ptr {address}, i32 {align}, {VectorOf("i1")} {mask}, {vector} {outside})"),
                        type, Width);
            }
            else read = FromMemory(text.Value($"load {vector}, ptr {address}, align {align}"), type, Width);
            return same is { } g && line is null ? scalars.Choose(g, read, fill!.Value) : read;
        }
        if (same is { } all)
            inLanes = inLanes is { } some ? scalars.Compute(ScalarOp.And, DType.Bool, some, all)
            : scalars.Widen(all, Width);
        var pointers = text.Value(
            $"getelementptr {memory}, ptr {buffers[load.Buffer]}, {VectorOf("i64")} {index.Vector(load.Offset).Text}");
        text.Declare(
            $"declare {vector} @llvm.masked.gather.{suffix}.v{Width}p0({VectorOf("ptr")}, i32 immarg, {VectorOf("i1")}, {vector})");
        var read16 = Mask(inLanes) ?? Types.Splat("i1", "true", Width);
        return FromMemory(text.Value(
            $"call {vector} @llvm.masked.gather.{suffix}.v{Width}p0({VectorOf("ptr")} {pointers}, i32 {align}, {VectorOf("i1")} {read16}, {vector} {outside})"),
                type, Width);
    }

    private void Store(Store store)
    {
        loaded?.Clear();
        interleaved ??= InterleavedStores.Find(kernel);
        if (index.Lanes is { Mask: null } && interleaved.TryGetValue(store, out var together))
        {
            Store(store, together);
            return;
        }
        var (same, inLanes) = Holding(store.Guards);
        if (same is { } all) text.If(all.Text, () => Store(store, inLanes));
        else Store(store, inLanes);
    }

    /// <summary>The last of several interleaved stores writes all of them.</summary>
    private void Store(Store store, ImmutableArray<Store> together)
    {
        waiting.Add((store, copy));
        if (!together.All(s => waiting.Contains((s, copy)))) return;
        waiting.ExceptWith(together.Select(s => (s, copy)));
        var type = store.Value.Type;
        var memory = Types.Memory(type);
        string[] values = [.. together.Select(s => ToMemory(scalars.Widen(Of(s.Value), Width)))];
        var (start, _, more) = index.Affine(together[0].Offset)!.Value;
        var vectors = InterleavedStores.Interleave(text, values, memory);
        for (var v = 0; v < vectors.Length; v++)
            text.Do($"store {VectorOf(memory)} {vectors[v]}, ptr {Address(store.Buffer, start, more + v * Width)}, align {type.Bytes()}");
    }

    private void Store(Store store, Operand? holds)
    {
        var value = Of(store.Value);
        var type = value.Type;
        var memory = Types.Memory(type);
        var align = type.Bytes();
        if (index.Lanes is null)
        {
            text.Do($"store {memory} {ToMemory(value)}, ptr {Address(store.Buffer, index.Scalar(store.Offset))}, align {align}");
            return;
        }
        var vector = VectorOf(memory);
        var suffix = Types.SuffixMemory(type, Width);
        var lanes = ToMemory(scalars.Widen(value, Width));
        var mask = Mask(holds);
        if (index.Affine(store.Offset) is (var start, 1, var more))
        {
            var address = Address(store.Buffer, start, more);
            if (mask is null)
            {
                void Cached() => text.Do($"store {vector} {lanes}, ptr {address}, align {align}");
                if (streams.TryGetValue(store, out var condition))
                {
                    var reads = ReferenceEquals(store, streams.Keys.First()) ? streamed : [];
                    streaming!.Store(condition, $"{vector} {lanes}", address, Cached,
                        () => Array.ForEach(reads, l => Prefetch(l, Ahead)));
                }
                else Cached();
                return;
            }
            text.Declare($"declare void @llvm.masked.store.{suffix}.p0({vector}, ptr, i32 immarg, {VectorOf("i1")})");
            text.Do($"call void @llvm.masked.store.{suffix}.p0({vector} {lanes}, ptr {address}, i32 {align}, {VectorOf("i1")} {mask})");
            return;
        }
        var pointers = text.Value(
            $"getelementptr {memory}, ptr {buffers[store.Buffer]}, {VectorOf("i64")} {index.Vector(store.Offset).Text}");
        text.Declare(
            $"declare void @llvm.masked.scatter.{suffix}.v{Width}p0({vector}, {VectorOf("ptr")}, i32 immarg, {VectorOf("i1")})");
        mask ??= Types.Splat("i1", "true", Width);
        text.Do($"call void @llvm.masked.scatter.{suffix}.v{Width}p0({vector} {lanes}, {VectorOf("ptr")} {pointers}, i32 {align}, {VectorOf("i1")} {mask})");
    }

    internal Operand FromMemory(string read, DType type, int lanes) => type switch
    {
        DType.Bool =>
            new(text.Value($"icmp ne {Types.Vector("i8", lanes)} {read}, {(lanes == 0 ? "0" : "zeroinitializer")}"),
                type, lanes),
        DType.F16 or DType.BF16 => Narrow.FromBits(scalars, new(read, DType.I16, lanes), type),
        _ => new(read, type, lanes),
    };

    internal string ToMemory(Operand value) => value.Type switch
    {
        DType.Bool => text.Value($"zext {value.LlvmType} {value.Text} to {Types.Vector("i8", value.Lanes)}"),
        DType.F16 or DType.BF16 => Narrow.ToBits(scalars, value).Text,
        _ => value.Text,
    };

    private void Flag(Operand condition)
    {
        var any = condition.Text;
        if (condition.Lanes > 0)
        {
            if (index.Lanes!.Mask is { } mask) any = text.Value($"and {condition.LlvmType} {any}, {mask}");
            text.Declare($"declare i1 @llvm.vector.reduce.or.v{Width}i1({condition.LlvmType})");
            any = text.Value($"call i1 @llvm.vector.reduce.or.v{Width}i1({condition.LlvmType} {any})");
        }
        var old = text.Value($"load i32, ptr {status}, align 4");
        text.Do($"store i32 {text.Value($"select i1 {any}, i32 {KernelText.IndexOutOfRange}, i32 {old}")}, ptr {status}, align 4");
    }
}
