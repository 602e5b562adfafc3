// In: counts of two arms: operations, kernels, instructions, bytes. Out: more, fewer or the same, without a test.
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Statistics;

internal enum GateResult
{
    Same,
    More,
    Fewer,
}

/// <summary>A count that does not depend on the machine's load.</summary>
/// <param name="Name">"kernels".</param>
/// <param name="A">The maximum over A's processes.</param>
/// <param name="B">The maximum over B's processes.</param>
/// <param name="Result">B compared with A; if the processes of an arm disagree (allocations can) they form a range, and
/// overlapping ranges are the same.</param>
internal sealed record Gate(string Name, double A, double B, GateResult Result)
{
    private static readonly (string Name, Func<ResultRecord, double?> Count)[] Counts =
    [
        ("ops", r => r.Ops),
        ("kernels", r => r.KernelCount),
        ("instructions", r => r.Instructions),
        ("arena_bytes", r => r.ArenaBytes),
        ("allocated_bytes", r => r.AllocatedBytes),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Counts.Select(c => c.Name)];

    /// <summary>The counts that both arms have.</summary>
    public static IReadOnlyList<Gate> Of(IEnumerable<ResultRecord> a, IEnumerable<ResultRecord> b)
    {
        var (left, right) = (a.ToList(), b.ToList());
        List<Gate> gates = [];
        foreach (var (name, count) in Counts)
        {
            var before = left.Select(count).OfType<double>().ToList();
            var after = right.Select(count).OfType<double>().ToList();
            if (before.Count == 0 || after.Count == 0) continue;
            var result = after.Min() > before.Max() ? GateResult.More
                : after.Max() < before.Min() ? GateResult.Fewer : GateResult.Same;
            gates.Add(new(name, before.Max(), after.Max(), result));
        }
        return gates;
    }
}
