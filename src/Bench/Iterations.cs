// In: a block and values of its sizes. Out: every statement in it with the number of times that it is executed.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Bench;

/// <summary>
/// What the kernel IR says, not what an instruction set makes of it: a side of a contraction is executed once an
/// element it yields, its epilogue once an element of M × N; guards and masked axes are taken as if they held.
/// </summary>
internal static class Iterations
{
    /// <summary>Outer statements before inner ones, each with its executions and the values that hold there.</summary>
    public static void Visit(Block block, Dictionary<string, long> values, double times,
        Action<Statement, double, IReadOnlyDictionary<string, long>> visit)
    {
        foreach (var statement in block.Statements)
        {
            visit(statement, times, values);
            switch (statement)
            {
                case Loop l:
                    Repeat(l.Variable, l.Extent, l.Body, values, times, visit);
                    break;
                case Reduction r:
                    Repeat(r.Variable, r.Extent, r.Body, values, times, visit);
                    break;
                case Cumulation c:
                    Repeat(c.Variable, c.Extent, c.Body, values, times, visit);
                    Repeat(c.Variable, c.Extent, c.Epilogue, values, times, visit);
                    break;
                case Ordering o:
                    Repeat(o.Variable, o.Extent, o.Body, values, times, visit);
                    Repeat(o.Variable, o.Extent, o.Epilogue, values, times, visit);
                    break;
                case Contract c:
                    var (m, n, k) = Extents(c, values);
                    Visit(c.Left, values, times * m * k, visit);
                    Visit(c.Right, values, times * n * k, visit);
                    Visit(c.Epilogue, values, times * m * n, visit);
                    break;
                case Attend a:
                    var (rows, keys, columns, depth) = Extents(a, values);
                    Visit(a.Query.Block, values, times * rows * depth, visit);
                    Visit(a.Key.Block, values, times * keys * depth, visit);
                    Visit(a.Value.Block, values, times * keys * columns, visit);
                    Visit(a.Score.Block, values, times * rows * keys, visit);
                    Visit(a.Weight.Block, values, times * rows * keys, visit);
                    Visit(a.Epilogue, values, times * rows * columns, visit);
                    break;
            }
        }
    }

    public static (double M, double N, double K) Extents(Contract c, IReadOnlyDictionary<string, long> values) =>
        (c.M.Extent.Evaluate(values), c.N.Extent.Evaluate(values),
            c.K.Aggregate(1.0, (product, axis) => product * axis.Extent.Evaluate(values)));

    public static (double Rows, double Keys, double Columns, double Depth) Extents(Attend a,
        IReadOnlyDictionary<string, long> values) =>
        (a.M.Extent.Evaluate(values), a.S.Extent.Evaluate(values), a.E.Extent.Evaluate(values),
            a.K.Extent.Evaluate(values));

    private static void Repeat(string variable, Size extent, Block body, Dictionary<string, long> values, double times,
        Action<Statement, double, IReadOnlyDictionary<string, long>> visit)
    {
        var count = extent.Evaluate(values);
        if (count <= 0) return;
        // Only the extent of an inner loop can make one iteration differ from the next: the last block of a flat loop.
        if (!ExtentsWithin(body).Any(e => e.Variables().Contains(variable)))
        {
            Visit(body, values, times * count, visit);
            return;
        }
        for (var i = 0L; i < count; i++)
        {
            values[variable] = i;
            Visit(body, values, times, visit);
        }
        values.Remove(variable);
    }

    private static IEnumerable<Size> ExtentsWithin(Block block) => Kernel.Statements(block).SelectMany(s => s switch
    {
        Loop l => [l.Extent],
        Reduction r => [r.Extent],
        Contract c => c.K.Select(k => k.Extent).Append(c.M.Extent).Append(c.N.Extent),
        Attend a => [a.M.Extent, a.S.Extent, a.E.Extent, a.K.Extent],
        _ => Enumerable.Empty<Size>(),
    });
}
