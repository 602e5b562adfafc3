// In: a kernel with inputs and sizes. Out: a failed assertion, or the certainty that LLVM gave the interpreter's bytes.
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

internal static class Agreement
{
    private static readonly Lazy<WorkerPool> Three = new(() => new WorkerPool(3));

    private static readonly Lazy<WorkerPool?[]> Many = new(() =>
        [null, Three.Value, .. TargetMatrix.Full
            ? TargetMatrix.Threads.Where(t => t != 3).Select(t => new WorkerPool(t)) : []]);

    /// <summary>Three workers, for all tests of the process.</summary>
    public static WorkerPool Pool => Three.Value;

    /// <summary>What every kernel runs on: one thread, three; in the full matrix two and eight as well.</summary>
    public static WorkerPool?[] Pools => Many.Value;

    /// <summary>
    /// Inputs and new outputs in the kernel's order; outputs start as 0xEE bytes: a missing store shows.
    /// </summary>
    public static Tensor[] Buffers(Kernel kernel, IEnumerable<Tensor> inputs, Func<string, long> sizes)
    {
        var rest = new Queue<Tensor>(inputs);
        return [.. kernel.Buffers.Select(b =>
        {
            if (b.IsUpdated) return rest.Dequeue().Clone();
            if (!b.IsOutput) return rest.Dequeue();
            var tensor = Tensor.Uninitialized(b.Type, b.Count.Evaluate(sizes));
            tensor.Bytes.Fill(0xEE);
            return tensor;
        })];
    }

    /// <summary>The interpreter against every configuration, by one thread and by three.</summary>
    public static void Check(Kernel kernel, Tensor[] inputs, IReadOnlyDictionary<string, long> sizes, string what,
        params ReadOnlySpan<NativeConfiguration> configurations)
    {
        using var comparison = new Comparison(kernel, configurations);
        comparison.Check(inputs, sizes, what);
    }
}

/// <summary>A kernel compiled once for the interpreter and every configuration, to be compared on any inputs.</summary>
internal sealed class Comparison : IDisposable
{
    private readonly Kernel kernel;
    private readonly CompiledKernel reference;
    private readonly (NativeConfiguration Configuration, NativeKernel Native)[] natives;

    public Comparison(Kernel kernel, params ReadOnlySpan<NativeConfiguration> configurations)
    {
        KernelVerifier.Verify(kernel);
        this.kernel = kernel;
        reference = new CompiledKernel(kernel);
        natives = [.. configurations.ToArray().Select(c => (c, new NativeKernel(kernel, c)))];
    }

    public void Check(Tensor[] inputs, IReadOnlyDictionary<string, long> sizes, string what)
    {
        long Size(string name) => sizes[name];
        var expected = Agreement.Buffers(kernel, inputs, Size);
        var flagged = reference.Run(expected, Size);
        foreach (var (configuration, native) in natives)
        {
            foreach (var pool in Agreement.Pools)
            {
                var actual = Agreement.Buffers(kernel, inputs, Size);
                var raised = native.Run(actual, Size, pool);
                var where = $"{what}, {configuration}, {pool?.Workers ?? 1} threads, "
                    + string.Join(' ', sizes.Select(s => $"{s.Key}={s.Value}"));
                for (var b = 0; b < actual.Length; b++)
                {
                    if (kernel.Buffers[b].IsOutput && !expected[b].SameBits(actual[b]))
                        Assert.Fail($"{where}: {Report(b, expected[b], actual[b])}");
                }
                Assert.True(flagged == raised,
                    $"{where}: flagged {raised}, not {flagged}\n{KernelPrinter.Print(kernel)}");
                Compared.Add(actual.Where((_, b) => kernel.Buffers[b].IsOutput).Sum(t => t.Count));
            }
        }
    }

    public void Dispose()
    {
        foreach (var (_, native) in natives) native.Dispose();
    }

    private string Report(int buffer, Tensor wanted, Tensor got)
    {
        var (w, g) = (wanted.ToDoubles(), got.ToDoubles());
        var width = wanted.Type.Bytes();
        string Bits(Tensor t, int i) => Convert.ToHexString(t.Bytes.Slice(i * width, width));
        var wrong = Enumerable.Range(0, w.Length)
            .Where(i => Bits(wanted, i) != Bits(got, i) && !(double.IsNaN(w[i]) && double.IsNaN(g[i]))).ToList();
        var first = wrong.Take(6).Select(i => $"  [{i}]: {w[i]:R} ({Bits(wanted, i)}), not {g[i]:R} ({Bits(got, i)})");
        return $"{kernel.Buffers[buffer].Name} differs in {wrong.Count} of {w.Length} elements\n{string.Join('\n', first)}\n"
            + KernelPrinter.Print(kernel);
    }
}
