// In: a program. Out: its parts that no call changes: its signature, its constants in memory, its part of the state.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>One exported function, ready to be called on any backend. Immutable, shared by all sessions.</summary>
internal sealed class ProgramEntry : IDisposable
{
    private readonly Tensor?[] constants;
    private readonly HashSet<Step> writers;

    public ProgramEntry(Program program)
    {
        Program = program;
        Spec = SpecOf(program);
        constants = [.. program.Buffers.Select(b =>
            b is { Kind: BufferKind.Constant, Values.FoldedIndex: < 0 } && b.Type.Count.IsConstant
                ? Fill(b.Values!, [.. b.Type.Shape.Select(s =>
                s.Value)]) : null)];
        writers = new(program.AllSteps.Where(program.WritesState), ReferenceEqualityComparer.Instance);
    }

    public Program Program { get; }

    public EntrySpec Spec { get; }

    /// <summary>True if a step writes state.</summary>
    public bool AssignsState => writers.Count > 0;

    /// <summary>True for a step that writes state: from there on a failure leaves the state half written.</summary>
    public bool WritesState(Step step) => writers.Contains(step);

    /// <summary>
    /// The constant of a buffer; null if its shape is known only to a call, or the setup computes it.
    /// </summary>
    public Tensor? Constant(int buffer) => constants[buffer];

    public void Dispose()
    {
        foreach (var constant in constants) constant?.Dispose();
    }

    internal static bool Fits(Tensor tensor, DType type, ReadOnlySpan<long> shape) =>
        tensor.Type == type && tensor.Shape.SequenceEqual(shape);

    /// <summary>A constant's values in memory.</summary>
    internal static Tensor Fill(Const values, ReadOnlySpan<long> shape)
    {
        var type = values.Type.DType;
        if (type.IsFloat)
        {
            double[] floats = values.IsSplat ? Splat(values.Floats[0], shape) : [.. values.Floats];
            return Tensor.FromDoubles(type, floats, shape);
        }
        long[] integers = values.IsSplat ? Splat(values.Integers[0], shape) : [.. values.Integers];
        var tensor = Tensor.Uninitialized(type, shape);
        var bytes = tensor.Bytes;
        var width = type.Bytes();
        // Little-endian: the low bytes of the int64 are the value at any width.
        for (var i = 0; i < integers.Length; i++)
            BitConverter.GetBytes(integers[i]).AsSpan(0, width).CopyTo(bytes[(i * width)..]);
        return tensor;
    }

    private static T[] Splat<T>(T value, ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var extent in shape) count *= extent;
        var all = new T[count];
        Array.Fill(all, value);
        return all;
    }

    /// <summary>The signature of a program's function.</summary>
    public static EntrySpec SpecOf(Program program) => new(program.Name, Specs(program, BufferKind.Input),
        Specs(program, BufferKind.Output), program.Sizes);

    private static TensorSpec[] Specs(Program program, BufferKind kind) => [.. program.Of(kind).Select(b =>
        new TensorSpec(b.Label.Length > 0 ? b.Label
            : b.Name, b.Type.DType, [.. b.Type.Shape.Select(s => s.Text)], b.IsInout)
        {
            IsNamed = b.Label.Length > 0,
        })];
}
