// The needs of a call besides the program's steps, as size expressions: entry checks, and the memory of temporaries and
// workers.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels;

/// <summary>A temporary of a program.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Bytes">Its size in bytes.</param>
/// <param name="First">The first step that needs its values, numbered by <see cref="Lives"/>.</param>
/// <param name="Last">The last one.</param>
/// <param name="Slot">The slot it lies in on devices that allocate each block separately.</param>
internal sealed record PlannedTemporary(int Buffer, Size Bytes, int First, int Last, int Slot);

/// <summary>Where temporaries lie in one block of memory.</summary>
/// <param name="Offsets">Bytes from its start to each temporary, in the plan's order.</param>
/// <param name="Bytes">The bytes of the whole block.</param>
internal sealed record PackedArena(ImmutableArray<long> Offsets, long Bytes);

/// <summary>
/// Everything that the sizes of a call determine before its first step. A backend computes it once for each tuple of
/// sizes; for the text form see <see cref="CallPlanText"/>.
/// </summary>
/// <param name="Checks">Tested in this order, before anything is written.</param>
/// <param name="Temporaries">Each temporary once, in the order of the buffers.</param>
/// <param name="Slots">The bytes of each slot: those of the greatest temporary that shares it.</param>
internal sealed record CallPlan(ImmutableArray<EntryCheck> Checks, ImmutableArray<PlannedTemporary> Temporaries,
    ImmutableArray<Size> Slots)
{
    /// <summary>
    /// Where the temporaries lie if every byte count is a constant; null leaves it to the packer at each call.
    /// </summary>
    public PackedArena? Arena { get; init; }

    /// <summary>
    /// The bytes that one worker needs besides the buffers: the greatest of these. Lowering leaves it empty; a backend
    /// that packs adds the needs of its kernels: <see cref="ScratchOf"/>.
    /// </summary>
    public ImmutableArray<Size> Scratch { get; init; } = [];

    /// <summary>
    /// Makes the plan; with offsets if the byte counts are constants and the arena's size fits into 64 bits.
    /// </summary>
    public static CallPlan Of(IEnumerable<EntryCheck> checks, IEnumerable<PlannedTemporary> temporaries,
        IEnumerable<Size> slots)
    {
        var plan = new CallPlan([.. checks], [.. temporaries.OrderBy(t => t.Buffer)], [.. slots]);
        if (plan.Temporaries.Any(t => !t.Bytes.IsConstant)) return plan;
        try
        {
            return plan with { Arena = plan.Pack(plan.BytesOf(_ => 0)) };
        }
        catch (OverflowException)
        {
            // Reported by the call: a program that is never called with such sizes is valid.
            return plan;
        }
    }

    /// <summary>The bytes of each temporary, for the sizes of a call.</summary>
    /// <exception cref="OverflowException">The size of one does not fit into 64 bits.</exception>
    public long[] BytesOf(Func<string, long> sizes)
    {
        var bytes = new long[Temporaries.Length];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = Temporaries[i].Bytes.Evaluate(sizes);
        return bytes;
    }

    /// <summary>The arena of temporaries with the given byte counts.</summary>
    /// <exception cref="OverflowException">Its size does not fit into 64 bits.</exception>
    public PackedArena Pack(long[] bytes)
    {
        var offsets = new long[bytes.Length];
        var end = ArenaPacker.Pack(bytes, First, Last, offsets);
        return new([.. offsets], end);
    }

    /// <summary>The bytes of the largest set of temporaries that are alive at one step.</summary>
    internal long LiveMaximum(long[] bytes) => ArenaPacker.LiveMaximum(bytes, First, Last);

    private int[] First => [.. Temporaries.Select(t => t.First)];

    private int[] Last => [.. Temporaries.Select(t => t.Last)];

    /// <summary>
    /// The bytes that a worker needs for the calls of a program, given its needs for each kernel in the kernel's sizes.
    /// Loop variables are taken at their greatest, so the result depends on the program's sizes only. Constants are
    /// merged into one, zeros are left out.
    /// </summary>
    public static ImmutableArray<Size> ScratchOf(Program program, ImmutableArray<Size> kernels)
    {
        var most = Size.Zero;
        var others = new List<Size>();
        try
        {
            Walk(program.Steps, new Dictionary<string, (Size, Size)>(StringComparer.Ordinal));
        }
        catch (OverflowException)
        {
            throw new LimitationException(
                $"not supported: @{program.Name} needs scratch memory whose size does not fit 64 bits");
        }
        return [.. most.Is(0) ? [] : (Size[])[most], .. others.Distinct()];

        void Walk(IEnumerable<Step> steps, Dictionary<string, (Size Low, Size High)> variables)
        {
            (Size Low, Size High) Range(string name) =>
                variables.TryGetValue(name, out var known) ? known : (Size.Variable(name), Size.Variable(name));
            // Values that a block defines end with it.
            Dictionary<string, (Size, Size)> Inside() => new(variables, StringComparer.Ordinal);
            foreach (var step in steps)
            {
                switch (step)
                {
                    case CallStep c when !kernels[c.Kernel].Is(0):
                        var bytes = SizeBound.Of(kernels[c.Kernel], Range).High;
                        if (bytes.IsConstant) most = Size.Max(most, bytes);
                        else others.Add(bytes);
                        break;
                    case SizeStep s:
                        variables[s.Variable] = (Size.Zero, Size.Max(0, SizeBound.Of(s.Most, Range).High));
                        break;
                    case LetStep l:
                        variables[l.Variable] = SizeBound.Of(l.Value, Range);
                        break;
                    case LoopStep l:
                        var inner = Inside();
                        inner[l.Variable] = (Size.Zero, Size.Max(0, SizeBound.Of(l.Count - 1, Range).High));
                        Walk(l.Body, inner);
                        break;
                    case WhileStep w:
                        Walk(w.Condition.Concat(w.Body), Inside());
                        break;
                    case IfStep i:
                        Walk(i.Then, Inside());
                        Walk(i.Else, Inside());
                        break;
                }
            }
        }
    }
}
