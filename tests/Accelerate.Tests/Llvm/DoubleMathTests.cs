// The f64 functions compiled, against 256-bit arithmetic: within the budget; and the interpreter's bytes everywhere.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class DoubleMathTests(ITestOutputHelper output)
{
    /// <summary>The function, its budget in units of the last place, the exponents where it is not trivial.</summary>
    public static readonly TheoryData<string, double, int, int> Functions = new()
    {
        { nameof(UnaryOp.Exp), 1, -60, 11 },
        { nameof(UnaryOp.Expm1), 2, -60, 10 },
        { nameof(UnaryOp.Log), 1, -1074, 1024 },
        { nameof(UnaryOp.Log1p), 2, -60, 1024 },
        { nameof(UnaryOp.Tanh), 2, -60, 6 },
        { nameof(UnaryOp.Erf), 2, -60, 4 },
        { nameof(UnaryOp.Sin), 1, -60, 1024 },
        { nameof(UnaryOp.Cos), 1, -60, 1024 },
        { nameof(UnaryOp.Rsqrt), 1.5, -1074, 1024 },
    };

    private static Func<BigFloat, BigFloat> Reference(UnaryOp op) => op switch
    {
        UnaryOp.Exp => BigFloat.Exp,
        UnaryOp.Expm1 => BigFloat.Expm1,
        UnaryOp.Log => BigFloat.Log,
        UnaryOp.Log1p => BigFloat.Log1p,
        UnaryOp.Tanh => BigFloat.Tanh,
        UnaryOp.Erf => BigFloat.Erf,
        UnaryOp.Sin => BigFloat.Sin,
        UnaryOp.Cos => BigFloat.Cos,
        _ => x => BigFloat.One / BigFloat.Sqrt(x),
    };

    [LlvmTheory]
    [MemberData(nameof(Functions))]
    public void UnitsAreWithinTheBudget(string name, double budget, int from, int to)
    {
        var op = Enum.Parse<UnaryOp>(name);
        var x = Samples(op, from, to, 6000);
        using var native = new NativeKernel(FunctionKernel.Of(op, DType.F64), new("host", 3));
        var y = new double[x.Length];
        Run(native, [x], y);
        var reference = Reference(op);
        var worst = Worst(x.Length, i => Units(y[i], reference(BigFloat.Of(x[i]))));
        output.WriteLine($"{op} of f64: {worst.Units:F3} units at {x[worst.At]:R}, {x.Length} arguments");
        Assert.True(worst.Units <= budget, $"{op}({x[worst.At]:R}) is {y[worst.At]:R}, off by {worst.Units:F3} units");
    }

    [LlvmTheory]
    [MemberData(nameof(Functions))]
    public void LlvmGivesTheInterpretersBytes(string name, double budget, int from, int to)
    {
        var op = Enum.Parse<UnaryOp>(name);
        _ = budget;
        double[] x =
            [.. Samples(op, from, to, 300), 0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity,
            5e-324, -5e-324, double.MaxValue, double.MinValue, -1, 1];
        Agreement.Check(FunctionKernel.Of(op, DType.F64), [Tensor.From(x, x.Length)],
            new Dictionary<string, long> { ["n"] = x.Length },
            $"{op}", NativeConfiguration.Three);
    }

    /// <summary>C99, Annex F; and arguments next to a multiple of pi/2 (Kahan's worst case among them).</summary>
    private static readonly (UnaryOp Op, (double X, double Result)[] Values)[] Specials =
    [
        (UnaryOp.Exp,
            [(-Inf, 0), (Inf, Inf), (0, 1), (-0.0, 1), (-745.13, 5e-324), (-745.14, 0), (709.79, Inf), (NaN, NaN)]),
        (UnaryOp.Expm1, [(0, 0), (-0.0, -0.0), (-5e-324, -5e-324), (-Inf, -1), (Inf, Inf), (NaN, NaN)]),
        (UnaryOp.Log, [(0, -Inf), (-0.0, -Inf), (-1, NaN), (-5e-324, NaN), (-Inf, NaN), (Inf, Inf), (1, 0),
            (5e-324, -744.4400719213812), (NaN, NaN)]),
        (UnaryOp.Log1p,
            [(0, 0), (-0.0, -0.0), (5e-324, 5e-324), (-5e-324, -5e-324), (-1, -Inf), (-1.5, NaN), (-Inf, NaN),
                (Inf, Inf),
            (NaN, NaN)]),
        (UnaryOp.Tanh, [(0, 0), (-0.0, -0.0), (5e-324, 5e-324), (Inf, 1), (-Inf, -1), (NaN, NaN)]),
        (UnaryOp.Erf, [(0, 0), (-0.0, -0.0), (Inf, 1), (-Inf, -1), (NaN, NaN)]),
        (UnaryOp.Sin, [(0, 0), (-0.0, -0.0), (-5e-324, -5e-324), (Inf, NaN), (-Inf, NaN), (NaN, NaN),
            (5.319372648326541e+255, 1), (double.MaxValue, 0.004961954789184062)]),
        (UnaryOp.Cos, [(0, 1), (-0.0, 1), (Inf, NaN), (NaN, NaN), (5.319372648326541e+255, -4.6871659242546277e-19),
            (double.MaxValue, -0.9999876894265599)]),
        (UnaryOp.Rsqrt, [(0, Inf), (-0.0, -Inf), (4, 0.5), (-1, NaN), (Inf, 0), (NaN, NaN)]),
        (UnaryOp.Sqrt,
            [(-0.0, -0.0), (2, 1.4142135623730951), (-1, NaN), (Inf, Inf), (5e-324, 2.2227587494850775e-162)]),
    ];

    private const double Inf = double.PositiveInfinity;
    private const double NaN = double.NaN;

    [LlvmFact]
    public void SpecialValues()
    {
        foreach (var (op, values) in Specials)
        {
            using var native = new NativeKernel(FunctionKernel.Of(op, DType.F64), new("host", 3));
            var y = new double[values.Length];
            Run(native, [[.. values.Select(v => v.X)]], y);
            for (var i = 0; i < y.Length; i++)
                Assert.True(Tensor.Scalar(values[i].Result)
                    .SameBits(Tensor.Scalar(y[i])), $"{op}({values[i].X:R}) is {y[i]:R}, not {values[i].Result:R}");
        }
    }

    /// <summary>
    /// Every exponent in turn with random mantissas, both signs where the function has them, and hard ones.
    /// </summary>
    private static double[] Samples(UnaryOp op, int from, int to, int count)
    {
        var random = new System.Random(11);
        var x = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var value = Math.ScaleB(1 + random.NextDouble(), from + (i + random.Next(to - from)) % (to - from));
            if (op is UnaryOp.Log1p ? value < 1 && i % 2 == 0 : op is not (UnaryOp.Log or UnaryOp.Rsqrt) && i % 2 == 0)
                value = -value;
            x.Add(value);
        }
        for (var i = 0; i < count / 4; i++)
        {
            // Around the common arguments, where polynomials meet.
            x.Add(op switch
            {
                UnaryOp.Exp => random.NextDouble() * 1440 - 740,
                UnaryOp.Expm1 => random.NextDouble() * 4 - 2,
                UnaryOp.Log => 0.5 + 1.5 * random.NextDouble(),
                UnaryOp.Log1p => random.NextDouble() * 2 - 0.75,
                UnaryOp.Tanh => random.NextDouble() * 3 - 1.5,
                UnaryOp.Erf => random.NextDouble() * 12 - 6,
                UnaryOp.Rsqrt => 1 + 3 * random.NextDouble(),
                // The nearest f64 to a multiple of pi/2, of all sizes.
                _ => random.Next(1, 1 << random.Next(2, 31)) * (Math.PI / 2) * (
                    i % 3 == 0 ? 1 : 1 + random.NextDouble()),
            });
        }
        return [.. x];
    }

    internal static void Run(NativeKernel native, double[][] x, double[] y)
    {
        Tensor[] buffers = [.. x.Select(a => Tensor.From(a, a.Length)), Tensor.Uninitialized(DType.F64, y.Length)];
        native.Run(buffers, _ => y.Length);
        buffers[^1].ToArray<double>().CopyTo(y, 0);
    }

    internal static (double Units, int At) Worst(int count, Func<int, double> units)
    {
        var all = new double[count];
        Parallel.For(0, count, i => all[i] = units(i));
        var at = Enumerable.Range(0, count).MaxBy(i => all[i]);
        return (all[at], at);
    }

    /// <summary>The error in units of the last place of the exact result; infinite for another special value.</summary>
    internal static double Units(double y, BigFloat exact)
    {
        var correct = Exact.Round(exact.M, exact.E, DType.F64);
        if (!double.IsFinite(correct) || !double.IsFinite(y)) return correct.Equals(y) ? 0 : double.PositiveInfinity;
        var unit = Math.Max(exact.Sign == 0 ? -1074 : exact.Exponent - 52, -1074);
        return Math.Abs((BigFloat.Of(y) - exact).Scale(-unit).ToDouble());
    }
}
