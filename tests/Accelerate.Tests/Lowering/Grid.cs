// Tensors as the tests' own oracles see them: numbers under an index, walked in row-major order.
using Accelerate.Runtime;

namespace Accelerate.Tests.Lowering;

/// <summary>Doubles (exact for every value the tests use) with a shape.</summary>
public sealed class Grid(DType type, params long[] shape)
{
    private readonly double[] values = new double[shape.Aggregate(1L, (a, b) => a * b)];

    public DType Type { get; } = type;

    public long[] Shape { get; } = shape;

    public double this[params ReadOnlySpan<long> index]
    {
        get => values[Offset(index)];
        set => values[Offset(index)] = value;
    }

    /// <summary>Every index, the last axis fastest.</summary>
    public IEnumerable<long[]> Indices()
    {
        for (long i = 0; i < values.Length; i++)
        {
            var index = new long[Shape.Length];
            for (var (d, rest) = (Shape.Length - 1, i); d >= 0; d--)
                (index[d], rest) = (rest % Shape[d], rest / Shape[d]);
            yield return index;
        }
    }

    public Grid Copy()
    {
        var copy = new Grid(Type, Shape);
        values.CopyTo(copy.values, 0);
        return copy;
    }

    public static Grid Of(DType type, long[] shape, Func<long[], double> at)
    {
        var grid = new Grid(type, shape);
        foreach (var index in grid.Indices()) grid[index] = at(index);
        return grid;
    }

    /// <summary>Numbers of both signs with few repeats; small whole ones for integers.</summary>
    public static Grid Random(DType type, long[] shape, int seed)
    {
        var random = new Random(seed);
        return Of(type, shape, _ => type == DType.Bool ? random.Next(2)
            : type.IsFloat ? (float)(random.NextDouble() * 8 - 4) : random.Next(type.IsSigned ? -9 : 0, 10));
    }

    public static Grid Integers(params long[] values)
    {
        var grid = new Grid(DType.I32, values.Length);
        for (var i = 0; i < values.Length; i++) grid[i] = values[i];
        return grid;
    }

    public static Grid Scalar(DType type, double value) => Of(type, [], _ => value);

    public Tensor ToTensor() => Tensor.FromDoubles(Type, values, Shape);

    private long Offset(ReadOnlySpan<long> index)
    {
        long offset = 0;
        for (var d = 0; d < index.Length; d++)
        {
            if (index[d] < 0 || index[d] >= Shape[d])
                throw new IndexOutOfRangeException($"[{string.Join(',', index.ToArray())}]");
            offset = offset * Shape[d] + index[d];
        }
        return offset;
    }
}
