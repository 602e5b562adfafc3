// In: a program and its sizes. Out: the floating-point operations in its kernels' texts, and its compulsory traffic.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// Counts operations of the kernel IR, not of an instruction set. A contraction is 2·M·N·K, with its sides counted once
/// per element they yield and its epilogue once per element of M × N. Elsewhere every arithmetic statement with a float
/// result is one operation times the iterations around it, fma two, a reduction one a term. Loads, selects, comparisons
/// and conversions are not counted; `exp` counts as its polynomial. Integer arithmetic is not counted.
/// </summary>
internal static class FlopCount
{
    /// <summary>One call of the whole program.</summary>
    public static double Of(Program program, IReadOnlyDictionary<string, long> sizes) => ByKernel(program, sizes).Sum();

    /// <summary>
    /// Each kernel over all its calls in one call of the program: loops by their count, with the variable at its
    /// middle; `while` once, both sides of a branch, masked axes whole, because more would need the values of a call.
    /// </summary>
    public static double[] ByKernel(Program program, IReadOnlyDictionary<string, long> sizes)
    {
        var sums = new double[program.Kernels.Length];
        Walk(program.Steps, new Dictionary<string, long>(sizes, StringComparer.Ordinal), 1);
        return sums;

        void Walk(IEnumerable<Step> steps, Dictionary<string, long> values, double times)
        {
            foreach (var step in steps)
            {
                switch (step)
                {
                    case CallStep c:
                        sums[c.Kernel] += times * Of(program.Kernels[c.Kernel], values);
                        break;
                    case SizeStep s:
                        values[s.Variable] = s.Most.Evaluate(values);
                        break;
                    case LetStep d:
                        values[d.Variable] = d.Value.Evaluate(values);
                        break;
                    case LoopStep l:
                        var count = Math.Max(0, l.Count.Evaluate(values));
                        Walk(l.Body, new(values, StringComparer.Ordinal) { [l.Variable] = count / 2 }, times * count);
                        break;
                    case WhileStep w:
                        Walk(w.Condition.Concat(w.Body), values, times);
                        break;
                    case IfStep i:
                        Walk(i.Then.Concat(i.Else), values, times);
                        break;
                }
            }
        }
    }

    /// <summary>One call of a kernel, over all its jobs.</summary>
    public static double Of(Kernel kernel, IReadOnlyDictionary<string, long> sizes)
    {
        var sum = 0.0;
        Iterations.Visit(kernel.Body, new(sizes, StringComparer.Ordinal), 1, (statement, times, values) =>
            sum += times * Own(statement, values));
        return sum;
    }

    /// <summary>Inputs, state and results, each counted once: the bytes that any implementation must move.</summary>
    public static long CompulsoryBytes(Program program, IReadOnlyDictionary<string, long> sizes) => program.State
        .Concat(program.Buffers.Where(b => b.Kind is BufferKind.Input or BufferKind.Output))
        .Sum(b => b.Type.Count.Evaluate(sizes) * b.Type.DType.Bytes());

    /// <summary>The operations of a statement itself, without those inside it.</summary>
    private static double Own(Statement statement, IReadOnlyDictionary<string, long> values)
    {
        switch (statement)
        {
            case Compute c:
                return c.Result.Type.IsFloat ? Operations(c.Op) : 0;
            case Reduction r:
                return r.Yield.Type.IsFloat ? Math.Max(0, r.Extent.Evaluate(values)) * (r.Factor is null ? 1 : 2) : 0;
            case Contract { Accumulator.Type.IsFloat: true } c:
                var (m, n, k) = Iterations.Extents(c, values);
                return 2 * m * n * k;
            case Attend a:
                // Two products; a comparison, a subtraction and an addition for each score; all keys.
                var (rows, keys, columns, depth) = Iterations.Extents(a, values);
                return rows * keys * (2 * depth + 2 * columns + 3);
            default:
                return 0;
        }
    }

    private static double Operations(ScalarOp op) => op switch
    {
        ScalarOp.Fma => 2,
        ScalarOp.Neg or ScalarOp.Abs or ScalarOp.Sqrt or ScalarOp.Floor or ScalarOp.Ceil or ScalarOp.Trunc
            or ScalarOp.Round
            or ScalarOp.Add or ScalarOp.Sub or ScalarOp.Mul or ScalarOp.Div or ScalarOp.Rem or ScalarOp.Max
                or ScalarOp.Min => 1,
        _ => 0,
    };
}
