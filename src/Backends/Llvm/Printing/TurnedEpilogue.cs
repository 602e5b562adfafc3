// In: the sums of a tile whose rows, not columns, are contiguous in the result. Out: the epilogue, with its results
// transposed in registers.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// For a convolution that writes images in channels-first order: channels are lanes, places are rows, and places are
/// contiguous in memory. A vector of each row is computed as usual; then the rows are transposed, and each column is
/// stored as a run.
/// </summary>
internal sealed class TurnedEpilogue
{
    private const int Width = IndexPrinter.Width;

    /// <summary>
    /// The maximum statements that are printed for each row; otherwise they are printed once, in a loop over the rows.
    /// </summary>
    private const int MostStatements = 200;

    private readonly StatementPrinter statements;
    private readonly LlvmText text;
    private readonly ScalarPrinter scalars;
    private readonly IndexPrinter index;
    private readonly Contract contract;
    private readonly Store store;
    private readonly Statement[] body;
    private readonly Load[] turned;

    private TurnedEpilogue(StatementPrinter statements, LlvmText text, ScalarPrinter scalars, IndexPrinter index,
        Contract contract, Store store)
    {
        (this.statements, this.text, this.scalars, this.index, this.contract, this.store) =
            (statements, text, scalars, index, contract, store);
        turned =
            [.. contract.Epilogue.Statements.OfType<Load>().Where(l => l.Guards.IsEmpty && IsDown(contract, l.Offset))];
        body = [.. contract.Epilogue.Statements.Where(s => !ReferenceEquals(s, store) && !turned.Contains(s))];
    }

    /// <summary>The printer for a contraction that stores in this way; null for any other.</summary>
    public static TurnedEpilogue? For(StatementPrinter statements, LlvmText text, ScalarPrinter scalars,
        IndexPrinter index, Contract contract) =>
        Results(contract) is { } store ? new(statements, text, scalars, index, contract, store) : null;

    /// <summary>
    /// The store of a contraction that is printed in this way: its tiles must be consecutive rows. Null for any other.
    /// </summary>
    public static Store? Results(Contract contract) =>
        contract.Epilogue.Statements is [.., Store { Guards.IsEmpty: true } store] && IsDown(contract, store.Offset)
        && contract.Epilogue.Statements.All(
            s => s is Compute or Literal or IndexValue or Load || ReferenceEquals(s, store)) ? store : null;

    /// <summary>True if memory is contiguous along the rows, and not along the columns.</summary>
    private static bool IsDown(Contract contract, Compiler.Types.Size offset) =>
        offset.AffineIn(contract.M.Variable) is var (down, _) && down.Is(1)
        && offset.AffineIn(contract.N.Variable) is var (across, _) && !across.Is(1) && !across.Is(0);

    /// <summary>Prints the epilogue of one vector of the tile.</summary>
    /// <param name="sums">A row's vector of sums, by the row's number in the tile; or by a register, in a loop.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="row">The first row.</param>
    /// <param name="start">The vector's first column.</param>
    /// <param name="mask">The existing columns; null for all.</param>
    /// <param name="exist">The number of existing columns; null if only the call knows.</param>
    /// <param name="n">The end of the columns.</param>
    public void Print(Func<int, Operand> sums, int rows, string row, string start, string? mask, int? exist, string n)
    {
        var (type, m) = (store.Value.Type, contract.M.Variable);
        var element = Types.Memory(type);
        var vector = Types.Vector(element, Width);
        var read = turned.ToDictionary(l => l, l => Read(l, rows, row, start, exist, n));
        var results = new string[rows];

        string Row(Operand sum, string here, Func<Load, Operand> given)
        {
            index.Define(m, here);
            var result = "";
            index.InLanes(new LaneLoop(contract.N.Variable, start, mask), () =>
            {
                statements.Bind(contract.Accumulator, sum);
                foreach (var load in turned) statements.Bind(load.Result, given(load));
                foreach (var statement in body) statements.Statement(statement);
                result = statements.ToMemory(scalars.Widen(statements.Of(store.Value), Width));
            });
            return result;
        }

        if (body.Length * rows <= MostStatements)
        {
            for (var r = 0; r < rows; r++)
            {
                var here = r;
                results[r] =
                    Row(sums(r), r == 0 ? row : text.Value($"add i64 {row}, {r}"), l =>
                        statements.FromMemory(read[l][here], l.Result.Type, Width));
            }
        }
        else
        {
            string[] Values(Func<int, string> value, string kind, out string slot)
            {
                slot = text.Slot($"[{rows} x {kind}]");
                for (var r = 0; r < rows; r++)
                    text.Do($"store {kind} {value(r)}, ptr {In(slot, kind, $"{r}")}, align 64");
                return [];
            }
            string In(string slot, string kind, string r) => text.Value($"getelementptr {kind}, ptr {slot}, i64 {r}");
            var accumulator = contract.Accumulator.Type;
            var sumVector = Types.Of(accumulator, Width);
            Values(r => sums(r).Text, sumVector, out var before);
            var loads = new Dictionary<Load, string>();
            foreach (var load in turned)
            {
                Values(r => read[load][r], Types.Vector(Types.Memory(load.Result.Type), Width), out var slot);
                loads[load] = slot;
            }
            var after = text.Slot($"[{rows} x {vector}]");
            text.For("0", $"{rows}", "1", r =>
            {
                var sum =
                    new Operand(text.Value($"load {sumVector}, ptr {In(before, sumVector, r)}, align 64"), accumulator,
                        Width);
                var result = Row(sum, text.Value($"add i64 {row}, {r}"), l =>
                {
                    var kind = Types.Vector(Types.Memory(l.Result.Type), Width);
                    return statements.FromMemory(text.Value($"load {kind}, ptr {In(loads[l], kind, r)}, align 64"),
                        l.Result.Type, Width);
                });
                text.Do($"store {vector} {result}, ptr {In(after, vector, r)}, align 64");
            });
            for (var r = 0; r < rows; r++)
                results[r] = text.Value($"load {vector}, ptr {In(after, vector, $"{r}")}, align 64");
        }
        var columns = TurnedBlock.Turn(text, results, element);
        Columns(start, exist, n, (c, column) =>
        {
            index.Define(m, row);
            index.Define(contract.N.Variable, column);
            TurnedBlock.StoreFirst(text, columns[c], element, rows, statements.At(store.Buffer, store.Offset),
                type.Bytes());
        });
    }

    /// <summary>The values of a load for the rows: its columns are read as runs and transposed.</summary>
    private string[] Read(Load load, int rows, string row, string start, int? exist, string n)
    {
        var element = Types.Memory(load.Result.Type);
        var vector = Types.Vector(element, Width);
        var slot = text.Slot($"[{Width} x {vector}]");
        Columns(start, exist, n, (c, column) =>
        {
            index.Define(contract.M.Variable, row);
            index.Define(contract.N.Variable, column);
            var run =
                TurnedBlock.LoadFirst(text, element, rows, statements.At(load.Buffer, load.Offset),
                    load.Result.Type.Bytes());
            text.Do($"store {vector} {run}, ptr {text.Value($"getelementptr {vector}, ptr {slot}, i64 {c}")}, align 64");
        });
        var runs = Enumerable.Range(0, exist ?? Width).Select(c =>
            text.Value($"load {vector}, ptr {text.Value($"getelementptr {vector}, ptr {slot}, i64 {c}")}, align 64"))
                .ToArray();
        return [.. TurnedBlock.Turn(text, runs, element).Take(rows)];
    }

    /// <summary>Loops over the existing columns of a vector.</summary>
    private void Columns(string start, int? exist, string n, Action<int, string> inside)
    {
        for (var c = 0; c < (exist ?? Width); c++)
        {
            var column = c == 0 ? start : text.Value($"add i64 {start}, {c}");
            // At least one column of a printed vector exists.
            if (exist is null && c > 0) text.If(text.Value($"icmp slt i64 {column}, {n}"), () => inside(c, column));
            else inside(c, column);
        }
    }
}
