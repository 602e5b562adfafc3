// In: a dtype, a shape and values, or memory owned by someone else. Out: a row-major array that native code can read.
using System.Runtime.InteropServices;
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// A dense row-major array of one dtype. Its memory is native and aligned to 64 bytes, except for views
/// (<see cref="Reshape"/>, <see cref="Slice"/>, <c>View</c>), which are aligned to their element only.
/// </summary>
/// <remarks>
/// A view shares memory with the tensor it was taken from; the memory is freed when the last of them is disposed or
/// unreachable. A span or pointer does not keep its tensor alive: hold the tensor in a <c>using</c>, or end with
/// <see cref="GC.KeepAlive"/>. <see cref="ToArray"/> and <see cref="ToDoubles"/> copy and need no such care. Many
/// threads may read values concurrently; a write needs exclusive access. A tensor may be disposed at any time: running
/// calls and copies complete, later ones throw an <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed unsafe partial class Tensor : IDisposable
{
    /// <summary>The maximum number of axes, equal to NumPy's.</summary>
    public const int MaximumRank = 64;

    private readonly byte* pointer;
    private readonly long[] shape;
    private Storage? storage;

    private Tensor(DType type, long[] shape, Storage storage, byte* pointer, bool isReadOnly = false)
    {
        Type = type;
        this.shape = shape;
        Count = CountOf(type, shape);
        this.storage = storage;
        this.pointer = pointer;
        IsReadOnly = isReadOnly;
    }

    /// <summary>The element type.</summary>
    public DType Type { get; }

    /// <summary>The extent of each axis, outermost first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => shape;

    /// <summary>The number of axes.</summary>
    public int Rank => Shape.Length;

    /// <summary>The number of elements: the product of the shape, 1 for a scalar.</summary>
    public long Count { get; }

    /// <summary>The number of bytes the elements take.</summary>
    public long ByteCount => Count * Type.Bytes();

    /// <summary>
    /// True for memory that must not change, such as a session's frozen state. Writable spans are refused, and
    /// <see cref="Pointer"/> is for reading only.
    /// </summary>
    public bool IsReadOnly { get; }

    /// <summary>The first element. Never null; valid while the tensor is reachable and not disposed.</summary>
    /// <exception cref="ObjectDisposedException">The tensor is disposed.</exception>
    public void* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(storage is null, this);
            return pointer;
        }
    }

    /// <summary>All bytes of the tensor, in memory order.</summary>
    /// <exception cref="InvalidOperationException">The tensor has 2 GiB or more and must be sliced first, or it is
    /// read-only.</exception>
    public Span<byte> Bytes => new(Writable(), SpanLength(ByteCount));

    /// <summary>All bytes of the tensor, in memory order, read-only.</summary>
    /// <exception cref="InvalidOperationException">The tensor has 2 GiB or more: slice it first.</exception>
    public ReadOnlySpan<byte> ReadOnlyBytes => new(Pointer, SpanLength(ByteCount));

    /// <summary>All elements, row-major.</summary>
    /// <typeparam name="T">The .NET type of the dtype, as in <c>DType.Of</c>: float for f32, Half for f16 …</typeparam>
    /// <exception cref="InvalidOperationException">T is not the dtype's type, there are 2^31 elements or more, or the
    /// tensor is read-only.</exception>
    public Span<T> AsSpan<T>() where T : unmanaged => new(Writable(), Elements<T>());

    /// <summary>All elements, row-major, read-only; T as for <see cref="AsSpan"/>.</summary>
    /// <exception cref="InvalidOperationException">T is not the dtype's type, or there are 2^31 elements or
    /// more.</exception>
    public ReadOnlySpan<T> AsReadOnlySpan<T>() where T : unmanaged => new(Pointer, Elements<T>());

    /// <summary>A copy of all elements, row-major; T as for <see cref="AsSpan"/>.</summary>
    public T[] ToArray<T>() where T : unmanaged
    {
        using Hold hold = Held();
        ReadOnlySpan<T> elements = AsReadOnlySpan<T>();
        T[] copy = Array<T>(elements.Length);
        elements.CopyTo(copy);
        return copy;
    }

    /// <summary>A tensor with undefined contents, for results that are about to be written.</summary>
    /// <exception cref="ArgumentException">A negative extent, more than 64 axes or 2^63 bytes.</exception>
    /// <exception cref="MemoryException">The machine does not have that much memory.</exception>
    public static Tensor Uninitialized(DType type, params ReadOnlySpan<long> shape)
    {
        long bytes = CountOf(type, shape) * type.Bytes();
        // A system that overcommits memory would kill the process when the pages are written.
        if (bytes > MemoryException.Machine)
        {
            MemoryException.ThrowIfBeyond("a tensor", [new(DescribeShape(type, shape), bytes)], null);
        }
        try
        {
            Storage storage = Storage.Allocate(bytes);
            return new Tensor(type, [.. shape], storage, storage.Pointer);
        }
        catch (OutOfMemoryException e)
        {
            throw MemoryException.From("a tensor", [new(DescribeShape(type, shape), bytes)], e);
        }
    }

    /// <summary>A tensor of zeros (false for bool).</summary>
    /// <exception cref="ArgumentException">A negative extent, more than 64 axes or 2^63 bytes.</exception>
    /// <exception cref="MemoryException">The machine does not have that much memory.</exception>
    public static Tensor Zeros(DType type, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Uninitialized(type, shape);
        NativeMemory.Clear(tensor.pointer, (nuint)tensor.ByteCount);
        return tensor;
    }

    /// <summary>
    /// Copies <paramref name="values"/>, in row-major order, into that shape; an empty shape is a scalar.
    /// </summary>
    /// <exception cref="ArgumentException">The shape does not hold exactly that many values.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        DType type = DType.Of<T>();
        CheckFill(values.Length, type, shape);
        Tensor tensor = Uninitialized(type, shape);
        values.CopyTo(tensor.AsSpan<T>());
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{long})"/>
    public static Tensor From<T>(T[] values, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        return From((ReadOnlySpan<T>)values, shape);
    }

    /// <summary>A tensor of rank 0.</summary>
    public static Tensor Scalar<T>(T value) where T : unmanaged => From([value], []);

    /// <summary>
    /// Rounds values once to <paramref name="type"/>: nearest even for floats; integers truncate and saturate, NaN
    /// becomes 0; bool is <c>value != 0</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The shape does not hold exactly that many values.</exception>
    public static Tensor FromDoubles(DType type, ReadOnlySpan<double> values, params ReadOnlySpan<long> shape)
    {
        CheckFill(values.Length, type, shape);
        Tensor tensor = Uninitialized(type, shape);
        switch (type)
        {
            case DType.Bool: Fill<bool>(tensor, values, v => v != 0); break;
            case DType.I8: Fill(tensor, values, sbyte.CreateSaturating); break;
            case DType.I16: Fill(tensor, values, short.CreateSaturating); break;
            case DType.I32: Fill(tensor, values, int.CreateSaturating); break;
            case DType.I64: Fill(tensor, values, long.CreateSaturating); break;
            case DType.U8: Fill(tensor, values, byte.CreateSaturating); break;
            case DType.U16: Fill(tensor, values, ushort.CreateSaturating); break;
            case DType.U32: Fill(tensor, values, uint.CreateSaturating); break;
            case DType.U64: Fill(tensor, values, ulong.CreateSaturating); break;
            case DType.F16: Fill(tensor, values, v => (Half)v); break;
            case DType.BF16: Fill(tensor, values, v => (BFloat16)v); break;
            case DType.F32: Fill(tensor, values, v => (float)v); break;
            default: values.CopyTo(tensor.AsSpan<double>()); break;
        }
        return tensor;
    }

    /// <summary>
    /// A view over memory that <paramref name="owner"/> keeps valid while it is reachable (a mapping, an arena).
    /// </summary>
    /// <exception cref="ArgumentException">The pointer is null or not aligned to the element, or the shape is
    /// invalid.</exception>
    public static Tensor View(DType type, ReadOnlySpan<long> shape, void* pointer, object owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return View(type, shape, (byte*)pointer, Storage.Over(pointer, owner, disposeOwner: false));
    }

    internal static Tensor View(DType type, ReadOnlySpan<long> shape, byte* pointer, Storage storage)
    {
        if (pointer == null || (nuint)pointer % (nuint)type.Bytes() != 0)
        {
            throw new ArgumentException($"the memory of a view must be aligned to its {type.Bytes()}-byte elements");
        }
        return new Tensor(type, [.. shape], storage, pointer);
    }

    /// <summary>A view of the same elements in another shape.</summary>
    /// <exception cref="ArgumentException">The shape does not hold exactly <see cref="Count"/> elements.</exception>
    public Tensor Reshape(params ReadOnlySpan<long> shape)
    {
        CheckFill(Count, Type, shape);
        return new Tensor(Type, [.. shape], Live().Retain(), pointer, IsReadOnly);
    }

    /// <summary>A view of the same elements in the same shape; the caller disposes it.</summary>
    internal Tensor Share() => new(Type, shape, Live().Retain(), pointer, IsReadOnly);

    /// <summary>A read-only view of the same elements.</summary>
    public Tensor AsReadOnly() => new(Type, shape, Live().Retain(), pointer, isReadOnly: true);

    /// <summary>A view of the rows <paramref name="begin"/> … <paramref name="end"/> − 1 along axis 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The tensor is a scalar, or not 0 ≤ begin ≤ end ≤
    /// Shape[0].</exception>
    public Tensor Slice(long begin, long end)
    {
        if (Rank == 0 || begin < 0 || begin > end || end > Shape[0])
        {
            throw new ArgumentOutOfRangeException(
                nameof(begin), $"rows {begin}..{end} are not inside {DescribeShape(Type, Shape)}");
        }
        long rowBytes = Shape[0] == 0 ? 0 : ByteCount / Shape[0];
        long[] shape = [end - begin, .. Shape[1..]];
        return new Tensor(Type, shape, Live().Retain(), pointer + (begin * rowBytes), IsReadOnly);
    }

    /// <summary>A copy in newly allocated memory, aligned to 64 bytes.</summary>
    /// <exception cref="MemoryException">The machine has not enough memory.</exception>
    public Tensor Clone()
    {
        using Hold hold = Held();
        Tensor copy = Uninitialized(Type, Shape);
        NativeMemory.Copy(pointer, copy.pointer, (nuint)ByteCount);
        return copy;
    }

    /// <summary>
    /// All elements as f64; exact except for i64 and u64 beyond 2^53, which round to nearest. Bool is 0 or 1.
    /// </summary>
    public double[] ToDoubles()
    {
        using Hold hold = Held();
        double[] values = Array<double>(SpanLength(Count));
        switch (Type)
        {
            case DType.Bool: Read<byte>(values, v => v == 0 ? 0 : 1); break;
            case DType.I8: Read<sbyte>(values, v => v); break;
            case DType.I16: Read<short>(values, v => v); break;
            case DType.I32: Read<int>(values, v => v); break;
            case DType.I64: Read<long>(values, v => v); break;
            case DType.U8: Read<byte>(values, v => v); break;
            case DType.U16: Read<ushort>(values, v => v); break;
            case DType.U32: Read<uint>(values, v => v); break;
            case DType.U64: Read<ulong>(values, v => v); break;
            case DType.F16: Read<Half>(values, v => (double)v); break;
            case DType.BF16: Read<BFloat16>(values, v => (float)v); break;
            case DType.F32: Read<float>(values, v => v); break;
            default: Read<double>(values, v => v); break;
        }
        return values;
    }

    /// <summary>True if dtype, shape and all bits are equal, where any NaN equals any NaN; +0 and −0 differ.</summary>
    public bool SameBits(Tensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        using Hold hold = Held();
        using Hold otherHold = other.Held();
        if (Type != other.Type || !Shape.SequenceEqual(other.Shape))
        {
            return false;
        }
        return TensorBits.Same(Type, pointer, other.pointer, Count);
    }

    /// <summary>True if dtype, shape and all bytes are equal.</summary>
    internal bool SameBytes(Tensor other)
    {
        using Hold hold = Held();
        using Hold otherHold = other.Held();
        if (Type != other.Type || !Shape.SequenceEqual(other.Shape))
        {
            return false;
        }
        const long Chunk = 1 << 30;
        bool same = true;
        for (long at = 0; same && pointer != other.pointer && at < ByteCount; at += Chunk)
        {
            int bytes = (int)Math.Min(Chunk, ByteCount - at);
            same = new ReadOnlySpan<byte>(pointer + at, bytes)
                .SequenceEqual(new ReadOnlySpan<byte>(other.pointer + at, bytes));
        }
        return same;
    }

    /// <summary>The elements in NumPy's style, abbreviated with "..." beyond 1000 elements.</summary>
    public string Format()
    {
        using Hold hold = Held();
        return TensorFormat.Format(this);
    }

    /// <summary>A line with dtype and shape, as <c>f32[2,3]</c>, then <see cref="Format"/>.</summary>
    public override string ToString() => $"{DescribeShape(Type, Shape)}\n{Format()}";

    /// <summary>
    /// Releases this tensor's hold on its memory. Views of it, and the tensor it is a view of, stay valid.
    /// </summary>
    public void Dispose() => Interlocked.Exchange(ref storage, null)?.Release();

    /// <summary>True once disposed; views of it may still be valid.</summary>
    internal bool IsDisposed => Volatile.Read(ref storage) is null;

    /// <summary>A hold on the memory, which the caller releases; null if the tensor is disposed.</summary>
    internal Storage? TryHold() =>
        Volatile.Read(ref this.storage) is { } storage && storage.TryRetain() ? storage : null;

    /// <summary>Keeps the memory alive within a block of code, even if another thread disposes the tensor.</summary>
    /// <exception cref="ObjectDisposedException">The tensor is disposed.</exception>
    internal Hold Held() => new(Live().Retain());

    /// <summary>A hold that ends with its scope.</summary>
    internal readonly ref struct Hold(Storage storage)
    {
        public void Dispose() => storage.Release();
    }

    internal static string DescribeShape(DType type, ReadOnlySpan<long> shape) =>
        $"{type.Name()}[{string.Join(",", shape.ToArray())}]";

    /// <summary>The number of elements; also checks that the byte count fits.</summary>
    internal static long CountOf(DType type, ReadOnlySpan<long> shape)
    {
        if (shape.Length > MaximumRank)
        {
            throw new ArgumentException($"a tensor has at most {MaximumRank} axes, not {shape.Length}");
        }
        try
        {
            long count = 1;
            foreach (long extent in shape)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(extent, nameof(shape));
                count = checked(count * extent);
            }
            _ = checked(count * type.Bytes());
            return count;
        }
        catch (OverflowException)
        {
            throw new ArgumentException($"{DescribeShape(type, shape)} takes more than 2^63 bytes");
        }
    }

    private static void CheckFill(long values, DType type, ReadOnlySpan<long> shape)
    {
        if (CountOf(type, shape) != values)
        {
            throw new ArgumentException($"{values} values do not fill {DescribeShape(type, shape)}");
        }
    }

    /// <summary>A .NET array, which is limited to 2^31 - 57 elements.</summary>
    private T[] Array<T>(int length)
    {
        try
        {
            return GC.AllocateUninitializedArray<T>(length);
        }
        catch (OutOfMemoryException e)
        {
            throw MemoryException.From("an array", [new(DescribeShape(Type, Shape), ByteCount)], e);
        }
    }

    private static int SpanLength(long length) => length <= int.MaxValue
        ? (int)length
        : throw new InvalidOperationException($"a span holds at most 2^31-1 items, the tensor has {length}: slice it");

    private static void Fill<T>(Tensor tensor, ReadOnlySpan<double> values, Func<double, T> convert)
        where T : unmanaged
    {
        Span<T> target = tensor.AsSpan<T>();
        for (int i = 0; i < values.Length; i++)
        {
            target[i] = convert(values[i]);
        }
    }

    private void Read<T>(double[] values, Func<T, double> convert) where T : unmanaged
    {
        var source = (T*)pointer;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = convert(source[i]);
        }
    }

    private void* Writable() => !IsReadOnly ? Pointer : throw new InvalidOperationException(
        "the tensor is read-only, as frozen state is: read it by AsReadOnlySpan, change state by Session.LoadState");

    private int Elements<T>() where T : unmanaged
    {
        Require<T>();
        return SpanLength(Count);
    }

    private void Require<T>() where T : unmanaged
    {
        if (DType.Of<T>() != Type)
        {
            throw new InvalidOperationException($"the tensor is {Type.Name()}, not {DType.Of<T>().Name()}");
        }
    }

    private Storage Live() => Volatile.Read(ref storage) ?? throw new ObjectDisposedException(nameof(Tensor));
}
