// What is emulated on a target without fma and rounding instructions, against .NET's own: millions of operands.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class EmulationTests
{
    private const int Chunk = 1 << 16;

    private static readonly NativeConfiguration Bare = new("x86-64", 3);

    /// <summary>10^7 triples of f32: random bits, cancellations, ties of the last bit, subnormal results.</summary>
    [LlvmFact]
    public void FmaOfF32RoundsOnce() => Fma<float>("f32", 10_000_000 / Chunk, (random, i) => (i % 4) switch
    {
        0 => (Bits(random), Bits(random), Bits(random)),
        1 => Cancelling(random),
        2 => Tie(random),
        _ => (Small(random, -80), Small(random, -60), Small(random, -140)),
    }, MathF.FusedMultiplyAdd);

    /// <summary>10^6 triples of f64 of the same kinds: a function call a lane.</summary>
    [LlvmFact]
    public void FmaOfF64RoundsOnce() => Fma<double>("f64", 1_500_000 / Chunk, (random, i) =>
    {
        double Any() => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
        double Sign() => random.Next(2) * 2 - 1;
        double Of(int exponent) => Math.ScaleB(1 + random.NextDouble(), exponent + random.Next(-30, 30)) * Sign();
        var (a, b) = (Of(0), Of(0));
        // Ties that only bits far to the right decide: half a last bit of the addend times 1 + 2^-78, as a product of
        // two significands; and a product of 54 bits, the last one set, next to an addend far below.
        var e = random.Next(-900, 900);
        double Odd() => random.Next(95_000_000, 1 << 27) | 1;
        return (i % 8) switch
        {
            0 => (Any(), Any(), Any()),
            1 => (a, b, -(a * b)),
            2 => (a, b, -(a * b) * (1 + Math.ScaleB(random.Next(-2, 3), -52))),
            3 => (Of(-500), Of(-540), Of(-1060)),
            4 => (Of(500), Of(500), Of(1000)),
            5 => ((1 + Math.ScaleB(1, -26)) * Sign(), Math.ScaleB(1 - Math.ScaleB(1, -26) + Math.ScaleB(1, -52), e - 1),
                Math.ScaleB(random.NextInt64(1L << 52, 1L << 53), e) * Sign()),
            6 => (Odd(), Odd() * Sign(), Math.ScaleB(1, random.Next(-300, 0)) * Sign()),
            _ => (a, b, Of(random.Next(-130, 130))),
        };
    }, Math.FusedMultiplyAdd);

    [LlvmTheory]
    [InlineData("f32", true)]
    [InlineData("f32", false)]
    [InlineData("f64", true)]
    public void RoundingOfEveryExponentTimes4096Mantissas(string type, bool lanes)
    {
        var kernel = KernelReader.Read($$"""
            kernel @round(x: in(T, n), f: out(T, n), c: out(T, n), t: out(T, n), r: out(T, n); sizes(n)) {
              {{(lanes ? "vector" : "serial")}}(i < n) {
                %0: T = load(x[i])
                %1: T = floor(%0) store(f[i], %1)
                %2: T = ceil(%0) store(c[i], %2)
                %3: T = trunc(%0) store(t[i], %3)
                %4: T = round(%0) store(r[i], %4)
              }
            }
            """.Replace("T", type));
        using var native = new NativeKernel(kernel, Bare);
        var random = new Random(1);
        var exponents = type == "f32" ? 256 : 2048;
        for (var exponent = 0; exponent < exponents; exponent++)
        {
            // All other exponents of f64 hold numbers without a fraction, or with nothing else.
            if (type == "f64" && Math.Abs(exponent - 1023) > 60 && exponent % 97 != 0 && exponent < 2047) continue;
            // Both signs of each; the ends and the middle of the mantissas are always there.
            ulong Mantissa(int i, int width) => i switch
            {
                0 or 1 => (ulong)i,
                2 => (1UL << width) - 1,
                3 => 1UL << (width - 1),
                _ => (ulong)random.NextInt64(1L << width),
            };
            ulong[] Bits(int width) => [.. Enumerable.Range(0, 8192).Select(i =>
                (ulong)(i & 1) << (type == "f32" ? 31 : 63) | (ulong)exponent << width | Mantissa(i / 2, width))];
            Tensor x;
            Func<string, Tensor> expected;
            if (type == "f32")
            {
                var values = Bits(23).Select(b => BitConverter.UInt32BitsToSingle((uint)b)).ToArray();
                x = Tensor.From(values, 8192);
                expected = name => Tensor.From(values.Select(name switch
                {
                    "f" => MathF.Floor,
                    "c" => MathF.Ceiling,
                    "t" => MathF.Truncate,
                    _ => (Func<float, float>)MathF.Round,
                }).ToArray(), 8192);
            }
            else
            {
                var values = Bits(52).Select(BitConverter.UInt64BitsToDouble).ToArray();
                x = Tensor.From(values, 8192);
                expected = name => Tensor.From(values.Select(name switch
                {
                    "f" => Math.Floor,
                    "c" => Math.Ceiling,
                    "t" => Math.Truncate,
                    _ => (Func<double, double>)Math.Round,
                }).ToArray(), 8192);
            }
            var buffers = Agreement.Buffers(kernel, [x], _ => 8192);
            native.Run(buffers, _ => 8192);
            for (var b = 1; b < buffers.Length; b++)
            {
                Assert.True(expected(kernel.Buffers[b].Name).SameBits(buffers[b]),
                    $"{kernel.Buffers[b].Name} of {type}, exponent {exponent}");
            }
            Compared.Add(4 * 8192);
        }
    }

    /// <summary>
    /// All 2^16 numbers of f16 and bf16 from memory and back, on a target without F16C and on this one; and roundings
    /// of f32, every exponent and sign with 4096 mantissas.
    /// </summary>
    [LlvmTheory]
    [InlineData("f16", "x86-64", true)]
    [InlineData("f16", "x86-64", false)]
    [InlineData("f16", "host", true)]
    [InlineData("f16", "host", false)]
    [InlineData("bf16", "x86-64", true)]
    [InlineData("bf16", "host", true)]
    public void NarrowFloatsAreLoadedStoredAndRounded(string type, string target, bool lanes)
    {
        var loop = lanes ? "vector" : "serial";
        using var read = new NativeKernel(KernelReader.Read($$"""
            kernel @read(x: in({{type}}, n), y: out(f32, n), z: out({{type}}, n); sizes(n)) {
              {{loop}}(i < n) { %0: {{type}} = load(x[i]) %1: f32 = convert(%0) store(y[i], %1) store(z[i], %0) }
            }
            """), new(target, 3));
        using var round = new NativeKernel(KernelReader.Read($$"""
            kernel @round(x: in(f32, n), z: out({{type}}, n); sizes(n)) {
              {{loop}}(i < n) { %0: f32 = load(x[i]) %1: {{type}} = convert(%0) store(z[i], %1) }
            }
            """), new(target, 3));
        var dtype = DType.Parse(type);
        var all = Tensor.Uninitialized(dtype, 65536);
        var bits = Enumerable.Range(0, 65536).Select(i => (ushort)i).ToArray();
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits.AsSpan()).CopyTo(all.Bytes);
        Tensor[] buffers = [all, Tensor.Uninitialized(DType.F32, 65536), Tensor.Uninitialized(dtype, 65536)];
        read.Run(buffers, _ => 65536);
        Assert.True(Tensor.From(bits.Select(
            b => type == "f16" ? (float)BitConverter.UInt16BitsToHalf(b)
            : BitConverter.UInt32BitsToSingle((uint)b << 16)).ToArray(), 65536)
            .SameBits(buffers[1]));
        Assert.True(all.SameBits(buffers[2]));

        var random = new Random(23);
        for (var exponent = 0; exponent < 512; exponent++)
        {
            float[] x = [.. Enumerable.Range(0, 4096).Select(i => BitConverter.UInt32BitsToSingle((uint)exponent << 23
                | (i % 4 == 0 ? (uint)random.Next(1 << 11) << 12 : (uint)random.Next(1 << 23))))];
            buffers = [Tensor.From(x, x.Length), Tensor.Uninitialized(dtype, x.Length)];
            round.Run(buffers, _ => x.Length);
            // .NET's Half rounds to nearest even; for bf16 the tests' own arithmetic does, by its halves.
            if (type == "f16")
                Assert.True(Tensor.From(x.Select(v => (Half)v).ToArray(), x.Length)
                    .SameBits(buffers[1]), $"exponent {exponent}");
            else Assert.All(x.Zip(buffers[1].ToDoubles()), p =>
                Assert.True(float.IsNaN(p.First) ? double.IsNaN(p.Second)
                    : Nearest(p.First).Equals(p.Second), $"{p.First:R} is {p.Second:R}"));
            Compared.Add(4096);
        }
        // Of the two neighbours with 7 bits of fraction the nearer one, the even one of two as near.
        static double Nearest(float x)
        {
            if (float.IsInfinity(x)) return x;
            var low = BitConverter.SingleToUInt32Bits(x) & 0xFFFF0000;
            double below = BitConverter.UInt32BitsToSingle(low);
            var magnitude = (low & 0x7FFFFFFF) + 0x10000;
            // Beyond the greatest number comes 2^128 for the comparison, infinity for the result.
            var above = (magnitude == 0x7F800000 ? Math.ScaleB(1, 128) : BitConverter.UInt32BitsToSingle(magnitude)) * (
                x < 0 || low >> 31 == 1 ? -1 : 1);
            var (near, far) = (Math.Abs(x - below), Math.Abs(above - x));
            var up = far < near || (far == near && (low >> 16 & 1) == 1);
            return up ? Math.Abs(above) == Math.ScaleB(1, 128) ? Math.CopySign(double.PositiveInfinity, above) : above
                : below;
        }
    }

    private static void Fma<T>(string type, int chunks, Func<Random, int, (T, T, T)> triple, Func<T, T, T, T> expected)
        where T : unmanaged
    {
        var kernel = KernelReader.Read("""
            kernel @fma(a: in(T, n), b: in(T, n), c: in(T, n), y: out(T, n); sizes(n)) {
              vector(i < n) {
                %0: T = load(a[i]) %1: T = load(b[i]) %2: T = load(c[i])
                %3: T = fma(%0, %1, %2)
                store(y[i], %3)
              }
            }
            """.Replace("T", type));
        using var native = new NativeKernel(kernel, Bare);
        var random = new Random(17);
        var (a, b, c, wanted) = (new T[Chunk], new T[Chunk], new T[Chunk], new T[Chunk]);
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            for (var i = 0; i < Chunk; i++)
            {
                (a[i], b[i], c[i]) = triple(random, i);
                wanted[i] = expected(a[i], b[i], c[i]);
            }
            var buffers =
                Agreement.Buffers(kernel, [Tensor.From(a, Chunk), Tensor.From(b, Chunk), Tensor.From(c, Chunk)], _ =>
                    Chunk);
            native.Run(buffers, _ => Chunk);
            if (!Tensor.From(wanted, Chunk).SameBits(buffers[3]))
            {
                var got = buffers[3].ToArray<T>();
                var at = Enumerable.Range(0, Chunk)
                    .First(i => !Tensor.Scalar(wanted[i]).SameBits(Tensor.Scalar(got[i])));
                Assert.Fail($"fma({a[at]:R}, {b[at]:R}, {c[at]:R}) is {wanted[at]:R}, not {got[at]:R}");
            }
            Compared.Add(Chunk);
        }
    }

    private static float Bits(Random random) =>
        BitConverter.Int32BitsToSingle((int)random.NextInt64(int.MinValue, 1L << 31));

    private static float Small(Random random, int exponent) =>
        MathF.ScaleB((float)(1 + random.NextDouble()), exponent + random.Next(-8, 8)) * (random.Next(2) * 2 - 1);

    private static (float, float, float) Cancelling(Random random)
    {
        var (a, b) = (Small(random, 0), Small(random, 0));
        return (a, b, -(a * b) + MathF.ScaleB(random.Next(-3, 4), random.Next(-60, -20)));
    }

    /// <summary>The exact result lies on, or next to, the middle between two floats.</summary>
    private static (float, float, float) Tie(Random random)
    {
        var c = (float)random.Next(1 << 23, 1 << 24);
        var (a, b) = (0.5f + random.Next(-1, 2) * MathF.ScaleB(1, -24), 1f + random.Next(-1, 2) * MathF.ScaleB(1, -23));
        return (a * MathF.ScaleB(1, random.Next(-1, 2)), b, random.Next(2) == 0 ? c : -c);
    }
}
