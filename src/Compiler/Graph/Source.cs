// The operations without operands: inputs, state, constants, counting, sizes as values.
using System.Collections.Immutable;
using System.Globalization;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// A parameter. An `inout` one is the caller's memory: an <see cref="Assign"/> of the same name gives its value when
/// the function returns.
/// </summary>
internal sealed class Input(string name, TensorType type, bool isInout = false) : Node("input", [], type)
{
    public override OpTraits Traits => OpTraits.None;

    public string Name { get; } = name;

    public bool IsInout { get; } = isInout;

    public override string Attributes => Quote.Text(Name) + (IsInout ? ",inout" : "");

    public override Node With(ImmutableArray<Node> operands) => new Input(Name, Type, IsInout);
}

/// <summary>
/// `param` is trained, `buffer` is not; both are saved and loaded. `inout` is an input that is written back.
/// </summary>
internal enum StorageClass
{
    Param, Buffer, Inout,
}

/// <summary>A piece of state with its value on entry to the function, named by its path.</summary>
internal sealed class State(StorageClass storage, string name, TensorType type)
    : Node(storage == StorageClass.Param ? "param" : "buffer", [], type)
{
    public override OpTraits Traits => OpTraits.None;

    public StorageClass Storage { get; } = storage;

    public string Name { get; } = name;

    public override string Attributes => Quote.Text(Name);

    public override Node With(ImmutableArray<Node> operands) => new State(Storage, Name, Type);
}

/// <summary>
/// A literal: one value that fills the shape, or row-major values of a constant shape. Values are stored as exact
/// doubles (floats, rounded to the dtype) or longs (integers, bool as 0 and 1).
/// </summary>
internal sealed class Const : Node
{
    public override OpTraits Traits => OpTraits.None;

    private Const(TensorType type, int folded)
        : base("const", [], type)
    {
        (Floats, Integers, FoldedIndex) = ([], [], folded);
        Attributes = $"folded {folded}";
    }

    private Const(TensorType type, ImmutableArray<double> floats, ImmutableArray<long> integers)
        : base("const", [], type)
    {
        Floats = floats;
        Integers = integers;
        var count = type.DType.IsFloat ? floats.Length : integers.Length;
        Rule.Require(count == 1 || (type.Count.IsConstant && type.Count.Value == count), "const C1",
            () => $"{count} values for {type}");
        Attributes = type.DType.IsFloat ? Rule.List(floats.Select(ConstText.Float)) : Rule.List(integers);
    }

    private Const(Const same)
        : base("const", [], same.Type)
    {
        (Floats, Integers, FoldedIndex, Attributes) = (same.Floats, same.Integers, same.FoldedIndex, same.Attributes);
    }

    public ImmutableArray<double> Floats { get; }

    public ImmutableArray<long> Integers { get; }

    public override string Attributes { get; }

    /// <summary>
    /// For a constant computed by compiled kernels, the number of the setup's result with its values; -1 for a literal.
    /// A folded constant has no values here.
    /// </summary>
    public int FoldedIndex { get; } = -1;

    /// <summary>True if one value fills the whole shape.</summary>
    public bool IsSplat => (Type.DType.IsFloat ? Floats.Length : Integers.Length) == 1;

    public static Const Of(TensorType type, params ImmutableArray<double> values) => type.DType.IsFloat
        ? new(type, [.. values.Select(v => ConstText.Round(v, type.DType))], [])
        : new(type, [], [.. values.Select(v => checked((long)v))]);

    public static Const Of(TensorType type, params ImmutableArray<long> values) => type.DType.IsFloat
        ? new(type, [.. values.Select(v => ConstText.Round(v, type.DType))], [])
        : new(type, [], values);

    /// <summary>A constant whose values are the given result of the program's setup.</summary>
    public static Const Folded(TensorType type, int index) => new(type, index);

    /// <summary>The value at a row-major position, as a double.</summary>
    public double FloatAt(long index) =>
        Type.DType.IsFloat ? Floats[IsSplat ? 0 : (int)index] : Integers[IsSplat ? 0 : (int)index];

    public override Node With(ImmutableArray<Node> operands) => new Const(this);
}

/// <summary>The index along one axis, in an integer or float dtype.</summary>
internal sealed class Iota(TensorType type, int axis) : Node("iota", [], Infer(type, axis))
{
    public override OpTraits Traits => OpTraits.None;

    public int Axis { get; } = axis;

    public override string Attributes => Axis.ToString(CultureInfo.InvariantCulture);

    public override Node With(ImmutableArray<Node> operands) => new Iota(Type, Axis);

    private static TensorType Infer(TensorType type, int axis)
    {
        Rule.Require(axis >= 0 && axis < type.Rank, "iota C1", () => $"axis {axis} of {type}");
        Rule.Require(type.DType != DType.Bool, "iota C2", () => $"an index of dtype {type.DType.Name()}");
        return type;
    }
}

/// <summary>
/// Uniform bits: element i (row-major) is word i % 4 of Philox4x32-10 with the counter i // 4 and the scalar i64 key.
/// Independent of layout, tile and backend.
/// </summary>
internal sealed class Random(Node key, ImmutableArray<Size> shape)
    : Node("random", [key], Infer(key.Type, shape))
{
    public override OpTraits Traits => OpTraits.Costly;

    public override Node With(ImmutableArray<Node> operands) => new Random(operands[0], Type.Shape);

    private static TensorType Infer(TensorType key, ImmutableArray<Size> shape)
    {
        Rule.Require(key.Equals(TensorType.Scalar(DType.I64)), "random C1", () => $"the key is {key}");
        return new TensorType(DType.U32, shape);
    }
}

/// <summary>A size as a scalar value.</summary>
internal sealed class SizeValue(Size size, DType dtype) : Node("size", [], TensorType.Scalar(dtype))
{
    public override OpTraits Traits => OpTraits.None;

    public Size Size { get; } = size;

    public override string Attributes => Size.Text;

    public override IEnumerable<Size> AttributeSizes => [Size];

    public override Node With(ImmutableArray<Node> operands) => new SizeValue(Size, Type.DType);
}

/// <summary>Literals as text that reads back to the same bits.</summary>
internal static class ConstText
{
    public static string Float(double value) =>
        double.IsNaN(value) ? "nan"
        : double.IsPositiveInfinity(value) ? "inf"
        : double.IsNegativeInfinity(value) ? "-inf"
        : value == 0 && double.IsNegative(value) ? "-0.0"
        : Digits(value) is var t && t.AsSpan().IndexOfAny(".E") < 0 ? t + ".0" : t;

    /// <summary>
    /// The shortest digits that .NET finds; at a power of two, below which doubles lie closer, they may be those of its
    /// neighbour: 2^-25 prints as 2.980232238769531E-08.
    /// </summary>
    private static string Digits(double value) =>
        value.ToString("R", CultureInfo.InvariantCulture) is var t
            && double.Parse(t, CultureInfo.InvariantCulture).Equals(value)
            ? t : value.ToString("G17", CultureInfo.InvariantCulture);

    public static double Parse(string text) => text switch
    {
        "nan" => double.NaN,
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    /// <summary>The nearest value of the dtype, as a double.</summary>
    public static double Round(double value, DType dtype) => dtype switch
    {
        DType.F32 => (float)value,
        DType.F16 => (double)(Half)value,
        DType.BF16 => Bf16(value),
        _ => value,
    };

    private static double Bf16(double value)
    {
        if (double.IsNaN(value)) return double.NaN;
        // Round to odd in f32, then to nearest even in bf16: one rounding in effect.
        var f = (float)value;
        var bits = BitConverter.SingleToUInt32Bits(f);
        if (f != value && float.IsFinite(f))
        {
            if (Math.Abs((double)f) > Math.Abs(value)) bits--;
            bits |= 1;
        }
        bits += 0x7FFF + ((bits >> 16) & 1);
        return BitConverter.UInt32BitsToSingle(bits & 0xFFFF0000);
    }
}
