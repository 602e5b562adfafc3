// In: extremes.txt, what torch gives at zeros, the ends of each dtype, infinities and NaN. Out: the library's functions
// give the same, in f64, f32, f16 and bf16, on LLVM the interpreter's bits.
using System.Globalization;
using System.Text;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models.Calls;

public class ExtremesTests
{
    private static readonly string Path = System.IO.Path.Combine(Shared.Repository, "tests", "Accelerate.Tests",
        "Models", "Calls", "extremes.txt");

    /// <summary>
    /// A NaN is a NaN and an infinity that infinity; other numbers within some units of their dtype, or below its least
    /// normal number: a product of two roundings.
    /// </summary>
    [LlvmTheory]
    [InlineData("f64", 1e-12, 2.3e-308)]
    [InlineData("f32", 2e-6, 1.2e-38)]
    [InlineData("f16", 2e-3, 6.2e-5)]
    [InlineData("bf16", 1.6e-2, 1.2e-38)]
    public void AFunctionIsTorchsAtTheEndsOfItsDtype(string dtype, double relative, double least)
    {
        Assert.True(DTypeNames.TryParse(dtype, out var type));
        var lines = File.ReadLines(Path).Select(l => l.Split('\t')).Where(l => l[0] == dtype).ToList();
        var text = new StringBuilder("use nn\n");
        for (var i = 0; i < lines.Count; i++)
        {
            var (shape, result) = (lines[i][2], lines[i][4]);
            text.Append(CultureInfo.InvariantCulture, $$"""
                export fn f{{i}}(x: {{dtype}}[{{shape}}]) -> {{(result[0] == 'f' ? dtype : "i32")}}[{{result[1..]}}] {
                    let n = {{shape.Split(',')[0]}}
                    let first: i32[n] = 0
                    let minus: {{dtype}}[n] = -1
                    return {{lines[i][1]}}
                }

                """);
        }
        var compilation = Compilation.FromSource(new SourceText("t.acc", text.ToString()));
        Assert.True(compilation.Diagnostics.IsEmpty, PrettyRenderer.Render(compilation.Diagnostics));
        using var llvm = Executables.Create("llvm", compilation);
        using var kernels = Executables.Create("interpreter", compilation);
        using var fast = llvm.CreateSession();
        using var exact = kernels.CreateSession();
        var wrong = new List<string>();
        for (var i = 0; i < lines.Count; i++)
        {
            var x = Tensor.FromDoubles(type, Numbers(lines[i][3]), Shape(lines[i][2]));
            var actual = exact.Run($"f{i}", x)[0];
            Assert.True(fast.Run($"f{i}", x)[0].SameBits(actual), $"{lines[i][1]}: LLVM is not the interpreter");
            var (inputs, values, expected) = (Numbers(lines[i][3]), actual.ToDoubles(), Numbers(lines[i][5]));
            for (var k = 0; k < expected.Length; k++)
            {
                if (Same(values[k], expected[k], relative, least)) continue;
                var row = inputs.Length == expected.Length && !lines[i][2].Contains(',') ? $"{inputs[k]:R}"
                    : string.Join(", ", inputs.Chunk(3).ElementAt(k * (inputs.Length / 3) / expected.Length));
                wrong.Add($"{dtype} {lines[i][1]} of {row}: {values[k]:R}, torch's {expected[k]:R}");
            }
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n{string.Join('\n', wrong)}");
    }

    private static bool Same(double actual, double expected, double relative, double least) =>
        double.IsNaN(expected) ? double.IsNaN(actual)
        : actual == expected || (double.IsFinite(expected) && double.IsFinite(actual)
            && Math.Abs(actual - expected) <= Math.Max(relative * Math.Abs(expected), least));

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(v => v switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        _ => double.Parse(v, CultureInfo.InvariantCulture),
    })];

    private static long[] Shape(string text) =>
        [.. text.Split(',').Select(s => long.Parse(s, CultureInfo.InvariantCulture))];
}
