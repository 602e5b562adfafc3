// In: a kernel, the targets it is printed and compiled for, a level. Out: its machine code, to be run alone.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Llvm.Native;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

/// <summary>
/// Where and how a kernel is compiled; printed for another target than compiled for where Tiles says so.
/// </summary>
internal sealed record NativeConfiguration(string Target, int Level, string? Tiles = null)
{
    public static readonly NativeConfiguration[] All =
    [
        .. from target in (string[])["host", "x86-64-v3", "x86-64"]
           from level in TargetMatrix.Full ? (int[])[0, 1, 2, 3] : [0, 3]
           select new NativeConfiguration(target, level),
        .. LlvmTarget.X64V4.CanRunHere ? [new NativeConfiguration("x86-64-v4", 3)] : (NativeConfiguration[])[],
    ];

    /// <summary>The text for AVX-512, with its larger tiles, made to run on AVX2.</summary>
    public static readonly NativeConfiguration WideTiles = new("x86-64-v3", 3, "x86-64-v4");

    /// <summary>Without instructions for fma and rounding, with them, and with the wider tiles.</summary>
    public static readonly NativeConfiguration[] Three =
        [new("x86-64", 3), new("host", 3), WideTiles, .. TargetMatrix.Full
            ? All.Except([new("x86-64", 3), new("host", 3)]) : []];

    public override string ToString() => $"{(Tiles is null ? "" : $"{Tiles} on ")}{Target} -O{Level}";
}

/// <summary>The object's undefined symbols are checked in passing: memcpy and memset at most.</summary>
internal sealed unsafe class NativeKernel : IDisposable
{
    private readonly Kernel kernel;
    private readonly PrintedKernel printed;
    private readonly Jit jit;
    private readonly delegate* unmanaged<void*, long, long, long, int> code;

    public NativeKernel(Kernel kernel, NativeConfiguration configuration)
    {
        this.kernel = kernel;
        printed = KernelText.Print(kernel, LlvmTarget.Parse(configuration.Tiles ?? configuration.Target));
        var bytes =
            LlvmCompiler.CompileToObject(printed.Text, LlvmTarget.Parse(configuration.Target), configuration.Level);
        Assert.Empty(new ElfSymbols(bytes).Undefined.Except(["memcpy", "memset"]));
        jit = new Jit([bytes]);
        code = (delegate* unmanaged<void*, long, long, long, int>)jit.Lookup(printed.Symbol);
    }

    public string Text => printed.Text;

    /// <summary>Runs over raw buffers in the kernel's order; true if a flag was raised.</summary>
    public bool Run(nint[] data, Func<string, long> sizes, WorkerPool? pool = null)
    {
        var workers = pool?.Workers ?? 1;
        var step = printed.Scratch.Evaluate(sizes) + 63 & ~63L;
        using var scratch = new Arena();
        var packing = (long)scratch.Ensure(step * workers + 64);
        long[] fields = [.. data.Select(d => (long)d), .. kernel.Sizes.Select(sizes), packing, step];
        var jobs = printed.Jobs.Evaluate(sizes);
        int status;
        fixed (long* args = fields)
            status = pool is null ? code(args, 0, jobs, 0) : pool.Run(code, args, jobs, long.MaxValue);
        Assert.Contains(status, (int[])[0, (int)ExecutionCode.IndexOutOfRange]);
        return status != 0;
    }

    public bool Run(IReadOnlyList<Tensor> buffers, Func<string, long> sizes, WorkerPool? pool = null)
    {
        var flagged = Run([.. buffers.Select(b => (nint)b.Pointer)], sizes, pool);
        GC.KeepAlive(buffers);
        return flagged;
    }

    public void Dispose() => jit.Dispose();
}
