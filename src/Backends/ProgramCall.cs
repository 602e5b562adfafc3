// In: a program entry, a session's state, inputs, sizes. Out: the address of every buffer, for one call; then its
// results.
using System.Collections.Immutable;
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
    private readonly Dictionary<string, long> sizes;
    private readonly SessionState state;
    private readonly long[][] shapes;
    private readonly List<Tensor> outputs = [];
    private readonly List<Tensor> temporaries = [];

    /// <exception cref="ExecutionException">With EntryCheck: a check fails, or a size has no value. Nothing is
    /// written.</exception>
    internal ProgramCall(
        ProgramEntry entry, ModelState model, SessionState state, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, long> sizes)
    {
        program = entry.Program;
        this.state = state;
        this.sizes = new(sizes);
        foreach (var step in program.Steps.OfType<CheckStep>()) Check(step.Check);
        var slots = Checked("the arena", () => program.SlotOffsets(SizeOf));
        shapes = program.Buffers.Select(b => Checked(b.Name, () => ShapeOf(b))).ToArray();

        Sizes = [.. program.Sizes.Select(SizeOf)];
        Counts = [.. shapes.Select(s => s.Aggregate(1L, (product, extent) => product * extent))];
        Pointers = new nint[program.Buffers.Length];
        var arena = (byte*)state.Arena.Ensure(slots[^1]);
        var folded = model.ConstantsOf(entry, state);
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
                    BufferKind.Constant => folded?[b] ?? entry.Constant(b)
                        ?? Keep(temporaries, ProgramEntry.Fill(buffer.Values!, shapes[b])),
                    _ => Keep(outputs, Tensor.Uninitialized(buffer.Type.DType, shapes[b])),
                }).Pointer;
        }
        foreach (var (buffer, i) in program.Of(BufferKind.Input).Select((b, i) => (b, i)).Where(b => b.b.IsInout))
            Apart(buffer.Label, inputs[i], inputs.Where((_, other) => other != i).Concat(state.Tensors.Values));
    }

    /// <summary>The first element of each buffer of the program, in its order.</summary>
    public nint[] Pointers { get; }

    /// <summary>The elements of each buffer.</summary>
    public long[] Counts { get; }

    /// <summary>The values of the program's sizes, in its order.</summary>
    public long[] Sizes { get; }

    /// <summary>The bytes of a buffer.</summary>
    public long Bytes(int buffer) => Counts[buffer] * Type(buffer).Bytes();

    public DType Type(int buffer) => program.Buffers[buffer].Type.DType;

    /// <summary>A size, or a default where it has no value: the variable of a loop that has not begun.</summary>
    public long ValueOr(string name, long otherwise) => sizes.GetValueOrDefault(name, otherwise);

    public long SizeOf(string name) => sizes.TryGetValue(name, out var value)
        ? value
        : throw new InternalErrorException($"the size '{name}' of @{program.Name} has no value");

    /// <summary>Sets the variable of a driver loop for the iteration that begins.</summary>
    public void Enter(string variable, long value) => sizes[variable] = value;

    /// <summary>The most that a size can be in this call, over all iterations of the driver's loops.</summary>
    public long Greatest(Size size)
    {
        var loops = program.AllSteps.SelectMany(s => s switch
        {
            LoopStep l => [(l.Variable, Most: l.Count - 1)],
            SizeStep z => [(z.Variable, z.Most)],
            _ => Array.Empty<(string Variable, Size Most)>(),
        }).ToLookup(l => l.Variable, l => l.Most);
        (long Low, long High) Range(string name) => sizes.TryGetValue(name, out var value)
            ? (value, value)
            : (0, loops[name].Max(count => Math.Max(0, SizeBound.Greatest(count, Range))));
        return Checked("scratch memory", () => SizeBound.Greatest(size, Range));
    }

    /// <summary>Writes what a print step says about the buffers as they are now.</summary>
    /// <param name="step">The step.</param>
    /// <param name="fetch">Where a buffer is on the host; <see cref="Pointers"/> if null.</param>
    public void Print(PrintStep step, Func<int, nint>? fetch = null) =>
        state.Output.Write(Formatted(step.Format, step.Buffers, fetch) + "\n");

    /// <summary>Hands the results to the caller, or throws what the code of a failed run says.</summary>
    /// <param name="code">0, or why the run failed.</param>
    /// <param name="failed">The step that failed, if it is known.</param>
    /// <param name="fetch">Where a buffer is on the host; <see cref="Pointers"/> if null.</param>
    public Tensor[] Finish(ExecutionCode code, Step? failed = null, Func<int, nint>? fetch = null)
    {
        if (code == 0)
        {
            Tensor[] results = [.. outputs];
            outputs.Clear();
            return results;
        }
        var place = failed switch
        {
            CallStep { Place.Length: > 0 } c => $" ({c.Place})",
            AssertStep { Place.Length: > 0 } a => $" ({a.Place})",
            _ => "",
        };
        throw new ExecutionException(code, code switch
        {
            ExecutionCode.IndexOutOfRange => $"'{program.Name}': an index was out of range{place}",
            ExecutionCode.DriverCheck when failed is AssertStep a => $"'{program.Name}': {Formatted(a.Message, a.Buffers, fetch)}{place}",
            _ => $"'{program.Name}' failed: {code}{place}",
        });
    }

    /// <summary>Frees what a call that did not finish has allocated.</summary>
    public void Dispose()
    {
        foreach (var tensor in outputs.Concat(temporaries)) tensor.Dispose();
        outputs.Clear();
        temporaries.Clear();
    }

    /// <summary>What is written in place must be nobody else's: the order of reads and writes would show.</summary>
    private void Apart(string name, Tensor written, IEnumerable<Tensor> others)
    {
        var (begin, end) = ((nint)written.Pointer, (nint)written.Pointer + (nint)written.ByteCount);
        if (others.Any(o => (nint)o.Pointer < end && begin < (nint)o.Pointer + (nint)o.ByteCount))
            throw new ExecutionException(ExecutionCode.EntryCheck,
                $"'{program.Name}': the inout '{name}' shares memory with another argument or with the state");
    }

    private string Formatted(string format, ImmutableArray<int> buffers, Func<int, nint>? fetch) => PrintFormat.Format(
        format, [.. buffers.Select(b => Tensor.View(Type(b), shapes[b], (void*)(fetch?.Invoke(b) ?? Pointers[b]), this).Clone())]);

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
