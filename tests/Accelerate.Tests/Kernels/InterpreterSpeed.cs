// A contraction in the kernel interpreter: slow by design, but fast enough to be the oracle of whole models.
using System.Diagnostics;
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

public sealed class InterpreterSpeed
{
    [Fact]
    public void AContractionHoistsWhatItsInnerLoopDoesNotChange()
    {
        const int N = 256;
        var kernel = KernelReader.Read("""
            kernel @gemm(a: in(f32, m*k), b: in(f32, n*k), c: out(f32, m*n); sizes(m, n, k)) {
              contract(i < m, j < n; l < k) {
                left { %0: f32 = load(a[i*k+l]) yield(%0) }
                right { %1: f32 = load(b[j*k+l]) yield(%1) }
                into(%2: f32) { store(c[i*n+j], %2) }
              }
            }
            """);
        var compiled = new CompiledKernel(kernel, countStores: true);
        using var a = Tensor.FromDoubles(DType.F32, [.. Enumerable.Range(0, N * N).Select(i => i % 7 - 3.0)], N, N);
        using var c = Tensor.Zeros(DType.F32, N, N);
        compiled.Run([a, a, c], _ => N);
        var best = Enumerable.Range(0, 3).Min(_ =>
        {
            var watch = Stopwatch.StartNew();
            compiled.Run([a, a, c], _ => N);
            return watch.Elapsed.TotalSeconds;
        });
        var x = a.ToArray<float>();
        var y = c.ToArray<float>();
        Assert.Equal(Enumerable.Range(0, N).Sum(l => x[3 * N + l] * x[5 * N + l]), y[3 * N + 5]);
        Assert.Equal(4 * 4L * N * N, compiled.StoredBytes);
        // 246 million a second on one core of a shared 2-core x86-64 machine; the bound is for loaded ones.
        Assert.True(N * (double)N * N / best > 10e6,
            $"{N * (double)N * N / best / 1e6:F0} million multiply-adds a second");
    }
}
