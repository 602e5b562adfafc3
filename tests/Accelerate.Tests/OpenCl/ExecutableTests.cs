// In: programs. Out: their results on the OpenCL device, held to the kernel interpreter, and what ran
// there.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.OpenCl;

public sealed class ExecutableTests
{
    private static Tensor Floats(params ReadOnlySpan<long> shape) => Numbers(DType.F32, shape);

    /// <summary>Whole numbers and halves of both signs, different at neighbouring places.</summary>
    private static Tensor Numbers(DType type, params ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var extent in shape) count *= extent;
        double[] values = [.. Enumerable.Range(0, (int)count).Select(i => ((i * 37 % 101) - 30) / 2.0)];
        return Tensor.FromDoubles(type, values, shape);
    }

    /// <summary>Runs on both; the bits agree, and every kernel of the program was launched on the device.</summary>
    private static Tensor[] Agree(string text, params Tensor[] inputs) => Agree(WorkShape.Auto, text, inputs);

    private static Tensor[] Agree(WorkShape shape, string text, params Tensor[] inputs)
    {
        var program = ProgramReader.Trusted(text);
        using var device = new OpenClExecutable([program], null, shape);
        using var host = new InterpreterExecutable([program]);
        using var session = device.CreateSession();
        using var reference = host.CreateSession();
        var results = session.Run(program.Name, inputs);
        var expected = reference.Run(program.Name, inputs);
        Assert.Equal(expected.Count, results.Count);
        foreach (var (e, r) in expected.Zip(results)) Assert.True(e.SameBits(r), $"{e}\n{r}");
        if (results.All(r => r.Count > 0))
            Assert.Equal(program.Steps.OfType<CallStep>().Count(), device.KernelsLaunched);
        return [.. results];
    }

    [OpenClTheory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(67, 129)]
    [InlineData(0, 4)]
    [InlineData(4, 0)]
    public void TwoAxes(int n, int m) => Agree(Samples.BiasRelu, Floats(n, m), Floats(m));

    [OpenClTheory]
    [InlineData(1)]
    [InlineData(1000)]
    public void ATemporaryStaysOnTheDevice(int n) => Agree(Samples.TwoKernels, Floats(n));

    [OpenClTheory]
    [InlineData(1, 1)]
    [InlineData(6, 7)]
    [InlineData(7, 70)]
    public void BytesThroughAGuardedWindow(int h, int w) => Agree(Samples.Window, Numbers(DType.U8, h, w));

    [OpenClTheory]
    [InlineData(2, 3, 4)]
    [InlineData(5, 65, 17)]
    [InlineData(0, 1, 2)]
    public void ThreeAxes(int a, int b, int c) => Agree(Samples.Rotate, Numbers(DType.I64, a, b, c));

    [OpenClTheory]
    [InlineData(2, 3, 4, 5)]
    [InlineData(65, 1, 3, 2)]
    [InlineData(2, 0, 4, 5)]
    public void FourAxesShareThreeDimensions(int a, int b, int c, int d) =>
        Agree(Samples.Transpose, Numbers(DType.I16, a, b, c, d));

    [OpenClTheory]
    [InlineData(20, 3)]
    [InlineData(9, 1)]
    public void DividendsMayBeNegative(int n, int q) =>
        Agree(Samples.Divided, Numbers(DType.I32, n), Tensor.Zeros(DType.Bool, q));

    [OpenClTheory]
    [InlineData(1, 1)]
    [InlineData(1, 4097)]
    [InlineData(700, 33)] // rows share a group, and the last group is not full
    [InlineData(2, 70000)] // more blocks than teams
    [InlineData(3, 0)]
    public void RowsShareWorkItems(int n, int m)
    {
        foreach (var shape in (WorkShape[])[WorkShape.Item, WorkShape.Group])
            Agree(shape, Samples.Softmax, Floats(n, m));
    }

    [OpenClTheory]
    [InlineData(1, 1, 1, 1, 1)]
    [InlineData(2, 5, 67, 3, 70)]
    [InlineData(1, 2, 130, 20, 1)]
    [InlineData(1, 3, 5, 0, 4)] // nothing to add up: the bias alone
    [InlineData(0, 3, 5, 2, 4)]
    public void ConvolutionInTiles(int n, int h, int w, int c, int f)
    {
        foreach (var shape in (WorkShape[])[WorkShape.Item, WorkShape.Group])
            Agree(shape, Samples.Convolution, Floats(n, h, w, c), Floats(3, 3, c, f), Floats(f));
    }

    [OpenClFact]
    public void ReductionsInOrder()
    {
        var x = Floats(5, 33);
        x.AsSpan<float>()[40] = float.NaN; // the greatest of its row
        x.AsSpan<float>()[50] = float.NaN; // and the first wins
        var results = Agree(Samples.Rows, x);
        Assert.Equal(7, results[0].ToArray<int>()[1]);
    }

    [OpenClFact]
    public void GatherInRange()
    {
        var results = Agree(Samples.Gather, Floats(7, 3), Tensor.From([6, 0, 3, 3], 4));
        Assert.Equal([4L, 3], results[0].Shape.ToArray());
    }

    [OpenClTheory]
    [InlineData(7)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void GatherOutOfRangeIsAnError(int index)
    {
        using var device = new OpenClExecutable([ProgramReader.Trusted(Samples.Gather)]);
        using var session = device.CreateSession();
        var e = Assert.Throws<ExecutionException>(
            () => session.Run("gather", Floats(7, 3), Tensor.From([1, index, 2], 3)));
        Assert.Equal(ExecutionCode.IndexOutOfRange, e.Code);
        session.Reset();
        Assert.Single(session.Run("gather", Floats(7, 3), Tensor.From([1, 2], 2))); // the flag is cleared
    }

    [OpenClFact]
    public void AnIndexIsFlaggedEvenWhereRowsAreEmpty()
    {
        using var device = new OpenClExecutable([ProgramReader.Trusted(Samples.Gather)]);
        using var session = device.CreateSession();
        var e = Assert.Throws<ExecutionException>(() => session.Run("gather", Floats(7, 0), Tensor.From([7], 1)));
        Assert.Equal(ExecutionCode.IndexOutOfRange, e.Code);
    }

    [OpenClFact]
    public void StateIsReadAndWritten()
    {
        using var device = new OpenClExecutable(
            [ProgramReader.Trusted(Samples.Stateful)], new Dictionary<string, Tensor> { ["scale"] = Tensor.Scalar(2.5f) });
        using var session = device.CreateSession();
        for (var call = 0; call < 3; call++)
            Assert.Equal([2.5f, -5f], session.Run("step", Tensor.From([1f, -2f], 2))[0].ToArray<float>());
        Assert.Equal([3L], session.State["count"].ToArray<long>());
        Assert.Equal(6, device.KernelsLaunched);
    }

    [OpenClFact]
    public void OneSessionTakesManySizes()
    {
        using var device = new OpenClExecutable([ProgramReader.Trusted(Samples.TwoKernels)]);
        using var session = device.CreateSession();
        foreach (var n in (int[])[1, 100, 7, 0, 64, 65])
        {
            var x = Floats(n);
            Assert.Equal(x.ToArray<float>().Select(v => v * v / 3f), session.Run("two", x)[0].ToArray<float>());
        }
        Assert.Equal(10, device.KernelsLaunched); // nothing is launched for n = 0
    }

    [OpenClFact]
    public void SessionsRunSideBySide()
    {
        using var device = new OpenClExecutable([ProgramReader.Trusted(Samples.TwoKernels)]);
        Parallel.For(0, 4, worker =>
        {
            using var session = device.CreateSession();
            for (var call = 0; call < 20; call++)
            {
                using var x = Tensor.From(Enumerable.Repeat((float)worker, 300).ToArray(), 300);
                Assert.All(session.Run("two", x)[0].ToArray<float>(), v => Assert.Equal(worker * worker / 3f, v));
            }
        });
        Assert.Equal(160, device.KernelsLaunched);
    }

    [OpenClFact]
    public void NarrowFloatsAreRoundedAtEachStep()
    {
        Half[] x = [.. Enumerable.Range(0, 65536).Select(i => BitConverter.UInt16BitsToHalf((ushort)i))];
        using var device = new OpenClExecutable([ProgramReader.Trusted(Samples.Narrow)]);
        using var session = device.CreateSession();
        var y = session.Run("narrow", Tensor.From(x, x.Length))[0];
        using var expected = Tensor.From([.. x.Select(v =>
        {
            var b = (float)(BFloat16)(float)(v + v);
            return (BFloat16)(b * b);
        })], x.Length);
        Assert.True(expected.SameBits(y));
    }

    [OpenClFact]
    public void ACompileErrorShowsTheLogAndTheLine()
    {
        var e = Assert.Throws<OpenClException>(
            () => OpenClDevice.Default.Program("__kernel void f() {\n  int x = 1;\n  x = nonsense;\n}\n"));
        Assert.Contains("nonsense", e.Message);
        Assert.Contains("    3 |   x = nonsense;", e.Message);
        Assert.DoesNotContain("int x = 1", e.Message);
    }

    [OpenClTheory]
    [InlineData(5, 3, 4)]
    [InlineData(2, 40, 300)]
    [InlineData(1, 0, 7)]
    public void ScatterInOrder(int rows, int n, int m)
    {
        int[] index = [.. Enumerable.Range(0, n).Select(i => i * i % rows)];
        foreach (var shape in (WorkShape[])[WorkShape.Item, WorkShape.Group])
            Agree(shape, Samples.Scatter, Tensor.From(index, n), Floats(n, m), Floats(rows, m));
    }

    [OpenClTheory]
    [InlineData(1, 1)]
    [InlineData(3, 50)]
    [InlineData(2, 0)]
    public void KeysInOrder(int n, int m)
    {
        var x = Floats(n, m);
        if (m > 9) (x.AsSpan<float>()[3], x.AsSpan<float>()[7]) = (float.NaN, float.NaN);
        foreach (var shape in (WorkShape[])[WorkShape.Item, WorkShape.Group]) Agree(shape, Samples.Sorted, x);
    }
}
