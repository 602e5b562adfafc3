// In: files of NumPy and safetensors. Out: tensors of libtorch, and results written as NumPy writes them.
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;

namespace Accelerate.Peers;

/// <summary>Row-major f32 and i64, which is all that the cases have.</summary>
internal static partial class TensorFiles
{
    public static Tensor Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        var header = Encoding.ASCII.GetString(bytes, 10, length);
        if (header.Contains("'fortran_order': True", StringComparison.Ordinal))
            throw new InvalidDataException($"{path} is not row-major");
        long[] shape = [.. Number().Matches(Shape().Match(header).Groups[1].Value)
            .Select(m => long.Parse(m.Value, CultureInfo.InvariantCulture))];
        var data = bytes.AsSpan(10 + length);
        if (header.Contains("'<i8'", StringComparison.Ordinal))
            return torch.tensor(MemoryMarshal.Cast<byte, long>(data).ToArray(), shape);
        return header.Contains("'<f4'", StringComparison.Ordinal) ? Floats(data, shape)
            : throw new InvalidDataException($"{path} is neither f32 nor i64");
    }

    /// <summary>All tensors of a safetensors file: the length of the header, the header, the data.</summary>
    public static Dictionary<string, Tensor> ReadWeights(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, length));
        var all = new Dictionary<string, Tensor>();
        foreach (var entry in header.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64())];
            var place = entry.Value.GetProperty("data_offsets");
            var (begin, end) = (place[0].GetInt32(), place[1].GetInt32());
            all[entry.Name] = Floats(bytes.AsSpan((8 + length + begin)..(8 + length + end)), shape);
        }
        return all;
    }

    public static void Write(string path, Tensor tensor)
    {
        var shape = string.Concat(tensor.shape.Select(n => $"{n},"));
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}";
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        using var file = File.Create(path);
        file.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        file.Write(Encoding.ASCII.GetBytes(header));
        file.Write(MemoryMarshal.AsBytes<float>(tensor.detach().to(float32).contiguous().data<float>().ToArray()));
    }

    private static Tensor Floats(ReadOnlySpan<byte> data, long[] shape)
    {
        var values = MemoryMarshal.Cast<byte, float>(data).ToArray();
        return shape.Length == 0 ? torch.tensor(values[0]) : torch.tensor(values, shape);
    }

    [GeneratedRegex(@"'shape': \(([^)]*)\)")]
    private static partial Regex Shape();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}
