// Kernels under a caller's flush-to-zero and round-down mode: the same bytes, and the mode is put back.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed unsafe class FloatModeTests
{
    /// <summary>Flush to zero, denormals are zero, round down, exceptions masked.</summary>
    private const uint Awkward = 0x8000 | 0x0040 | 0x2000 | 0x1F80;

    private const string ModeText = """
        declare void @llvm.x86.sse.stmxcsr(ptr)
        declare void @llvm.x86.sse.ldmxcsr(ptr)
        define i32 @exchange(i32 %mode) nounwind {
          %old = alloca i32, align 4
          %new = alloca i32, align 4
          call void @llvm.x86.sse.stmxcsr(ptr %old)
          store i32 %mode, ptr %new, align 4
          call void @llvm.x86.sse.ldmxcsr(ptr %new)
          %r = load i32, ptr %old, align 4
          ret i32 %r
        }
        """;

    private const string Subnormals = """
        kernel @mode(x: in(f32, n*m), y: out(f32, n*m), s: out(f32, n), c: out(f64, n*m); sizes(n, m)) {
          parallel(i < n) {
            %0: f32 = reduce.add(r < m) { %1: f32 = load(x[i*m+r]) yield(%1) }
            store(s[i], %0)
            vector(j < m) {
              %2: f32 = load(x[i*m+j])
              %3: f32 = const(0.3333333432674408)
              %4: f32 = mul(%2, %3)
              %5: f32 = fma(%4, %3, %2)
              %6: f32 = div(%5, %3)
              store(y[i*m+j], %6)
              %7: f64 = convert(%4)
              %8: f64 = const(1E-280)
              %9: f64 = mul(%7, %8)
              store(c[i*m+j], %9)
            }
          }
        }
        """;

    [LlvmFact]
    public void TheCallersModeNeitherMattersNorIsLost()
    {
        using var jit = new Jit([LlvmCompiler.CompileToObject(ModeText, LlvmTarget.X64, 0)]);
        var exchange = (delegate* unmanaged<uint, uint>)jit.Lookup("exchange");
        var kernel = KernelReader.Read(Subnormals);
        KernelVerifier.Verify(kernel);
        static long Sizes(string name) => name == "n" ? 7 : 37;
        var random = new Random(1);
        float Tiny() => BitConverter.Int32BitsToSingle(random.Next(0x02000000));
        var x = Tensor.From(Enumerable.Range(0, 7 * 37).Select(_ => Tiny()).ToArray(), 7 * 37);
        var expected = Agreement.Buffers(kernel, [x], Sizes);
        new CompiledKernel(kernel).Run(expected, Sizes);
        Assert.Contains(expected[1].ToArray<float>(), float.IsSubnormal);

        foreach (var configuration in NativeConfiguration.All)
        {
            using var native = new NativeKernel(kernel, configuration);
            var actual = Agreement.Buffers(kernel, [x], Sizes);
            var data = actual.Select(b => (nint)b.Pointer).ToArray();
            native.Run(data, Sizes); // so that nothing is compiled while the mode is changed
            foreach (var b in actual[1..]) b.Bytes.Fill(0xEE);
            exchange(0x1F80);
            var before = exchange(Awkward);
            native.Run(data, Sizes);
            var after = exchange(before);
            Assert.True((after & ~0x3Fu) == Awkward, $"{configuration}: {after:x}");
            for (var b = 1; b < actual.Length; b++)
                Assert.True(expected[b].SameBits(actual[b]), $"{configuration}: {kernel.Buffers[b].Name}");
            Compared.Add(expected.Skip(1).Sum(t => t.Count));
        }
    }

    [LlvmFact]
    public void WorkersWithAnotherModeGiveTheSameBytes()
    {
        using var jit = new Jit([LlvmCompiler.CompileToObject(ModeText, LlvmTarget.X64, 0)]);
        var exchange = jit.Lookup("exchange");
        var kernel = KernelReader.Read(Subnormals);
        static long Sizes(string name) => name == "n" ? 64 : 37;
        var x = Tensor.From(
            Enumerable.Range(0, 64 * 37).Select(i => BitConverter.Int32BitsToSingle(1 + i * 3331)).ToArray(), 64 * 37);
        var expected = Agreement.Buffers(kernel, [x], Sizes);
        new CompiledKernel(kernel).Run(expected, Sizes);
        using var pool = new WorkerPool(3);
        using var native = new NativeKernel(kernel, new("host", 3));
        // Every worker's own thread gets the mode; it stays until the threads end with the pool.
        OnEach(() => Set(exchange, Awkward));
        try
        {
            var actual = Agreement.Buffers(kernel, [x], Sizes);
            native.Run(actual, Sizes, pool);
            for (var b = 1; b < actual.Length; b++)
                Assert.True(expected[b].SameBits(actual[b]), kernel.Buffers[b].Name);
            // Worker 0 is this thread; none of the three has lost its mode.
            Assert.Equal(0, OnEach(() => (Mode(exchange) & ~0x3Fu) == Awkward ? 0 : 1));
        }
        finally
        {
            OnEach(() => Set(exchange, 0x1F80));
        }

        // A part whose thread is late is done by another: here each waits for the others.
        int OnEach(Func<int> action)
        {
            using var all = new Barrier(3);
            return pool.Run((_, _, _) =>
            {
                all.SignalAndWait();
                return action();
            }, 3);
        }
    }

    private static int Set(nint exchange, uint mode)
    {
        ((delegate* unmanaged<uint, uint>)exchange)(mode);
        return 0;
    }

    private static uint Mode(nint exchange)
    {
        var mode = ((delegate* unmanaged<uint, uint>)exchange)(0x1F80);
        ((delegate* unmanaged<uint, uint>)exchange)(mode);
        return mode;
    }
}
