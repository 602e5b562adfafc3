// In: a program and its sizes. Out: the memory of its state, its constants and one call of it, value by value.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// The memory needs of programs, known before anything is allocated. For <see cref="MemoryException.ThrowIfBeyond"/>.
/// </summary>
internal static class ProgramMemory
{
    /// <summary>
    /// The needs of a call: its inputs, results, arena, state and constants, such as <c>x: f32[99999999999]</c>. Every
    /// call checks the same; callers that create the inputs can check before that.
    /// </summary>
    /// <param name="program">The program.</param>
    /// <param name="sizes">The value of each of its sizes.</param>
    /// <exception cref="ExecutionException">With EntryCheck: a shape has no value for these sizes.</exception>
    public static IReadOnlyList<MemoryUse> Of(Program program, IReadOnlyDictionary<string, long> sizes)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(sizes);
        try
        {
            long[][] shapes =
                [.. program.Buffers.Select(b => b.Type.Shape.Select(s => s.Evaluate(Value)).ToArray())];
            return Of(program, shapes, new ArenaLayout(program, Value).Bytes);
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw new ExecutionException(ExecutionCode.EntryCheck,
                $"'{program.Name}': the memory of a call has no size in 64 bits: {e.Message}", e);
        }

        long Value(string name) => sizes.TryGetValue(name, out var value) ? value
            : throw new ArgumentException($"the size '{name}' of '{program.Name}' is not given");
    }

    /// <summary>
    /// The memory that programs keep between calls: their state and those constants that do not depend on a call.
    /// </summary>
    public static IReadOnlyList<MemoryUse> OfModel(IReadOnlyList<Program> programs) =>
    [
        .. programs.SelectMany(p => p.State).DistinctBy(b => b.Label)
            .Concat(programs.SelectMany(p => p.Of(BufferKind.Constant)))
            .Where(b => b.Type.Count.IsConstant)
            .Select(b => Of(b, [.. b.Type.Shape.Select(s => s.Value)])),
    ];

    internal static IReadOnlyList<MemoryUse> Of(Program program, IReadOnlyList<long[]> shapes, long arena) =>
    [
        .. program.Buffers.Select((buffer, i) => (buffer, i)).Where(p => p.buffer.Kind != BufferKind.Temporary)
            .Select(p => Of(p.buffer, shapes[p.i])),
        new MemoryUse("the arena", arena),
    ];

    private static MemoryUse Of(ProgramBuffer buffer, long[] shape)
    {
        var bytes = shape.Aggregate((double)buffer.Type.DType.Bytes(), (product, extent) => product * extent);
        var name = buffer.Label.Length > 0 ? buffer.Label
            : buffer.Kind == BufferKind.Output ? "the result" : buffer.Kind == BufferKind.Constant ? "a constant"
            : buffer.Name;
        // Beyond 2^63 bytes nothing can be allocated; the sum is computed in floats, and the limit refuses it.
        return new($"{name}: {buffer.Type.DType.Name()}[{string.Join(",", shape)}]",
            bytes >= long.MaxValue ? long.MaxValue : (long)bytes);
    }
}
