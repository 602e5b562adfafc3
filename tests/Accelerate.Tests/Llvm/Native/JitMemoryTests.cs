// In: two hundred JITs, one after the other. Out: that the process is no larger for them.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm.Native;

/// <summary>Runs while no other test does: it measures the whole process.</summary>
[CollectionDefinition(nameof(JitMemoryTests), DisableParallelization = true)]
public sealed class JitMemoryCollection;

[Collection(nameof(JitMemoryTests))]
public sealed class JitMemoryTests
{
    [LlvmFact]
    public void Memory_stays_flat_over_200_jits()
    {
        var text = Samples.Elementwise("fadd");
        void Cycle(int count)
        {
            for (var i = 0; i < count; i++)
                Samples.Run(text, 100);
        }

        // The first rounds fill LLVM's and the allocator's own caches.
        Cycle(30);
        var before = ResidentBytes();
        Cycle(200);
        var grown = ResidentBytes() - before;
        // A leaked context or JIT costs 100 KiB and more a cycle: 200 of them could not hide below this.
        Assert.True(grown < 8 << 20, $"resident memory grew by {grown >> 10} KiB over 200 JITs");
    }

    /// <summary>
    /// The code of an executable that cannot be made (here a weight does not fit) goes with the exception: 30,000
    /// random sequences of public calls ran out of mappings before it did.
    /// </summary>
    [LlvmFact]
    public void Executables_that_cannot_be_made_leave_no_code()
    {
        var model = Compilation.FromSource(new SourceText("m.acc",
            "module M {\n  param w: f32[3] = 2\n  export fn f(x: f32[3]) -> f32[3] = x * w\n}\n")).Model;
        var weights = new Dictionary<string, Tensor> { ["w"] = Tensor.Zeros(DType.F32, 4) };
        void Cycle(int count)
        {
            for (var i = 0; i < count; i++)
                Assert.Throws<ArgumentException>(() => Executables.Create("llvm", model, weights: weights));
        }

        Cycle(30);
        var before = File.ReadLines("/proc/self/maps").Count();
        Cycle(200);
        var grown = File.ReadLines("/proc/self/maps").Count() - before;
        Assert.True(grown < 100, $"{grown} more mappings after 200 executables that could not be made");
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
    }
}
