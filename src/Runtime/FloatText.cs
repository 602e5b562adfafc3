// In: one float element. Out: the shortest decimal digits that parse to the same bits, in positional or scientific
// form.
using System.Globalization;

namespace Accelerate.Runtime;

/// <summary>A float as sign, digits d₀d₁d₂… and exponent: ±d₀.d₁d₂… × 10^Exponent; no trailing zeros.</summary>
internal readonly record struct FloatText(double Value, bool Negative, string Digits, int Exponent)
{
    public bool IsFinite => double.IsFinite(Value);

    public static FloatText Of(Tensor tensor, long index) => tensor.Type switch
    {
        DType.F16 => Parse((double)TensorFormat.Element<Half>(tensor, index), Shortest16),
        DType.BF16 => Parse((float)TensorFormat.Element<BFloat16>(tensor, index), ShortestB16),
        DType.F32 => Parse(TensorFormat.Element<float>(tensor, index), v => Format((float)v, "R")),
        _ => Parse(TensorFormat.Element<double>(tensor, index), v => Format(v, "R")),
    };

    public string Special() => double.IsNaN(Value) ? "nan" : Value < 0 ? "-inf" : "inf";

    /// <summary>The digits around a decimal point that is always written: "0.1", "120.", "-0.".</summary>
    public string Positional()
    {
        string sign = Negative ? "-" : "";
        if (Exponent < 0)
        {
            return $"{sign}0.{new string('0', -Exponent - 1)}{Digits}";
        }
        string padded = Digits.PadRight(Exponent + 1, '0');
        string whole = $"{sign}{padded[..(Exponent + 1)]}.{padded[(Exponent + 1)..]}";
        return whole;
    }

    /// <summary>One digit, the point, <paramref name="fraction"/> digits, an exponent of at least two digits.</summary>
    public string Scientific(int fraction)
    {
        string exponent = Math.Abs(Exponent).ToString("00", CultureInfo.InvariantCulture);
        string tail = Digits[1..].PadRight(fraction, '0');
        return $"{(Negative ? "-" : "")}{Digits[0]}.{tail}e{(Exponent < 0 ? '-' : '+')}{exponent}";
    }

    private static FloatText Parse(double value, Func<double, string> shortest)
    {
        bool negative = double.IsNegative(value);
        if (!double.IsFinite(value) || value == 0)
        {
            return new(value, negative, "0", 0);
        }
        string text = shortest(Math.Abs(value));
        int e = text.IndexOf('E');
        int exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, Invariant);
        string mantissa = e < 0 ? text : text[..e];
        int point = mantissa.IndexOf('.');
        int whole = point < 0 ? mantissa.Length : point;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int leading = digits.Length - digits.TrimStart('0').Length;
        string significant = digits[leading..].TrimEnd('0');
        return new(value, negative, significant, exponent + whole - 1 - leading);
    }

    private static CultureInfo Invariant => CultureInfo.InvariantCulture;

    private static string Format<T>(T value, string format) where T : IFormattable => value.ToString(format, Invariant);

    private static string Shortest16(double value) => Search(value, 5, v => (double)(Half)v);

    private static string ShortestB16(double value) => Search(value, 4, v => (float)(BFloat16)v);

    /// <summary>The fewest digits that round to the value; <paramref name="enough"/> digits always do.</summary>
    private static string Search(double value, int enough, Func<double, double> round)
    {
        for (int digits = 1; digits < enough; digits++)
        {
            string text = Format(value, $"E{digits - 1}");
            if (round(double.Parse(text, Invariant)) == value)
            {
                return text;
            }
        }
        return Format(value, $"E{enough - 1}");
    }
}
