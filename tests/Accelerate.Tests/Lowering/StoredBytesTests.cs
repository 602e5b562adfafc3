// Lowered programs: every kernel stores each element of its outputs once, and a convolution needs no im2col matrix.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public sealed class StoredBytesTests(ITestOutputHelper output)
{
    private static readonly string[] Targets = ["x86-64-v4", "x86-64-v3", "x86-64"];

    private const string Rows = """
        graph @rows {
          %0: f32[n,c] = input("x")
          %1: f32[n] = reduce(%0; max,[1])
          %2: f32[n,c] = broadcast(%1; [0])
          %3: f32[n,c] = sub(%0, %2)
          %4: f32[n,c] = exp(%3)
          %5: f32[n] = reduce(%4; add,[1])
          %6: f32[n,c] = broadcast(%5; [0])
          %7: f32[n,c] = div(%4, %6)
          return(%7, %1)
        }
        """;

    private const string Chain = """
        graph @chain {
          %0: f32[n,k] = input("x")
          %1: f32[m,k] = input("w")
          %2: f32[n,m] = dot(%0, %1; contract [1]x[1],batch []x[])
          %3: f32[m,n] = transpose(%2; [1,0])
          %4: f32[m,n] = tanh(%3)
          %5: f32[m] = reduce(%4; add,[1])
          return(%4, %5)
        }
        """;

    private const string Conv = """
        graph @conv {
          %0: f32[n,c,h,w] = input("x")
          %1: f32[f,c,3,3] = input("k")
          %2: f32 = const([0.0])
          %3: f32[n,c,h+2,w+2] = pad(%0, %2; [0,0,1,1],[0,0,1,1],[0,0,0,0])
          %4: f32[n,c,h,3,w+2] = window(%3; 2,[h,3],[1,1])
          %5: f32[n,c,h,3,w,3] = window(%4; 4,[w,3],[1,1])
          %6: f32[n,h,w,f] = dot(%5, %1; contract [1,3,5]x[1,2,3],batch []x[])
          %7: f32[n,f,h,w] = transpose(%6; [0,3,1,2])
          return(%7)
        }
        """;

    [Theory]
    [InlineData(nameof(Rows))]
    [InlineData(nameof(Chain))]
    [InlineData(nameof(Conv))]
    public void EveryOutputElementIsStoredOnce(string name)
    {
        var text = name switch { nameof(Rows) => Rows, nameof(Chain) => Chain, _ => Conv };
        var program = Lowered.Plain(GraphReader.Read(text));
        Check(program, Inputs(name), output.WriteLine);
    }

    /// <summary>
    /// A worker holds a group of panels that fits the second-level cache, at most 384 KiB, and a tile of the left side;
    /// an im2col matrix holds the k*k*c terms of all n*h*w pixels. The bound is a sixteenth of that matrix.
    /// </summary>
    [LlvmFact]
    public void AConvolutionNeedsNoIm2Col()
    {
        var program = Lowered.Plain(GraphReader.Read(Conv));
        var sizes = new Dictionary<string, long> { ["n"] = 1, ["c"] = 16, ["h"] = 112, ["w"] = 112, ["f"] = 16 };
        var im2Col = 1 * 112 * 112 * 16 * 3 * 3 * sizeof(float);
        foreach (var target in Targets)
            Assert.All(program.Kernels, k =>
                Assert.InRange(LlvmExecutable.ScratchOf(k, target).Evaluate(sizes), 0, im2Col / 16));
        Assert.Equal(0, new ArenaLayout(program, s => sizes[s]).Bytes); // and nothing is materialised between kernels
    }

    /// <summary>
    /// Runs a program on the interpreter and compares the bytes each kernel stored with those of its outputs.
    /// </summary>
    internal static void Check(Compiler.Kernels.Program program, Tensor[] inputs, Action<string> report)
    {
        using var executable = new InterpreterExecutable([program], new InterpreterOptions(CountStores: true));
        using var session = executable.CreateSession();
        session.Run(program.Name, inputs);
        var sizes = Sizes(program, inputs);
        var calls = program.Steps.OfType<CallStep>().CountBy(c => c.Kernel).ToDictionary();
        var stored = executable.StoredBytes(0);
        for (var k = 0; k < stored.Count; k++)
        {
            var (kernel, bytes) = stored[k];
            var declared = kernel.Buffers.Where(b => b.IsOutput)
                .Sum(b => b.Count.Evaluate(sizes) * b.Type.Bytes()) * calls[k];
            Assert.True(bytes == declared,
                $"@{kernel.Name} stores {bytes} bytes, its outputs have {declared}\n{KernelPrinter.Print(kernel)}");
            report($"@{kernel.Name} ({kernel.Kind}): {bytes} bytes stored in {calls[k]} calls, scratch a worker "
                + string.Join(", ", Targets.Select(t => $"{t} {LlvmExecutable.ScratchOf(kernel, t)}")));
        }
    }

    /// <summary>
    /// The sizes that the inputs' shapes bind, for programs whose inputs name each size alone somewhere.
    /// </summary>
    private static Dictionary<string, long> Sizes(Compiler.Kernels.Program program, Tensor[] inputs)
    {
        var sizes = new Dictionary<string, long>();
        foreach (var (buffer, tensor) in program.Of(BufferKind.Input).Zip(inputs))
            for (var d = 0; d < tensor.Rank; d++)
                if (program.Sizes.Contains(buffer.Type.Shape[d].Text))
                    sizes[buffer.Type.Shape[d].Text] = tensor.Shape[d];
        return sizes;
    }

    private static Tensor[] Inputs(string name)
    {
        long[][] shapes = name switch
        {
            nameof(Rows) => [[7, 33]],
            nameof(Chain) => [[13, 37], [29, 37]],
            _ => [[2, 3, 9, 11], [5, 3, 3, 3]],
        };
        var random = new System.Random(1);
        double[] Values(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => random.NextDouble())];
        return [.. shapes.Select(s => Tensor.FromDoubles(DType.F32, Values(s.Aggregate((a, b) => a * b)), s))];
    }
}
