// In: a program entry, a session's state, inputs, sizes. Out: the address of every buffer, for one call; then its
// results.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// One call of a program, on any backend: makes the entry checks before anything is written, then places every buffer.
/// Keep it reachable while code runs on its pointers.
/// </summary>
public sealed unsafe class ProgramCall : IDisposable
{
    private readonly Program program;
    private readonly IReadOnlyDictionary<string, long> sizes;
    private readonly List<Tensor> outputs = [];
    private readonly List<Tensor> temporaries = [];

    /// <exception cref="ExecutionException">With EntryCheck: a check fails, or a size has no value. Nothing is
    /// written.</exception>
    public ProgramCall(
        ProgramEntry entry, SessionState state, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, long> sizes)
    {
        program = entry.Program;
        this.sizes = sizes;
        foreach (var step in program.Steps.OfType<CheckStep>()) Check(step.Check);
        var slots = Checked("the arena", () => program.SlotOffsets(SizeOf));
        var shapes = program.Buffers.Select(b => Checked(b.Name, () => ShapeOf(b))).ToArray();

        Sizes = [.. program.Sizes.Select(SizeOf)];
        Counts = [.. shapes.Select(s => s.Aggregate(1L, (product, extent) => product * extent))];
        Pointers = new nint[program.Buffers.Length];
        var arena = (byte*)state.Arena.Ensure(slots[^1]);
        var nextInput = 0;
        for (var b = 0; b < program.Buffers.Length; b++)
        {
            var buffer = program.Buffers[b];
            Pointers[b] = buffer.Kind == BufferKind.Temporary
                ? (nint)(arena + slots[buffer.Slot])
                : (nint)(buffer.Kind switch
                {
                    BufferKind.Input => inputs[nextInput++],
                    BufferKind.Param or BufferKind.Buffer => StateTensor(state, buffer, shapes[b]),
                    BufferKind.Constant => entry.Constant(b)
                        ?? Keep(temporaries, ProgramEntry.Fill(buffer.Values!, shapes[b])),
                    _ => Keep(outputs, Tensor.Uninitialized(buffer.Type.DType, shapes[b])),
                }).Pointer;
        }
    }

    /// <summary>The first element of each buffer of the program, in its order.</summary>
    public nint[] Pointers { get; }

    /// <summary>The elements of each buffer.</summary>
    public long[] Counts { get; }

    /// <summary>The values of the program's sizes, in its order.</summary>
    public long[] Sizes { get; }

    public DType Type(int buffer) => program.Buffers[buffer].Type.DType;

    public long SizeOf(string name) => sizes.TryGetValue(name, out var value)
        ? value
        : throw new InternalErrorException($"the size '{name}' of @{program.Name} has no value");

    /// <summary>Hands the results to the caller, or throws what the code of a failed run says.</summary>
    /// <param name="code">0, or why the run failed.</param>
    public Tensor[] Finish(ExecutionCode code)
    {
        if (code == 0)
        {
            Tensor[] results = [.. outputs];
            outputs.Clear();
            return results;
        }
        throw new ExecutionException(code, code == ExecutionCode.IndexOutOfRange
            ? $"'{program.Name}': an index was out of range"
            : $"'{program.Name}' failed: {code}");
    }

    /// <summary>Frees what a call that did not finish has allocated.</summary>
    public void Dispose()
    {
        foreach (var tensor in outputs.Concat(temporaries)) tensor.Dispose();
        outputs.Clear();
        temporaries.Clear();
    }

    private void Check(EntryCheck check)
    {
        var (left, right) = Checked(check.Message, () => (check.Left.Evaluate(SizeOf), check.Right.Evaluate(SizeOf)));
        if (check.Kind == CheckKind.Equal ? left == right : left <= right) return;
        var relation = check.Kind == CheckKind.Equal ? "=" : "<=";
        throw new ExecutionException(ExecutionCode.EntryCheck,
            $"'{program.Name}': {check.Message}: {check.Left} {relation} {check.Right} does not hold: "
            + $"{left} {relation} {right}");
    }

    private long[] ShapeOf(ProgramBuffer buffer)
    {
        long[] shape = [.. buffer.Type.Shape.Select(s => s.Evaluate(SizeOf))];
        if (shape.Any(extent => extent < 0))
            throw new OverflowException($"{buffer.Type} would be [{string.Join(",", shape)}]");
        _ = shape.Aggregate((long)buffer.Type.DType.Bytes(), (product, extent) => checked(product * extent));
        return shape;
    }

    private T Checked<T>(string what, Func<T> evaluate)
    {
        try
        {
            return evaluate();
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw new ExecutionException(ExecutionCode.EntryCheck,
                $"'{program.Name}': {what} has no value for these sizes: {e.Message}", e);
        }
    }

    private Tensor StateTensor(SessionState state, ProgramBuffer buffer, long[] shape)
    {
        if (!state.Tensors.TryGetValue(buffer.Label, out var tensor))
            throw new InternalErrorException($"@{program.Name} uses '{buffer.Label}', which is not in the session's state");
        return ProgramEntry.Fits(tensor, buffer.Type.DType, shape)
            ? tensor
            : throw new InternalErrorException($"the state '{buffer.Label}' is not {buffer.Type}");
    }

    private static Tensor Keep(List<Tensor> list, Tensor tensor)
    {
        list.Add(tensor);
        return tensor;
    }
}
