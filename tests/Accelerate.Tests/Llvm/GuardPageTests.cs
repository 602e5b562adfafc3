// Kernels over buffers that begin or end at a forbidden page: no byte outside a buffer is touched.
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class GuardPageTests
{
    private const string Elementwise = """
        kernel @edge(x: in(T, n), z: in(T, n), y: out(T, n); sizes(n)) {
          vector(i < n) {
            %0: T = load(x[i])
            %1: T = load(z[n-1-i])
            %2: T = max(%0, %1)
            store(y[i], %2)
          }
        }
        """;

    private const string Guarded = """
        kernel @edge(x: in(T, n), z: in(T, m), y: out(T, n+8); sizes(n, m)) {
          %0: T = const(1)
          vector(i < n+8) {
            %1: T = load(x[i-4] if(i-4 < n) else %0)
            %2: T = load(z[m-1] if(m-1 < m) else %1)
            %3: T = max(%1, %2)
            store(y[i], %3)
          }
        }
        """;

    /// <summary>
    /// One element of x for 16 columns: a block of columns that does not exist must not look for its element.
    /// </summary>
    private const string Blocks = """
        kernel @edge(a: in(T, m*k), x: in(T, n//16), y: out(T, m*n); sizes(m, n, k)) {
          contract(i < m, j < n; p < k) {
            left { %0: T = load(a[i*k+p]) yield(%0) }
            right { %1: T = load(x[j//16]) yield(%1) }
            into(%2: T) { %3: T = load(x[j//16]) %4: T = add(%2, %3) store(y[i*n+j], %4) }
          }
        }
        """;

    private const string Product = """
        kernel @edge(a: in(T, m*k), b: in(T, k*n), y: out(T, m*n); sizes(m, n, k)) {
          contract(i < m, j < n; p < k) {
            left { %0: T = load(a[i*k+p]) yield(%0) }
            right { %1: T = load(b[p*n+j]) yield(%1) }
            into(%2: T) { store(y[i*n+j], %2) }
          }
        }
        """;

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var name in new[] { nameof(Elementwise), nameof(Guarded), nameof(Product), nameof(Blocks) })
            foreach (var type in IsMap(name) ? (string[])["f32", "f64", "u8", "i16", "i64", "bool"]
                : ["f32", "f64", "u8"])
                cases.Add(name, type);
        return cases;
    }

    [LlvmTheory]
    [MemberData(nameof(Cases))]
    public void NothingOutsideIsTouched(string name, string type)
    {
        var text = name switch
        {
            nameof(Elementwise) => Elementwise,
            nameof(Guarded) => Guarded,
            nameof(Product) => Product,
            _ => Blocks,
        };
        text = text.Replace("T", type).Replace("const(1)", type[0] == 'f' ? "const(1.0)" : "const(1)");
        var kernel = KernelReader.Read(text);
        KernelVerifier.Verify(kernel);
        long[] lengths = IsMap(name) ? [0, 1, 15, 16, 17, 31, 33, 255] : name == nameof(Blocks) ? [16, 32, 48, 80]
            : [1, 15, 16, 17, 33];
        foreach (var configuration in NativeConfiguration.Three.Append(new("x86-64-v3", 0)))
        {
            using var native = new NativeKernel(kernel, configuration);
            foreach (var atEnd in (bool[])[true, false])
                foreach (var n in lengths)
                    foreach (var m in (long[])[0, 7])
                        Run(kernel, native, atEnd, s => s switch { "n" => n, "m" => m, _ => 5 });
        }
    }

    private static bool IsMap(string name) => name is nameof(Elementwise) or nameof(Guarded);

    private static void Run(Kernel kernel, NativeKernel native, bool atEnd, Func<string, long> sizes)
    {
        var counts = kernel.Buffers.Select(b => b.Count.Evaluate(sizes)).ToArray();
        var (expected, actual) = (Allocate(), Allocate());
        try
        {
            new CompiledKernel(kernel).Run([.. expected.Select(m => m.Start)], counts, sizes);
            native.Run([.. actual.Select(m => m.Start)], sizes);
            for (var b = 0; b < counts.Length; b++)
                Assert.True(expected[b].Span.SequenceEqual(actual[b].Span),
                    $"{kernel.Buffers[b].Name}\n{KernelPrinter.Print(kernel)}");
            Compared.Add(counts[^1]);
        }
        finally
        {
            foreach (var memory in expected.Concat(actual)) memory.Dispose();
        }

        GuardedMemory[] Allocate() => [.. kernel.Buffers.Select((b, i) =>
        {
            var memory = new GuardedMemory(counts[i] * b.Type.Bytes(), atEnd);
            var random = new Random(i);
            var (least, greatest) = b.Type == DType.Bool ? (0, 2) : (b.Type.IsSigned || b.Type.IsFloat ? -100 : 0, 100);
            var values = Enumerable.Range(0, (int)counts[i]).Select(_ => (double)random.Next(least, greatest))
                .ToArray();
            using var tensor = Tensor.FromDoubles(b.Type, values, counts[i]);
            tensor.Bytes.CopyTo(memory.Span);
            return memory;
        })];
    }
}
