// In: f64 numbers. Out: arithmetic and elementary functions of 256 bits: the oracle of the f64 functions.
using System.Numerics;

namespace Accelerate.Tests.Support;

/// <summary>
/// M * 2^E, M of at most 256 bits: each operation truncates, so that a result is off by a few 2^-255 of itself. Slow
/// and simple on purpose: series, and nothing of the machine's floating point.
/// </summary>
public readonly record struct BigFloat(BigInteger M, int E)
{
    private const int Bits = 256;

    private static readonly BigInteger PiScaled = PiOf(1700);

    public static readonly BigFloat Zero = new(0, 0);
    public static readonly BigFloat One = new(1, 0);
    public static readonly BigFloat Pi = Trim(PiScaled, -1700);
    public static readonly BigFloat Ln2 = LogOfRatio(new BigFloat(1, 0) / new BigFloat(3, 0));

    public int Sign => M.Sign;

    /// <summary>The exponent of the leading bit.</summary>
    public int Exponent => (int)BigInteger.Abs(M).GetBitLength() - 1 + E;

    public BigFloat Abs => new(BigInteger.Abs(M), E);

    /// <summary>A finite double, exactly.</summary>
    public static BigFloat Of(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52 & 0x7FF);
        var m = bits & (1L << 52) - 1 | (exponent == 0 ? 0 : 1L << 52);
        return new(bits < 0 ? -m : m, Math.Max(exponent, 1) - 1075);
    }

    public static BigFloat operator -(BigFloat a) => new(-a.M, a.E);

    public static BigFloat operator +(BigFloat a, BigFloat b)
    {
        if (a.Sign == 0) return b;
        if (b.Sign == 0) return a;
        // What is 400 bits below the other only pushes it off a tie.
        if (a.Exponent - b.Exponent > 2 * Bits) return a;
        if (b.Exponent - a.Exponent > 2 * Bits) return b;
        var low = Math.Min(a.E, b.E);
        return Trim((a.M << (a.E - low)) + (b.M << (b.E - low)), low);
    }

    public static BigFloat operator -(BigFloat a, BigFloat b) => a + -b;

    public static BigFloat operator *(BigFloat a, BigFloat b) => Trim(a.M * b.M, a.E + b.E);

    public static BigFloat operator /(BigFloat a, BigFloat b)
    {
        var shift =
            Math.Max(0, Bits + 2 + (int)BigInteger.Abs(b.M).GetBitLength() - (int)BigInteger.Abs(a.M).GetBitLength());
        return Trim((a.M << shift) / b.M, a.E - b.E - shift);
    }

    public BigFloat Scale(int by) => new(M, E + by);

    /// <summary>The nearest integer.</summary>
    public BigInteger Round()
    {
        if (E >= 0) return M << E;
        return (M + (BigInteger.One << (-E - 1))) >> -E;
    }

    public static BigFloat Of(BigInteger m) => Trim(m, 0);

    public static BigFloat Sqrt(BigFloat a)
    {
        if (a.Sign == 0) return a;
        var x = Of(Math.Sqrt(a.Scale(-(a.Exponent & ~1)).ToDouble()));
        var scaled = a.Scale(-(a.Exponent & ~1));
        for (var i = 0; i < 4; i++) x = (x + scaled / x).Scale(-1);
        return x.Scale((a.Exponent & ~1) / 2);
    }

    /// <summary>Rounded towards zero, for estimates.</summary>
    public double ToDouble() => Sign == 0 ? 0 : Math.ScaleB((double)(M >> Math.Max(0, (int)M.GetBitLength() - 60)),
        E + Math.Max(0, (int)M.GetBitLength() - 60));

    public static BigFloat Exp(BigFloat x)
    {
        var k = (x / Ln2).Round();
        return (One + ExpTail(x - Of(k) * Ln2)).Scale((int)k);
    }

    public static BigFloat Expm1(BigFloat x) => x.Sign == 0 || x.Exponent < -1 ? ExpTail(x) : Exp(x) - One;

    public static BigFloat Log(BigFloat x)
    {
        var k = x.Exponent;
        var f = x.Scale(-k);
        if ((f.Scale(1) - new BigFloat(3, 0)).Sign > 0) (f, k) = (f.Scale(-1), k + 1); // 3/4 < f <= 3/2
        return LogOfRatio((f - One) / (f + One)) + Of(k) * Ln2;
    }

    public static BigFloat Log1p(BigFloat x) =>
        x.Sign != 0 && x.Exponent < -2 ? LogOfRatio(x / (new BigFloat(2, 0) + x)) : Log(One + x);

    public static BigFloat Tanh(BigFloat x)
    {
        var t = Expm1(x.Scale(1));
        return t / (t + new BigFloat(2, 0));
    }

    public static BigFloat Erf(BigFloat x)
    {
        var square = (x * x).Scale(1);
        var (sum, term) = (One, One);
        for (var n = 1; term.Exponent > sum.Exponent - Bits; n++)
        {
            term = term * square / Of(2 * n + 1);
            sum += term;
        }
        return (x * Exp(-(x * x)) * sum).Scale(1) / Sqrt(Pi);
    }

    public static BigFloat Sin(BigFloat x) => Turned(x, 0);

    public static BigFloat Cos(BigFloat x) => Turned(x, 1);

    public static BigFloat Atan(BigFloat x)
    {
        for (var i = 0; i < 3; i++) x = x / (One + Sqrt(One + x * x));
        var (sum, power, square) = (x, x, -(x * x));
        for (var n = 3; power.Sign != 0 && power.Exponent > sum.Exponent - Bits; n += 2)
        {
            power *= square;
            sum += power / Of(n);
        }
        return sum.Scale(3);
    }

    /// <summary>x = k pi/2 + r by a pi of 1700 bits, then the series.</summary>
    private static BigFloat Turned(BigFloat x, int quarters)
    {
        const int P = 1600;
        var scaled = x.E + P >= 0 ? x.M << (x.E + P) : x.M >> -(x.E + P);
        var half = PiScaled >> (1700 - P + 1);
        var k = BigInteger.Divide(2 * scaled + (x.Sign < 0 ? -half : half), 2 * half);
        // x < 2^1024, so k times the error of pi is below 2^-500; a small x is itself.
        var r = k.IsZero ? x : Trim(scaled - k * (PiScaled >> (1700 - P)) / 2, -P);
        var odd = (int)BigInteger.Remainder(k, 4) + quarters & 3;
        var value = (odd & 1) == 0 ? Series(r, r, 2) : Series(One, r, 1);
        return odd >= 2 ? -value : value;

        static BigFloat Series(BigFloat first, BigFloat r, int n)
        {
            var (sum, term, square) = (first, first, -(r * r));
            for (; term.Sign != 0 && term.Exponent > sum.Exponent - Bits; n += 2)
            {
                term = term * square / Of(n * (n + 1));
                sum += term;
            }
            return sum;
        }
    }

    private static BigFloat ExpTail(BigFloat r)
    {
        var (sum, term) = (r, r);
        for (var n = 2; term.Sign != 0 && term.Exponent > sum.Exponent - Bits; n++)
        {
            term = term * r / Of(n);
            sum += term;
        }
        return sum;
    }

    /// <summary>log((1 + s) / (1 - s)).</summary>
    private static BigFloat LogOfRatio(BigFloat s)
    {
        var (sum, power, square) = (s, s, s * s);
        for (var n = 3; power.Sign != 0 && power.Exponent > sum.Exponent - Bits; n += 2)
        {
            power *= square;
            sum += power / Of(n);
        }
        return sum.Scale(1);
    }

    private static BigInteger PiOf(int bits)
    {
        BigInteger Arctan(int inverse)
        {
            var power = (BigInteger.One << (bits + 16)) / inverse;
            var sum = power;
            for (var n = 3; !power.IsZero; n += 2)
            {
                power /= -inverse * inverse;
                sum += power / n;
            }
            return sum;
        }
        return 4 * (4 * Arctan(5) - Arctan(239)) >> 16;
    }

    private static BigFloat Of(int value) => new(value, 0);

    private static BigFloat Trim(BigInteger m, int e)
    {
        var excess = (int)BigInteger.Abs(m).GetBitLength() - Bits;
        return excess > 0 ? new(m >> excess, e + excess) : new(m, e);
    }
}
