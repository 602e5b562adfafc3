// In: a program read from a text. Out: nothing, or a FormatException that names the error in its plan.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// A plan has every temporary once, with at least its bytes, alive wherever a step uses it; temporaries that share a
/// slot or a place in the arena are not alive at the same step; slots and the arena have room for their contents. Sizes
/// are the program's own.
/// </summary>
internal static class CallPlanVerifier
{
    private static readonly IndexRanges Ranges = new();

    public static void Verify(Program program)
    {
        var plan = program.Plan;
        var planned = plan.Temporaries.Select(t => t.Buffer).ToList();
        var temporaries = program.Buffers.Select((b, i) => (b.Kind, i)).Where(b => b.Kind == BufferKind.Temporary)
            .Select(b => b.i);
        Require(planned.SequenceEqual(temporaries), () => "the plan does not have every temporary once, in order");
        foreach (var size in plan.Temporaries.Select(t => t.Bytes).Concat(plan.Slots).Concat(plan.Scratch))
            foreach (var name in size.Variables())
                Require(program.Sizes.Contains(name),
                    () => $"the plan, {size}, mentions {name}, which is not known there");
        foreach (var t in plan.Temporaries)
        {
            var type = program.Buffers[t.Buffer].Type;
            Require(Covers(t.Bytes, type.Count * type.DType.Bytes()),
                () => $"{Name(t)} takes {type.Count * type.DType.Bytes()} bytes, and the plan gives it {t.Bytes}");
            Require(t.First >= 0 && t.First <= t.Last, () => $"{Name(t)} lives from {t.First} to {t.Last}");
            Require(t.Slot >= 0 && t.Slot < plan.Slots.Length,
                () => $"{Name(t)} lies in slot {t.Slot} of {plan.Slots.Length}");
            Require(Covers(plan.Slots[t.Slot], t.Bytes),
                () => $"{Name(t)} takes {t.Bytes} bytes, and its slot has {plan.Slots[t.Slot]}");
        }
        var wrong = Lives.Wrong(program);
        Require(wrong is null, () => wrong!);
        foreach (var slot in plan.Temporaries.GroupBy(t => t.Slot))
            Apart([.. slot],
                (a, b) => $"{Name(a)} and {Name(b)} share slot {slot.Key}, and are alive at the same step");
        if (plan.Arena is not { } arena) return;
        Require(arena.Bytes >= 0, () => $"an arena of {arena.Bytes} bytes");
        var places = new Dictionary<PlannedTemporary, (long Begin, long End)>();
        for (var i = 0; i < plan.Temporaries.Length; i++)
        {
            var (t, offset) = (plan.Temporaries[i], arena.Offsets[i]);
            Require(t.Bytes.IsConstant, () => $"{Name(t)} has a fixed place, and takes {t.Bytes} bytes");
            Require(offset >= 0 && offset % ArenaPacker.Line == 0,
                () => $"{Name(t)} lies at {offset}, which is no whole line of {ArenaPacker.Line} bytes");
            Require(offset <= arena.Bytes && t.Bytes.Value <= arena.Bytes - offset,
                () => $"{Name(t)} lies at {offset}, and takes {t.Bytes} bytes of an arena of {arena.Bytes}");
            places[t] = (offset, offset + t.Bytes.Value);
        }
        Apart([.. plan.Temporaries], (a, b) =>
        {
            var (one, other) = (places[a], places[b]);
            return one.Begin < other.End && other.Begin < one.End
                ? $"{Name(a)} at {one.Begin} and {Name(b)} at {other.Begin} overlap, and are alive at the same step"
                : null;
        });

        void Apart(PlannedTemporary[] some, Func<PlannedTemporary, PlannedTemporary, string?> wrong)
        {
            for (var i = 0; i < some.Length; i++)
                for (var j = 0; j < i; j++)
                    if (some[i].First <= some[j].Last && some[j].First <= some[i].Last
                        && wrong(some[j], some[i]) is { } message)
                        throw Error(message);
        }

        string Name(PlannedTemporary t) => program.Buffers[t.Buffer].Name;

        void Require(bool holds, Func<string> message)
        {
            if (!holds) throw Error(message());
        }

        FormatException Error(string message) => new($"program @{program.Name}: {message}");
    }

    /// <summary>A slot's size is the greatest of its members'.</summary>
    private static bool Covers(Size room, Size bytes) => room.Equals(bytes) || Ranges.NonNegative(room - bytes)
        || (room.Terms is [{ Coefficient: 1, Atoms: [MaxAtom most] }]
            && (Covers(most.Left, bytes) || Covers(most.Right, bytes)));
}
