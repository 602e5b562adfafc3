// In: a double. Out: erf, expm1, log1p in f64, to a few units of the last place.
namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>The functions of the op set that System.Math lacks.</summary>
internal static class SpecialFunctions
{
    private const double TwoBySqrtPi = 1.1283791670955126;

    /// <summary>erf: its all-positive series below 2.5, the continued fraction of erfc above.</summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x) || x == 0) return x;
        var a = Math.Abs(x);
        if (a > 6) return Math.Sign(x); // erfc(6) = 2e-17 is below half a unit of 1
        var square = a * a;
        // exp(-a^2) loses the rounding of a^2 in its exponent: the fma restores it.
        var gauss = Math.Exp(-square) * (1 - Math.FusedMultiplyAdd(a, a, -square));
        double erf;
        if (a < 2.5)
        {
            // erf(a) = 2/sqrt(pi) exp(-a^2) * sum of 2^n a^(2n+1) / (1 * 3 * 5 * .. * (2n+1))
            var (term, sum) = (a, a);
            for (var n = 1; term > sum * 1e-18; n++)
            {
                term *= 2 * square / (2 * n + 1);
                sum += term;
            }
            erf = TwoBySqrtPi * gauss * sum;
        }
        else
        {
            // erfc(a) = exp(-a^2)/sqrt(pi) / (a + (1/2)/(a + (2/2)/(a + (3/2)/(a + ..)))); 80 levels reach 1e-17 at 2.5
            var tail = a;
            for (var k = 80; k > 0; k--) tail = a + k / 2.0 / tail;
            erf = 1 - gauss * (TwoBySqrtPi / 2) / tail;
        }
        return x < 0 ? -erf : erf;
    }

    /// <summary>exp(x) - 1. Near 0 the error of exp(x) is cancelled by dividing by its own logarithm (Kahan).</summary>
    public static double Expm1(double x)
    {
        if (!(Math.Abs(x) < 1)) return Math.Exp(x) - 1;
        var u = Math.Exp(x);
        return u == 1 ? x : (u - 1) * x / Math.Log(u);
    }

    /// <summary>
    /// log(1 + x). The rounding of 1 + x is cancelled by the ratio of x to the number that was actually added (Kahan).
    /// </summary>
    public static double Log1p(double x)
    {
        if (!(Math.Abs(x) < 1)) return Math.Log(1 + x);
        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }
}
