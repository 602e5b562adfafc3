// In: dtypes, names and constants of kernel IR. Out: their spelling in OpenCL C.
using System.Globalization;
using System.Text;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// Values of bool are uchar 0 or 1; values of f16 and bf16 are floats that the dtype can represent, since few devices
/// have these types. Buffers hold the bits: uchar and ushort.
/// </summary>
internal static class OpenClTypes
{
    public static string Value(DType type) => type switch
    {
        DType.Bool => "uchar",
        DType.I8 => "char",
        DType.I16 => "short",
        DType.I32 => "int",
        DType.I64 => "long",
        DType.F16 or DType.BF16 or DType.F32 => "float",
        DType.F64 => "double",
        _ => Unsigned(type),
    };

    public static string Stored(DType type) => type is DType.F16 or DType.BF16 ? "ushort" : Value(type);

    /// <summary>The unsigned type of the same width.</summary>
    public static string Unsigned(DType type) => type.Bytes() switch
    {
        1 => "uchar",
        2 => "ushort",
        4 => "uint",
        _ => "ulong",
    };

    /// <summary>The type for modular arithmetic of an integer dtype: signed overflow is undefined in C.</summary>
    public static string Modular(DType type) => type.Bytes() == 8 ? "ulong" : "uint";

    public static string Least(DType type) => Integer(type switch
    {
        DType.I8 => sbyte.MinValue,
        DType.I16 => short.MinValue,
        DType.I32 => int.MinValue,
        DType.I64 => long.MinValue,
        _ => 0,
    }, type);

    public static string Greatest(DType type) => Integer(type switch
    {
        DType.Bool => 1,
        DType.I8 => sbyte.MaxValue,
        DType.I16 => short.MaxValue,
        DType.I32 => int.MaxValue,
        DType.I64 => long.MaxValue,
        _ => -1,
    }, type);

    /// <summary>An integer or bool constant; a value that does not fit the dtype is taken modulo its width.</summary>
    public static string Integer(long value, DType type) => type switch
    {
        DType.Bool => value != 0 ? "1" : "0",
        DType.I8 => Digits((sbyte)value),
        DType.I16 => Digits((short)value),
        DType.I32 => value == int.MinValue ? "(-2147483647 - 1)" : Digits((int)value),
        DType.I64 => Index(value),
        DType.U8 => Digits((byte)value),
        DType.U16 => Digits((ushort)value),
        DType.U32 => Digits((uint)value) + "u",
        _ => ((ulong)value).ToString(CultureInfo.InvariantCulture) + "UL",
    };

    /// <summary>An i64 constant. The least one has no literal in C.</summary>
    public static string Index(long value) =>
        value == long.MinValue ? "(-9223372036854775807L - 1L)" : Digits(value) + "L";

    /// <summary>
    /// A float constant: decimal for small integers, otherwise hexadecimal, which every compiler reads exactly.
    /// </summary>
    public static string Float(double value, DType type)
    {
        var suffix = type == DType.F64 ? "" : "f";
        if (double.IsNaN(value)) return type == DType.F64 ? "as_double(0x7ff8000000000000UL)" : "NAN";
        if (double.IsInfinity(value))
            return (value < 0 ? "-" : "") + (type == DType.F64 ? "as_double(0x7ff0000000000000UL)" : "INFINITY");
        if (Math.Abs(value) < 1 << 20 && value == Math.Truncate(value))
            return (double.IsNegative(value) ? "-" : "") + Digits((long)Math.Abs(value)) + ".0" + suffix;
        return Hexadecimal(value) + suffix;
    }

    /// <summary>
    /// A name as an identifier, with a prefix that avoids C's keywords; different names stay different.
    /// </summary>
    public static string Name(string prefix, string name)
    {
        var text = new StringBuilder(prefix).Append('_');
        foreach (var c in name)
        {
            text.Append(c switch
            {
                '.' => "_p",
                '_' => "__",
                '\'' => "_q",
                _ => c.ToString(),
            });
        }
        return text.ToString();
    }

    private static string Hexadecimal(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var fraction = bits & 0xFFFFFFFFFFFFFL;
        var exponent = (int)((bits >> 52) & 0x7FF) - 1023;
        if (exponent == -1023)
        {
            // A double's own subnormals, normalised to a leading 1 like the others.
            var shift = System.Numerics.BitOperations.LeadingZeroCount((ulong)fraction) - 11;
            fraction = (fraction << shift) & 0xFFFFFFFFFFFFFL;
            exponent = -1022 - shift;
        }
        var digits = fraction.ToString("x13", CultureInfo.InvariantCulture).TrimEnd('0');
        return $"{(value < 0 ? "-" : "")}0x1{(digits.Length > 0 ? "." : "")}{digits}p{Digits(exponent)}";
    }

    private static string Digits(long value) => value.ToString(CultureInfo.InvariantCulture);
}
