// In: the processes of two arms, each with its block. Out: the groups in which they are compared.
namespace Accelerate.Bench.Statistics;

/// <summary>The result of one fresh process: the unit of every test.</summary>
/// <param name="Value">The median of its samples, above zero.</param>
/// <param name="Block">Processes of one block ran one after the other; null if unknown.</param>
internal readonly record struct ProcessMedian(double Value, string? Block = null);

/// <summary>Processes that were neighbours in time: the logarithms of their medians.</summary>
internal sealed record Stratum(double[] A, double[] B)
{
    /// <summary>
    /// A block that contains both arms is a stratum. All other processes form one stratum together if the arms were
    /// measured separately; otherwise a process whose neighbour has failed is compared with nothing.
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

    /// <summary>
    /// The coefficient of variation between processes of a binary: the standard deviation over the mean, within strata.
    /// </summary>
    /// <returns>Null if every stratum has one process, or there is none.</returns>
    public static double? Variation(IReadOnlyList<Stratum> strata) => Variation(strata, 0, 0);

    /// <summary>The same for arms that may differ: their mean difference is subtracted first.</summary>
    public static double? VariationWithinArms(IReadOnlyList<Stratum> strata) => strata.Count == 0 ? null
        : Variation(strata, strata.Average(s => s.B.Average() - s.A.Average()), 1);

    /// <param name="strata">Logarithms.</param>
    /// <param name="shift">The shift of B.</param>
    /// <param name="estimated">The number of estimated parameters beyond the strata's means.</param>
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
