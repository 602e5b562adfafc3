// Convolutions whose tiles leave out taps on padding, on LLVM against the interpreter, which multiplies them: the same
// bytes.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm;

public sealed class PaddingTests
{
    /// <summary>Height and width of the image, window, stride, padding, channels, outputs, dtype, batch.</summary>
    public static TheoryData<int, int, int, int, int, int, int, string, int> Shapes => new()
    {
        { 14, 14, 3, 1, 1, 16, 64, "f32", 1 },
        { 7, 7, 3, 1, 1, 5, 70, "f32", 1 },
        { 7, 7, 3, 1, 1, 5, 33, "f64", 2 },
        { 14, 9, 3, 2, 1, 8, 32, "f32", 1 },
        { 11, 12, 5, 1, 2, 3, 40, "f32", 1 },
        { 9, 10, 3, 1, 1, 4, 48, "i32", 1 },
    };

    /// <summary>
    /// Weights are finite, or infinite or NaN where some taps miss the image; products that vanish leave sums of both
    /// zeros.
    /// </summary>
    [LlvmTheory]
    [MemberData(nameof(Shapes))]
    public void SkippedTapsChangeNoBit(int h, int w, int window, int stride, int padding, int channels, int outputs,
        string type, int batch)
    {
        foreach (var isPacked in (bool[])[false, true])
        {
            var kernel = Convolution(h, w, window, stride, padding, channels, outputs, type, batch, isPacked);
            for (var kind = 0; kind < 3; kind++)
            {
                var random = new Random(17 * kind + h);
                Tensor Values(int buffer, Func<double> one) => Tensor.FromDoubles(kernel.Buffers[buffer].Type,
                    [.. Enumerable.Range(0, (int)kernel.Buffers[buffer].Count.Value).Select(_ => one())],
                        kernel.Buffers[buffer].Count.Value);
                double Any() => type == "i32" ? random.Next(-100, 100) : random.NextDouble() - 0.5;
                // Each product rounds to a zero of its sign.
                double Tiny() =>
                    type == "i32" ? random.Next(2) : (random.Next(2) * 2 - 1) * (type == "f64" ? 1e-200 : 1e-30);
                var (x, z) = kind == 2 ? (Values(0, Tiny), Values(1, Tiny)) : (Values(0, Any), Values(1, Any));
                if (kind == 1 && type != "i32")
                {
                    var all = z.ToDoubles();
                    for (var i = 0; i < 6; i++)
                        all[random.Next(all.Length)] = i % 2 == 0 ? double.PositiveInfinity : double.NaN;
                    z = Tensor.FromDoubles(kernel.Buffers[1].Type, all, all.Length);
                }
                Agreement.Check(kernel, [x, z], new Dictionary<string, long>(),
                    $"{h}x{w} window {window} {type} packed {isPacked} kind {kind}",
                    NativeConfiguration.Three);
            }
        }
    }

    /// <summary>
    /// The order covers every row once, misses what lies on padding for all rows of a tile, and is worth it.
    /// </summary>
    [Xunit.Fact]
    public void OrderMissesPaddingOnly()
    {
        var kernel = Convolution(14, 14, 3, 1, 1, 256, 256, "f32", 1, true);
        var contract = (Contract)kernel.Body.Statements.Single();
        var order = TileOrder.Find(contract, ContractSides.Rows(contract)!, 2, 14)!;
        Xunit.Assert.Equal(Enumerable.Range(0, 196), order.Rows.Order());
        var missed = 0;
        for (var t = 0; t < order.Tiles; t++)
        {
            Xunit.Assert.InRange(order.Starts[t + 1] - order.Starts[t], 1, 14);
            foreach (var row in order.Rows[order.Starts[t]..order.Starts[t + 1]])
            {
                for (var tap = 0; tap < 9; tap++)
                {
                    if ((order.Missed[t] >> tap & 1) == 0) continue;
                    missed++;
                    var (y, x) = (row / 14 + tap / 3 - 1, row % 14 + tap % 3 - 1);
                    Xunit.Assert.True(y is < 0 or > 13 || x is < 0 or > 13, $"row {row} tap {tap} is in the image");
                }
            }
        }
        // All but two taps of each corner.
        Xunit.Assert.Equal(4 * 14 * 3 - 4 - 8, missed);
        // A sum whose zeros are told apart misses nothing.
        var told =
            contract with
            {
                Epilogue = new(
                [.. contract.Epilogue.Statements.OfType<Store>()
                    .Select(s => s with { Value = contract.Accumulator })])
            };
        Xunit.Assert.Null(TileOrder.Find(told, ContractSides.Rows(told)!, 2, 14));
    }

    private static Kernel Convolution(int h, int w, int window, int stride, int padding, int channels, int outputs,
        string type, int batch, bool isPacked)
    {
        var (high, wide) = ((h + 2 * padding - window) / stride + 1, (w + 2 * padding - window) / stride + 1);
        var (image, depth) = (h * w * channels, window * window * channels);
        var (y, x) = ($"{stride}*mod(i//{wide},{high})+p-{padding}", $"{stride}*mod(i,{wide})+q-{padding}");
        var panels = (outputs + 31) / 32;
        var (count, at) = isPacked
            ? (panels * 32 * depth, $"(j//32)*{32 * depth}+((p*{window}+q)*{channels}+c)*32+mod(j,32)")
            : (outputs * depth, $"((p*{window}+q)*{channels}+c)*{outputs}+j");
        var (zero, add) = type == "i32" ? ("0", "%6: T = add(%5, %5)")
            : ("0.0", "%4: T = const(0.0) %6: T = add(%5, %4)");
        var text = $$"""
            kernel @c(x: in(T, {{batch * image}}), z: in(T, {{count}}), y: out(T, {{batch * high * wide * outputs}}); sizes()) {
              contract(i < {{batch * high * wide}}, j < {{outputs}}; p < {{window}}, q < {{window}}, c < {{channels}}) {
                left { %90: T = const({{zero}}) %0: T = load(x[(i//{{high * wide}})*{{image}}+(({{y}})*{{w}}+{{x}})*{{channels}}+c] if({{y}} < {{h}}, {{x}} < {{w}}) else %90) yield(%0) }
                right { %1: T = load(z[{{at}}]) yield(%1) }
                into(%5: T) { {{add}} store(y[i*{{outputs}}+j], %6) }
              }
            }
            """.Replace("T", type);
        return KernelReader.Read(text);
    }
}
