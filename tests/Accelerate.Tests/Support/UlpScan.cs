// In: an elementary function and bit patterns of f32. Out: its largest errors over them, and where they are.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Llvm;

namespace Accelerate.Tests.Support;

/// <summary>
/// Distance: in representable values from the correctly rounded result. Units: the error against the f64 reference in
/// units of the last place of that result. A NaN or a zero's sign that differs is the distance <see cref="Wrong"/>.
/// </summary>
internal sealed record UlpError(long Distance, float DistanceAt, double Units, float UnitsAt)
{
    public const long Wrong = long.MaxValue;

    public UlpError Max(UlpError other) => new(
        Math.Max(Distance, other.Distance), Distance >= other.Distance ? DistanceAt : other.DistanceAt,
        Math.Max(Units, other.Units), Units >= other.Units ? UnitsAt : other.UnitsAt);

    public override string ToString() => $"distance {Distance} at {DistanceAt:G9}, error {Units:F3} at {UnitsAt:G9}";
}

internal static class UlpScan
{
    private const int Batch = 4096;

    /// <summary>A block with one input, and the number of its operations without constants and bitcasts.</summary>
    public static (Block Block, Value Input, Value Output, int Operations) Expand(UnaryOp op, DType type)
    {
        var b = new BlockBuilder();
        var x = b.NewValue(type);
        var y = VectorMath.Emit(b, op, x);
        var block = b.ToBlock();
        return (block, x, y, block.Statements.Count(s => s is Compute { Op: not ScalarOp.Bitcast }));
    }

    public static float Apply(UnaryOp op, float x)
    {
        var (block, input, output, _) = Expand(op, DType.F32);
        var evaluator = new BlockEvaluator(block, 16);
        evaluator.ColumnOf<float>(input).Fill(x);
        evaluator.Run();
        return evaluator.ColumnOf<float>(output)[0];
    }

    /// <summary>Every exponent and sign with 4096 mantissas each, both ends among them.</summary>
    public static UlpError EveryExponent(UnaryOp op) => Run(op, 512, (block, i) =>
    {
        var low = i == Batch - 1 ? 0x7FF : (uint)(i * 2654435769L >> 7) & 0x7FF;
        return (uint)block << 23 | (uint)i << 11 | low;
    });

    /// <summary>All 2^32 arguments through the kernel as LLVM compiles it for this machine.</summary>
    public static UlpError EveryInput(UnaryOp op)
    {
        const int Chunk = 1 << 16;
        using var native = new NativeKernel(FunctionKernel.Of(op, DType.F32), new("host", 3));
        var reference = RealFunctions.Of(op);
        var worst = new UlpError(0, 0, 0, 0);
        var gate = new Lock();
        Parallel.For(0, 1 << 16, () => (new float[Chunk], new UlpError(0, 0, 0, 0)), (chunk, _, state) =>
        {
            var (x, local) = state;
            for (var i = 0; i < Chunk; i++) x[i] = BitConverter.UInt32BitsToSingle((uint)chunk << 16 | (uint)i);
            using var from = Tensor.From(x, Chunk);
            using var to = Tensor.Uninitialized(DType.F32, Chunk);
            native.Run([from, to], _ => Chunk);
            return (x, Compare(x, to.ToArray<float>(), reference, local));
        }, state =>
        {
            lock (gate) worst = worst.Max(state.Item2);
        });
        return worst;
    }

    private static UlpError Run(UnaryOp op, int blocks, Func<int, int, uint> pattern)
    {
        var (code, input, output, _) = Expand(op, DType.F32);
        var reference = RealFunctions.Of(op);
        var worst = new UlpError(0, 0, 0, 0);
        Parallel.For(0, blocks, () => (new BlockEvaluator(code, Batch), new UlpError(0, 0, 0, 0)), (block, _, state) =>
        {
            var (evaluator, local) = state;
            var x = evaluator.ColumnOf<float>(input);
            for (var i = 0; i < Batch; i++) x[i] = BitConverter.UInt32BitsToSingle(pattern(block, i));
            evaluator.Run();
            return (evaluator, Compare(x, evaluator.ColumnOf<float>(output), reference, local));
        }, state =>
        {
            lock (code) worst = worst.Max(state.Item2);
        });
        return worst;
    }

    private static UlpError Compare(Span<float> x, Span<float> y, Func<double, double> reference, UlpError worst)
    {
        for (var i = 0; i < x.Length; i++)
        {
            var exact = reference(x[i]);
            var correct = (float)exact;
            var (bits, correctBits) = (BitConverter.SingleToInt32Bits(y[i]), BitConverter.SingleToInt32Bits(correct));
            if (float.IsNaN(correct) || float.IsNaN(y[i]) || correct == 0)
            {
                var same = float.IsNaN(correct) ? float.IsNaN(y[i]) : bits == correctBits;
                // exp of a large negative number may give the least subnormal for 0, an error like any other.
                if (same) continue;
                var near = correct == 0 && x[i] != 0 ? Distance(bits, correctBits) : UlpError.Wrong;
                worst = worst.Max(new UlpError(near, x[i], 0, 0));
                continue;
            }
            if (bits == correctBits && Math.Abs(y[i] - exact) <= worst.Units * Math.Abs(exact) * 5.9e-8) continue;
            var distance = Distance(bits, correctBits);
            if (distance > worst.Distance) worst = worst with { Distance = distance, DistanceAt = x[i] };
            if (float.IsInfinity(correct) || float.IsInfinity(y[i])) continue;
            var unit = (double)MathF.BitIncrement(MathF.Abs(correct)) - MathF.Abs(correct);
            var units = Math.Abs(y[i] - exact) / unit;
            if (units > worst.Units && !double.IsInfinity(unit)) worst = worst with { Units = units, UnitsAt = x[i] };
        }
        return worst;
    }

    private static long Distance(int a, int b) => Math.Abs(Ordinal(a) - Ordinal(b));

    /// <summary>Neighbouring floats have neighbouring ordinals, across zero too.</summary>
    private static long Ordinal(int bits) => bits < 0 ? -(long)(bits & int.MaxValue) : bits;
}
