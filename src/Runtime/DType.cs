// In: a dtype, its name, or a .NET element type. Out: its size, name and class.
namespace Accelerate;

/// <summary>The element types a tensor can hold. Bool is one byte, 0 or 1; all others are little-endian.</summary>
public enum DType
{
    /// <summary>False or true, as 0 or 1 in one byte: <see cref="bool"/>.</summary>
    Bool,

    /// <summary>A signed integer of 8 bits: <see cref="sbyte"/>.</summary>
    I8,

    /// <summary>A signed integer of 16 bits: <see cref="short"/>.</summary>
    I16,

    /// <summary>A signed integer of 32 bits: <see cref="int"/>.</summary>
    I32,

    /// <summary>A signed integer of 64 bits: <see cref="long"/>.</summary>
    I64,

    /// <summary>An unsigned integer of 8 bits: <see cref="byte"/>.</summary>
    U8,

    /// <summary>An unsigned integer of 16 bits: <see cref="ushort"/>.</summary>
    U16,

    /// <summary>An unsigned integer of 32 bits: <see cref="uint"/>.</summary>
    U32,

    /// <summary>An unsigned integer of 64 bits: <see cref="ulong"/>.</summary>
    U64,

    /// <summary>A float of 16 bits, 11 of them significant: <see cref="Half"/>.</summary>
    F16,

    /// <summary>The high half of an f32, 8 significant bits: <see cref="BFloat16"/>.</summary>
    BF16,

    /// <summary>A float of 32 bits: <see cref="float"/>.</summary>
    F32,

    /// <summary>A float of 64 bits: <see cref="double"/>.</summary>
    F64,
}

/// <summary>Properties of a dtype: element size, name, class.</summary>
public static class DTypeExtensions
{
    private static readonly string[] Names =
        ["bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64"];

    extension(DType type)
    {
        /// <summary>The size of one element in bytes: 1, 2, 4 or 8.</summary>
        public int Bytes() => type switch
        {
            DType.Bool or DType.I8 or DType.U8 => 1,
            DType.I16 or DType.U16 or DType.F16 or DType.BF16 => 2,
            DType.I32 or DType.U32 or DType.F32 => 4,
            DType.I64 or DType.U64 or DType.F64 => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a dtype"),
        };

        /// <summary>The name in the language: "f32", "bool", "bf16" …</summary>
        public string Name() => (uint)type < (uint)Names.Length ? Names[(int)type]
            : throw new ArgumentOutOfRangeException(nameof(type), type, "not a dtype");

        /// <summary>True for f16, bf16, f32 and f64.</summary>
        public bool IsFloat => type >= DType.F16;

        /// <summary>True for the signed and unsigned integers; false for bool.</summary>
        public bool IsInteger => type is >= DType.I8 and <= DType.U64;

        /// <summary>True for the signed integers and the floats.</summary>
        public bool IsSigned => type is >= DType.I8 and <= DType.I64 || type.IsFloat;

        /// <summary>The dtype of that name; names are case-sensitive.</summary>
        /// <exception cref="FormatException">No dtype has that name.</exception>
        public static DType Parse(string name) => Array.IndexOf(Names, name) is >= 0 and int index
            ? (DType)index
            : throw new FormatException($"'{name}' is not a dtype; the dtypes are {string.Join(", ", Names)}");

        /// <summary>
        /// The dtype whose elements .NET represents as <typeparamref name="T"/>: <see cref="Half"/> is f16,
        /// <see cref="BFloat16"/> is bf16, the others are the primitive types of that size.
        /// </summary>
        /// <exception cref="NotSupportedException">No dtype corresponds to that type.</exception>
        public static DType Of<T>() where T : unmanaged
        {
            // Each comparison is a constant for the JIT, so the chain costs nothing in a specialised caller.
            if (typeof(T) == typeof(float)) return DType.F32;
            if (typeof(T) == typeof(double)) return DType.F64;
            if (typeof(T) == typeof(Half)) return DType.F16;
            if (typeof(T) == typeof(BFloat16)) return DType.BF16;
            if (typeof(T) == typeof(bool)) return DType.Bool;
            if (typeof(T) == typeof(sbyte)) return DType.I8;
            if (typeof(T) == typeof(short)) return DType.I16;
            if (typeof(T) == typeof(int)) return DType.I32;
            if (typeof(T) == typeof(long)) return DType.I64;
            if (typeof(T) == typeof(byte)) return DType.U8;
            if (typeof(T) == typeof(ushort)) return DType.U16;
            if (typeof(T) == typeof(uint)) return DType.U32;
            if (typeof(T) == typeof(ulong)) return DType.U64;
            throw new NotSupportedException($"no dtype is held as {typeof(T).Name}");
        }
    }
}
