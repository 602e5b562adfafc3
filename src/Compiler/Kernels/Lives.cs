// In: the steps of a program. Out: their numbers, in which the plan expresses how long a temporary is needed.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Steps are numbered in order. A loop or a branch has a number where it begins and one where it ends, and its blocks
/// have those in between: a temporary needed only inside is alive inside; one that an iteration may need from an
/// earlier one, or from before the loop, is alive from its first number to its last.
/// </summary>
internal static class Lives
{
    /// <summary>The number of numbers that steps take.</summary>
    public static int Count(ImmutableArray<Step> steps)
    {
        var count = 0;
        foreach (var step in steps)
        {
            count++;
            var blocks = Blocks(step);
            foreach (var block in blocks) count += Count(block);
            if (blocks.Length > 0) count++;
        }
        return count;
    }

    /// <summary>
    /// The error in a life, if any: the buffer is used outside of it, or it begins or ends in the middle of a loop or
    /// branch that it is not inside of. Null when all lives are valid.
    /// </summary>
    public static string? Wrong(Program program)
    {
        var lives = program.Plan.Temporaries.ToDictionary(t => t.Buffer);
        string? wrong = null;
        Walk(program.Steps, 0);
        return wrong;

        int Walk(ImmutableArray<Step> steps, int at)
        {
            foreach (var step in steps)
            {
                var begin = at++;
                var inside = new HashSet<int>(UsedBy(step));
                var blocks = Blocks(step);
                foreach (var block in blocks)
                {
                    at = Walk(block, at);
                    inside.UnionWith(block.SelectMany(All));
                }
                if (blocks.Length > 0) at++;
                foreach (var buffer in inside)
                {
                    if (wrong is not null || !lives.TryGetValue(buffer, out var life)) continue;
                    var (first, last, end) = (life.First, life.Last, at - 1);
                    // A block's own step counts with its own number: the buffer that a loop tests is needed around it.
                    var isInside = blocks.Length > 0 && begin < first && last < end && !UsedBy(step).Contains(buffer);
                    if (isInside || (first <= begin && end <= last)) continue;
                    var name = program.Buffers[buffer].Name;
                    wrong = blocks.Length == 0
                        ? $"{name} is used by step {begin}, and lives from {first} to {last}"
                        : $"{name} lives from {first} to {last}, across an end of the block of steps {begin} to {end}";
                }
            }
            return at;
        }
    }

    /// <summary>The buffers that a step uses itself, without those used in its blocks.</summary>
    private static IEnumerable<int> UsedBy(Step step) => step switch
    {
        CallStep c => c.Buffers,
        CopyStep c => [c.From, c.To],
        SizeStep s => [s.From],
        WhileStep w => [w.Test],
        IfStep i => [i.Test],
        PrintStep p => p.Buffers,
        AssertStep a => a.Buffers.Append(a.Test),
        _ => [],
    };

    private static IEnumerable<int> All(Step step) =>
        UsedBy(step).Concat(Blocks(step).SelectMany(b => b).SelectMany(All));

    private static ImmutableArray<Step>[] Blocks(Step step) => step switch
    {
        LoopStep l => [l.Body],
        WhileStep w => [w.Condition, w.Body],
        IfStep i => [i.Then, i.Else],
        _ => [],
    };
}
