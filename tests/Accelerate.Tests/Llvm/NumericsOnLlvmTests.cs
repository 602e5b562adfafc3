// Every row of the numerics table on LLVM: three targets, -O0 and -O3, in scalar code and in lanes, one thread and
// three.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class NumericsOnLlvmTests
{
    public static TheoryData<string, int, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, bool>();
            foreach (var configuration in NativeConfiguration.All)
                foreach (var lanes in (bool[])[false, true])
                    cases.Add(configuration.Target, configuration.Level, lanes);
            return cases;
        }
    }

    [LlvmTheory]
    [MemberData(nameof(Cases))]
    public void LlvmGivesTheTablesBytes(string target, int level, bool lanes)
    {
        // Many rows are one kernel with other inputs.
        var compiled = new ConcurrentDictionary<string, Lazy<NativeKernel>>();
        var failures = new ConcurrentBag<string>();
        var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(NumericsTable.Rows, cores, row =>
        {
            try
            {
                foreach (var pool in new[] { null, Agreement.Pool })
                {
                    row.Run((kernel, buffers, sizes) =>
                    {
                        kernel = lanes ? InLanes(kernel) : Serially(kernel);
                        KernelVerifier.Verify(kernel);
                        var native = compiled.GetOrAdd(KernelPrinter.Print(kernel),
                            _ => new(() => new NativeKernel(kernel, new(target, level))));
                        return native.Value.Run(buffers, sizes, pool);
                    });
                    Compared.Add(row.Expected.Sum(t => t.Count));
                }
            }
            catch (Exception e) when (e is Xunit.Sdk.XunitException or LlvmException)
            {
                failures.Add($"{row}\n{e.Message}");
            }
        });
        foreach (var native in compiled.Values) native.Value.Dispose();
        Assert.True(failures.IsEmpty, $"{failures.Count} rows fail:\n{string.Join("\n\n", failures.Order().Take(5))}");
    }

    /// <summary>Every vector loop becomes a serial one.</summary>
    private static Kernel Serially(Kernel kernel) =>
        kernel with { Body = Each(kernel.Body, LoopKind.Vector, LoopKind.Serial, _ => true) };

    /// <summary>Every parallel loop around nothing but straight-line code becomes a vector loop.</summary>
    private static Kernel InLanes(Kernel kernel) => kernel with
    {
        Body = Each(kernel.Body, LoopKind.Parallel, LoopKind.Vector,
            l => Kernel.Statements(l.Body)
                .All(s => s is not (Loop or Contract or Ordering or Reduction { Lanes: true }))),
    };

    private static Block Each(Block block, LoopKind from, LoopKind to, Func<Loop, bool> where) =>
        new([.. block.Statements.Select(
        s => s is Loop l
            ? l with { Kind = l.Kind == from && where(l) ? to : l.Kind, Body = Each(l.Body, from, to, where) } : s)]);
}
