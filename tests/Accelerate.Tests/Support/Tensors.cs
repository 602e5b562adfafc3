// In: a value of the reference interpreter. Out: a tensor with the same elements.
using System.Buffers.Binary;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;

namespace Accelerate.Tests.Support;

internal static class Tensors
{
    public static Tensor Of(ReferenceValue value)
    {
        if (value.DType.IsFloat) return Tensor.FromDoubles(value.DType, value.Values, value.Shape);
        var tensor = Tensor.Uninitialized(value.DType, value.Shape);
        var (width, bytes) = (value.DType.Bytes(), new byte[8]);
        for (var i = 0; i < value.Integers.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value.Integers[i]);
            bytes.AsSpan(0, width).CopyTo(tensor.Bytes[(i * width)..]);
        }
        return tensor;
    }
}
