// In: a map whose reads are contiguous along a parallel loop. Out: blocks of 16 lanes by as many of its iterations as a
// register holds.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

internal sealed partial class StatementPrinter
{
    /// <summary>
    /// Prints the iterations from `from` to `to` of the loop along the reads, with the other loops defined.
    /// </summary>
    public void Turned(TurnedMap map, int block, string from, string to)
    {
        foreach (var joined in map.Joined) index.Define(joined, "0");
        var extent = map.Lanes.Extent;
        var end = index.Scalar(index.AtLeastZero(extent));
        ChooseStreams(map, from);
        var whole = text.Value($"and i64 {end}, {-Width}");
        long? left = extent.IsConstant ? extent.Value % Width : null;
        if (!extent.IsConstant || extent.Value >= Width)
            text.For("0", whole, $"{Width}", j => Blocks((at, count) => Block(map, at, count, j, Width, null)));
        if (left == 0) return;
        text.If(text.Value($"icmp slt i64 {whole}, {end}"), () =>
        {
            var mask = TailMask(whole, end);
            Blocks((at, count) => Block(map, at, count, whole, (int?)left, mask));
        });

        void Blocks(Action<string, int> inside)
        {
            var count = text.Value($"sub i64 {to}, {from}");
            var last = text.Value($"add i64 {from}, {text.Value($"and i64 {count}, {-block}")}");
            long? rest = map.Extent.IsConstant ? map.Extent.Value % block : null;
            if (!map.Extent.IsConstant || map.Extent.Value >= block)
                text.For(from, last, $"{block}", at => inside(at, block));
            for (var some = block / 2; some >= 1; some /= 2)
            {
                if ((rest & some) == 0) continue;
                var (here, size) = (last, some);
                text.If(text.Value($"icmp ne i64 {text.Value($"and i64 {count}, {some}")}, 0"), () =>
                    inside(here, size));
                last = text.Value($"add i64 {last}, {text.Value($"and i64 {count}, {some}")}");
            }
        }
    }

    /// <param name="map">The map.</param>
    /// <param name="at">The first iteration along the reads.</param>
    /// <param name="count">The number of iterations.</param>
    /// <param name="lane">The first lane.</param>
    /// <param name="rows">The number of existing lanes; null if only the call knows.</param>
    /// <param name="mask">The same as a mask; null for all.</param>
    private void Block(TurnedMap map, string at, int count, string lane, int? rows, string? mask)
    {
        index.Define("along'", at);
        index.Define("row'", lane);
        var outer = copy;
        foreach (var literal in map.Before.OfType<Literal>()) Statement(literal);
        var beside = Enumerable.Range(0, count).Select(c =>
        {
            var here = new Copy(outer, c);
            here.Place(map.Along, Size.Variable("along'") + c);
            return here;
        }).ToArray();
        // Guards that hold at both ends of the block hold in all of it.
        var guards = map.Loads.SelectMany(l => l.Guards).Distinct().ToList();
        if (guards.Count == 0)
        {
            Inside();
            return;
        }
        Operand? holds = null;
        foreach (var end in new[] { beside[0], beside[^1] }.Distinct())
        {
            Enter(end);
            var here = Holds(guards)!.Value;
            holds = holds is { } h ? scalars.Two("and", h, here) with { Type = DType.Bool } : here;
        }
        Enter(outer);
        text.If(holds!.Value.Text, () =>
        {
            proved = [.. map.Loads.SelectMany(l => l.Guards.Select(g => (l.Result.Id, g)))];
            Inside();
            proved = None;
        }, Inside);

        void Inside()
        {
            foreach (var here in beside)
            {
                Enter(here);
                foreach (var statement in map.Before.Where(s => s is not Literal)) Statement(statement);
            }
            Enter(outer);
            var values = map.Loads.Select(l => ReadTurned(map, l, beside, lane, rows)).ToArray();
            index.InLanes(new LaneLoop(map.Lanes.Variable, lane, mask), () =>
            {
                for (var c = 0; c < count; c++)
                {
                    Enter(beside[c]);
                    for (var l = 0; l < map.Loads.Length; l++)
                        Bind(map.Loads[l].Result, FromMemory(values[l][c], map.Loads[l].Result.Type, Width));
                    foreach (var statement in map.Lanes.Body.Statements)
                        if (statement is not Load load || !map.Loads.Contains(load)) Statement(statement);
                }
            });
            Enter(outer);
        }
    }

    /// <summary>
    /// The values of a load for each iteration along the reads, 16 lanes each, as laid out in memory.
    /// </summary>
    private string[] ReadTurned(TurnedMap map, Load load, Copy[] beside, string lane, int? rows)
    {
        var type = load.Result.Type;
        var element = Types.Memory(type);
        var (outer, count) = (copy, beside.Length);
        var isGuarded = Open(load).Any();
        var last = rows is null ? text.Value($"sub i64 {index.Scalar(map.Lanes.Extent)}, 1") : "";

        // The row of a lane: the loop over the lanes is a scalar, the iterations along the reads are contiguous.
        T In<T>(int row, Func<T> inside)
        {
            var here = new Copy(outer, row);
            if (rows is null)
            {
                // After the last lane, repeats the last one: nothing of it is stored.
                var place = text.Value($"add i64 {lane}, {row}");
                index.Define(VariableName.Loop("row", row),
                    text.Value($"select i1 {text.Value($"icmp slt i64 {place}, {last}")}, i64 {place}, i64 {last}"));
                here.Place(map.Lanes.Variable, Size.Variable(VariableName.Loop("row", row)));
            }
            else here.Place(map.Lanes.Variable, Size.Variable("row'") + row);
            Enter(here);
            var result = inside();
            Enter(outer);
            return result;
        }

        if (isGuarded)
        {
            var mask = count == Width ? null : TailMask("0", $"{count}");
            var read = new List<string>();
            for (var row = 0; row < (rows ?? Width); row++)
            {
                read.Add(In(row, () =>
                {
                    var value = "";
                    index.InLanes(new LaneLoop(map.Along, index.Scalar(Size.Variable("along'")), mask), () =>
                        value = ToMemory(scalars.Widen(Read(load), Width)));
                    return value;
                }));
            }
            return TurnedBlock.Turn(text, read, element);
        }
        return TurnedBlock.TurnRead(text, element, type.Bytes(), rows ?? Width, count, row => In(row, () =>
        {
            // The Along variable is at its first iteration here.
            copy.Place(map.Along, Size.Variable("along'"));
            var (start, _, more) = index.Affine(load.Offset)!.Value;
            return Address(load.Buffer, start, more);
        }));
    }

    /// <summary>As for a loop: the rows of all blocks must be aligned to lines.</summary>
    private void ChooseStreams(TurnedMap map, string from)
    {
        streams.Clear();
        if (streaming is null) return;
        index.Define(map.Along, from);
        foreach (var store in map.Lanes.Body.Statements.OfType<Store>())
        {
            if (store.Offset.AffineIn(map.Along) is not var (step, _)) continue;
            if (streaming.Choose(store, map.Lanes, index, buffers[store.Buffer]) is not { } condition) continue;
            var apart = text.Value($"and i64 {index.Scalar(step * store.Value.Type.Bytes())}, 63");
            streams[store] = text.Value($"and i1 {condition}, {text.Value($"icmp eq i64 {apart}, 0")}");
        }
    }
}
