// Contractions of awkward shapes, on LLVM with three register tiles against the interpreter: the same bytes.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm;

public sealed class ContractionTests
{
    private static readonly long[] Extents = [0, 1, 2, 5, 6, 7, 15, 16, 17, 31, 33, 240, 241];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    /// <summary>A seed decides dtype, shape, sides, which sizes are symbols, batch, guards and epilogue.</summary>
    [LlvmTheory]
    [MemberData(nameof(Seeds))]
    public void LlvmGivesTheInterpretersBytes(int seed)
    {
        var random = new Random(seed);
        var type = (seed % 4) switch { 0 or 1 => "f32", 2 => "f64", _ => "i32" };
        var sizes = new Dictionary<string, long>();
        // A size is a symbol or a number in the text: other code is printed for each.
        string Size(string name, long value)
        {
            if (random.Next(2) == 0) return $"{value}";
            sizes[name] = value;
            return name;
        }
        long Extent(long most) =>
            Extents.Where(e => e <= most).ToArray() is var some ? some[random.Next(some.Length)] : 0;
        var (m, n) = (Size("m", Extent(241)), Size("n", Extent(241)));
        // Deep enough, now and then, that k is taken in blocks: 2 · 400 and 2 · 600 steps.
        var depth = random.Next(8) switch { 0 => 400, 1 => 600, 2 or 3 => Extent(241), _ => Extent(33) };
        var (k, b) = (Size("k", depth), Size("b", 1 + random.Next(3)));
        var (batched, zero) = (random.Next(3) == 0, type[0] == 'f' ? "0.0" : "0");
        string Guarded(string buffer, string count, string offset) => random.Next(3) == 0
            ? $"load({buffer}[{offset}-3] if({offset}-3 < {count}) else %90)"
            : $"load({buffer}[{offset}])";
        var batch = batched ? b : "1";
        // The left side as rows (read in place), as columns (packed: its rows are not contiguous but strided), or
        // computed.
        var (countA, countB, countC) = ($"{batch}*{m}*{k}*2", $"{batch}*{n}*{k}*2", $"{batch}*{m}*{n}");
        var base1 = batched ? $"h*{m}*{k}*2+" : "";
        var base2 = batched ? $"h*{n}*{k}*2+" : "";
        var base3 = batched ? $"h*{m}*{n}+" : "";
        var atA = random.Next(2) == 0 ? $"{base1}i*{k}*2+p*2+q" : $"{base1}(p*2+q)*{m}+i";
        var atB = random.Next(2) == 0 ? $"{base2}j*{k}*2+p*2+q" : $"{base2}(p*2+q)*{n}+j";
        var loadA = Guarded("x", countA, atA);
        var loadB = Guarded("z", countB, atB);
        var scaled = random.Next(3) == 0;
        var epilogue = random.Next(4) switch
        {
            0 => "%6: T = add(%5, %5)",
            1 => $"%3: T = load(r[j]) %4: T = add(%5, %3) %6: T = max(%4, %3)",
            2 => $"%3: T = load(s[i]) %4: T = load(r[j]) %7: T = mul(%5, %3) %6: T = add(%7, %4)",
            _ => $"%3: T = load(r[j//16]) %6: T = sub(%5, %3)",
        };
        // Both orders of the sides: the output is contiguous along n, or transposed along m.
        var store = random.Next(3) == 0 ? $"{base3}j*{m}+i" : $"{base3}i*{n}+j";
        var contract = $$"""
            contract(i < {{m}}, j < {{n}}; p < {{k}}, q < 2) {
              left { %90: T = const({{zero}}) %0: T = {{loadA}} {{(scaled ? "%8: T = add(%0, %0) yield(%8)" : "yield(%0)")}} }
              right { %91: T = const({{zero}}) %1: T = {{loadB.Replace("%90", "%91")}} yield(%1) }
              into(%5: T) { {{epilogue}} store(y[{{store}}], %6) }
            }
            """;
        // A left side without guards is a single load, so that it can be read in place.
        if (!loadA.Contains("%90")) contract = contract.Replace($"%90: T = const({zero}) ", "");
        if (batched) contract = $"parallel(h < {b}) {{ {contract} }}";
        var text = $$"""
            kernel @c(x: in(T, {{countA}}), z: in(T, {{countB}}), r: in(T, {{n}}+1), s: in(T, {{m}}+1), y: out(T, {{countC}});
                sizes({{string.Join(", ", sizes.Keys)}})) {
              {{contract}}
            }
            """.Replace("T", type);
        var kernel = KernelReader.Read(text);
        var inputs = kernel.Buffers.Where(x => !x.IsOutput)
            .Select((x, i) => Awkward(x.Type, x.Count.Evaluate(sizes), seed * 5 + i)).ToArray();
        Agreement.Check(kernel, inputs, sizes, $"seed {seed}", [.. NativeConfiguration.Three, new("x86-64-v3", 0)]);
    }

    /// <summary>
    /// Every other pixel of every other row of a 12-wide image with 512 channels: 4 KiB apart, so that rows of a tile
    /// share cache sets and are copied first, though where they lie is not affine in the row.
    /// </summary>
    [LlvmTheory]
    [InlineData(30, 40)]
    [InlineData(29, 41)]
    public void PixelsThatShareCacheSetsGiveTheInterpretersBytes(int m, int n)
    {
        var kernel = KernelReader.Read($$"""
            kernel @c(x: in(f32, 54784), z: in(f32, {{n}}*512), y: out(f32, {{m * n}}); sizes()) {
              contract(i < {{m}}, j < {{n}}; p < 512) {
                left { %0: f32 = load(x[p+1024*i+6144*(i//6)]) yield(%0) }
                right { %1: f32 = load(z[{{n}}*p+j]) yield(%1) }
                into(%5: f32) { store(y[{{n}}*i+j], %5) }
              }
            }
            """);
        Tensor[] inputs = [Awkward(DType.F32, 54784, m), Awkward(DType.F32, n * 512, n)];
        Agreement.Check(kernel, inputs, new Dictionary<string, long>(), $"{m} x {n}",
            [.. NativeConfiguration.Three, new("x86-64-v3", 0)]);
    }

    /// <summary>
    /// Pixels of an image, read where they lie: tiles that stay in one of its rows (28 pixels of 14), and tiles that do
    /// not (30 of 6).
    /// </summary>
    [LlvmTheory]
    [InlineData(28, 14)]
    [InlineData(30, 6)]
    public void PixelsGiveTheInterpretersBytes(int m, int width)
    {
        var kernel = KernelReader.Read($$"""
            kernel @c(x: in(f32, 6000), z: in(f32, 3*21*24), y: out(f32, {{m}}*24); sizes()) {
              contract(i < {{m}}, j < 24; p < 3, q < 21) {
                left { %0: f32 = load(x[q+6*i+50*(i//{{width}})+700*p]) yield(%0) }
                right { %1: f32 = load(z[24*(21*p+q)+j]) yield(%1) }
                into(%5: f32) { store(y[24*i+j], %5) }
              }
            }
            """);
        Tensor[] inputs = [Awkward(DType.F32, 6000, m), Awkward(DType.F32, 3 * 21 * 24, width)];
        Agreement.Check(kernel, inputs, new Dictionary<string, long>(), $"{m} of {width}",
            [.. NativeConfiguration.Three, new("x86-64-v3", 0)]);
    }

    /// <summary>
    /// All magnitudes, so that any other order of a sum gives other bits; now and then a special value.
    /// </summary>
    internal static Tensor Awkward(DType type, long count, int seed)
    {
        var random = new Random(seed);
        double[] special = [0, -0.0, 1e-45, -1e-40, double.PositiveInfinity, double.NaN, 3e38];
        return Tensor.FromDoubles(type, [.. Enumerable.Range(0, (int)count).Select(_ => !type.IsFloat
            ? type == DType.Bool ? random.Next(2) : random.Next(type.IsSigned ? -100 : 0, 100)
            : random.Next(1000) == 0 ? special[random.Next(special.Length)]
            : (random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-12, 12)))], count);
    }
}
