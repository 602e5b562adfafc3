// Every row of the numerics table, and random kernels, on the OpenCL device, by items and by groups: the same bytes.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

namespace Accelerate.Tests.OpenCl;

public sealed class NumericsTableTests(ITestOutputHelper output)
{
    public static TheoryData<string> Ids => [.. TargetMatrix.Some(NumericsTable.Rows.Select(r => r.Id).Distinct())];

    [OpenClTheory]
    [MemberData(nameof(Ids))]
    public void TheDeviceGivesTheTablesBytes(string id)
    {
        // A device that flushes or divides loosely is held to a bound elsewhere; one without f64 lacks half the rows.
        if (OpenClDevice.Default is not { RoundsDivideAndSqrt: true, KeepsSubnormals: true, HasF64: true }) return;
        foreach (var row in NumericsTable.Rows.Where(r => r.Id == id))
        {
            row.Run((kernel, buffers, sizes) => OnDevice(kernel, buffers, sizes, WorkShape.Item));
            if (OpenClPrinter.Source(KernelReader.Read(row.Text)).Group is not null)
                row.Run((kernel, buffers, sizes) => OnDevice(kernel, buffers, sizes, WorkShape.Group));
        }
    }

    /// <summary>ACC_FUZZ_SEED sets the first seed (0); a failure prints its own.</summary>
    [OpenClFact]
    public void RandomKernelsAgreeWithTheInterpreter()
    {
        if (OpenClDevice.Default is not { RoundsDivideAndSqrt: true, KeepsSubnormals: true, HasF64: true }) return;
        var ran = new SortedDictionary<string, int>();
        var first = int.TryParse(Environment.GetEnvironmentVariable("ACC_FUZZ_SEED"), out var s) ? s : 0;
        var count = int.TryParse(Environment.GetEnvironmentVariable("ACC_OPENCL_SEEDS"), out var c) ? c
            : TargetMatrix.Full ? 60 : 20;
        for (var seed = first; seed < first + count; seed++)
        {
            var random = RandomKernels.Make(seed);
            var expected = random.Buffers();
            var flagged = new CompiledKernel(random.Kernel).Run(expected, name => random.Sizes[name]);
            // One of the two texts a seed: other kernels are worth more than the same one twice.
            var shape = seed % 3 == 0 ? WorkShape.Item : WorkShape.Group;
            var given = random.Buffers();
            Assert.Equal(flagged, OnDevice(random.Kernel, given, name => random.Sizes[name], shape));
            for (var i = 0; i < given.Length; i++)
            {
                Assert.True(expected[i].SameBits(given[i]),
                    $"seed {seed}, {shape}, buffer {i}\n"
                    + $"{KernelPrinter.Print(random.Kernel)}{OpenClPrinter.Print(random.Kernel)}\n{expected[i]}\n{given[i]}");
            }
            Compared.Add(given.Sum(g => g.Count));
            var kind = $"{random.Kernel.Kind} by {shape}";
            ran[kind] = ran.GetValueOrDefault(kind) + 1;
        }
        output.WriteLine(
            $"seeds {first} to {first + count - 1}: {string.Join(", ", ran.Select(r => $"{r.Value} {r.Key}"))}");
        Assert.Contains("Row by Group", ran.Keys);
        Assert.Contains("Contraction by Group", ran.Keys);
    }

    /// <summary>One launch of one kernel over tensors; returns whether a flag fired.</summary>
    internal static unsafe bool OnDevice(Kernel kernel, Tensor[] buffers, Func<string, long> sizes, WorkShape shape)
    {
        var source = OpenClPrinter.Source(kernel);
        var device = OpenClDevice.Default;
        using var session = new OpenClSession(device);
        var placed = buffers.Select(b => OpenClBuffer.CopyOf(device, b.Pointer, b.ByteCount)).ToArray();
        try
        {
            var flag = source.Item.Flags ? session.ClearedFlag() : null;
            session.Launch(source, shape, placed, flag, 1, sizes);
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
