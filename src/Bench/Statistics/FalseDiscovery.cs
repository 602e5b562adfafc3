// In: p-values of the comparisons of a suite. Out: the same, adjusted for multiple comparisons.
namespace Accelerate.Bench.Statistics;

internal static class FalseDiscovery
{
    /// <summary>
    /// Benjamini and Hochberg (1995): of the comparisons whose adjusted value is at most q, on average at most the
    /// fraction q is false. In the given order.
    /// </summary>
    public static double[] Adjust(IReadOnlyList<double> p)
    {
        var adjusted = new double[p.Count];
        var least = 1.0;
        var order = Enumerable.Range(0, p.Count).OrderByDescending(i => p[i]).ToArray();
        for (var i = 0; i < order.Length; i++)
        {
            var rank = p.Count - i;
            least = Math.Min(least, p[order[i]] * p.Count / rank);
            adjusted[order[i]] = least;
        }
        return adjusted;
    }
}
