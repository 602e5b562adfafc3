// In: a probability or a point. Out: values of the binomial, normal and Student distributions.
namespace Accelerate.Bench.Statistics;

/// <summary>The probability functions for the tests; each is accurate to about twelve digits.</summary>
internal static class Distributions
{
    /// <summary>P(X ≤ x) of the standard normal distribution.</summary>
    public static double NormalCdf(double x)
    {
        // The normal distribution's square is a gamma distribution: P(|Z| ≤ x) = P(1/2, x²/2).
        var inside = LowerGamma(0.5, x * x / 2);
        return x >= 0 ? 0.5 + inside / 2 : 0.5 - inside / 2;
    }

    /// <summary>
    /// The inverse of the normal distribution: a standard normal value is below it with probability p.
    /// </summary>
    public static double NormalQuantile(double p) => Quantile(p, NormalCdf);

    /// <summary>P(T ≤ t) of Student's distribution with that many degrees of freedom.</summary>
    public static double StudentCdf(double t, double freedom)
    {
        var outside = RegularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
        return t >= 0 ? 1 - outside / 2 : outside / 2;
    }

    /// <summary>The inverse of Student's distribution.</summary>
    public static double StudentQuantile(double p, double freedom) => Quantile(p, t => StudentCdf(t, freedom));

    /// <summary>P(X ≤ successes) of that many trials with that probability of success.</summary>
    public static double BinomialCdf(long successes, long trials, double probability) =>
        successes >= trials ? 1 : successes < 0 ? 0
            : RegularizedBeta(1 - probability, trials - successes, successes + 1);

    /// <summary>I_x(a, b), by Lentz's continued fraction (Numerical Recipes, 6.4).</summary>
    public static double RegularizedBeta(double x, double a, double b)
    {
        if (x <= 0) return 0;
        if (x >= 1) return 1;
        var front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * Math.Log(1 - x));
        // The fraction converges quickly below the mean; the other side is its complement.
        return x < (a + 1) / (a + b + 2) ? front * BetaFraction(x, a, b) / a
            : 1 - front * BetaFraction(1 - x, b, a) / b;
    }

    private static double BetaFraction(double x, double a, double b)
    {
        const double Tiny = 1e-300;
        var c = 1.0;
        var d = 1 / Apart(1 - (a + b) * x / (a + 1));
        var result = d;
        for (var m = 1; m < 100_000; m++)
        {
            var even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / Apart(1 + even * d);
            c = Apart(1 + even / c);
            result *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / Apart(1 + odd * d);
            c = Apart(1 + odd / c);
            result *= d * c;
            if (Math.Abs(d * c - 1) < 1e-15) break;
        }
        return result;

        static double Apart(double value) => Math.Abs(value) < Tiny ? Tiny : value;
    }

    /// <summary>
    /// P(a, x), by its series where that converges quickly, otherwise by the continued fraction of its complement.
    /// </summary>
    private static double LowerGamma(double a, double x)
    {
        if (x <= 0) return 0;
        var front = Math.Exp(a * Math.Log(x) - x - LogGamma(a));
        if (x < a + 1)
        {
            var (term, sum) = (1 / a, 1 / a);
            for (var n = 1; term > sum * 1e-17; n++) sum += term *= x / (a + n);
            return front * sum;
        }
        var b = x + 1 - a;
        var (c, d) = (1e300, 1 / b);
        var result = d;
        for (var i = 1; i < 10_000; i++)
        {
            var step = -i * (i - a);
            b += 2;
            d = 1 / (step * d + b);
            c = b + step / c;
            result *= d * c;
            if (Math.Abs(d * c - 1) < 1e-15) break;
        }
        return 1 - front * result;
    }

    /// <summary>ln Γ(x) for x > 0: Stirling's series, shifted to where eight terms give 1e-15.</summary>
    private static double LogGamma(double x)
    {
        var shift = 0.0;
        for (; x < 10; x++) shift += Math.Log(x);
        var inverse = 1 / (x * x);
        // B(2k) / (2k (2k − 1)) with the Bernoulli numbers.
        double[] terms = [1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156];
        var (series, power) = (0.0, 1 / x);
        foreach (var term in terms)
        {
            series += term * power;
            power *= inverse;
        }
        return (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series - shift;
    }

    private static double Quantile(double p, Func<double, double> cdf)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(p, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(p, 1);
        var (low, high) = (-1.0, 1.0);
        while (cdf(low) > p) low *= 2;
        while (cdf(high) < p) high *= 2;
        while (high - low > 1e-13 * Math.Max(1, Math.Abs(low)))
        {
            var middle = (low + high) / 2;
            if (middle == low || middle == high) break;
            if (cdf(middle) < p) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }
}
