// In: a format with placeholders in braces, and tensors. Out: the text that print and assert write.
using System.Globalization;
using System.Text;

namespace Accelerate.Runtime;

/// <summary>
/// A subset of Python's formats: <c>{}</c> is the next value, <c>{:.4}</c> has four significant digits, <c>{:.4f}</c>
/// has four after the point; <c>{{</c> and <c>}}</c> are braces. A tensor is laid out like NumPy's; with a precision,
/// all elements are on one line.
/// </summary>
internal static class PrintFormat
{
    /// <summary>Values without a placeholder are appended; placeholders without a value stay as they are.</summary>
    public static string Format(string format, IReadOnlyList<Tensor> values)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(values);
        var text = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.Length; i++)
        {
            char c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                text.Append(c);
                i++;
            }
            else if (c == '{' && format.IndexOf('}', i) is > 0 and var end && next < values.Count
                && Precision(format[(i + 1)..end]) is { } precision)
            {
                text.Append(Value(values[next++], precision));
                i = end;
            }
            else
            {
                text.Append(c);
            }
        }
        for (; next < values.Count; next++)
        {
            text.Append(' ').Append(Value(values[next], ""));
        }
        return text.ToString();
    }

    /// <summary>
    /// The .NET format of a placeholder's content: empty for the shortest text, null if it is not a placeholder.
    /// </summary>
    private static string? Precision(string place)
    {
        if (place.Length == 0)
        {
            return "";
        }
        bool isFixed = place.EndsWith('f');
        string digits = place.StartsWith(":.", StringComparison.Ordinal) ? place[2..(isFixed ? ^1 : ^0)] : "";
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count < 100
            ? $"{(isFixed ? 'F' : 'G')}{count}"
            : null;
    }

    private static string Value(Tensor tensor, string precision)
    {
        if (precision.Length > 0 && tensor.Type.IsFloat)
        {
            int element = 0;
            return Elements(tensor.Shape,
                [.. tensor.ToDoubles().Select(v => Text(v, precision))], ref element);
        }
        string text = TensorFormat.Format(tensor);
        return tensor.Rank == 0 && text.EndsWith('.') ? text + "0" : text;
    }

    /// <summary>NaN and infinities are written as `{}` writes them.</summary>
    private static string Text(double value, string precision) => double.IsNaN(value) ? "nan"
        : double.IsInfinity(value) ? value < 0 ? "-inf" : "inf"
            : value.ToString(precision, CultureInfo.InvariantCulture);

    private static string Elements(ReadOnlySpan<long> shape, string[] words, ref int next)
    {
        if (shape.IsEmpty)
        {
            return words[next++];
        }
        var items = new List<string>();
        for (long i = 0; i < shape[0]; i++)
        {
            items.Add(Elements(shape[1..], words, ref next));
        }
        return $"[{string.Join(' ', items)}]";
    }
}
