// In: a .safetensors file, or named tensors. Out: the tensors, mapped from the file on demand, or the file.
using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text;
using System.Text.Json;
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// A file of named tensors, open for reading. The whole header is checked on opening; tensors are views of the mapped
/// file, so that only used pages are read. Format: https://github.com/huggingface/safetensors
/// </summary>
/// <remarks>
/// The mapping is private: writing to a tensor changes neither the file nor what other readers see. It lasts until this
/// object and every tensor read from it are disposed or unreachable. The file must not be shortened meanwhile.
/// </remarks>
public sealed unsafe class Safetensors : IDisposable
{
    private readonly string path;
    private readonly Dictionary<string, SafetensorsHeader.Entry> entries;
    private readonly byte* data;
    private Storage? mapping;

    private Safetensors(string path, SafetensorsHeader header, Storage mapping)
    {
        this.path = path;
        this.mapping = mapping;
        data = mapping.Pointer + header.DataStart;
        entries = header.Entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        Tensors = [.. header.Entries.Select(e => new TensorSpec(e.Name, e.Type, [.. e.Shape.Select(n => $"{n}")]))];
        Metadata = header.Metadata;
    }

    /// <summary>Name, dtype and shape of every tensor, in the order of their data.</summary>
    public IReadOnlyList<TensorSpec> Tensors { get; }

    /// <summary>The strings under <c>__metadata__</c>; empty if there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="DataException">The file is missing or malformed.</exception>
    public static Safetensors Open(string path) => DataException.Guard(path, () =>
    {
        SafetensorsHeader header = SafetensorsHeader.Read(path);
        using var file = MemoryMappedFile.CreateFromFile(
            InputFile.OpenRegular(path), null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, false);
        MemoryMappedViewAccessor view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
        // The storage keeps the view, whose handle unmaps the file when both are unreachable.
        var start = (byte*)view.SafeMemoryMappedViewHandle.DangerousGetHandle() + view.PointerOffset;
        return new Safetensors(path, header, Storage.Over(start, view, disposeOwner: true));
    });

    /// <summary>True if the file has a tensor with that name.</summary>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>
    /// The tensor with that name: a view of the file, or a copy if its elements are not aligned in the file.
    /// </summary>
    /// <exception cref="DataException">No such tensor, or a bool that is neither 0 nor 1.</exception>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public Tensor Read(string name)
    {
        // Held from here on: another thread may dispose the file while its bytes are read.
        Storage mapping = Volatile.Read(ref this.mapping) is { } open && open.TryRetain()
            ? open
            : throw new ObjectDisposedException(nameof(Safetensors), $"{path} is no longer open");
        using var hold = new Tensor.Hold(mapping);
        if (!entries.TryGetValue(name, out SafetensorsHeader.Entry? entry))
        {
            throw new DataException(path, $"no tensor named '{name}'");
        }
        byte* data = this.data + entry.Begin;
        long bytes = entry.End - entry.Begin;
        if (entry.Type == DType.Bool)
        {
            for (long i = 0; i < bytes; i++)
            {
                if (data[i] > 1)
                {
                    throw new DataException(path, $"'{name}': a bool is neither 0 nor 1");
                }
            }
        }
        if ((nuint)data % (nuint)entry.Type.Bytes() == 0)
        {
            return Tensor.View(entry.Type, entry.Shape, data, mapping.Retain());
        }
        Tensor copy = Tensor.Uninitialized(entry.Type, entry.Shape);
        Buffer.MemoryCopy(data, copy.Pointer, bytes, bytes);
        return copy;
    }

    /// <summary>
    /// Writes a file, replacing an existing one: larger elements first, then by name, so that all are aligned.
    /// </summary>
    /// <exception cref="DataException">The file cannot be written, or a name is duplicate or reserved.</exception>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(tensors);
        KeyValuePair<string, Tensor>[] given = [.. tensors];
        foreach ((string name, Tensor tensor) in given)
        {
            ArgumentNullException.ThrowIfNull(tensor, name);
        }
        KeyValuePair<string, Tensor>[] ordered =
        [
            .. given.OrderByDescending(t => t.Value.Type.Bytes()).ThenBy(t => t.Key, StringComparer.Ordinal),
        ];
        byte[] header = SafetensorsHeader.Format(path, ordered, metadata);
        OutputFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach ((_, Tensor tensor) in ordered)
            {
                OutputFile.WriteElements(stream, tensor);
            }
        });
    }

    /// <summary>Releases this object's hold on the file; tensors read from it stay valid.</summary>
    public void Dispose() => Interlocked.Exchange(ref mapping, null)?.Release();
}
