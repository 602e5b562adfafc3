// In: dividends and divisors. Out: `//` and `%` are floored division, as one rule says it of integers and NumPy of
// floats.
using System.Runtime.InteropServices;
using Accelerate.Backends;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public class DivisionTests
{
    /// <summary>All pairs of bytes: x // 0 is -1 (or all ones), x % 0 is x, and x == (x // y) * y + x % y.</summary>
    [Theory]
    [InlineData("i8", -128)]
    [InlineData("u8", 0)]
    public void EveryPairOfBytes(string dtype, int least)
    {
        var pairs = Enumerable.Range(least, 256).SelectMany(x => Enumerable.Range(least, 256).Select(y => (x, y)))
            .ToList();
        var type = dtype == "i8" ? DType.I8 : DType.U8;
        var (quotients, remainders) = Run(dtype, type, [.. pairs.Select(p => (double)p.x)],
            [.. pairs.Select(p => (double)p.y)]);
        for (var i = 0; i < pairs.Count; i++)
        {
            var (x, y) = pairs[i];
            var quotient = y == 0 ? -1 : (int)Math.Floor((double)x / y);
            var wrapped = type == DType.I8 ? (int)(sbyte)quotient : (byte)quotient;
            Assert.True(quotients[i] == wrapped && remainders[i] == (y == 0 ? x : x - quotient * y),
                $"{x} // {y} is {quotients[i]}, {x} % {y} is {remainders[i]}");
        }
    }

    /// <summary>Bit for bit, also of zeros; a NaN need only be a NaN.</summary>
    [NumPyTheory]
    [InlineData("f16", 24)]
    [InlineData("f32", 149)]
    [InlineData("f64", 1074)]
    public void FloatsAreNumPys(string dtype, int subnormal)
    {
        var type = dtype switch { "f16" => DType.F16, "f32" => DType.F32, _ => DType.F64 };
        var random = new System.Random(7);
        var specials = new List<double>
        {
            0, 1, 2, 3, 0.5, 0.1, 0.3, 7, 100, Math.ScaleB(1, -subnormal), Math.ScaleB(3, -subnormal),
            double.PositiveInfinity, double.NaN,
            dtype == "f16" ? 65504 : dtype == "f32" ? float.MaxValue : double.MaxValue, 1e4, 1.5e-3,
        };
        for (var i = 0; i < 40; i++) specials.Add(Math.ScaleB(random.NextDouble() + 1, random.Next(-12, 12)));
        specials = [.. specials.Concat(specials.Select(v => -v))];
        var (x, y) = (new List<double>(), new List<double>());
        foreach (var a in specials)
        {
            foreach (var b in specials)
            {
                x.Add(a);
                y.Add(b);
            }
        }
        // What divides evenly, or nearly.
        for (var i = 0; i < 2000; i++)
        {
            var b = random.Next(1, 200) / 10.0;
            x.Add(b * random.Next(-50, 50));
            y.Add(b);
        }
        double[] dividends = Tensor.FromDoubles(type, [.. x], x.Count).ToDoubles();
        double[] divisors = Tensor.FromDoubles(type, [.. y], y.Count).ToDoubles();
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Root, "in"),
            [.. MemoryMarshal.AsBytes(dividends.AsSpan()), .. MemoryMarshal.AsBytes(divisors.AsSpan())]);
        NumPy.Run("""
            np.seterr(all='ignore')
            x, y = np.fromfile(sys.argv[1] + '/in').reshape(2, -1).astype(sys.argv[2])
            np.concatenate([x // y, x % y]).astype(np.float64).tofile(sys.argv[1] + '/out')
            """, folder.Root, dtype.Replace("f", "float"));
        var expected = MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(Path.Combine(folder.Root, "out"))).ToArray();
        var (quotients, remainders) = Run(dtype, type, dividends, divisors);
        for (var i = 0; i < dividends.Length; i++)
        {
            Assert.True(Same(quotients[i], expected[i]),
                $"{dividends[i]:R} // {divisors[i]:R} is {quotients[i]:R}, NumPy's {expected[i]:R}");
            Assert.True(Same(remainders[i], expected[dividends.Length + i]),
                $"{dividends[i]:R} % {divisors[i]:R} is {remainders[i]:R}, NumPy's {expected[dividends.Length + i]:R}");
        }
    }

    private static bool Same(double a, double b) => double.IsNaN(b) ? double.IsNaN(a)
        : BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b);

    /// <summary>By the kernel interpreter, and the same bits by LLVM where it is installed.</summary>
    private static (double[] Quotients, double[] Remainders) Run(string dtype, DType type, double[] x, double[] y)
    {
        var compilation = Compilation.FromSource(new SourceText("t.acc",
            $"export fn f(x: {dtype}[n], y: {dtype}[n]) -> ({dtype}[n], {dtype}[n]) {{ return x // y, x % y }}"));
        Assert.Empty(compilation.Diagnostics);
        Tensor[] inputs = [Tensor.FromDoubles(type, x, x.Length), Tensor.FromDoubles(type, y, y.Length)];
        using var kernels = Executables.Create("interpreter", compilation);
        using var exact = kernels.CreateSession();
        var results = exact.Run("f", inputs);
        if (LlvmLibrary.Available(out _))
        {
            using var llvm = Executables.Create("llvm", compilation);
            using var fast = llvm.CreateSession();
            Assert.All(fast.Run("f", inputs).Zip(results), p => Assert.True(p.First.SameBits(p.Second)));
        }
        return (results[0].ToDoubles(), results[1].ToDoubles());
    }
}
