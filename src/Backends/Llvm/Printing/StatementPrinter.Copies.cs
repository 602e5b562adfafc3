// In: vector loops, and loops with side-by-side iterations. Out: 16 lanes at a time, with a masked tail; inside an
// image without the guards of its padding.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

internal sealed partial class StatementPrinter
{
    private static readonly HashSet<(int Load, Guard Guard)> None = [];

    private Copy copy = new(null, 0);
    private Copy[]? beside;

    /// <summary>The loads since the last store; null if nothing is worth sharing.</summary>
    private Dictionary<Reading, Operand>? loaded;

    /// <summary>
    /// Guards that hold in all printed iterations, each with the value of its load: the same guard of another load may
    /// be about another loop with that name.
    /// </summary>
    private HashSet<(int Load, Guard Guard)> proved = None;

    /// <summary>The number of side-by-side iterations.</summary>
    public int Copies => beside?.Length ?? 1;

    /// <summary>Prints for each iteration in turn.</summary>
    public void Each(Action<int> inside)
    {
        if (beside is null)
        {
            inside(0);
            return;
        }
        for (var c = 0; c < beside.Length; c++)
        {
            Enter(beside[c]);
            inside(c);
        }
    }

    private void Each(Action inside) => Each(_ => inside());

    private void Enter(Copy here) => index.Copy = copy = here;

    /// <summary>Prints iterations, side by side or in lanes, that share loads.</summary>
    private void Sharing(Action inside)
    {
        var before = loaded;
        loaded ??= [];
        inside();
        loaded = before;
    }

    /// <summary>Prints `count` iterations of the loop over the variable, from the first on, side by side.</summary>
    public void SideBySide(string variable, string first, int count, Action inside)
    {
        if (count == 1)
        {
            index.Define(variable, first);
            inside();
            return;
        }
        index.Define("first'", first);
        Split(variable, Size.Variable("first'"), 1, count, inside);
    }

    private void Split(string variable, Size first, int step, int count, Action inside)
    {
        if (beside is not null) throw new InvalidOperationException("iterations stand side by side already");
        var outer = copy;
        beside = new Copy[count];
        for (var c = 0; c < count; c++)
        {
            beside[c] = new Copy(outer, c);
            beside[c].Place(variable, first + c * step);
        }
        Sharing(inside);
        beside = null;
        Enter(outer);
    }

    /// <summary>
    /// Prints padded loops twice: without guards for where all hold, and with them. Guards that are equal in all lanes
    /// are evaluated here, before the loop over the lanes.
    /// </summary>
    private void Vector(Loop loop)
    {
        // The extent is the same in all side-by-side iterations.
        var extent = index.Scalar(loop.Extent);
        void Lanes()
        {
            if (Copies == 1 && Columns.Of(loop) is { } columns) Rows(columns, extent);
            else ForLanes(loop.Variable, "0", extent, loop.Extent, () => Block(loop.Body), Copies == 1 ? vectors(loop)
                : 1);
        }
        // If places are lanes: blocks inside the image with all of their taps need no masks.
        void Blocks() => ForLanes(loop.Variable, "0", extent, loop.Extent, () =>
        {
            var (inside, all) = index.Lanes!.Mask is null ? Inside(loop, ofLanes: true) : (null, None);
            if (inside is null) Block(loop.Body);
            else Proved(inside, all, () => Block(loop.Body));
        }, Copies == 1 ? vectors(loop) : 1);

        var (holds, guards) = Inside(loop, ofLanes: false);
        var masks = loop.Body.Statements.OfType<Reduction>().SelectMany(r => Kernel.Statements(r.Body)).OfType<Load>()
            .Any(l => l.Guards.Any(g => g.Index.Mentions(loop.Variable)));
        if (holds is null && masks) Blocks();
        else if (holds is null) Lanes();
        else
        {
            text.If(holds, () =>
            {
                proved = guards;
                if (masks) Blocks();
                else Lanes();
                proved = None;
            }, Lanes);
        }
    }

    /// <summary>Prints twice: without some guards where they hold, and with them.</summary>
    private void Proved(string holds, HashSet<(int Load, Guard Guard)> guards, Action inside)
    {
        var before = proved;
        text.If(holds, () =>
        {
            proved = [.. before, .. guards];
            inside();
            proved = before;
        }, inside);
    }

    /// <summary>
    /// Whether guards of the loop's loads hold in all side-by-side iterations and for every tap, and the guards
    /// concerned: those that are equal in all lanes, or those that vary with the lane, in all lanes of the printed
    /// block.
    /// </summary>
    private (string? Holds, HashSet<(int Load, Guard Guard)> Guards) Inside(Loop loop, bool ofLanes)
    {
        var guards = new HashSet<(int, Guard)>();
        // For indices that differ by a constant, the least and the greatest decide.
        var ends = new Dictionary<string, (Size Base, Size Extent, long Least, long Most)>();
        Collect(loop.Body, []);
        string? all = null;
        foreach (var (from, extent, least, most) in ends.Values)
        {
            foreach (var end in new[] { least, most }.Distinct())
            {
                var holds = Holds([new Guard(from + end, extent)])!.Value.Text;
                all = all is null ? holds : text.Value($"and i1 {all}, {holds}");
            }
        }
        return (all, guards);

        void Collect(Block block, HashSet<string> unknown)
        {
            foreach (var statement in block.Statements)
            {
                if (statement is Load load)
                {
                    foreach (var guard in load.Guards.Where(g => g.Index.Mentions(loop.Variable) == ofLanes
                        && !g.Extent.Mentions(loop.Variable)
                        && g.Index.Variables().Concat(g.Extent.Variables()).All(v => !unknown.Contains(v))))
                        if (ofLanes ? MovesWithLanes(guard) : IsSameInLanes(guard)) Add(load, guard);
                }
                else if (statement is Reduction { Extent: var extent } r)
                {
                    if (!extent.IsConstant || extent.Value > 256)
                    {
                        Collect(r.Body, [.. unknown, r.Variable]);
                        continue;
                    }
                    for (var tap = 0; tap < extent.Value; tap++)
                    {
                        index.Unroll(r.Variable, tap);
                        Collect(r.Body, unknown);
                    }
                    index.Unroll(r.Variable, null);
                }
            }
        }

        bool IsSameInLanes(Guard guard)
        {
            var same = true;
            Each(_ => same &= index.IsPlain(guard.Index) && index.IsPlain(guard.Extent));
            return same;
        }

        bool MovesWithLanes(Guard guard)
        {
            var moves = true;
            Each(_ => moves &= index.IsPlain(guard.Extent) && index.AlongLanes(guard.Index) is not null);
            return moves;
        }

        void Add(Load load, Guard guard)
        {
            guards.Add((load.Result.Id, guard));
            Each(_ =>
            {
                var (at, extent) = (index.Here(guard.Index), index.Here(guard.Extent));
                long step = 0;
                if (ofLanes) (at, step) = index.AlongLanes(guard.Index)!.Value;
                var from = at - at.Offset;
                var key = $"{from}<{extent}";
                var (first, last) =
                    (at.Offset + Math.Min(0, step * (Width - 1)), at.Offset + Math.Max(0, step * (Width - 1)));
                var (least, most) = ends.TryGetValue(key, out var end) ? (end.Least, end.Most) : (first, last);
                ends[key] = (from, extent, Math.Min(least, first), Math.Max(most, last));
            });
        }
    }

    /// <summary>
    /// Whole blocks of 16 without masks, then the rest with one; up to `most` blocks (a power of two) side by side.
    /// </summary>
    public void ForLanes(string variable, string from, string to, Size extent, Action inside, int most = 1)
    {
        // A loop with a negative extent does not run; rounded down to a multiple of 16 the extent would look like a
        // tail.
        if (from == "0" && !index.NonNegative(extent))
            to = text.Value($"select i1 {text.Value($"icmp sgt i64 {to}, 0")}, i64 {to}, i64 0");
        long? left = extent.IsConstant && from == "0" ? extent.Value : null;
        for (var count = most; count >= 1; count /= 2)
        {
            var block = count * Width;
            if (left < block) continue;
            var whole = to;
            if (left is null || left % block != 0)
                whole = text.Value(
                    $"add i64 {from}, {text.Value($"and i64 {text.Value($"sub i64 {to}, {from}")}, {-block}")}");
            text.For(from, whole, $"{block}", j =>
            {
                if (count == 1) index.InLanes(new LaneLoop(variable, j, null), () => Sharing(inside));
                else index.InLanes(new LaneLoop("column'", j, null), () =>
                    Split(variable, Size.Variable("column'"), Width, count, inside));
            });
            left %= block;
            if (left == 0) return;
            from = whole;
        }
        var rest = text.Value($"icmp slt i64 {from}, {to}");
        text.If(rest, () => index.InLanes(new LaneLoop(variable, from, TailMask(from, to)), () => Sharing(inside)));
    }
}
