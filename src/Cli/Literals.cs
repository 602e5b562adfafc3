// In: a number or nested lists of them as text, and a dtype. Out: a tensor.
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// Parses `3.5`, `true`, `[1, -2]`, `[[1, 2], [3, 4]]`: rows of equal length, values that the dtype represents.
/// </summary>
internal static class Literals
{
    /// <exception cref="FormatException">The text is not a literal, or a value does not fit the dtype.</exception>
    public static Tensor Parse(string text, DType type)
    {
        var words = new List<string>();
        var shape = new List<long>();
        var at = 0;
        Item(text, ref at, 0, words, shape);
        Blanks(text, ref at);
        if (at < text.Length) throw new FormatException($"'{text[at]}' at character {at + 1} is not expected");
        return Make(type, words, [.. shape]);
    }

    private static void Item(string text, ref int at, int depth, List<string> words, List<long> shape)
    {
        Blanks(text, ref at);
        if (at < text.Length && text[at] == '[')
        {
            at++;
            // The first list at a depth sets the length of all others at that depth.
            var first = shape.Count == depth && words.Count == 0;
            if (first) shape.Add(0);
            else if (shape.Count <= depth)
                throw new FormatException($"a list at character {at} stands where a number stood before");
            var count = 0L;
            Blanks(text, ref at);
            while (at < text.Length && text[at] != ']')
            {
                if (count > 0)
                {
                    if (text[at] != ',') throw new FormatException($"a ',' or ']' is missing at character {at + 1}");
                    at++;
                }
                Item(text, ref at, depth + 1, words, shape);
                count++;
                Blanks(text, ref at);
            }
            if (at >= text.Length) throw new FormatException("a ']' is missing at the end");
            at++;
            if (first) shape[depth] = count;
            else if (shape[depth] != count)
            {
                throw new FormatException(
                    $"the lists have different lengths: {shape[depth]}, then {count} at character {at}");
            }
            return;
        }
        if (shape.Count > depth)
            throw new FormatException($"a number at character {at + 1} stands where a list stood before");
        var start = at;
        while (at < text.Length && text[at] is not (',' or ']' or '[' or ' ')) at++;
        if (at == start)
            throw new FormatException(
                $"a number is missing at {(at < text.Length ? $"character {at + 1}" : "the end")}");
        words.Add(text[start..at]);
    }

    private static void Blanks(string text, ref int at)
    {
        while (at < text.Length && text[at] == ' ') at++;
    }

    private static Tensor Make(DType type, List<string> words, long[] shape) => type switch
    {
        DType.Bool =>
            Fill(words, shape, w => w is "true" or "1" ? true : w is "false" or "0" ? false : throw Bad(w, type)),
        // The values are already of the dtype: nothing is rounded again.
        _ when type.IsFloat => Tensor.FromDoubles(type,
            words.Select(w => Special(w) ?? DecimalText.Parse(w, type) ?? throw Bad(w, type)).ToArray(), shape),
        DType.I64 => Fill(words, shape, w => Whole<long>(w, type)),
        DType.U64 => Fill(words, shape, w => Whole<ulong>(w, type)),
        DType.I32 => Fill(words, shape, w => Whole<int>(w, type)),
        DType.U32 => Fill(words, shape, w => Whole<uint>(w, type)),
        DType.I16 => Fill(words, shape, w => Whole<short>(w, type)),
        DType.U16 => Fill(words, shape, w => Whole<ushort>(w, type)),
        DType.I8 => Fill(words, shape, w => Whole<sbyte>(w, type)),
        _ => Fill(words, shape, w => Whole<byte>(w, type)),
    };

    private static Tensor Fill<T>(List<string> words, long[] shape, Func<string, T> parse)
        where T : unmanaged => Tensor.From(words.Select(parse).ToArray(), shape);

    private static double? Special(string word) => word switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        _ => null,
    };

    private static T Whole<T>(string word, DType type)
        where T : struct, System.Numerics.IBinaryInteger<T> =>
        T.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value : throw Bad(word, type);

    private static FormatException Bad(string word, DType type) => new($"'{word}' is no {type.Name()}");
}
