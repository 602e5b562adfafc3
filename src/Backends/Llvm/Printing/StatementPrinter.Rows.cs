// In: a printer and an adjacent iteration. Out: a printer for that iteration, and the properties that rows in step
// need.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

internal sealed partial class StatementPrinter
{
    private Dictionary<Store, string> streams = [];
    private Load[] streamed = [];
    private StreamingStores? streaming;

    public IndexPrinter Index => index;

    public ScalarPrinter Scalars => scalars;

    /// <summary>This row's part of the <see cref="RowCache"/>.</summary>
    public string? Kept { get; set; }

    /// <summary>The buffers of this call that are too large for the caches; null for none.</summary>
    public StreamingStores? Streaming { set => streaming = value; }

    /// <summary>A printer for another iteration, with the values so far; inside a lane loop if one is given.</summary>
    public StatementPrinter Fork(LaneLoop? lanes = null)
    {
        var fork =
            new StatementPrinter(kernel, text, scalars, index.Fork(lanes), buffers, status, contraction, attention,
                scratch, vectors)
            {
                fills = fills,
                definitions = definitions,
                nowhere = nowhere,
                interleaved = interleaved,
                streams = new(streams),
                streamed = streamed,
                streaming = streaming,
                Kept = Kept,
            };
        fork.Enter(new Copy(copy, copy.Number));
        return fork;
    }

    /// <summary>Decides, before a vector loop, which of its stores bypass the caches.</summary>
    public void ChooseStreams(Loop loop)
    {
        streams.Clear();
        streamed = [.. loop.Body.Statements.OfType<Load>().Where(l => l.Guards.IsEmpty)];
        foreach (var store in loop.Body.Statements.OfType<Store>())
            if (streaming?.Choose(store, loop, index, buffers[store.Buffer]) is { } condition)
                streams[store] = condition;
    }

    /// <summary>
    /// The prefetch distance in bytes where results bypass the caches: reads then overlap the writes, with which they
    /// compete for memory. Relu over 64 MiB on 1 and 2 threads: 3.21 and 1.62 ms without, 2.85 and 1.47 with 1 KiB,
    /// 3.04 and 1.52 with 4, 3.11 and 1.51 with 16 (C, Zen 4, huge pages). Blocks of 16 KiB in turns instead of halves:
    /// 3.14.
    /// </summary>
    private const int Ahead = 1024;

    /// <summary>Prefetches the line of a load's first lane; harmless even at an invalid address.</summary>
    public void Prefetch(Load load, int bytes = 0)
    {
        if (index.Affine(load.Offset) is not (var start, 1, var more)) return;
        more += bytes / load.Result.Type.Bytes();
        text.Declare("declare void @llvm.prefetch.p0(ptr, i32 immarg, i32 immarg, i32 immarg)");
        text.Do($"call void @llvm.prefetch.p0(ptr {Address(load.Buffer, start, more)}, i32 0, i32 3, i32 1)");
    }
}
