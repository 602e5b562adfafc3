// In: a tensor. Out: its elements as text in NumPy's layout, independent of machine and culture.
using System.Globalization;
using System.Text;

namespace Accelerate.Runtime;

/// <summary>
/// NumPy's array2string with floatmode "unique": floats are the shortest decimals that parse to the same bits, decimal
/// points are aligned, and the scientific form is chosen for the whole array by the range of its magnitudes.
/// </summary>
internal static class TensorFormat
{
    private const int Threshold = 1000; // elements printed before the text is summarised; NumPy's default
    private const int Edge = 3;         // items kept at each end of a summarised axis
    private const int Most = 100_000;   // elements of a summary: many short axes would give too long a text
    private const int LineWidth = 75;

    public static string Format(Tensor tensor)
    {
        using Tensor.Hold hold = tensor.Held();
        if (tensor.Count == 0)
        {
            return "[]";
        }
        int edge = tensor.Count > Threshold ? EdgeOf(tensor) : int.MaxValue;
        if (edge == 0)
        {
            return $"{new string('[', tensor.Rank)}...{new string(']', tensor.Rank)}";
        }
        var offsets = new List<long>();
        Collect(tensor, 0, 0, edge, offsets);
        string[] words = tensor.Type.IsFloat
            ? Floats([.. offsets.Select(i => FloatText.Of(tensor, i))])
            : PadLeft([.. offsets.Select(i => IntegerText(tensor, i))]);
        int next = 0;
        return tensor.Rank == 0 ? words[0].Trim() : Brackets(tensor, 0, " ", LineWidth, edge, words, ref next);
    }

    /// <summary>
    /// The number of items kept at each end of an axis: fewer than NumPy's three if the text would be too long, 0 if
    /// even one would be.
    /// </summary>
    private static int EdgeOf(Tensor tensor)
    {
        int edge = Edge;
        while (edge > 0)
        {
            double shown = 1;
            foreach (long extent in tensor.Shape)
            {
                shown *= Math.Min(extent, 2 * edge);
            }
            if (shown <= Most)
            {
                break;
            }
            edge--;
        }
        return edge;
    }

    private static bool Elided(Tensor tensor, int axis, int edge) => tensor.Shape[axis] > 2L * edge;

    /// <summary>The linear indices of the elements shown, in the order of the text.</summary>
    private static void Collect(Tensor tensor, int axis, long offset, int edge, List<long> offsets)
    {
        if (axis == tensor.Rank)
        {
            offsets.Add(offset);
            return;
        }
        long extent = tensor.Shape[axis];
        for (long i = 0; i < extent; i++)
        {
            if (i == edge && Elided(tensor, axis, edge))
            {
                i = extent - edge;
            }
            Collect(tensor, axis + 1, (offset * extent) + i, edge, offsets);
        }
    }

    private static string Brackets(
        Tensor tensor, int axis, string indent, int width, int edge, string[] words, ref int next)
    {
        long extent = tensor.Shape[axis];
        bool elided = Elided(tensor, axis, edge);
        bool innermost = axis == tensor.Rank - 1;
        var text = new StringBuilder();
        string line = indent;
        for (long i = 0; i < extent; i++)
        {
            if (elided && i == edge)
            {
                i = extent - edge;
                Append("...", last: false);
            }
            string item = innermost
                ? words[next++]
                : Brackets(tensor, axis + 1, indent + " ", width - 1, edge, words, ref next);
            Append(item, last: i == extent - 1);
        }
        text.Append(line);
        return $"[{text.ToString(indent.Length, text.Length - indent.Length)}]";

        void Append(string item, bool last)
        {
            if (!innermost)
            {
                string separator = last ? "" : new string('\n', tensor.Rank - axis - 1);
                text.Append(indent).Append(item).Append(separator);
                line = "";
                return;
            }
            if (line.Length + item.Length > width - 1 && line.Length > indent.Length)
            {
                text.Append(line.TrimEnd()).Append('\n');
                line = indent;
            }
            line += last ? item : item + " ";
        }
    }

    private static string[] PadLeft(string[] words)
    {
        int width = words.Max(w => w.Length);
        return [.. words.Select(w => w.PadLeft(width))];
    }

    private static string IntegerText(Tensor tensor, long index) => tensor.Type switch
    {
        DType.Bool => Element<byte>(tensor, index) != 0 ? "True" : "False",
        DType.I8 => Element<sbyte>(tensor, index).ToString(CultureInfo.InvariantCulture),
        DType.I16 => Element<short>(tensor, index).ToString(CultureInfo.InvariantCulture),
        DType.I32 => Element<int>(tensor, index).ToString(CultureInfo.InvariantCulture),
        DType.I64 => Element<long>(tensor, index).ToString(CultureInfo.InvariantCulture),
        DType.U8 => Element<byte>(tensor, index).ToString(CultureInfo.InvariantCulture),
        DType.U16 => Element<ushort>(tensor, index).ToString(CultureInfo.InvariantCulture),
        DType.U32 => Element<uint>(tensor, index).ToString(CultureInfo.InvariantCulture),
        _ => Element<ulong>(tensor, index).ToString(CultureInfo.InvariantCulture),
    };

    internal static unsafe T Element<T>(Tensor tensor, long index) where T : unmanaged =>
        ((T*)tensor.Pointer)[index];

    private static string[] Floats(FloatText[] values)
    {
        FloatText[] finite = [.. values.Where(v => v.IsFinite)];
        double[] magnitudes = [.. finite.Select(v => Math.Abs(v.Value)).Where(v => v != 0)];
        // NumPy's rule: positional only while the magnitudes span a readable range.
        bool scientific = magnitudes.Length > 0
            && (magnitudes.Max() >= 1e8 || magnitudes.Min() < 1e-4 || magnitudes.Max() / magnitudes.Min() > 1000);
        if (!scientific)
        {
            return Align([.. values.Select(v => v.IsFinite ? v.Positional() : v.Special())]);
        }
        int fraction = finite.Max(v => v.Digits.Length - 1);
        return PadLeft([.. values.Select(v => v.IsFinite ? v.Scientific(fraction) : v.Special())]);
    }

    /// <summary>Aligns decimal points: spaces before the integer part and after the fraction.</summary>
    private static string[] Align(string[] words)
    {
        int right = words.Max(w => w.Contains('.') ? w.Length - w.IndexOf('.') : 0);
        return PadLeft([.. words.Select(w => w.Contains('.') ? w.PadRight(w.IndexOf('.') + right) : w)]);
    }
}
