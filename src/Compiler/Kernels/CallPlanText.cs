// In: the plan of a program's calls, or its text. Out: its text, or the plan.
using System.Collections.Immutable;
using System.Text;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// The section `plan { … }` of a program's text. It, or lines of it, may be left out: a temporary that it does not name
/// is alive from the first step to the last, in a slot of its own.
/// </summary>
internal static class CallPlanText
{
    public static void Print(Program program, StringBuilder text)
    {
        var plan = program.Plan;
        if (plan.Checks.IsEmpty && plan.Temporaries.IsEmpty && plan.Scratch.IsEmpty) return;
        text.Append("  plan {\n");
        foreach (var check in plan.Checks) text.Append($"    {Check(check)}\n");
        for (var slot = 0; slot < plan.Slots.Length; slot++) text.Append($"    slot({slot}, {plan.Slots[slot]})\n");
        for (var i = 0; i < plan.Temporaries.Length; i++)
        {
            var (buffer, bytes, first, last, slot) = plan.Temporaries[i];
            text.Append($"    live({program.Buffers[buffer].Name}, {bytes}, {first}, {last}, slot {slot}");
            text.Append(plan.Arena is { } arena ? $", at {arena.Offsets[i]})\n" : ")\n");
        }
        if (plan.Arena is { } whole && plan.Temporaries.Length > 0) text.Append($"    arena({whole.Bytes})\n");
        if (!plan.Scratch.IsEmpty) text.Append($"    scratch{Sizes(plan.Scratch)}\n");
        text.Append("  }\n");
    }

    public static string Check(EntryCheck check) =>
        $"check({check.Kind.ToString().ToLowerInvariant()}, {check.Left}, {check.Right}, {Quote.Text(check.Message)})";

    /// <summary>Sizes in parentheses.</summary>
    public static string Sizes(IEnumerable<Size> sizes) => $"({string.Join(", ", sizes)})";

    public static ImmutableArray<Size> ReadSizes(TextCursor cursor) => [.. cursor.List("(", ")", cursor.Size)];

    /// <summary>Reads a check that follows its keyword.</summary>
    public static EntryCheck ReadCheck(TextCursor cursor)
    {
        cursor.Expect("(");
        var kind = Enum.Parse<CheckKind>(cursor.Name(), ignoreCase: true);
        var left = Next(cursor, cursor.Size);
        var right = Next(cursor, cursor.Size);
        var message = Next(cursor, cursor.String);
        cursor.Expect(")");
        return new(kind, left, right, message);
    }

    /// <summary>Reads a plan that follows the word `plan`; temporaries without a line are not in it.</summary>
    public static CallPlan Read(TextCursor cursor, IReadOnlyList<ProgramBuffer> buffers)
    {
        var checks = new List<EntryCheck>();
        var slots = new List<Size>();
        var temporaries = new List<PlannedTemporary>();
        var planned = new HashSet<int>();
        var offsets = new Dictionary<int, long>();
        long? arena = null;
        ImmutableArray<Size> scratch = [];
        cursor.Expect("{");
        while (!cursor.Take("}"))
        {
            switch (cursor.Name())
            {
                case "check":
                    checks.Add(ReadCheck(cursor));
                    break;
                case "scratch":
                    scratch = ReadSizes(cursor);
                    break;
                case "slot":
                    cursor.Expect("(");
                    if (cursor.Integer() != slots.Count) throw cursor.Error("slots are numbered in order");
                    slots.Add(Next(cursor, cursor.Size));
                    cursor.Expect(")");
                    break;
                case "live":
                    cursor.Expect("(");
                    var name = cursor.Name();
                    var buffer = buffers.TakeWhile(b => b.Name != name).Count();
                    if (buffer == buffers.Count || buffers[buffer].Kind != BufferKind.Temporary)
                        throw cursor.Error($"'{name}' is no temporary");
                    if (!planned.Add(buffer)) throw cursor.Error($"'{name}' lives twice");
                    var bytes = Next(cursor, cursor.Size);
                    var (first, last) = (Next(cursor, cursor.Integer), Next(cursor, cursor.Integer));
                    cursor.Expect(",");
                    cursor.Expect("slot");
                    temporaries.Add(new(buffer, bytes, checked((int)first), checked((int)last),
                        checked((int)cursor.Integer())));
                    if (cursor.Take(","))
                    {
                        cursor.Expect("at");
                        offsets[buffer] = cursor.Integer();
                    }
                    cursor.Expect(")");
                    break;
                case "arena":
                    cursor.Expect("(");
                    arena = cursor.Integer();
                    cursor.Expect(")");
                    break;
                default:
                    throw cursor.Error("a line of a plan was expected");
            }
        }
        if (arena is null ? offsets.Count > 0 : offsets.Count < temporaries.Count)
            throw cursor.Error("an arena has its bytes, and the offset of every temporary");
        temporaries.Sort((a, b) => a.Buffer.CompareTo(b.Buffer));
        return new([.. checks], [.. temporaries], [.. slots])
        {
            Arena = arena is { } whole ? new([.. temporaries.Select(t => offsets.GetValueOrDefault(t.Buffer))], whole)
                : null,
            Scratch = scratch,
        };
    }

    /// <summary>The plan completed by the temporaries that the text left out, or a whole plan if it has none.</summary>
    public static CallPlan Completed(CallPlan? written, IReadOnlyList<ProgramBuffer> buffers, int steps)
    {
        written ??= new([], [], []);
        var (slots, temporaries) = (written.Slots.ToList(), written.Temporaries.ToList());
        var planned = written.Temporaries.Select(t => t.Buffer).ToHashSet();
        for (var b = 0; b < buffers.Count; b++)
        {
            if (buffers[b].Kind != BufferKind.Temporary || planned.Contains(b)) continue;
            var bytes = buffers[b].Type.Count * buffers[b].Type.DType.Bytes();
            temporaries.Add(new(b, bytes, 0, Math.Max(0, steps - 1), slots.Count));
            slots.Add(bytes);
        }
        if (written.Arena is not null && temporaries.Count == written.Temporaries.Length) return written;
        return CallPlan.Of(written.Checks, temporaries, slots) with { Scratch = written.Scratch };
    }

    private static T Next<T>(TextCursor cursor, Func<T> read)
    {
        cursor.Expect(",");
        return read();
    }
}
