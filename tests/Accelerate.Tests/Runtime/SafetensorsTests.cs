// Safetensors: round trips, lifetime of the mapping, and every malformed file a DataException that says what is wrong.
using System.Buffers.Binary;
using System.Text;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void RoundTrips()
    {
        var tensors = Enum.GetValues<DType>().ToDictionary(
            t => $"é.{t.Name()}", t => Tensor.FromDoubles(t, [0, 1, 1], 3, 1));
        tensors["empty"] = Tensor.Zeros(DType.F32, 0, 7);
        Safetensors.Write(_folder["a"], tensors, new Dictionary<string, string> { ["format"] = "pt" });
        Tensor kept;
        using (var file = Safetensors.Open(_folder["a"]))
        {
            Assert.Equal(tensors.Keys.Order(), file.Tensors.Select(t => t.Name).Order());
            Assert.Equal("pt", file.Metadata["format"]);
            foreach ((string name, Tensor tensor) in tensors)
            {
                Assert.True(tensor.SameBits(file.Read(name)), name);
            }
            kept = file.Read("é.i64");
            kept.AsSpan<long>()[0] = 5; // private: the file keeps its zero
            Expect("no tensor named 'x'", () => file.Read("x"));
        }
        Assert.Equal([5, 1, 1], kept.ToArray<long>());
        using var again = Safetensors.Open(_folder["a"]);
        Assert.Equal([0, 1, 1], again.Read("é.i64").ToArray<long>());
    }

    [Fact]
    public void UnalignedTensorsAreCopied()
    {
        string header =
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}""";
        using var file = Safetensors.Open(Make(header, [9, 0, 0, 0x80, 0x3F]));
        Assert.Equal([1f], file.Read("b").ToArray<float>());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'b' overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "leaves a hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "ends at 12, and the file has 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""",
        "takes 12 bytes, its data_offsets span 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "begin ≤ end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "begin ≤ end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "integers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "integers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", "integers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", "2^63 bytes")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", "dtype F8_E4M3 is not supported")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", "must have dtype, shape")]
    [InlineData("""{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", "must have dtype, shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "shape must be an array")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{}}""", "malformed header")]
    [InlineData("""{"a":[]}""", "must have dtype")]
    [InlineData("""{"__metadata__":{"k":1}}""", "__metadata__ must be an object of texts")]
    [InlineData("""[]""", "not a JSON object")]
    [InlineData("""{"a":""", "malformed header")]
    [InlineData("""{"\ud800":{}}""", "malformed header")]
    public void HeadersAreChecked(string header, string message) =>
        Expect(message, () => Safetensors.Open(Make(header, new byte[8])));

    [Fact]
    public void FilesThatAreCutOrForeign()
    {
        Expect("8 bytes at least, this one 0", () => Safetensors.Open(_folder.Write("a")));
        Expect("is a .npy file, no safetensors file",
            () => Safetensors.Open(_folder.Write("n", [0x93, .. "NUMPY"u8, 1, 0, 2, 0])));
        Expect("is no safetensors file", () => Safetensors.Open(_folder.Write("t", [.. "module M {"u8])));
        Expect("does not fit a file of 9", () => Safetensors.Open(_folder.Write("b", 2, 0, 0, 0, 0, 0, 0, 0, 1)));
        Expect("a header of 18446744073709551615", () =>
            Safetensors.Open(_folder.Write("c", [.. Enumerable.Repeat((byte)255, 16)])));
        Expect("no such file", () => Safetensors.Open(_folder["absent"]));
        Safetensors.Write(_folder["w"], new Dictionary<string, Tensor> { ["x"] = Tensor.Zeros(DType.F32, 9) });
        byte[] whole = File.ReadAllBytes(_folder["w"]);
        for (int length = 0; length < whole.Length; length++)
        {
            string cut = _folder.Write("cut", whole[..length]);
            Assert.Throws<DataException>(() => Safetensors.Open(cut));
        }
        Expect("given twice or reserved", () => Safetensors.Write(
            _folder["d"], [new("x", Tensor.Scalar(1)), new("x", Tensor.Scalar(1))]));
        using var bools = Safetensors.Open(
            Make("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}""", [2]));
        Expect("neither 0 nor 1", () => bools.Read("a"));
    }

    [SharedFact("data/models")]
    public void EveryReferenceModelReads()
    {
        foreach (string path in Directory.GetFiles(Shared.PathTo("data", "models"), "*", SearchOption.AllDirectories))
        {
            if (path.EndsWith(".npy"))
            {
                Assert.True(TensorFile.Load(path).Count > 0);
            }
            else if (path.EndsWith(".safetensors"))
            {
                using var file = Safetensors.Open(path);
                Assert.All(file.Tensors, t => Assert.Equal(t.Type, file.Read(t.Name).Type));
            }
        }
    }

    private string Make(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return _folder.Write("made", [.. length, .. json, .. data]);
    }

    private static void Expect(string message, Action action) => DataFileTests.Expect(message, action);
}
