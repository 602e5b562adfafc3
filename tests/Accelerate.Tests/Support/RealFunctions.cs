// In: an f64 value. Out: an elementary function of it, off by less than 1e-14 of the result.
using Accelerate.Compiler.Graph;

namespace Accelerate.Tests.Support;

/// <summary>References for the f32 functions: what they are compared with has 29 more bits.</summary>
internal static class RealFunctions
{
    public static Func<double, double> Of(UnaryOp op) => op switch
    {
        UnaryOp.Exp => Math.Exp,
        UnaryOp.Log => Math.Log,
        UnaryOp.Expm1 => Expm1,
        UnaryOp.Log1p => Log1p,
        UnaryOp.Tanh => Math.Tanh,
        UnaryOp.Erf => Erf,
        UnaryOp.Rsqrt => x => 1 / Math.Sqrt(x),
        UnaryOp.Sin => Math.Sin,
        UnaryOp.Cos => Math.Cos,
        UnaryOp.Sign => x => x > 0 ? 1 : x < 0 ? -1 : double.IsNaN(x) ? x : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(op), op, "no reference"),
    };

    /// <summary>Kahan: the rounding error of u = e^x is in log(u) as well, and cancels in the quotient.</summary>
    public static double Expm1(double x)
    {
        if (x > 40) return Math.Exp(x);
        var u = Math.Exp(x);
        return u == 1 ? x : u - 1 == -1 ? -1 : (u - 1) * x / Math.Log(u);
    }

    /// <summary>Kahan, as above.</summary>
    public static double Log1p(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : u > 1e30 ? Math.Log(x) : Math.Log(u) * x / (u - 1);
    }

    /// <summary>
    /// To 3 the series 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, whose terms are all positive; beyond, one minus
    /// the continued fraction of erfc, which is below 3e-5 there.
    /// </summary>
    public static double Erf(double x)
    {
        var a = Math.Abs(x);
        if (double.IsNaN(x) || x == 0) return x;
        if (a > 6) return Math.Sign(x);
        if (a > 3)
        {
            double tail = 0;
            for (var k = 60; k > 0; k--) tail = k / 2.0 / (a + tail);
            return Math.CopySign(1 - Math.Exp(-a * a) / Math.Sqrt(Math.PI) / (a + tail), x);
        }
        double sum = 1, term = 1;
        for (var n = 1; term > 1e-17 * sum; n++)
        {
            term *= 2 * a * a / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-a * a) * x * sum;
    }
}
