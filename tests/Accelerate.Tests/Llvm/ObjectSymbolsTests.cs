// What the objects of whole programs leave undefined, as `nm -u` prints it: memcpy and memset, and a driver's own
// kernels.
using Accelerate.Backends.Llvm;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler;
using Accelerate.Runtime;
using Accelerate.Tests.Llvm.Native;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class ObjectSymbolsTests(ITestOutputHelper output)
{
    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (var folder in (string[])["examples", "tests/cases/control", "tests/cases/state"])
            foreach (var file in Directory.GetFiles(Path.Combine(Shared.Repository, folder), "*.acc")
                .Order(StringComparer.Ordinal))
                data.Add(Path.GetRelativePath(Shared.Repository, file));
        data.Add("examples/models/resnet50.acc");
        data.Add("examples/models/gpt2.acc");
        return data;
    }

    [LlvmTheory]
    [MemberData(nameof(Files))]
    public void NothingButMemcpyMemsetAndKernels(string file)
    {
        var compilation = Compilation.FromFile(Path.Combine(Shared.Repository, file));
        if (compilation.Programs.Count == 0) return; // a file about an error
        var cache = DiskCache.FromEnvironment(); // the host's are there when other tests have run
        string[] targets = ["host", .. TargetMatrix.Has(file) ? TargetMatrix.Targets : []];
        foreach (var target in targets.Select(LlvmTarget.Parse).DistinctBy(t => (t.Cpu, t.Features)))
        {
            var modules = LlvmExecutable.Modules(compilation.Programs, target.Name);
            var own = modules.Select(m => m.Name).ToHashSet();
            var objects = 0;
            foreach (var (name, text, passes) in modules)
            {
                var undefined = new ElfSymbols(
                    ObjectCache.GetOrCompile(cache, text, target, 3, passes).Bytes).Undefined;
                // Only drivers call kernels: a kernel stands alone.
                var isDriver = compilation.Programs.Any(p => name.EndsWith($"_{p.Name}", StringComparison.Ordinal));
                Assert.Empty(undefined.Except(["memcpy", "memset"]).Except(isDriver ? own : []));
                objects++;
            }
            output.WriteLine($"{file}, {target.Name}: {objects} objects");
        }
    }
}
