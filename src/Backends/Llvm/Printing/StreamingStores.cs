// In: a kernel's outputs and their sizes in a call. Out: which vector stores bypass the caches, and the fence after
// them.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// A plain store reads the line it writes to, and evicts another one; a non-temporal store of whole lines does neither.
/// It pays if the result is too large to stay in a cache for its next reader. Decided in each call from the buffer's
/// size and address, never from values, so that all stores of a loop are of the same kind; the bits are the same.
/// </summary>
internal sealed class StreamingStores
{
    /// <summary>
    /// The minimum bytes of a result that bypasses the caches. The kernel of relu over as many bytes, plain and
    /// streaming (µs, one thread of a Zen 4 virtual machine with 32 MiB of third-level cache, others at work on it): 4
    /// MiB 91 and 155, 8 MiB 226 and 298, 16 MiB 807 and 646, 32 MiB 2222 and 1584, 64 MiB 4516 and 3098.
    /// </summary>
    private const long Threshold = 16 << 20;

    private readonly LlvmText text;
    private readonly Dictionary<int, string> isLarge = [];
    private readonly string any;

    private StreamingStores(Kernel kernel, IEnumerable<int> candidates, LlvmText text, IndexPrinter index)
    {
        this.text = text;
        foreach (var buffer in candidates)
        {
            var bytes = index.Scalar(kernel.Buffers[buffer].Count * kernel.Buffers[buffer].Type.Bytes());
            isLarge[buffer] = text.Value($"icmp sge i64 {bytes}, {Threshold}");
        }
        any = isLarge.Values.Aggregate((a, b) => text.Value($"or i1 {a}, {b}"));
    }

    /// <summary>Created at the kernel's entry, where its sizes are known; null if no store can be streamed.</summary>
    public static StreamingStores? For(Kernel kernel, LlvmTarget target, LlvmText text, IndexPrinter index)
    {
        if (target.VectorBits == 0) return null;
        var stored = Kernel.Statements(kernel.Body).OfType<Loop>().Where(l => l.Kind == LoopKind.Vector)
            .SelectMany(l => l.Body.Statements.OfType<Store>()).Select(s => s.Buffer).Distinct();
        int[] candidates = [.. stored.Where(b => IsCandidate(kernel.Buffers[b])).Order()];
        return candidates.Length == 0 ? null : new StreamingStores(kernel, candidates, text, index);
    }

    /// <summary>Whole vectors of narrow types are not whole lines.</summary>
    private static bool IsCandidate(KernelBuffer buffer) => !buffer.IsUpdated && buffer.Type.Bytes() >= 4
        && !(buffer.Count.IsConstant && buffer.Count.Value * buffer.Type.Bytes() < Threshold);

    /// <summary>
    /// The condition, printed before the loop, under which a store of the loop's whole vectors streams: a large buffer,
    /// and a first vector at the start of a line, which implies it for all. Null if that is not known before the loop.
    /// </summary>
    public string? Choose(Store store, Loop loop, IndexPrinter index, string pointer)
    {
        if (!isLarge.TryGetValue(store.Buffer, out var large) || !store.Guards.IsEmpty) return null;
        if (store.Offset.AffineIn(loop.Variable) is not var (stride, rest) || !stride.Is(1)) return null;
        var inside = Kernel.Statements(loop.Body).OfType<Compute>().Select(c => c.Result.IndexName).ToHashSet();
        if (rest.Variables().Any(inside.Contains)) return null;
        var first = text.Value(
            $"getelementptr {Types.Memory(store.Value.Type)}, ptr {pointer}, i64 {index.Scalar(rest)}");
        var within = text.Value($"and i64 {text.Value($"ptrtoint ptr {first} to i64")}, {Line - 1}");
        return text.Value($"and i1 {large}, {text.Value($"icmp eq i64 {within}, 0")}");
    }

    /// <summary>A line of x86-64, which a vector of 16 lanes then fills.</summary>
    private const int Line = 64;

    public void Store(string condition, string typedValue, string address, Action cached, Action prefetch) =>
        text.If(condition,
        () =>
        {
            prefetch();
            text.Do($"store {typedValue}, ptr {address}, align {Line}, !nontemporal !0");
        }, cached);

    /// <summary>Only a fence orders streaming stores, and another thread may read the result next.</summary>
    public void Finish() => text.If(any, () =>
    {
        text.Declare("declare void @llvm.x86.sse.sfence()");
        text.Do("call void @llvm.x86.sse.sfence()");
    });
}
