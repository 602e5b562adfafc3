// Every row of the numerics table that is a map kernel, and random map kernels, on the OpenCL device: the same bytes.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.OpenCl;

public sealed class NumericsTableTests
{
    public static TheoryData<string> Ids => [.. NumericsTable.Rows.Select(r => r.Id).Distinct()];

    [OpenClTheory]
    [MemberData(nameof(Ids))]
    public void TheDeviceGivesTheTablesBytes(string id)
    {
        // A device that flushes or divides loosely is held to a bound elsewhere; one without f64 lacks half the rows.
        if (OpenClDevice.Default is not { RoundsDivideAndSqrt: true, KeepsSubnormals: true, HasF64: true }) return;
        foreach (var row in NumericsTable.Rows.Where(r => r.Id == id))
        {
            if (KernelReader.Read(row.Text).Kind == KernelKind.Map) row.Run(OnDevice);
            else Assert.Throws<LimitationException>(() => row.Run(OnDevice));
        }
    }

    [OpenClFact]
    public void RandomMapKernelsAgreeWithTheInterpreter()
    {
        if (OpenClDevice.Default is not { RoundsDivideAndSqrt: true, KeepsSubnormals: true, HasF64: true }) return;
        var compared = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var random = RandomKernels.Make(seed);
            if (random.Kernel.Kind != KernelKind.Map) continue;
            compared++;
            var (expected, given) = (random.Buffers(), random.Buffers());
            var flagged = new CompiledKernel(random.Kernel).Run(expected, name => random.Sizes[name]);
            Assert.Equal(flagged, OnDevice(random.Kernel, given, name => random.Sizes[name]));
            for (var i = 0; i < given.Length; i++)
            {
                Assert.True(expected[i].SameBits(given[i]),
                    $"seed {seed}, buffer {i}\n"
                    + $"{KernelPrinter.Print(random.Kernel)}{OpenClPrinter.Print(random.Kernel)}");
            }
        }
        Assert.True(compared > 8, $"only {compared} map kernels");
    }

    /// <summary>One launch of one kernel over tensors; returns whether a flag fired.</summary>
    internal static unsafe bool OnDevice(Kernel kernel, Tensor[] buffers, Func<string, long> sizes)
    {
        var source = OpenClPrinter.Source(kernel);
        var device = OpenClDevice.Default;
        using var session = new OpenClSession(device);
        var placed = buffers.Select(b => OpenClBuffer.CopyOf(device, b.Pointer, b.ByteCount)).ToArray();
        try
        {
            var flag = source.Flags ? session.ClearedFlag() : null;
            session.Launch(source, placed, [.. kernel.Sizes.Select(sizes)], flag, sizes);
            session.Finish();
            for (var b = 0; b < buffers.Length; b++)
                if (kernel.Buffers[b].IsOutput) session.Read(placed[b], buffers[b].Pointer, buffers[b].ByteCount);
            var flagged = 0;
            if (flag is not null) session.Read(flag, &flagged, sizeof(int));
            return flagged != 0;
        }
        finally
        {
            foreach (var buffer in placed) buffer.Dispose();
        }
    }
}
