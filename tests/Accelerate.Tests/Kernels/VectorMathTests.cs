// In: the expansions of VectorMath. Out: their errors within the budget over every exponent, and their special values.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Kernels;

public sealed class VectorMathTests(ITestOutputHelper output)
{
    /// <summary>The function, its budget in representable values, its operations.</summary>
    public static readonly TheoryData<string, int, int> Functions = new()
    {
        { nameof(UnaryOp.Exp), 1, 22 },
        { nameof(UnaryOp.Log), 1, 27 },
        { nameof(UnaryOp.Expm1), 2, 21 },
        { nameof(UnaryOp.Log1p), 2, 25 },
        { nameof(UnaryOp.Tanh), 2, 21 },
        { nameof(UnaryOp.Erf), 2, 30 },
        { nameof(UnaryOp.Sin), 2, 38 },
        { nameof(UnaryOp.Cos), 2, 38 },
        { nameof(UnaryOp.Rsqrt), 1, 2 },
        { nameof(UnaryOp.Sign), 0, 6 },
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public void EveryExponentIsWithinTheBudget(string name, int budget, int operations)
    {
        var op = Enum.Parse<UnaryOp>(name);
        var error = UlpScan.EveryExponent(op);
        var count = UlpScan.Expand(op, DType.F32).Operations;
        output.WriteLine($"{op}: {count} operations, {error}");
        Assert.True(error.Distance <= budget, $"{op}: {error}");
        Assert.Equal(operations, count);
    }

    /// <summary>
    /// All 2^32 arguments through the kernel that LLVM compiles, against f64: the largest error and its argument.
    /// ACC_LONG=1 dotnet test tests/Accelerate.Tests -c Release --filter Category=Long --logger
    /// "console;verbosity=detailed"; one function by `Category=Long&amp;DisplayName~Exp`.
    /// </summary>
    [LongTheory]
    [Trait("Category", "Long")]
    [MemberData(nameof(Functions))]
    public void EveryInputIsWithinTheBudget(string name, int budget, int operations)
    {
        var op = Enum.Parse<UnaryOp>(name);
        var error = UlpScan.EveryInput(op);
        output.WriteLine($"{op}: {operations} operations, {error}");
        Assert.True(error.Distance <= budget, $"{op}: {error}");
    }

    private const float Inf = float.PositiveInfinity;
    private const float NaN = float.NaN;

    /// <summary>Arguments and results: infinities, NaN, zeros, ends of the domain, subnormals.</summary>
    private static readonly (UnaryOp Op, (float X, float Result)[] Values)[] Specials =
    [
        (UnaryOp.Exp, [(-Inf, 0f), (Inf, Inf), (0f, 1f), (-0f, 1f), (-103.9f, 1e-45f), (-104f, 0f), (NaN, NaN)]),
        (UnaryOp.Log,
        [
            (0f, -Inf), (-0f, -Inf), (-1f, NaN), (-1e-45f, NaN), (-Inf, NaN), (Inf, Inf), (1f, 0f),
            (1e-45f, -103.278929f), (NaN, NaN),
        ]),
        (UnaryOp.Expm1, [(0f, 0f), (-0f, -0f), (-1e-45f, -1e-45f), (-Inf, -1f), (Inf, Inf), (NaN, NaN)]),
        (UnaryOp.Log1p,
        [
            (0f, 0f), (-0f, -0f), (1e-45f, 1e-45f), (-1f, -Inf), (-1.5f, NaN), (-Inf, NaN), (Inf, Inf), (NaN, NaN),
        ]),
        (UnaryOp.Tanh, [(0f, 0f), (-0f, -0f), (Inf, 1f), (-Inf, -1f), (NaN, NaN)]),
        (UnaryOp.Erf, [(0f, 0f), (-0f, -0f), (Inf, 1f), (-Inf, -1f), (NaN, NaN)]),
        (UnaryOp.Sin,
        [
            (0f, 0f), (-0f, -0f), (-1e-45f, -1e-45f), (Inf, NaN), (-Inf, NaN), (NaN, NaN),
            (float.MaxValue, -0.5218765233f),
        ]),
        (UnaryOp.Cos, [(0f, 1f), (-0f, 1f), (Inf, NaN), (NaN, NaN), (float.MaxValue, 0.8530210398f)]),
        (UnaryOp.Rsqrt, [(0f, Inf), (4f, 0.5f), (-1f, NaN), (Inf, 0f)]),
        (UnaryOp.Sign, [(-0f, 0f), (0f, 0f), (-1e-45f, -1f), (NaN, NaN)]),
    ];

    [Fact]
    public void SpecialValues()
    {
        foreach (var (op, values) in Specials)
        {
            foreach (var (x, expected) in values)
            {
                var actual = UlpScan.Apply(op, x);
                var same = float.IsNaN(expected) ? float.IsNaN(actual)
                    : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual);
                Assert.True(same, $"{op}({x}) is {actual:G9}");
            }
        }
    }
}
