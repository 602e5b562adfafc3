// In: a path, gzipped or not. Out: its bytes in order; an error for missing bytes says what was being read.
using System.IO.Compression;

namespace Accelerate.Runtime;

/// <summary>A file read once from front to back; a read returns all bytes requested or fails.</summary>
internal sealed class DataStream : IDisposable
{
    // Deflate expands a byte to at most 1032: a header that promises more is wrong and would make us allocate too much.
    private const long GzipMaximumRatio = 1032;

    private readonly Stream stream;
    private readonly byte[] peeked = new byte[2];
    private readonly long? memory;
    private int peekedCount;

    private DataStream(string path, Stream stream, long limit, long? memory)
    {
        Path = path;
        this.memory = memory;
        Remaining = limit;
        this.stream = stream;
        peekedCount = stream.ReadAtLeast(peeked, peeked.Length, throwOnEndOfStream: false);
    }

    public string Path { get; }

    /// <summary>
    /// The maximum number of bytes that follow: exact for a plain file, an upper bound for a gzipped one.
    /// </summary>
    public long Remaining { get; private set; }

    /// <summary>The first two bytes, which are still to be read; zeros if the file is shorter.</summary>
    public (byte First, byte Second) Magic => (peeked[0], peeked[1]);

    /// <param name="path">The file.</param>
    /// <param name="memory">The maximum bytes of the tensor; null for the machine's memory.</param>
    public static DataStream Open(string path, long? memory = null)
    {
        FileStream file = InputFile.OpenRegular(path);
        try
        {
            bool gzip = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
            file.Position = 0;
            return gzip
                ? new DataStream(path, new GZipStream(file, CompressionMode.Decompress),
                    file.Length * GzipMaximumRatio, memory)
                : new DataStream(path, file, file.Length, memory);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads from another stream, of a known number of bytes.</summary>
    public static DataStream Over(string path, Stream stream, long length) => new(path, stream, length, null);

    public void Read(Span<byte> target, string what)
    {
        int wanted = target.Length;
        int peeked = Math.Min(peekedCount, wanted);
        this.peeked.AsSpan(0, peeked).CopyTo(target);
        this.peeked.AsSpan(peeked).CopyTo(this.peeked);
        peekedCount -= peeked;
        int read = peeked + stream.ReadAtLeast(target[peeked..], wanted - peeked, throwOnEndOfStream: false);
        if (read < wanted)
        {
            throw Fail($"the file ends inside {what}: {read} of {wanted} bytes are there");
        }
        Remaining -= read;
    }

    /// <summary>Reads the remaining bytes, which must be exactly those of the tensor.</summary>
    public unsafe Tensor ReadTensor(DType type, ReadOnlySpan<long> shape)
    {
        long bytes = Count(type, shape) * type.Bytes();
        if (bytes > Remaining)
        {
            throw Fail($"{Tensor.DescribeShape(type, shape)} takes {bytes} bytes, and {Remaining} follow the header");
        }
        MemoryException.ThrowIfBeyond(Path, [new MemoryUse(Tensor.DescribeShape(type, shape), bytes)], memory);
        Tensor tensor = Tensor.Uninitialized(type, shape);
        const int Chunk = 1 << 30; // a span cannot hold a larger tensor
        for (long at = 0; at < bytes; at += Chunk)
        {
            var part = new Span<byte>((byte*)tensor.Pointer + at, (int)Math.Min(Chunk, bytes - at));
            Read(part, "the data");
            if (type == DType.Bool && part.ContainsAnyExceptInRange((byte)0, (byte)1))
            {
                throw Fail("a bool is neither 0 nor 1");
            }
        }
        Span<byte> more = stackalloc byte[1];
        if (peekedCount > 0 || stream.Read(more) > 0)
        {
            throw Fail($"bytes follow the data of {Tensor.DescribeShape(type, shape)}");
        }
        return tensor;
    }

    public DataException Fail(string message) => new(Path, message);

    public void Dispose() => stream.Dispose();

    private long Count(DType type, ReadOnlySpan<long> shape)
    {
        try
        {
            return Tensor.CountOf(type, shape);
        }
        catch (ArgumentException e)
        {
            throw new DataException(Path, $"impossible shape: {e.Message}", e);
        }
    }
}
