// A tensor's dtype and symbolic shape: the type of every graph node.
using System.Collections.Immutable;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Types;

/// <summary>A dtype and a shape of symbolic sizes; equal if both print the same.</summary>
internal sealed class TensorType : IEquatable<TensorType>
{
    public TensorType(DType dtype, ImmutableArray<Size> shape)
    {
        DType = dtype;
        Shape = shape;
        Text = shape.IsEmpty ? dtype.Name() : $"{dtype.Name()}[{string.Join(',', shape.Select(s => s.Text))}]";
    }

    public DType DType { get; }

    public ImmutableArray<Size> Shape { get; }

    /// <summary>`f32[n,784]`; a scalar is `f32`.</summary>
    public string Text { get; }

    /// <summary>The type as a user writes it: `f32[n, (h - 1) // 2 + 1]`.</summary>
    public string Display =>
        Shape.IsEmpty ? DType.Name() : $"{DType.Name()}[{string.Join(", ", Shape.Select(s => s.Display))}]";

    public int Rank => Shape.Length;

    /// <summary>The number of elements.</summary>
    public Size Count => Size.Product(Shape);

    public TensorType With(DType dtype) => new(dtype, Shape);

    public TensorType With(ImmutableArray<Size> shape) => new(DType, shape);

    public static TensorType Scalar(DType dtype) => new(dtype, []);

    /// <summary>The distance between neighbours along each axis in elements, row-major.</summary>
    public ImmutableArray<Size> Strides()
    {
        var strides = new Size[Rank];
        var stride = Size.One;
        for (var axis = Rank - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= Shape[axis];
        }
        return [.. strides];
    }

    public bool Equals(TensorType? other) => other is not null && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as TensorType);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;
}
