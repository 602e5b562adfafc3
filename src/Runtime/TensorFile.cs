// In: a path. Out: the one tensor in it, whatever the format.
namespace Accelerate.Runtime;

/// <summary>Files that hold one tensor.</summary>
public static class TensorFile
{
    /// <summary>Reads an npy or IDX file, gzipped or not, told apart by their first bytes.</summary>
    /// <exception cref="DataException">The file is missing, malformed or of another format.</exception>
    public static Tensor Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            throw new DataException(path, "a safetensors file holds many tensors; open it and read them by name");
        }
        return DataException.Guard(path, () =>
        {
            using DataStream stream = DataStream.Open(path);
            return stream.Magic switch
            {
                (0x93, (byte)'N') => Npy.Read(stream),
                (0, 0) => Idx.Read(stream),
                _ => throw stream.Fail("neither npy nor IDX, by its first bytes"),
            };
        });
    }
}
