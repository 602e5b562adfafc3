// In: an open file of examples of equal length. Out: any of them by number, from any thread.
using Accelerate.Runtime;

namespace Accelerate.Data;

/// <summary>
/// Examples of one dtype and shape, in the order of a file. They stay in the file, and the system's page cache holds
/// the parts that are read often: a data set may be larger than memory.
/// </summary>
/// <remarks>
/// Formats without random access (gzip, archives, text, images) are unpacked once into an unnamed temporary file, which
/// disappears with the process however it ends. TMPDIR sets its folder.
/// </remarks>
internal sealed class DataSource : IDisposable
{
    private readonly FileStream file;
    private readonly long offset;
    private readonly long stride;
    private readonly bool isBigEndian;

    /// <param name="name">The file, as the user named it.</param>
    /// <param name="type">The dtype of the elements.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="count">The number of examples.</param>
    /// <param name="file">The file with the examples; disposed with this object.</param>
    /// <param name="offset">The position of the first byte.</param>
    /// <param name="stride">The distance in bytes from one example to the next; null if they are contiguous.</param>
    /// <param name="isBigEndian">Whether elements are big-endian.</param>
    internal DataSource(string name, DType type, IReadOnlyList<long> shape, long count, FileStream file,
        long offset = 0, long? stride = null, bool isBigEndian = false)
    {
        (Name, Type, Shape, Count) = (name, type, shape, count);
        (this.file, this.offset, this.isBigEndian) = (file, offset, isBigEndian);
        ExampleBytes = Tensor.CountOf(type, [.. shape]) * type.Bytes();
        this.stride = stride ?? ExampleBytes;
        if (ExampleBytes > int.MaxValue)
            throw new DataException(name, $"an example of {ExampleBytes} bytes is longer than {int.MaxValue}");
    }

    /// <summary>The file, as the user named it.</summary>
    public string Name { get; }

    /// <summary>The dtype of the elements.</summary>
    public DType Type { get; }

    /// <summary>The shape of one example.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The number of examples.</summary>
    public long Count { get; }

    /// <summary>The number of bytes in an example.</summary>
    public long ExampleBytes { get; }

    /// <summary>Whether the examples are windows of a text.</summary>
    internal bool IsWindows { get; init; }

    /// <summary>The number of consecutive examples that share bytes: 1 if none do.</summary>
    internal long Overlap => stride == 0 || ExampleBytes == 0 ? 1 : (ExampleBytes + stride - 1) / stride;

    /// <summary>Reads an example, converted to this machine's byte order.</summary>
    /// <param name="index">The number of the example, from 0.</param>
    /// <param name="target">Receives the <see cref="ExampleBytes"/> bytes.</param>
    /// <exception cref="DataException">The file has become shorter, or contains a bool that is neither 0 nor
    /// 1.</exception>
    public void Read(long index, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        for (var at = 0; at < target.Length;)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, target[at..], offset + index * stride + at);
            if (read == 0) throw new DataException(Name, $"the file ends inside example {index}");
            at += read;
        }
        if (Type == DType.Bool && target.ContainsAnyExceptInRange((byte)0, (byte)1))
            throw new DataException(Name, $"example {index} has a bool that is neither 0 nor 1");
        var width = Type.Bytes();
        for (var at = 0; isBigEndian && width > 1 && at < target.Length; at += width)
            target.Slice(at, width).Reverse();
    }

    /// <summary>The text for messages, such as `u8[28,28]`.</summary>
    public override string ToString() => Tensor.DescribeShape(Type, [.. Shape]);

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();
}
