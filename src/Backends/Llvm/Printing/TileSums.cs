// In: rows and vectors of a tile. Out: its accumulators, in stack slots that mem2reg turns into registers.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// If at most half of a last vector's columns exist, it is half as wide, which costs half on machines that execute 512
/// bits in two halves. 3136 x 144 and 3136 x 96 to 24 columns take 192 and 128 µs, 255 and 170 with a whole vector
/// (`accc time examples/models/mobilenetv2.acc classify … --kernels`, AMD Zen 4 with AVX-512, 1 thread).
/// </summary>
internal sealed class TileSums
{
    private const int Width = IndexPrinter.Width;

    private readonly LlvmText text;
    private readonly DType type;
    private readonly string[,] slots;
    private readonly int last;

    /// <param name="text">The function.</param>
    /// <param name="type">The type of the sums.</param>
    /// <param name="rows">The number of rows in the tile.</param>
    /// <param name="vectors">The number of vectors of columns.</param>
    /// <param name="columns">The number of existing columns of the last vector; null if unknown.</param>
    public TileSums(LlvmText text, DType type, int rows, int vectors, int? columns)
    {
        (this.text, this.type, slots) = (text, type, new string[rows, vectors]);
        last = columns <= Width / 2 ? Width / 2 : Width;
        Each((r, v) => slots[r, v] = text.Slot(Types.Of(type, Lanes(v))));
    }

    public int Vectors => slots.GetLength(1);

    /// <summary>The lanes with which a vector is kept.</summary>
    public int Lanes(int v) => v == Vectors - 1 ? last : Width;

    public void Each(Action<int, int> inside)
    {
        for (var r = 0; r < slots.GetLength(0); r++)
            for (var v = 0; v < Vectors; v++) inside(r, v);
    }

    /// <summary>A vector of sums, with the lanes with which it is kept.</summary>
    public Operand this[int r, int v]
    {
        get => new(text.Value($"load {Types.Of(type, Lanes(v))}, ptr {slots[r, v]}, align 64"), type, Lanes(v));
        set => text.Do($"store {Types.Of(type, Lanes(v))} {value.Text}, ptr {slots[r, v]}, align 64");
    }

    /// <summary>A vector of sums, with zeros in the lanes that are not kept.</summary>
    public Operand Whole(int r, int v)
    {
        var sum = this[r, v];
        if (sum.Lanes == Width) return sum;
        var half = Types.Of(type, sum.Lanes);
        return new(text.Value($"shufflevector {half} {sum.Text}, {half} zeroinitializer, <{Width} x i32> <{Types.Lanes(0, Width)}>"),
            type, Width);
    }

    public void Clear() => Each((r, v) => this[r, v] = new("zeroinitializer", type, Lanes(v)));

    /// <summary>Loads the sums from memory.</summary>
    public void Load(string memory) => Each((r, v) => this[r, v] = new(
        text.Value($"load {Types.Of(type, Lanes(v))}, ptr {Place(memory, r, v)}, align {type.Bytes()}"), type,
            Lanes(v)));

    /// <summary>Stores the sums in memory.</summary>
    public void Store(string memory) => Each((r, v) =>
        text.Do($"store {Types.Of(type, Lanes(v))} {this[r, v].Text}, ptr {Place(memory, r, v)}, align {type.Bytes()}"));

    private string Place(string memory, int r, int v) =>
        text.Value($"getelementptr {Types.Of(type, Width)}, ptr {memory}, i64 {r * Vectors + v}");
}
