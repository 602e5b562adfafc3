// Tensors: memory, views, conversions, bits and text.
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime;

public sealed class TensorTests
{
    [Fact]
    public void DTypesHaveNamesSizesAndClasses()
    {
        foreach (DType type in Enum.GetValues<DType>())
        {
            Assert.Equal(type, DType.Parse(type.Name()));
            Assert.True(type == DType.Bool || type.IsFloat != type.IsInteger);
        }
        Assert.Equal(2, DType.BF16.Bytes());
        Assert.True(DType.I8.IsSigned && DType.F16.IsSigned && !DType.U8.IsSigned && !DType.Bool.IsSigned);
        Assert.Contains("'f31' is not a dtype", Assert.Throws<FormatException>(() => DType.Parse("f31")).Message);
    }

    [Fact]
    public unsafe void MemoryIsAlignedAndTyped()
    {
        using Tensor tensor = Tensor.Zeros(DType.F32, 3, 5);
        Assert.Equal(0u, (nuint)tensor.Pointer % 64);
        Assert.Equal(60, tensor.Bytes.Length);
        var error = Assert.Throws<InvalidOperationException>(() => tensor.AsSpan<int>().Length);
        Assert.Equal("the tensor is f32, not i32", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Tensor.Zeros(DType.F32, -1));
        Assert.Contains("2^63",
            Assert.Throws<ArgumentException>(() => Tensor.Zeros(DType.F64, 1L << 40, 1L << 30)).Message);
        Assert.Equal(
            "3 values do not fill f32[2]",
            Assert.Throws<ArgumentException>(() => Tensor.From(new float[3], 2)).Message);
    }

    [Fact]
    public void ViewsShareMemoryAndOutliveTheirOrigin()
    {
        Tensor origin = Tensor.From(new[] { 1, 2, 3, 4, 5, 6 }, 3, 2);
        using Tensor rows = origin.Slice(1, 3);
        using Tensor flat = rows.Reshape(4);
        origin.AsSpan<int>()[2] = 30;
        origin.Dispose();
        Assert.Throws<ObjectDisposedException>(() => origin.Bytes.Length);
        Assert.Equal([30, 4, 5, 6], flat.ToArray<int>());
        Assert.Equal([2L, 2L], rows.Shape);
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Slice(1, 3));
        Assert.Throws<ArgumentException>(() => rows.Reshape(3));
    }

    [Fact]
    public void DoublesRoundOnceAndSaturate()
    {
        double[] values = [0, -0.0, 1.5, -300, 1e30, double.NaN, double.NegativeInfinity];
        Assert.Equal([0, 0, 1, -128, 127, 0, -128], Tensor.FromDoubles(DType.I8, values, 7).ToDoubles());
        Assert.Equal([0, 0, 1, 0, ulong.MaxValue, 0, 0], Tensor.FromDoubles(DType.U64, values, 7).ToDoubles());
        Assert.Equal([0, 0, 1, 1, 1, 1, 1], Tensor.FromDoubles(DType.Bool, values, 7).ToDoubles());
        // 1 + 2^-8 is a tie of bf16 and goes to even; a hair more, lost by f32, must still go up.
        double tie = 1 + Math.Pow(2, -8);
        double[] rounded = Tensor.FromDoubles(DType.BF16, [tie, tie + Math.Pow(2, -40), -tie - Math.Pow(2, -40)], 3)
            .ToDoubles();
        Assert.Equal([1, 1 + Math.Pow(2, -7), -1 - Math.Pow(2, -7)], rounded);
        Assert.True(double.IsNaN(Tensor.FromDoubles(DType.BF16, [double.NaN]).ToDoubles()[0]));
        Assert.Equal(double.PositiveInfinity, Tensor.FromDoubles(DType.BF16, [3.4e38 * 1.001]).ToDoubles()[0]);
    }

    [Fact]
    public void EveryBFloat16ReadsBack()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var value = new BFloat16((ushort)bits);
            if (!float.IsNaN((float)value))
            {
                Assert.Equal(value, (BFloat16)(float)value);
                Assert.Equal(value, (BFloat16)(double)(float)value);
            }
        }
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F32)]
    [InlineData(DType.F64)]
    public void SameBitsKnowsZerosApartAndNansAlike(DType type)
    {
        using Tensor a = Tensor.FromDoubles(type, [double.NaN, 0, 1], 3);
        using Tensor b = Tensor.FromDoubles(type, [double.NaN, 0, 1], 3);
        b.Bytes[0] ^= 1; // another payload
        Assert.True(a.SameBits(b));
        using Tensor c = Tensor.FromDoubles(type, [double.NaN, -0.0, 1], 3);
        Assert.False(a.SameBits(c));
        Assert.False(a.SameBits(a.Reshape(1, 3)));
    }

    [Fact]
    public void TextHasAHeaderLine()
    {
        Assert.Equal("f32[2,2]\n[[1.   0.1 ]\n [2.25 3.  ]]", Tensor.From(new[] { 1, 0.1f, 2.25f, 3 }, 2, 2)
            .ToString());
        Assert.Equal("i64[]\n-7", Tensor.Scalar(-7L).ToString());
        Assert.Equal("u8[0,3]\n[]", Tensor.Zeros(DType.U8, 0, 3).ToString());
        Assert.Equal("[ True False]", Tensor.From(new[] { true, false }, 2).Format());
        Assert.Equal("[0.1 3. ]", Tensor.FromDoubles(DType.BF16, [0.1, 3], 2).Format());
    }

    [NumPyFact]
    public void TextIsNumPys()
    {
        (string Script, Func<int, double> Value, DType Type, long[] Shape)[] cases =
        [
            ("np.arange(2000).reshape(4, 500)", i => i, DType.I64, [4, 500]),
            ("np.arange(1001, dtype='f4') / 4", i => i / 4.0, DType.F32, [1001]),
            ("np.arange(30, dtype='f4') / np.float32(7) - 2", i => (float)i / 7f - 2f, DType.F32, [30]),
            ("np.arange(48, dtype='f8').reshape(2, 2, 12) / 3", i => i / 3.0, DType.F64, [2, 2, 12]),
            ("np.array([1e-5, -2.5e10, 0, 3e-7], 'f4')", i => new[] { 1e-5, -2.5e10, 0, 3e-7 }[i], DType.F32, [4]),
            ("np.array([np.nan, -1.5, np.inf, -np.inf], 'f4')",
                i => new[] { double.NaN, -1.5, double.PositiveInfinity, double.NegativeInfinity }[i], DType.F32, [4]),
            ("np.array([0.1, 64, 33.33], 'f2')", i => new[] { 0.1, 64, 33.33 }[i], DType.F16, [3]),
            ("np.arange(4000).reshape(10, 20, 20)", i => i, DType.I32, [10, 20, 20]),
        ];
        string script = string.Join("\n", cases.Select(c => $"print(np.array2string({c.Script}, floatmode='unique'))"));
        string[] expected = NumPy.Run(script.Replace("\n", "; print('@'); ")).TrimEnd().Split("\n@\n");
        for (int i = 0; i < cases.Length; i++)
        {
            double[] values =
                [.. Enumerable.Range(0, (int)cases[i].Shape.Aggregate((a, b) => a * b)).Select(cases[i].Value)];
            Assert.Equal(expected[i], Tensor.FromDoubles(cases[i].Type, values, cases[i].Shape).Format());
        }
    }

    /// <summary>Ten axes of 5 are all short: NumPy would write 10 million numbers.</summary>
    [Fact]
    public void ManyShortAxesAreSummarisedToo()
    {
        using var wide = Tensor.Zeros(DType.U8, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5);
        Assert.Contains("[0 ... 0]", wide.Format());
        Assert.InRange(wide.Format().Length, 1, 2_000_000);
        using var narrow = Tensor.Zeros(DType.U8, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2);
        Assert.Equal("[[[[[[[[[[[[[[[[[[[[...]]]]]]]]]]]]]]]]]]]]", narrow.Format());
    }
}
