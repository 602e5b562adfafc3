// In: a dtype, its name, or a .NET element type. Out: its size, name and class.
namespace Accelerate.Runtime;

/// <summary>The element types a tensor can hold. Bool is one byte, 0 or 1; all others are little-endian.</summary>
public enum DType
{
    Bool,
    I8, I16, I32, I64,
    U8, U16, U32, U64,
    F16, BF16, F32, F64,
}

/// <summary>What follows from a dtype alone.</summary>
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
        /// The dtype whose elements .NET holds as <typeparamref name="T"/>: <see cref="Half"/> is f16,
        /// <see cref="BFloat16"/> is bf16, the others are the primitive types of that size.
        /// </summary>
        /// <exception cref="NotSupportedException">No dtype is held as that type.</exception>
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
