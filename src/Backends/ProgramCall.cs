// In: a program entry, a session's state, inputs, sizes. Out: the address of every buffer for one call; then its
// results.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// The calls of a program with the same sizes, one after the other, on any backend. It is created once with the results
/// of the entry checks and everything that depends on sizes: shapes, the layout of the arena, constants with symbolic
/// shapes. <see cref="Begin"/> then places the buffers of one call. Keep it reachable while code uses its pointers.
/// </summary>
internal sealed unsafe class ProgramCall : IDisposable
{
    private readonly Program program;
    private readonly ProgramEntry entry;
    private readonly ModelState model;
    private readonly SessionState state;
    private readonly Dictionary<string, long> sizes;
    private readonly long[][] shapes;
    private readonly ArenaLayout layout;
    private readonly int[] inputBuffers;
    private readonly int[] outputBuffers;
    private readonly Tensor?[] made;
    private readonly Tensor?[] filled;
    private readonly bool[] inout;
    private readonly IReadOnlyList<MemoryUse> memory;
    private nint arena;
    private int version = -1;
    private bool entered;

    private ProgramCall(ProgramEntry entry, ModelState model, SessionState state,
        IReadOnlyDictionary<string, long> sizes)
    {
        (program, this.entry, this.model, this.state, this.sizes) = (entry.Program, entry, model, state, new(sizes));
        foreach (var check in program.Plan.Checks) Check(check);
        shapes = program.Buffers.Select(b => Checked(b.Name, () => ShapeOf(b))).ToArray();
        layout = Checked("the arena", () => new ArenaLayout(program, SizeOf));
        ScratchStep = Checked("scratch memory",
            () => checked(program.Plan.Scratch.Select(s => s.Evaluate(SizeOf)).DefaultIfEmpty(0).Max() + 63 & ~63L));
        Sizes = [.. program.Sizes.Select(SizeOf)];
        Counts = [.. shapes.Select(s => s.Aggregate(1L, (product, extent) => product * extent))];
        Pointers = new nint[program.Buffers.Length];
        inputBuffers = Numbers(BufferKind.Input);
        outputBuffers = Numbers(BufferKind.Output);
        inout = [.. program.Of(BufferKind.Input).Select(b => b.IsInout)];
        memory = ProgramMemory.Of(program, shapes, layout.Bytes);
        MemoryException.ThrowIfBeyond($"'{program.Name}'", memory, state.MemoryLimit);
        made = new Tensor?[outputBuffers.Length];
        filled = new Tensor?[program.Buffers.Length];
    }

    /// <summary>
    /// Makes the entry checks before anything is written, unless they were made before, and places every buffer.
    /// </summary>
    /// <param name="entry">The program.</param>
    /// <param name="model">The executable's state, to which the entry belongs.</param>
    /// <param name="state">The session's state.</param>
    /// <param name="inputs">The inputs in order.</param>
    /// <param name="sizes">Stores the call's plan.</param>
    /// <param name="results">Nulls become new tensors, which <see cref="End"/> frees unless <see cref="Finish"/> was
    /// reached.</param>
    /// <exception cref="ExecutionException">With EntryCheck: a check fails, a size has no value, or a given result does
    /// not fit. Nothing is written.</exception>
    /// <exception cref="MemoryException">There is not enough memory for the buffers. Nothing is written.</exception>
    public static ProgramCall Begin(
        ProgramEntry entry, ModelState model, SessionState state, ReadOnlySpan<Tensor> inputs, CallSizes sizes,
            Span<Tensor> results)
    {
        if (sizes.Plan is not ProgramCall call) sizes.Plan = call = new ProgramCall(entry, model, state, sizes.Values);
        call.Forget();
        try
        {
            call.Place(inputs, results);
            return call;
        }
        catch (Exception e)
        {
            call.End();
            if (e is OutOfMemoryException or MemoryException { Limit: null })
                throw call.OutOfMemory(e);
            throw;
        }
    }

    /// <summary>Adds the backend's further memory to that of the program's buffers, before it is allocated.</summary>
    /// <exception cref="MemoryException">With it the call exceeds its limit.</exception>
    public void Needs(string what, long bytes) => MemoryException.ThrowIfBeyond(
        $"'{program.Name}'", [.. memory, new MemoryUse(what, bytes)], state.MemoryLimit);

    /// <summary>Data that a backend computes once for these sizes and keeps.</summary>
    public object? BackendPlan { get; set; }

    /// <summary>The first element of each buffer of the program, in its order.</summary>
    public nint[] Pointers { get; }

    /// <summary>
    /// Bytes from one worker's scratch memory to the next one's, in whole cache lines, so that no two workers write to
    /// the same line.
    /// </summary>
    public long ScratchStep { get; }

    /// <summary>The elements of each buffer.</summary>
    public long[] Counts { get; }

    /// <summary>The values of the program's sizes, in its order.</summary>
    public long[] Sizes { get; }

    /// <summary>The bytes of a buffer.</summary>
    public long Bytes(int buffer) => Counts[buffer] * Type(buffer).Bytes();

    public DType Type(int buffer) => program.Buffers[buffer].Type.DType;

    /// <summary>The value of a size, or a default if it has none: the variable of a loop that has not begun.</summary>
    public long ValueOr(string name, long otherwise) => sizes.GetValueOrDefault(name, otherwise);

    public long SizeOf(string name) => sizes.TryGetValue(name, out var value)
        ? value
        : throw new InternalErrorException($"the size '{name}' of @{program.Name} has no value");

    /// <summary>
    /// The number of elements that a step's kernel declares for each of its buffers, with the current sizes; at most
    /// the buffers' own.
    /// </summary>
    public long[] CountsOf(CallStep step)
    {
        var kernel = program.Kernels[step.Kernel];
        var counts = new long[step.Buffers.Length];
        for (var b = 0; b < counts.Length; b++)
        {
            var (declared, given) = (kernel.Buffers[b], step.Buffers[b]);
            counts[b] = declared.Count.Evaluate(SizeOf);
            if (Type(given) != declared.Type || counts[b] > Counts[given])
                throw new InternalErrorException(
                    $"kernel @{kernel.Name} wants {declared.Name}: {declared.Type.Name()} x {counts[b]}, "
                    + $"the program gives {Type(given).Name()} x {Counts[given]}");
        }
        return counts;
    }

    /// <summary>Sets the variable of a driver loop for the next iteration.</summary>
    public void Enter(string variable, long value)
    {
        sizes[variable] = value;
        entered = true;
    }

    /// <summary>Writes the output of a print step for the current buffers.</summary>
    /// <param name="step">The step.</param>
    /// <param name="fetch">The address of a buffer on the host; <see cref="Pointers"/> if null.</param>
    public void Print(PrintStep step, Func<int, nint>? fetch = null) =>
        state.Output.Write(Formatted(step.Format, step.Buffers, fetch) + "\n");

    /// <summary>
    /// Called before a step runs: from a step that writes state on, a failure leaves the state half written.
    /// </summary>
    public void Begin(Step step)
    {
        if (entry.WritesState(step)) state.IsWritten = true;
    }

    /// <summary>Stops the call before its next step.</summary>
    public CancellationToken Cancellation => state.Cancellation;

    /// <summary>True if the entry assigns state.</summary>
    public bool AssignsState => entry.AssignsState;

    /// <summary>From here on a failure leaves the state half written.</summary>
    public void BeginState() => state.IsWritten = true;

    /// <summary>The error of a call in which an allocation failed.</summary>
    public MemoryException OutOfMemory(Exception e) => MemoryException.From($"'{program.Name}'", memory, e);

    /// <summary>The error of a call whose callback threw.</summary>
    public ExecutionException CallbackFailed(Exception? inner) =>
        new(ExecutionCode.Host, $"'{program.Name}': a callback failed", inner);

    private static string At(string place, string layer) => (place, layer) switch
    {
        ("", "") => "",
        (_, "") => $" ({place})",
        ("", _) => $" (in {layer})",
        _ => $" ({place} in {layer})",
    };

    /// <summary>Hands the results to the caller, or throws the error of a failed run.</summary>
    /// <param name="code">0, or why the run failed.</param>
    /// <param name="failed">The step that failed, if it is known.</param>
    /// <param name="fetch">The address of a buffer on the host; <see cref="Pointers"/> if null.</param>
    /// <param name="isPlain">True if <see cref="Pointers"/> still contain what the failed step read.</param>
    public void Finish(ExecutionCode code, Step? failed = null, Func<int, nint>? fetch = null, bool isPlain = false)
    {
        if (code == 0)
        {
            Array.Clear(made);
            return;
        }
        var place = failed switch
        {
            CallStep c => At(c.Place, c.Layer),
            AssertStep a => At(a.Place, a.Layer),
            _ => "",
        };
        throw new ExecutionException(code, code switch
        {
            ExecutionCode.IndexOutOfRange => $"'{program.Name}': an index was out of range{place}",
            ExecutionCode.DriverCheck when failed is CheckStep c => $"'{program.Name}': {c.Check.Message}{place}",
            ExecutionCode.DriverCheck when failed is AssertStep a =>
                $"'{program.Name}': {Formatted(a.Message, a.Buffers, fetch)}{place}",
            _ => $"'{program.Name}' failed: {code}{place}",
        })
        {
            Details = code == ExecutionCode.IndexOutOfRange && isPlain && failed is CallStep call
                ? IndexReport.Of(program.Kernels[call.Kernel], call.Buffers, this) : null,
        };
    }

    /// <summary>Frees the results of a call that did not finish.</summary>
    public void End()
    {
        foreach (var tensor in made) tensor?.Dispose();
        Array.Clear(made);
    }

    /// <summary>Frees what the plan holds.</summary>
    public void Dispose()
    {
        End();
        foreach (var tensor in filled) tensor?.Dispose();
        (BackendPlan as IDisposable)?.Dispose();
    }

    private int[] Numbers(BufferKind kind) =>
        [.. Enumerable.Range(0, program.Buffers.Length).Where(b => program.Buffers[b].Kind == kind)];

    /// <summary>Removes the variables of an earlier call's loops.</summary>
    private void Forget()
    {
        if (!entered) return;
        foreach (var variable in program.Variables) sizes.Remove(variable);
        entered = false;
    }

    private void Place(ReadOnlySpan<Tensor> inputs, Span<Tensor> results)
    {
        for (var i = 0; i < inputs.Length; i++) Pointers[inputBuffers[i]] = (nint)inputs[i].Pointer;
        for (var i = 0; i < inout.Length; i++)
            if (inout[i]) Apart("inout", i, inputs[i], inputs, i, [], -1);
        for (var i = 0; i < results.Length; i++)
            if (results[i] is { } given) Given(i, given, inputs, results);
        // After the checks, so that a refused call changes nothing.
        PlaceState();
        for (var i = 0; i < results.Length; i++)
        {
            var buffer = outputBuffers[i];
            if (results[i] is null)
                results[i] = made[i] = Tensor.Uninitialized(program.Buffers[buffer].Type.DType, shapes[buffer]);
            Pointers[buffer] = (nint)results[i].Pointer;
        }
    }

    /// <summary>
    /// Places what keeps its address between calls: the arena, state, constants; again if one of them has moved.
    /// </summary>
    private void PlaceState()
    {
        var begin = (nint)state.Arena.Ensure(layout.Bytes);
        if (begin == arena && version == state.Version) return;
        var folded = model.ConstantsOf(entry, state);
        for (var b = 0; b < program.Buffers.Length; b++)
        {
            var buffer = program.Buffers[b];
            Pointers[b] = buffer.Kind switch
            {
                BufferKind.Temporary => begin + (nint)layout.Offsets[b],
                BufferKind.Param or BufferKind.Buffer => (nint)StateTensor(state, buffer, shapes[b]).Pointer,
                BufferKind.Constant =>
                    (nint)(folded?[b] ?? entry.Constant(b)
                        ?? (filled[b] ??= ProgramEntry.Fill(buffer.Values!, shapes[b]))).Pointer,
                _ => Pointers[b],
            };
        }
        (arena, version) = (begin, state.Version);
    }

    private void Given(int result, Tensor given, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> results)
    {
        var buffer = program.Buffers[outputBuffers[result]];
        if (!ProgramEntry.Fits(given, buffer.Type.DType, shapes[outputBuffers[result]]))
            throw new ExecutionException(ExecutionCode.EntryCheck,
                $"'{program.Name}': the tensor given for result {result} "
                + $"must be {buffer.Type.DType.Name()}[{string.Join(",", shapes[outputBuffers[result]])}]");
        if (given.IsReadOnly)
            throw new ExecutionException(ExecutionCode.EntryCheck,
                $"'{program.Name}': the tensor given for result {result} is read-only");
        Apart("result", result, given, inputs, -1, results, result);
    }

    /// <summary>
    /// Checks that memory written in place is not shared, because the order of reads and writes would affect the
    /// result.
    /// </summary>
    private void Apart(string what, int number, Tensor written, ReadOnlySpan<Tensor> inputs, int input,
        ReadOnlySpan<Tensor> results, int result)
    {
        var shared = false;
        for (var i = 0; i < inputs.Length; i++) shared |= i != input && Overlap(written, inputs[i]);
        for (var i = 0; i < results.Length; i++)
            shared |= i != result && results[i] is { } other && Overlap(written, other);
        foreach (var tensor in state.Tensors.Values) shared |= Overlap(written, tensor);
        if (!shared) return;
        var name = what == "inout" ? $"inout '{program.Buffers[inputBuffers[number]].Label}'" : $"{what} {number}";
        throw new ExecutionException(ExecutionCode.EntryCheck,
            $"'{program.Name}': the {name} shares memory with another argument or with the state");
    }

    private static bool Overlap(Tensor a, Tensor b) =>
        (nint)b.Pointer < (nint)a.Pointer + (nint)a.ByteCount && (nint)a.Pointer < (nint)b.Pointer + (nint)b.ByteCount;

    private string Formatted(string format, ImmutableArray<int> buffers, Func<int, nint>? fetch) => PrintFormat.Format(
        format, [.. buffers.Select(
            b => Tensor.View(Type(b), shapes[b], (void*)(fetch?.Invoke(b) ?? Pointers[b]), this).Clone())]);

    /// <summary>True if a check holds for the current sizes.</summary>
    public bool Holds(EntryCheck check) => Checked(check.Message, () => check.Holds(SizeOf));

    private void Check(EntryCheck check)
    {
        if (Holds(check)) return;
        var (left, right) = (check.Left.Evaluate(SizeOf), check.Right.Evaluate(SizeOf));
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
                e is OverflowException ? $"'{program.Name}': {what}: with these sizes a number does not fit in 64 bits"
                    : $"'{program.Name}': {what} has no value for these sizes: {e.Message}", e);
        }
    }

    private Tensor StateTensor(SessionState state, ProgramBuffer buffer, long[] shape)
    {
        if (!state.Tensors.TryGetValue(buffer.Label, out var tensor))
            throw new InternalErrorException(
                $"@{program.Name} uses '{buffer.Label}', which is not in the session's state");
        return ProgramEntry.Fits(tensor, buffer.Type.DType, shape)
            ? tensor
            : throw new InternalErrorException($"the state '{buffer.Label}' is not {buffer.Type}");
    }
}
