// In: the loops over one row, of equal extent. Out: the values that a later loop reads back instead of recomputing
// them.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Softmax sums exp(x - max) and then divides exp(x - max): the text has the polynomial twice, since a kernel stores
/// nothing between its loops. Here the first loop leaves its values in the worker's scratch, where the row stays in the
/// cache, and the second reads them: 16.3 cycles a vector of 16 instead of 24.0 (4 x 1024 on a Zen 4).
/// </summary>
internal sealed class RowCache
{
    /// <summary>
    /// The minimum number of operations that cost more than storing and loading a vector: some cycles together.
    /// </summary>
    private const int WorthKeeping = 8;

    private const int Width = IndexPrinter.Width;

    /// <summary>Stores and loads are compared by the address modulo this.</summary>
    private const int Page = 4096;

    /// <summary>A value in one loop, and the number of its place in the scratch.</summary>
    public sealed record Slot(Value Value, int Number, bool IsRead);

    private readonly LlvmText text;
    private readonly IReadOnlyDictionary<int, Slot> slots;
    private readonly Size stride;
    private readonly int count;
    private readonly int width;

    private readonly (Load Load, string Variable)? read;

    private RowCache(LlvmText text, IReadOnlyDictionary<int, Slot> slots, Size room, (Load, string)? read)
    {
        this.read = read;
        width = slots.Values.Any(s => s.Value.Type.Bytes() == 8) ? 8 : 4;
        (this.text, this.slots, stride) = (text, slots, room * width);
        count = slots.Values.Select(s => s.Number).Distinct().Count();
    }

    /// <summary>The bytes of the values of this many rows in step.</summary>
    public Size Bytes(int rows) => count * rows * stride;

    /// <summary>
    /// The scratch for this many rows in step; the length of the longest row is given if there is a limit.
    /// </summary>
    public Size Scratch(int rows, int? longest = null) =>
        Page + (longest is { } most ? Size.Min(Bytes(rows), count * rows * most * width) : Bytes(rows));

    /// <summary>
    /// The place of the rows' values, in scratch with a page more than they take: half a page from the position of the
    /// row within its page. A load shortly after a store with equal low 12 address bits waits for it: with the scratch
    /// one line after the row, modulo a page, softmax took 29.9 cycles a vector, here 15.7.
    /// </summary>
    public string Place(StatementPrinter copy, string scratch)
    {
        if (read is not var (load, variable)) return scratch;
        var offset = load.Offset.Substitute(v => v == variable ? Size.Zero : null);
        var row = text.Value(
            $"getelementptr {Types.Memory(load.Result.Type)}, ptr {copy.Buffer(load.Buffer)}, i64 {copy.Index.Scalar(offset)}");
        var apart = text.Value(
            $"sub i64 {text.Value($"ptrtoint ptr {row} to i64")}, {text.Value($"ptrtoint ptr {scratch} to i64")}");
        var shift = text.Value($"and i64 {text.Value($"add i64 {apart}, {Page / 2}")}, {Page - 64}");
        return text.Value($"getelementptr i8, ptr {scratch}, i64 {shift}");
    }

    /// <summary>The slot in which a statement's result is kept, or from which it is read back.</summary>
    public Slot? SlotOf(Statement statement) =>
        ResultOf(statement) is { } value ? slots.GetValueOrDefault(value.Id) : null;

    public void Store(StatementPrinter copy, Slot slot)
    {
        var value = copy.Scalars.Widen(copy.Of(slot.Value), Width);
        text.Do($"store {value.LlvmType} {value.Text}, ptr {Address(copy, slot)}, align {Alignment(slot)}");
    }

    public Operand Load(StatementPrinter copy, Slot slot) =>
        new(text.Value($"load {Types.Of(slot.Value.Type, Width)}, ptr {Address(copy, slot)}, align {Alignment(slot)}"),
            slot.Value.Type, Width);

    private static int Alignment(Slot slot) => 8 * slot.Value.Type.Bytes();

    private string Address(StatementPrinter copy, Slot slot)
    {
        // All lanes of the last vector have a place, so that none needs a mask.
        var place = text.Value($"getelementptr i8, ptr {copy.Kept}, i64 {copy.Index.Scalar(slot.Number * stride)}");
        return text.Value(
            $"getelementptr {Types.Element(slot.Value.Type)}, ptr {place}, i64 {copy.Index.Lanes!.Start}");
    }

    /// <summary>Null if no value is computed by two loops over one extent.</summary>
    public static RowCache? Find(Kernel kernel, Block block, LlvmText text, IndexPrinter index)
    {
        var loops = block.Statements.Select(Body).Where(l => l is { } some && RowPrinter.IsStraight(some.Body))
            .Select(l => l!.Value).ToList();
        var numbers = new Dictionary<Form, int>();
        // A constant before the loops equals the same constant inside another loop.
        var constants = block.Statements.OfType<Literal>().ToDictionary(l => l.Result.Id, Form.Constant.Of);
        var slots = new Dictionary<int, Slot>();
        var places = new Dictionary<int, int>();
        foreach (var extent in loops.Select(l => l.Extent).Distinct())
        {
            var earlier = new Dictionary<int, Value>();
            foreach (var loop in loops.Where(l => l.Extent.Equals(extent)))
            {
                var terms = new Terms(kernel, loop.Variable, loop.Body, numbers, constants);
                foreach (var (value, number) in terms.Again(loop.Roots, earlier))
                {
                    if (!places.TryGetValue(number, out var place)) places[number] = place = places.Count;
                    slots[earlier[number].Id] = new Slot(earlier[number], place, IsRead: false);
                    slots[value.Id] = new Slot(value, place, IsRead: true);
                }
                foreach (var (number, value) in terms.Values) earlier.TryAdd(number, value);
            }
            // Rows have one extent; a kernel with two keeps the values of the first.
            if (slots.Count == 0) continue;
            var room = Size.FloorDiv(index.AtLeastZero(extent) + (Width - 1), Width) * Width;
            return new RowCache(text, slots, room, Read(kernel, loops.First(l => l.Extent.Equals(extent))));
        }
        return null;
    }

    /// <summary>A load of the loop whose position in the row depends only on the loop's variable.</summary>
    private static (Load, string)? Read(Kernel kernel,
        (string Variable, Size Extent, Block Body, IEnumerable<Value> Roots) loop)
    {
        var load = loop.Body.Statements.OfType<Load>().FirstOrDefault(l => l.Guards.IsEmpty
            && l.Offset.Variables().All(v => v == loop.Variable || kernel.Sizes.Contains(v) || IsParallel(v)));
        return load is null ? null : (load, loop.Variable);

        bool IsParallel(string variable) => kernel.ParallelNest().Loops.Any(l => l.Variable == variable);
    }

    private static (string Variable, Size Extent, Block Body, IEnumerable<Value> Roots)? Body(Statement statement) =>
        statement switch
        {
            Reduction { Lanes: true } r => (r.Variable, r.Extent, r.Body, [r.Yield]),
            Loop { Kind: LoopKind.Vector } l =>
                (l.Variable, l.Extent, l.Body, l.Body.Statements.OfType<Store>().Select(s => s.Value)),
            _ => null,
        };

    /// <summary>The value of a straight-line statement.</summary>
    private static Value? ResultOf(Statement statement) =>
        statement.Scopes.IsEmpty && statement.Defines is [var value] ? value : null;

    /// <summary>
    /// How a value is computed, in terms of numbers for earlier values: equal forms are equal values. A position in the
    /// row is an index in which "here'" represents the loop's variable; it depends on no other loop and no value.
    /// </summary>
    private abstract record Form
    {
        public sealed record Operation(ScalarOp Op, DType Type, int First, int Second, int Third) : Form;

        public sealed record Constant(DType Type, long Float, long Integer) : Form
        {
            public static Constant Of(Literal l) =>
                new(l.Result.Type, BitConverter.DoubleToInt64Bits(l.Float), l.Integer);
        }

        public sealed record Place(Size At) : Form;

        public sealed record Element(int Buffer, Size At) : Form;

        /// <summary>A value that equals only itself.</summary>
        public sealed record Itself(int Id) : Form;
    }

    /// <summary>The values of a body as numbers: equal ones compute the same at the same position of the row.</summary>
    private sealed class Terms
    {
        private readonly Dictionary<int, (int Number, Statement Statement)> known = [];
        private readonly Dictionary<int, int> costs = [];

        public Terms(Kernel kernel, string variable, Block body, Dictionary<Form, int> numbers,
            Dictionary<int, Form.Constant> constants)
        {
            foreach (var statement in body.Statements)
            {
                if (ResultOf(statement) is not { } result) continue;
                Form form = statement switch
                {
                    Compute c => new Form.Operation(c.Op, result.Type, Argument(c, 0), Argument(c, 1), Argument(c, 2)),
                    Literal l => Form.Constant.Of(l),
                    IndexValue i when Here(i.Index) is { } at => new Form.Place(at),
                    // An output may be the same memory as an input, so what is read from it depends on when.
                    Load { Guards.IsEmpty: true } l when !kernel.Buffers[l.Buffer].IsOutput
                        && Here(l.Offset) is { } at => new Form.Element(l.Buffer, at),
                    _ => new Form.Itself(result.Id),
                };
                var number = Number(form);
                known[result.Id] = (number, statement);
                // Counts the graph as a tree: shared operands count twice, so the cost needs a bound.
                costs[result.Id] = statement is Compute x
                    ? x.Arguments.Aggregate(1, (sum, a) => Math.Min(WorthKeeping, sum + costs.GetValueOrDefault(a.Id)))
                    : 0;
            }

            int Number(Form form)
            {
                if (!numbers.TryGetValue(form, out var number)) numbers[form] = number = numbers.Count;
                return number;
            }
            int Argument(Compute c, int at) => at < c.Arguments.Length ? Of(c.Arguments[at]) : -1;
            int Of(Value v) => known.TryGetValue(v.Id, out var inside) ? inside.Number
                : Number(constants.TryGetValue(v.Id, out var constant) ? constant : new Form.Itself(v.Id));
            Size? Here(Size index) =>
                index.Variables().Any(v => v != variable && VariableName.KindOf(v) == VariableKind.Loaded) ? null
                : index.Substitute(v => v == variable ? Size.Variable("here'") : null);
        }

        public IEnumerable<(int Number, Value Value)> Values =>
            known.Values.Select(k => (k.Number, ResultOf(k.Statement)!));

        /// <summary>The outermost values that an earlier loop has computed, and that are worth a load.</summary>
        public IEnumerable<(
            Value Value, int Number)> Again(IEnumerable<Value> roots, IReadOnlyDictionary<int, Value> earlier)
        {
            var seen = new HashSet<int>();
            var open = new Stack<Value>(roots);
            while (open.TryPop(out var value))
            {
                if (!known.TryGetValue(value.Id, out var term) || !seen.Add(value.Id)) continue;
                var isNumber = value.Type is DType.F16 or DType.BF16 or DType.F32 or DType.F64;
                if (isNumber && costs[value.Id] >= WorthKeeping && earlier.ContainsKey(term.Number))
                    yield return (value, term.Number);
                else if (term.Statement is Compute c) foreach (var a in c.Arguments) open.Push(a);
            }
        }
    }
}
