// A value as LLVM text: an operand with its element type, either one scalar or 16 lanes.
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>`Lanes` is 0 for a scalar.</summary>
internal readonly record struct Operand(string Text, DType Type, int Lanes)
{
    public string LlvmType => Types.Of(Type, Lanes);
}

internal static class Types
{
    /// <summary>
    /// The type of values in registers: bool is one bit, f16 and bf16 are an f32 that they can represent.
    /// </summary>
    public static string Element(DType type) => type switch
    {
        DType.Bool => "i1",
        DType.F16 or DType.BF16 or DType.F32 => "float",
        DType.F64 => "double",
        _ => $"i{8 * type.Bytes()}",
    };

    /// <summary>The type in buffers: bool is one byte, f16 and bf16 are two.</summary>
    public static string Memory(DType type) => type switch
    {
        DType.Bool => "i8",
        DType.F16 or DType.BF16 => "i16",
        _ => Element(type),
    };

    public static string Of(DType type, int lanes) => Vector(Element(type), lanes);

    public static string Vector(string element, int lanes) => lanes == 0 ? element : $"<{lanes} x {element}>";

    /// <summary>Consecutive lanes as operands of a shuffle: `i32 8, i32 9`.</summary>
    public static string Lanes(int first, int count) =>
        string.Join(", ", Enumerable.Range(first, count).Select(l => $"i32 {l}"));

    /// <summary>The suffix of an overloaded intrinsic: `f32`, `v16f32`.</summary>
    public static string Suffix(DType type, int lanes)
    {
        var element = type switch
        {
            DType.F16 or DType.BF16 or DType.F32 => "f32",
            DType.F64 => "f64",
            DType.Bool => "i1",
            _ => $"i{8 * type.Bytes()}"
        };
        return lanes == 0 ? element : $"v{lanes}{element}";
    }

    public static string SuffixMemory(DType type, int lanes) =>
        Memory(type) is ['i', ..] memory ? $"v{lanes}{memory}" : Suffix(type, lanes);

    /// <summary>The same constant in every lane.</summary>
    public static string Splat(string element, string constant, int lanes) => lanes == 0
        ? constant
        : $"<{string.Join(", ", Enumerable.Repeat($"{element} {constant}", lanes))}>";
}
