// In: two hundred JITs, one after the other. Out: that the process is no larger for them.
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

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
    }
}
