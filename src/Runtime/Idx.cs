// In: an IDX file, the format of MNIST, gzipped or not. Out: the tensor, in this machine's byte order.
using System.Buffers.Binary;

namespace Accelerate.Runtime;

/// <summary>
/// The IDX format: two zero bytes, a type, a rank, one big-endian u32 an axis, big-endian data. Types u8, i8, i16, i32,
/// f32, f64. Source: http://yann.lecun.com/exdb/mnist (its last section).
/// </summary>
internal static class Idx
{
    /// <summary>Reads a file, gzipped or not.</summary>
    /// <exception cref="DataException">The file is missing or malformed.</exception>
    public static Tensor Read(string path) => DataException.Guard(path, () =>
    {
        using DataStream stream = DataStream.Open(path);
        return Read(stream);
    });

    internal static unsafe Tensor Read(DataStream stream)
    {
        (DType type, long[] shape) = ReadHeader(stream);
        Tensor tensor = stream.ReadTensor(type, shape);
        SwapBytes((byte*)tensor.Pointer, tensor.Count, type.Bytes());
        GC.KeepAlive(tensor);
        return tensor;
    }

    /// <summary>Reads the dtype and shape; the data follow, in big-endian order.</summary>
    internal static (DType Type, long[] Shape) ReadHeader(DataStream stream)
    {
        Span<byte> word = stackalloc byte[4];
        stream.Read(word, "the IDX magic");
        if (word[0] != 0 || word[1] != 0)
        {
            throw stream.Fail("not an IDX file: it does not begin with two zero bytes");
        }
        DType type = word[2] switch
        {
            0x08 => DType.U8,
            0x09 => DType.I8,
            0x0B => DType.I16,
            0x0C => DType.I32,
            0x0D => DType.F32,
            0x0E => DType.F64,
            _ => throw stream.Fail($"IDX type 0x{word[2]:X2} is not known"),
        };
        var shape = new long[word[3]];
        for (int axis = 0; axis < shape.Length; axis++)
        {
            stream.Read(word, $"the IDX extent of axis {axis}");
            shape[axis] = BinaryPrimitives.ReadUInt32BigEndian(word);
        }
        return (type, shape);
    }

    private static unsafe void SwapBytes(byte* data, long count, int size)
    {
        for (long i = 0; size > 1 && i < count; i++)
        {
            new Span<byte>(data + (i * size), size).Reverse();
        }
    }
}
