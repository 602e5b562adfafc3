// Reductions in order inside vector loops, as random windows of images and as columns of matrices: on every executor
// the numbers of a loop nest written here.
using System.Diagnostics;
using System.Globalization;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

/// <summary>
/// ACC_FUZZ_TAPS_SECONDS sets the time of each (10), ACC_FUZZ_SEED the first seed (0): a failure prints the seed.
/// </summary>
public sealed class TapsTests(ITestOutputHelper output)
{
    [LlvmFact]
    public void WindowsOfImages() => Fuzz(Window);

    [LlvmFact]
    public void ColumnsOfMatrices() => Fuzz(Columns);

    private void Fuzz(Action<int> check)
    {
        var (seconds, seed) = (Number("ACC_FUZZ_TAPS_SECONDS", 10), Number("ACC_FUZZ_SEED", 0));
        var (clock, first) = (Stopwatch.StartNew(), seed);
        for (; clock.Elapsed.TotalSeconds < seconds; seed++)
        {
            try
            {
                check(seed);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }
        output.WriteLine($"seeds {first} to {seed - 1}; {Compared.Line}");
    }

    /// <summary>A depthwise convolution with an epilogue, or a pool, of a padded image [n, h, w, c].</summary>
    private static void Window(int seed)
    {
        var random = new System.Random(seed);
        var (n, h, w) = (random.Next(1, 3), random.Next(1, 24), random.Next(1, 24));
        var c = new[] { random.Next(1, 8), 16, 24, 32, random.Next(8, 80), 144 }[random.Next(6)];
        var (kh, kw) = (random.Next(1, 6), random.Next(1, 6));
        if (random.Next(4) == 0) kh = kw = 7;
        var (stride, dilation) = (random.Next(1, 4), random.Next(5) == 0 ? 2 : 1);
        var (top, bottom, left, right) = (random.Next(3), random.Next(3), random.Next(3), random.Next(3));
        var (reachH, reachW) = (dilation * (kh - 1) + 1, dilation * (kw - 1) + 1);
        if (h + top + bottom < reachH) h = reachH;
        if (w + left + right < reachW) w = reachW;
        var (oh, ow) = ((h + top + bottom - reachH) / stride + 1, (w + left + right - reachW) / stride + 1);
        var kind = new[] { "depthwise", "depthwise", "max", "min", "add" }[random.Next(5)];
        var fill = kind == "depthwise" ? 0 : random.Next(-3, 4);
        var batch = random.Next(2) == 0 ? "n" : $"{n}";
        // A window of the rows, then of the columns; the reduced axes where they are, or moved behind the channels.
        var isMoved = random.Next(2) == 0;
        var places = isMoved ? $"{batch},{oh},{ow},{c},{kh},{kw}" : $"{batch},{oh},{kh},{ow},{kw},{c}";
        var axes = isMoved ? "[4,5]" : "[2,4]";
        var result = $"{batch},{oh},{ow},{c}";
        var text = $$"""
            graph @taps {
              %0: f32[{{batch}},{{h}},{{w}},{{c}}] = input("x")
              %1: f32[{{kh}},{{kw}},{{c}}] = input("k")
              %2: f32[{{c}}] = input("b")
              %3: f32 = const([{{fill}}.0])
              %4: f32[{{batch}},{{h + top + bottom}},{{w + left + right}},{{c}}] = pad(%0, %3; [0,{{top}},{{left}},0],[0,{{bottom}},{{right}},0],[0,0,0,0])
              %5: f32[{{batch}},{{oh}},{{kh}},{{w + left + right}},{{c}}] = window(%4; 1,[{{oh}},{{kh}}],[{{stride}},{{dilation}}])
              %6: f32[{{batch}},{{oh}},{{kh}},{{ow}},{{kw}},{{c}}] = window(%5; 3,[{{ow}},{{kw}}],[{{stride}},{{dilation}}])
              %7: f32[{{places}}] = {{(isMoved ? "transpose(%6; [0,1,3,5,2,4])" : "stop_gradient(%6)")}}
              %8: f32[{{c}},{{kh}},{{kw}}] = transpose(%1; [2,0,1])
              %9: f32[{{places}}] = {{(isMoved ? "broadcast(%8; [3,4,5])" : "broadcast(%1; [2,4,5])")}}
              %10: f32[{{places}}] = mul(%7, %9)
              %11: f32[{{result}}] = reduce({{(kind == "depthwise" ? "%10; add" : $"%7; {kind}")}},{{axes}})
              %12: f32[{{result}}] = broadcast(%2; [3])
              %13: f32[{{result}}] = add(%11, %12)
              %14: f32[{{result}}] = const([0.0])
              %15: f32[{{result}}] = max(%13, %14)
              %16: f32[{{result}}] = const([6.0])
              %17: f32[{{result}}] = min(%15, %16)
              return(%13, %17)
            }
            """;
        using var lowered = new Lowered(text);
        // Small integers: every order of exact sums has one result.
        var (x, k, b) = (Integers(random, n, h, w, c), Integers(random, kh, kw, c), Integers(random, c));
        var results = lowered.Run(x, k, b);
        var (sums, clipped) = (results[0].ToArray<float>(), results[1].ToArray<float>());
        var (xs, ks, bs) = (x.ToArray<float>(), k.ToArray<float>(), b.ToArray<float>());
        for (var at = 0; at < sums.Length; at++)
        {
            var (l, j, i, m) = (at % c, at / c % ow, at / c / ow % oh, at / c / ow / oh);
            double total = kind switch { "max" => double.NegativeInfinity, "min" => double.PositiveInfinity, _ => 0 };
            for (var r = 0; r < kh; r++)
            {
                for (var s = 0; s < kw; s++)
                {
                    var (y, z) = (i * stride + r * dilation - top, j * stride + s * dilation - left);
                    double value = y >= 0 && y < h && z >= 0 && z < w ? xs[((m * h + y) * w + z) * c + l] : fill;
                    total = kind switch
                    {
                        "depthwise" => total + value * ks[(r * kw + s) * c + l],
                        "max" => Math.Max(total, value),
                        "min" => Math.Min(total, value),
                        _ => total + value,
                    };
                }
            }
            Assert.True(sums[at] == total + bs[l], $"{sums[at]} at {at}, not {total + bs[l]}\n{text}");
            Assert.True(clipped[at] == Math.Min(Math.Max(total + bs[l], 0), 6), $"{clipped[at]} at {at}\n{text}");
        }
        // Zeros of both signs, subnormals, infinities and NaN: LLVM gives the interpreter's bytes.
        lowered.Run(Mixed(random, n, h, w, c), Mixed(random, kh, kw, c), Mixed(random, c));
    }

    /// <summary>Reductions of [o, m, n] along m, alone and with elementwise work in front and behind.</summary>
    private static void Columns(int seed)
    {
        var random = new System.Random(seed);
        var o = random.Next(3) == 0 ? random.Next(2, 4) : 1;
        var m = new[] { 0, 1, 7, 8, 9, 63, 64, 65, random.Next(1, 300) }[random.Next(9)];
        var n = new[] { random.Next(1, 16), 16, 64, 65, 96, 128, random.Next(64, 300), 1024,
            random.Next(1000, 1100) }[random.Next(9)];
        var kind = new[] { "add", "max", "min" }[random.Next(3)];
        var (rows, columns) = (random.Next(2) == 0 ? "m" : $"{m}", random.Next(2) == 0 ? "n" : $"{n}");
        var (full, kept) = ($"{o},{rows},{columns}", $"{o},{columns}");
        var text = $$"""
            graph @columns {
              %0: f32[{{full}}] = input("x")
              %1: f32[{{columns}}] = input("b")
              %2: f32[{{kept}}] = reduce(%0; {{kind}},[1])
              %3: f32[{{full}}] = broadcast(%1; [2])
              %4: f32[{{full}}] = sub(%0, %3)
              %5: f32[{{full}}] = mul(%4, %4)
              %6: f32[{{kept}}] = reduce(%5; add,[1])
              %7: f32[{{kept}}] = broadcast(%1; [1])
              %8: f32[{{kept}}] = mul(%6, %7)
              %9: f32[{{kept}}] = reduce(%0; mul,[1])
              %10: f32[{{kept}}] = sub(%8, %9)
              return(%2, %8, %10)
            }
            """;
        using var lowered = new Lowered(text);
        var (x, b) = (Integers(random, o, m, n), Integers(random, n));
        // The rows and columns are bound by the inputs; their products of many terms leave f32's integers, and are held
        // by the bytes.
        var results = lowered.Run(x, b);
        var (xs, bs, sums, squares) =
            (x.ToArray<float>(), b.ToArray<float>(), results[0].ToArray<float>(), results[1].ToArray<float>());
        for (var at = 0; at < o * n; at++)
        {
            double total = kind switch { "max" => double.NegativeInfinity, "min" => double.PositiveInfinity, _ => 0 };
            double square = 0;
            for (var i = 0; i < m; i++)
            {
                double value = xs[(at / n * m + i) * n + at % n];
                total = kind switch
                {
                    "max" => Math.Max(total, value),
                    "min" => Math.Min(total, value),
                    _ => total + value
                };
                square += (value - bs[at % n]) * (value - bs[at % n]);
            }
            Assert.True(sums[at] == total, $"{sums[at]} at {at}, not {total}\n{text}");
            Assert.True(squares[at] == square * bs[at % n],
                $"{squares[at]} at {at}, not {square * bs[at % n]}\n{text}");
        }
        lowered.Run(Mixed(random, o, m, n), Mixed(random, n));
    }

    private static Tensor Integers(System.Random random, params long[] shape) => Make(shape, () => random.Next(-4, 5));

    private static Tensor Mixed(System.Random random, params long[] shape) => Make(shape, () => random.Next(24) switch
    {
        0 => -0f,
        1 => 0f,
        2 => float.Epsilon,
        3 when random.Next(20) == 0 => float.NaN,
        4 when random.Next(20) == 0 => float.PositiveInfinity,
        5 when random.Next(20) == 0 => float.NegativeInfinity,
        6 => -1e-39f,
        _ => random.NextSingle() * 4 - 2,
    });

    private static Tensor Make(long[] shape, Func<float> next) =>
        Tensor.From(Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => next())
            .ToArray(), shape);

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value) ? value
            : otherwise;
}
