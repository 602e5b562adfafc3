// In: a block and values of its sizes. Out: every statement in it with its number of executions.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Bench;

/// <summary>
/// Counts executions in the kernel IR, not in an instruction set: a side of a contraction is executed once per element
/// it yields, its epilogue once per element of M × N; guards and masked axes count as if they held.
/// </summary>
internal static class Iterations
{
    /// <summary>
    /// Visits outer statements before inner ones, each with its number of executions and the values that hold there.
    /// </summary>
    public static void Visit(Block block, Dictionary<string, long> values, double times,
        Action<Statement, double, IReadOnlyDictionary<string, long>> visit)
    {
        foreach (var statement in block.Statements)
        {
            visit(statement, times, values);
            foreach (var scope in statement.Scopes) Repeat(scope.Axes.AsSpan(), scope.Block, values, times, visit);
        }
    }

    public static (double M, double N, double K) Extents(Contract c, IReadOnlyDictionary<string, long> values) =>
        (c.M.Extent.Evaluate(values), c.N.Extent.Evaluate(values),
            c.K.Aggregate(1.0, (product, axis) => product * axis.Extent.Evaluate(values)));

    public static (double Rows, double Keys, double Columns, double Depth) Extents(Attend a,
        IReadOnlyDictionary<string, long> values) =>
        (a.M.Extent.Evaluate(values), a.S.Extent.Evaluate(values), a.E.Extent.Evaluate(values),
            a.K.Extent.Evaluate(values));

    private static void Repeat(ReadOnlySpan<Axis> axes, Block body, Dictionary<string, long> values,
        double times, Action<Statement, double, IReadOnlyDictionary<string, long>> visit)
    {
        if (axes.IsEmpty)
        {
            Visit(body, values, times, visit);
            return;
        }
        var axis = axes[0];
        var rest = axes[1..];
        var count = axis.Extent.Evaluate(values);
        if (count <= 0) return;
        // Iterations can differ only through the extent of an inner loop: the last block of a flat loop.
        if (!Extents(rest, body).Any(e => e.Variables().Contains(axis.Variable)))
        {
            Repeat(rest, body, values, times * count, visit);
            return;
        }
        for (var i = 0L; i < count; i++)
        {
            values[axis.Variable] = i;
            Repeat(rest, body, values, times, visit);
        }
        values.Remove(axis.Variable);
    }

    private static IEnumerable<Size> Extents(ReadOnlySpan<Axis> axes, Block body) =>
        [.. axes.ToArray().Select(a => a.Extent),
            .. Kernel.Statements(body).SelectMany(s => s.Axes).Select(a => a.Extent)];
}
