// In: the processes of two arms, each with its block. Out: the groups in which they are compared.
namespace Accelerate.Bench.Statistics;

/// <summary>What one fresh process says: the unit of every test.</summary>
/// <param name="Value">The median of its samples, above zero.</param>
/// <param name="Block">Processes of one block ran one after the other; null when nothing is known of that.</param>
internal readonly record struct ProcessMedian(double Value, string? Block = null);

/// <summary>Processes that were neighbours in time: logarithms of their medians.</summary>
internal sealed record Stratum(double[] A, double[] B)
{
    /// <summary>
    /// A block that holds both arms is a stratum. All other processes are one stratum together: where the arms were
    /// measured apart it is the only one, and a process whose neighbour has failed is compared with nothing.
    /// </summary>
    public static IReadOnlyList<Stratum> Of(IReadOnlyList<ProcessMedian> a, IReadOnlyList<ProcessMedian> b)
    {
        var shared = a.Select(p => p.Block).Intersect(b.Select(p => p.Block)).Where(k => k is not null).ToHashSet();
        return [.. a.Select(p => (p, IsB: false)).Concat(b.Select(p => (p, IsB: true)))
            .GroupBy(p => shared.Contains(p.p.Block) ? p.p.Block : null)
            .Select(g => new Stratum(Logs(g.Where(p => !p.IsB)), Logs(g.Where(p => p.IsB))))
            .Where(s => s.A.Length > 0 && s.B.Length > 0)];
    }

    private static double[] Logs(IEnumerable<(ProcessMedian Process, bool)> processes) =>
        [.. processes.Select(p => p.Process.Value > 0 && double.IsFinite(p.Process.Value) ? Math.Log(p.Process.Value)
            : throw new ArgumentOutOfRangeException(nameof(processes), p.Process.Value, "a time is above zero"))];

    /// <summary>The coefficient of variation from process to process of a binary: the standard deviation over the
    /// mean, within strata.</summary>
    /// <returns>Null where every stratum has one process, or there is none.</returns>
    public static double? Variation(IReadOnlyList<Stratum> strata) => Variation(strata, 0, 0);

    /// <summary>The same of arms that may differ: their mean difference is taken off first.</summary>
    public static double? VariationWithinArms(IReadOnlyList<Stratum> strata) => strata.Count == 0 ? null
        : Variation(strata, strata.Average(s => s.B.Average() - s.A.Average()), 1);

    /// <param name="strata">Logarithms.</param>
    /// <param name="shift">Of B.</param>
    /// <param name="estimated">Parameters beyond the strata's means.</param>
    private static double? Variation(IReadOnlyList<Stratum> strata, double shift, int estimated)
    {
        var (squares, freedom) = (0.0, -estimated);
        foreach (var (a, b) in strata)
        {
            double[] all = [.. a.Select(Math.Exp), .. b.Select(x => Math.Exp(x - shift))];
            var mean = all.Average();
            squares += all.Sum(x => (x / mean - 1) * (x / mean - 1));
            freedom += all.Length - 1;
        }
        return freedom > 0 ? Math.Sqrt(squares / freedom) : null;
    }
}
