// In: kernels in their text form. Out: their OpenCL C, held to approved texts.
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.OpenCl;

public sealed class PrinterTests
{
    private static readonly (string Name, string Text)[] Curated =
    [
        ("bias_relu", Samples.BiasRelu), ("two", Samples.TwoKernels), ("window", Samples.Window),
        ("gather", Samples.Gather), ("transpose", Samples.Transpose), ("divided", Samples.Divided),
        ("rows", Samples.Rows), ("stateful", Samples.Stateful), ("rotate", Samples.Rotate), ("narrow", Samples.Narrow),
            ("softmax", Samples.Softmax),
        ("convolution", Samples.Convolution),
    ];

    public static TheoryData<string> Names => [.. Curated.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void TextIsAsApproved(string name)
    {
        var program = ProgramReader.Trusted(Curated.Single(c => c.Name == name).Text);
        var text = OpenClPrinter.Print(program);
        Assert.Equal(text, OpenClPrinter.Print(ProgramReader.Trusted(ProgramPrinter.Print(program))));
        Snapshot.Match(text, name);
    }

    [Theory]
    [InlineData(0.0, DType.F32, "0.0f")]
    [InlineData(-0.0, DType.F32, "-0.0f")]
    [InlineData(0.5, DType.F32, "0x1p-1f")]
    [InlineData(0.1f, DType.F32, "0x1.99999ap-4f")]
    [InlineData(1e-45f, DType.F32, "0x1p-149f")]
    [InlineData(double.Epsilon, DType.F64, "0x1p-1074")]
    [InlineData(-double.MaxValue, DType.F64, "-0x1.fffffffffffffp1023")]
    [InlineData(double.NegativeInfinity, DType.F32, "-INFINITY")]
    [InlineData(double.NaN, DType.F32, "NAN")]
    public void FloatsAreWrittenToTheBit(double value, DType type, string expected) =>
        Assert.Equal(expected, OpenClTypes.Float(value, type));

    [Fact]
    public void DifferentNamesStayDifferent()
    {
        string[] names = ["a.b", "a_b", "a__b", "a_pb", "int", "half", "i'"];
        Assert.Equal(names.Length, names.Select(n => OpenClTypes.Name("b", n)).Distinct().Count());
    }

    [Fact]
    public void GroupsFillTheFirstDimensionFirst()
    {
        Assert.Equal([64L, 1, 1], NdRange.Group([1000, 10, 10], 4096));
        Assert.Equal([4L, 16, 1], NdRange.Group([3, 100, 7], 4096));
        Assert.Equal([4L, 2], NdRange.Group([3, 100], 8));
        Assert.Equal([1L], NdRange.Group([1], 1));
    }

    [Fact]
    public void APathInTheEnvironmentIsTheOnlyCandidate()
    {
        Assert.Equal(["/nowhere/libOpenCL.so"], OpenClLibrary.Candidates("/nowhere/libOpenCL.so"));
        Assert.Contains("libOpenCL.so.1", OpenClLibrary.Candidates(null));
    }

    [Fact]
    public void ADeviceIsChosenByNumberOrName()
    {
        string[] names = ["NVIDIA H100", "pthread-skylake"];
        Assert.Equal(0, OpenClLibrary.Choose(names, null));
        Assert.Equal(1, OpenClLibrary.Choose(names, "1"));
        Assert.Equal(1, OpenClLibrary.Choose(names, "PTHREAD"));
        Assert.Null(OpenClLibrary.Choose(names, "2"));
        Assert.Null(OpenClLibrary.Choose(names, "arc"));
    }
}
