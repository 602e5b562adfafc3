// In: a path. Out: the one tensor in it, whatever the format.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>Files that hold one tensor.</summary>
public static class TensorFile
{
    /// <summary>Reads an npy or IDX file, gzipped or not, distinguished by their first bytes.</summary>
    /// <exception cref="DataException">The file is missing, malformed or of another format.</exception>
    /// <exception cref="MemoryException">The tensor needs more memory than the machine has.</exception>
    public static Tensor Load(string path) => Load(path, memory: null);

    /// <param name="path">The file.</param>
    /// <param name="memory">The maximum bytes of the tensor; null for the machine's memory.</param>
    internal static Tensor Load(string path, long? memory)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            throw new DataException(path, "a safetensors file holds many tensors; open it and read them by name");
        }
        return DataException.Guard(path, () =>
        {
            using DataStream stream = DataStream.Open(path, memory);
            return stream.Magic switch
            {
                (0x93, (byte)'N') => Npy.Read(stream),
                (0, 0) => Idx.Read(stream),
                _ => throw stream.Fail("neither npy nor IDX, by its first bytes"),
            };
        });
    }
}
