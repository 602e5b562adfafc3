// In: a shape. Out: a tensor of ordinary values with some NaN, infinities, subnormals, signed zeros and huge numbers.
using Accelerate.Runtime;

namespace Accelerate.Tests.Models;

internal static class Awkward
{
    private static readonly float[] Finite = [0f, -0f, float.Epsilon, -1e-40f, 1e38f, -3e38f];

    private static readonly float[] All = [.. Finite, float.NaN, float.PositiveInfinity, float.NegativeInfinity];

    /// <summary>One in `oneIn` is awkward; 0: none, 1: a few, all finite.</summary>
    public static Tensor Tensor(long[] shape, int oneIn)
    {
        var random = new System.Random(11);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)(random.NextDouble() * 4 - 2);
            if (oneIn == 1 && random.Next(30) == 0) values[i] = Finite[random.Next(Finite.Length)];
            if (oneIn > 1 && random.Next(oneIn) == 0) values[i] = All[random.Next(All.Length)];
        }
        return Accelerate.Tensor.From(values, shape);
    }
}
