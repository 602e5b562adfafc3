// The weights of attention: e^x of arguments that are not above 0, through kernel text, against f64.
using System.Collections.Immutable;
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

public sealed class WeightMathTests
{
    [Fact]
    public void EveryExponentIsWithinOneValueAndTinyWeightsAreZero()
    {
        var random = new Random(3);
        List<float> x = [0f, -0f, -1e-45f, -87f, MathF.BitDecrement(-87f), float.NegativeInfinity, float.NaN];
        for (var exponent = 1; exponent < 255; exponent++)
            for (var i = 0; i < 512; i++)
                x.Add(BitConverter.UInt32BitsToSingle(
                    0x80000000 | ((uint)exponent << 23) | (uint)random.Next(1 << 23)));
        var n = Size.Variable("n");
        var b = new BlockBuilder();
        var value = b.Load(DType.F32, 0, Size.Variable("i"), [], null);
        b.Emit(new Store(1, Size.Variable("i"), VectorMath.ExpOfNonPositive(b, value)));
        var operations = Kernel.Statements(b.ToBlock()).Count(s => s is Compute { Op: not ScalarOp.Bitcast });
        Assert.Equal(14, operations);
        var kernel = new Kernel("weight", [new("x", DType.F32, n, false), new("y", DType.F32, n, true)], ["n"],
            new Block([new Loop(LoopKind.Vector, "i", n, b.ToBlock())]));
        var y = Tensor.Zeros(DType.F32, x.Count);
        new CompiledKernel(kernel).Run([Tensor.From(x.ToArray(), x.Count), y], _ => x.Count);
        foreach (var (argument, result) in x.Zip(y.ToArray<float>()))
        {
            if (float.IsNaN(argument)) Assert.True(float.IsNaN(result));
            else if (argument < -87) Assert.Equal(0, result);
            else
            {
                var exact = (float)Math.Exp(argument);
                var distance = Math.Abs(
                    BitConverter.SingleToInt32Bits(result) - (long)BitConverter.SingleToInt32Bits(exact));
                Assert.True(distance <= 1, $"exp({argument:R}) = {result:R}, not {exact:R}");
            }
        }
    }
}
