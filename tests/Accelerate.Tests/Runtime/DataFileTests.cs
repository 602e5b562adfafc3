// Npy and IDX: round trips, NumPy both ways, and every malformed file a DataException that says what is wrong.
using System.IO.Compression;
using System.Text;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime;

public sealed class DataFileTests : IDisposable
{
    private static readonly DType[] NpyTypes = [.. Enum.GetValues<DType>().Where(t => t != DType.BF16)];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void NpyRoundTrips()
    {
        foreach (DType type in NpyTypes)
        {
            foreach (long[] shape in (long[][])[[], [0], [4], [2, 2], [1, 2, 2, 1]])
            {
                using Tensor tensor = Tensor.Zeros(type, shape);
                if (tensor.Count > 0)
                {
                    tensor.Bytes[0] = 1;
                }
                Npy.Write(_folder["a.npy"], tensor);
                Assert.True(tensor.SameBits(TensorFile.Load(_folder["a.npy"])));
            }
        }
        Assert.Single(Directory.GetFiles(_folder.Root)); // no temporary is left
        var error = Assert.Throws<DataException>(() => Npy.Write(_folder["b.npy"], Tensor.Zeros(DType.BF16, 1)));
        Assert.Contains("the npy format has no bf16", error.Message);
    }

    [NumPyFact]
    public void NpyAgreesWithNumPyBothWays()
    {
        string types = string.Join(" ", "bool i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".Split(' '));
        NumPy.Run(
            "for t in sys.argv[2].split(): np.save(f'{sys.argv[1]}/{t}.npy', np.arange(6).reshape(2, 3).astype(t))\n"
            + "np.lib.format.write_array(open(f'{sys.argv[1]}/v2.npy', 'wb'), np.arange(3), version=(2, 0))\n"
            + "np.lib.format.write_array(open(f'{sys.argv[1]}/v3.npy', 'wb'), np.float32(7), version=(3, 0))\n"
            + "np.save(f'{sys.argv[1]}/fortran.npy', np.asfortranarray(np.ones((2, 3))))\n"
            + "np.save(f'{sys.argv[1]}/big.npy', np.ones(2, '>f4'))",
            _folder.Root, types);
        foreach (string type in types.Split(' '))
        {
            Tensor tensor = Npy.Read(_folder[$"{type}.npy"]);
            double[] expected = type == "bool" ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5];
            Assert.Equal(expected, tensor.ToDoubles());
            Assert.Equal([2L, 3L], tensor.Shape);
            Npy.Write(_folder[$"{type}.ours.npy"], tensor);
        }
        Assert.Equal([0, 1, 2], Npy.Read(_folder["v2.npy"]).ToDoubles());
        Assert.Equal(0, Npy.Read(_folder["v3.npy"]).Rank);
        Expect("Fortran order", () => Npy.Read(_folder["fortran.npy"]));
        Expect("big-endian", () => Npy.Read(_folder["big.npy"]));
        string same = NumPy.Run(
            "for t in sys.argv[2].split():\n"
            + " print(open(f'{sys.argv[1]}/{t}.npy', 'rb').read() == open(f'{sys.argv[1]}/{t}.ours.npy', 'rb').read())",
            _folder.Root, types);
        Assert.DoesNotContain("False", same);
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 12, null)]
    [InlineData("{'shape':(1,3),'descr':\"<f4\",'fortran_order':True}", 12, "Fortran order")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11, "takes 12 bytes, and 11 follow")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 13, "bytes follow the data")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", 24, "no dtype corresponds")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", 12, "malformed npy header")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3 3,), }", 12, "impossible shape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 12, "impossible shape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 12, "2^63 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", 12,
        "takes 4398046511104 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False}", 12, "exactly descr, fortran_order and shape")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4, "exactly descr")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", 12, "malformed npy header")]
    [InlineData("import os", 12, "malformed npy header")]
    [InlineData("", 12, "malformed npy header")]
    public void NpyHeadersAreChecked(string header, int dataBytes, string? message)
    {
        byte[] start = [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0];
        _folder.Write("a.npy", [.. start, .. Encoding.ASCII.GetBytes(header), .. new byte[dataBytes]]);
        Expect(message, () => Npy.Read(_folder["a.npy"]));
    }

    [Fact]
    public void NpyFilesThatAreCutOrForeign()
    {
        Npy.Write(_folder["whole.npy"], Tensor.Zeros(DType.F64, 5));
        byte[] whole = File.ReadAllBytes(_folder["whole.npy"]);
        for (int length = 0; length < whole.Length; length++)
        {
            string path = _folder.Write("cut.npy", whole[..length]);
            Assert.Throws<DataException>(() => Npy.Read(path));
        }
        Expect("the file ends inside the npy header: 0 of", () => Npy.Read(_folder.Write("a", whole[..10])));
        Expect("not an npy file", () => Npy.Read(_folder.Write("b", [.. "PK345678901234"u8])));
        Expect("format 9.0 is not known", () => Npy.Read(_folder.Write("c", [0x93, .. "NUMPY"u8, 9, 0, 0, 0])));
        Expect("not credible", () => Npy.Read(_folder.Write("d", [0x93, .. "NUMPY"u8, 2, 0, 255, 255, 255, 255])));
        Expect("no such file", () => Npy.Read(_folder["absent.npy"]));
        Expect("neither npy nor IDX", () => TensorFile.Load(_folder.Write("e.txt", [.. "hello"u8])));
        Expect("neither npy nor IDX", () => TensorFile.Load(_folder.Write("empty", [.. "h"u8])));
        whole[^40..].AsSpan().Clear();
    }

    [Fact]
    public void IdxReadsAndChecks()
    {
        byte[] shorts = [0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0xFF, 0xFE];
        Assert.Equal([258, -2], TensorFile.Load(_folder.Write("a.idx", shorts)).ToDoubles());
        byte[] floats = [0, 0, 0x0D, 0, 0x3F, 0x80, 0, 0];
        Assert.Equal([1], Idx.Read(_folder.Write("f.idx", floats)).ToDoubles());
        using (var gzip = new GZipStream(File.Create(_folder["a.gz"]), CompressionMode.Compress))
        {
            gzip.Write(shorts);
        }
        Assert.Equal([258, -2], TensorFile.Load(_folder["a.gz"]).ToDoubles());
        byte[] compressed = File.ReadAllBytes(_folder["a.gz"]);
        Assert.Throws<DataException>(() => TensorFile.Load(_folder.Write("cut.gz", compressed[..^12])));
        compressed[10] ^= 0xFF;
        Assert.Throws<DataException>(() => TensorFile.Load(_folder.Write("bad.gz", compressed)));
        Expect("IDX type 0x0A", () => Idx.Read(_folder.Write("b", [0, 0, 0x0A, 1])));
        Expect("the file ends inside the IDX extent of axis 1: 2 of 4", () =>
            Idx.Read(_folder.Write("c", [0, 0, 8, 2, 0, 0, 0, 1, 0, 0])));
        Expect("takes 4294967295 bytes, and 0 follow", () =>
            Idx.Read(_folder.Write("d", [0, 0, 8, 1, 255, 255, 255, 255])));
        Expect("2^63 bytes", () => Idx.Read(_folder.Write(
            "e", [0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255])));
        Expect("not an IDX file", () => Idx.Read(_folder.Write("g", [1, 2, 3, 4])));
    }

    [SharedFact("data/mnist")]
    public void MnistReads()
    {
        using Tensor images = TensorFile.Load(Shared.PathTo("data", "mnist", "t10k-images-idx3-ubyte.gz"));
        using Tensor labels = TensorFile.Load(Shared.PathTo("data", "mnist", "t10k-labels-idx1-ubyte.gz"));
        Assert.Equal([10000L, 28L, 28L], images.Shape);
        Assert.Equal(DType.U8, images.Type);
        Assert.Equal([7, 2, 1, 0, 4], labels.ToArray<byte>()[..5]);
    }

    internal static void Expect(string? message, Action action)
    {
        if (message is null)
        {
            action();
            return;
        }
        Assert.Contains(message, Assert.Throws<DataException>(action).Message);
    }
}
