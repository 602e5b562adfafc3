// In: a text. Out: windows of its bytes, all of one length.
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Data;

/// <summary>
/// Example i begins at byte i * stride. `[1:]` starts at the second byte: in `x=t.txt,y=t.txt[1:]`, y has the byte
/// after each byte of x. `[:90%]` and `[90%:]` split training and validation.
/// </summary>
internal static class TextWindows
{
    public static DataSource Open(string path, bool isZipped, string? part, DataWanted wanted)
    {
        var window = wanted.Window ?? (wanted.Shape is [{ } extent] ? extent : (long?)null)
            ?? throw new DataException(path, "a text is cut into windows, and their length is not known: say it in the "
                + "parameter's type (i32[n, 64]), or by --window 64");
        var stride = wanted.Stride ?? window;
        if (window < 1 || stride < 1)
            throw new DataException(path, $"windows of {window} bytes, {stride} apart, are none");
        FileStream file;
        if (isZipped)
        {
            using var whole = new TemporaryFile();
            using var stream = DataFiles.Opened(path, isZipped);
            stream.CopyTo(whole.Stream);
            file = whole.Written();
        }
        else
        {
            file = InputFile.OpenRegular(path);
        }
        var length = file.Length;
        var (from, to) = Range(path, part, length);
        var count = to - from < window ? 0 : (to - from - window) / stride + 1;
        return count > 0
            ? new DataSource(path, DType.U8, [window], count, file, from, stride) { IsWindows = true }
            : throw new DataException(path, $"{to - from} bytes have no window of {window}");
    }

    private static (long From, long To) Range(string path, string? part, long length)
    {
        if (part is null) return (0, length);
        long? At(string text, long otherwise) => text.Length == 0 ? otherwise
            : text.EndsWith('%') ? decimal.TryParse(text[..^1], NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out var percent) ? (long)(length * percent / 100) : null
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n)
                ? n < 0 ? n + length : n : null;
        return part.Split(':') is [var low, var high] && At(low, 0) is { } from && At(high, length) is { } to
            && from >= 0 && from < to && to <= length ? (from, to)
            : throw new DataException(path,
                $"[{part}] is no range of the {length} bytes: write [1:], [:90%] or [90%:]");
    }
}
