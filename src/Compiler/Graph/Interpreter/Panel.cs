// In: a view of one operand of a dot. Out: some of its rows packed, so that sums read contiguous memory.
using System.Numerics;
using System.Runtime.InteropServices;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>
/// Up to `height` rows of the contracted elements, with the excess of each element's magnitude over its absolute value.
/// </summary>
internal sealed class Panel(View x, long[] steps, int height)
{
    private readonly int length = steps.Length;
    private readonly double[] values = new double[x.DType.IsFloat ? height * steps.Length : 0];
    private readonly double[] excess = new double[x.DType.IsFloat ? height * steps.Length : 0];
    private readonly long[] integers = new long[x.DType.IsFloat ? 0 : height * steps.Length];
    private long filledStart = -1;
    private long filledRow = -1;
    private int filledCount;

    public void Fill(long start, ReadOnlySpan<long> rows)
    {
        // A dot with few columns keeps its one panel from tile to tile.
        if (rows.Length == 0 || (start == filledStart && rows[0] == filledRow && rows.Length == filledCount)) return;
        (filledStart, filledRow, filledCount) = (start, rows[0], rows.Length);
        for (var (r, to) = (0, 0); r < rows.Length; r++)
        {
            var row = start + rows[r];
            if (x.DType.IsFloat)
            {
                var (v, m) = (x.Data.Values, x.Data.Magnitude);
                foreach (var step in steps)
                {
                    var value = v[row + step];
                    values[to] = value;
                    excess[to++] = m[row + step] - Math.Abs(value);
                }
            }
            else
            {
                foreach (var step in steps) integers[to++] = x.Data.Integers[row + step];
            }
        }
    }

    public static long IntegerDot(Panel a, int row, Panel b, int column)
    {
        long sum = 0;
        for (var k = 0; k < a.length; k++) sum += a.integers[row * a.length + k] * b.integers[column * b.length + k];
        return sum;
    }

    public static (double Value, double Magnitude) Dot(Panel a, int row, Panel b, int column, Propagation propagation)
    {
        var (i, j, length) = (row * a.length, column * b.length, a.length);
        ReadOnlySpan<double> x = a.values.AsSpan(i, length);
        ReadOnlySpan<double> y = b.values.AsSpan(j, length);
        ReadOnlySpan<double> ex = a.excess.AsSpan(i, length);
        ReadOnlySpan<double> ey = b.excess.AsSpan(j, length);
        var likely = propagation == Propagation.Likely;
        var vx = MemoryMarshal.Cast<double, Vector<double>>(x);
        var vy = MemoryMarshal.Cast<double, Vector<double>>(y);
        var vex = MemoryMarshal.Cast<double, Vector<double>>(ex);
        var vey = MemoryMarshal.Cast<double, Vector<double>>(ey);
        var (sums, owns, broughts) = (Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero);
        for (var k = 0; k < vx.Length; k++)
        {
            var product = vx[k] * vy[k];
            sums += product;
            owns += Vector.Abs(product);
            var (p, q) = (Vector.Abs(vx[k]) * vey[k], Vector.Abs(vy[k]) * vex[k]);
            broughts += likely ? p * p + q * q : p + q;
        }
        // Starts from +0, so that a sum of negative zeros is +0.
        var (sum, own, brought) = (0.0 + Vector.Sum(sums), Vector.Sum(owns), Vector.Sum(broughts));
        for (var k = vx.Length * Vector<double>.Count; k < x.Length; k++)
        {
            var product = x[k] * y[k];
            sum += product;
            own += Math.Abs(product);
            var (p, q) = (Math.Abs(x[k]) * ey[k], Math.Abs(y[k]) * ex[k]);
            brought += likely ? p * p + q * q : p + q;
        }
        return (sum, own + (likely ? Math.Sqrt(brought) : brought));
    }
}
