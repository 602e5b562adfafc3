// Tensors: made, viewed, read, written, disposed, misused; each beside the values it must hold.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

internal sealed partial class ApiWorld
{
    /// <summary>A tensor, and the values that it must hold: views share the array of what they are views of.</summary>
    private sealed class Box(Tensor tensor, double[] memory, int begin, bool isReadOnly = false)
    {
        public Tensor Tensor { get; } = tensor;

        public double[] Memory { get; } = memory;

        public int Begin { get; } = begin;

        public int Count { get; } = (int)tensor.Count;

        public bool IsReadOnly { get; } = isReadOnly;

        public bool IsDisposed { get; set; }

        public double[] Values => Memory[Begin..(Begin + Count)];

        public void Set(double[] values) => values.CopyTo(Memory, Begin);
    }

    private Box NewBox(DType type, long[] shape, double[]? values = null)
    {
        values ??= Values(shape, () => random.Next(1, 9));
        var box = new Box(Tensor.FromDoubles(type, values, shape), values, 0);
        if (boxes.Count < 12) boxes.Add(box);
        return box;
    }

    private static double[] Values(long[] shape, Func<int> next) =>
        [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (p, e) => p * e)).Select(_ => (double)next())];

    private Box AnyBox() => boxes.Count == 0 || Chance(10) ? NewBox(DType.F32, [random.Next(0, 5)]) : Any(boxes);

    private void MakeTensor() =>
        NewBox(Chance(70) ? DType.F32 : DType.I32, Chance(50) ? [3] : [random.Next(0, 4), random.Next(1, 4)]);

    private void CheckValues(Box box, string what)
    {
        var values = box.Tensor.ToDoubles();
        Check(values.SequenceEqual(box.Values),
            $"{what}: [{string.Join(' ', box.Values)}] wanted, got [{string.Join(' ', values)}]");
    }

    private void ReadTensor()
    {
        var box = AnyBox();
        var t = box.Tensor;
        Log($"read tensor {boxes.IndexOf(box)}{(box.IsDisposed ? " (disposed)" : "")}");
        if (!box.IsDisposed)
        {
            CheckValues(box, "ToDoubles");
            using var copy = t.Clone();
            Check(copy.SameBits(t) && copy.ToString() == t.ToString(), "a clone is the same");
            return;
        }
        Action[] reads =
        [
            () => t.ToDoubles(), () => t.ToArray<float>(), () => t.Clone(), () => t.Format(), () => _ = t.ToString(),
            () => _ = t.ReadOnlyBytes, () => _ = t.Bytes, () => t.AsSpan<float>(), () => t.AsReadOnlySpan<float>(),
            () => t.SameBits(t), () => t.AsReadOnly(), () => t.Reshape(t.Count), () => PrintFormat.Format("{}", [t]),
            () => Npy.Write(Path.Combine(folder, "disposed.npy"), t),
            () => Safetensors.Write(Path.Combine(folder, "disposed.safetensors"), [new("t", t)]),
        ];
        var number = random.Next(reads.Length);
        // ToArray and spans of a dtype that is not the tensor's own fail for that, writes to a read-only one too.
        if (t.Type == DType.F32 || number is not (1 or 7 or 8))
            Expect(box.IsReadOnly && number is 6 or 7 ? typeof(InvalidOperationException)
                : typeof(ObjectDisposedException), reads[number], $"read {number} of a disposed tensor");
    }

    private void ViewTensor()
    {
        var box = AnyBox();
        if (box.IsDisposed || boxes.Count > 12) return;
        Log($"view of tensor {boxes.IndexOf(box)}");
        var t = box.Tensor;
        switch (random.Next(3))
        {
            case 0:
                boxes.Add(new Box(t.Reshape(t.Count), box.Memory, box.Begin, box.IsReadOnly));
                break;
            case 1 when t.Rank > 0:
                var rows = (int)t.Shape[0];
                var (begin, end) = (random.Next(rows + 1), random.Next(rows + 1));
                if (begin > end) (begin, end) = (end, begin);
                var width = rows == 0 ? 0 : box.Count / rows;
                boxes.Add(new Box(t.Slice(begin, end), box.Memory, box.Begin + begin * width, box.IsReadOnly));
                break;
            default:
                boxes.Add(new Box(t.AsReadOnly(), box.Memory, box.Begin, isReadOnly: true));
                break;
        }
        CheckValues(boxes[^1], "view");
    }

    private void WriteTensor()
    {
        var box = AnyBox();
        Log($"write tensor {boxes.IndexOf(box)}");
        if (box.Tensor.Type != DType.F32) return;
        if (box.IsDisposed || box.IsReadOnly)
        {
            var wanted = box.IsReadOnly ? typeof(InvalidOperationException) : typeof(ObjectDisposedException);
            if (!(box.IsDisposed && box.IsReadOnly)) Expect(wanted, () => box.Tensor.AsSpan<float>(), "AsSpan");
            return;
        }
        double[] values = [.. box.Values.Select(_ => (double)random.Next(1, 9))];
        var span = box.Tensor.AsSpan<float>();
        for (var i = 0; i < values.Length; i++) span[i] = (float)values[i];
        box.Set(values);
        GC.KeepAlive(box.Tensor);
    }

    private void DisposeTensor()
    {
        var box = AnyBox();
        Log($"dispose tensor {boxes.IndexOf(box)}");
        for (var i = random.Next(1, 3); i > 0; i--) Expect(null, box.Tensor.Dispose, "Tensor.Dispose");
        box.IsDisposed = true;
    }

    private void MisuseTensor()
    {
        var t = Tensor.Zeros(DType.F32, 2, 3);
        var kind = random.Next(14);
        Log($"misuse {kind}");
        var (wanted, act) = ((Type, Action))(kind switch
        {
            0 => (typeof(ArgumentException), () => t.Reshape(7)),
            1 => (typeof(ArgumentOutOfRangeException), () => t.Slice(1, 5)),
            2 => (typeof(ArgumentOutOfRangeException), () => t.Slice(2, 1)),
            3 => (typeof(ArgumentOutOfRangeException), () => Tensor.Zeros(DType.F32, -1)),
            4 => (typeof(ArgumentException), () => Tensor.Zeros(DType.F32, long.MaxValue, 2)),
            5 => (typeof(ArgumentOutOfRangeException), () => Tensor.Zeros((DType)99, 2)),
            6 => (typeof(InvalidOperationException), () => t.AsSpan<double>()),
            7 => (typeof(ArgumentNullException), () => t.SameBits(null!)),
            8 => (typeof(ArgumentNullException), () => Tensor.From((float[])null!, 0)),
            9 => (typeof(ArgumentException), () => Tensor.From([1f, 2], 3)),
            10 => (typeof(ArgumentException), () => Tensor.FromDoubles(DType.I8, [1.0], 2)),
            11 => (typeof(ArgumentNullException), () => PrintFormat.Format(null!, [t])),
            12 => (typeof(ArgumentException),
                () => Tensor.Zeros(DType.F32, Enumerable.Repeat(1L, 200_000).ToArray()).Format()),
            _ => (typeof(NotSupportedException), () => t.ToArray<char>()),
        });
        Expect(wanted, act, $"misuse {kind}");
    }
}
