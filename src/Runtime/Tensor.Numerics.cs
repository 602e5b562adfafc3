// In: a tensor of System.Numerics.Tensors, or one of ours. Out: the same values in the other type.
using System.Numerics.Tensors;

namespace Accelerate;

public sealed unsafe partial class Tensor
{
    /// <summary>Copies a span of System.Numerics.Tensors, with its shape.</summary>
    /// <exception cref="NotSupportedException">No dtype corresponds to T.</exception>
    /// <exception cref="MemoryException">The machine does not have that much memory.</exception>
    public static Tensor From<T>(in ReadOnlyTensorSpan<T> values) where T : unmanaged
    {
        var shape = new long[values.Rank];
        for (int axis = 0; axis < shape.Length; axis++)
        {
            shape[axis] = values.Lengths[axis];
        }
        Tensor tensor = Uninitialized(DType.Of<T>(), shape);
        if (tensor.Count > 0)
        {
            values.FlattenTo(tensor.AsSpan<T>());
        }
        return tensor;
    }

    /// <summary>All elements in their shape, for System.Numerics.Tensors; T as for <see cref="AsSpan"/>.</summary>
    /// <remarks>A scalar has the shape [1] there. A span does not keep its tensor alive.</remarks>
    /// <exception cref="InvalidOperationException">T is not the dtype's type, or the tensor is read-only.</exception>
    public TensorSpan<T> AsTensorSpan<T>() where T : unmanaged
    {
        Require<T>();
        return new((T*)Writable(), (nint)Count, Lengths());
    }

    /// <summary>The same, read-only.</summary>
    /// <inheritdoc cref="AsTensorSpan{T}"/>
    public ReadOnlyTensorSpan<T> AsReadOnlyTensorSpan<T>() where T : unmanaged
    {
        Require<T>();
        return new((T*)Pointer, (nint)Count, Lengths());
    }

    private nint[] Lengths()
    {
        if (Rank == 0)
        {
            return [1];
        }
        var lengths = new nint[Rank];
        for (int axis = 0; axis < lengths.Length; axis++)
        {
            lengths[axis] = (nint)shape[axis];
        }
        return lengths;
    }
}
