// In: files of every format that is read. Out: whether their examples are what was written, and what is said of others.
using System.IO.Compression;
using System.Text;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Data;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using SkiaSharp;

namespace Accelerate.Tests.Train;

public sealed class DataFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static readonly DataWanted Floats = new(DType.F32, [null]);

    private static byte[] Example(DataSource source, long index)
    {
        var bytes = new byte[source.ExampleBytes];
        source.Read(index, bytes);
        return bytes;
    }

    private static float[] Row(DataSource source, long index)
    {
        var bytes = Example(source, index);
        return [.. Enumerable.Range(0, bytes.Length / 4).Select(i => BitConverter.ToSingle(bytes, 4 * i))];
    }

    private string Zipped(string path)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest)) zip.Write(File.ReadAllBytes(path));
        return folder.Write(Path.GetFileName(path) + ".gz", bytes.ToArray());
    }

    [Fact]
    public void NpyIsReadWhereItLiesAndUnpacked()
    {
        Npy.Write(folder["x.npy"], Tensor.From([.. Enumerable.Range(0, 12).Select(i => (float)i)], 3, 2, 2));
        using var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create))
        {
            zip.CreateEntryFromFile(folder["x.npy"], "images.npy");
            zip.CreateEntryFromFile(folder["x.npy"], "others.npy");
        }
        folder.Write("x.npz", archive.ToArray());
        foreach (var (path, part) in ((string, string?)[])
            [(folder["x.npy"], null), (Zipped(folder["x.npy"]), null), (folder["x.npz"], "images")])
        {
            using var source = DataFiles.Open(path, part, Floats);
            Assert.Equal((3L, "f32[2,2]"), (source.Count, source.ToString()));
            Assert.Equal([8f, 9, 10, 11], Row(source, 2));
            Assert.Equal([0f, 1, 2, 3], Row(source, 0));
        }
        var unnamed = Assert.Throws<DataException>(() => DataFiles.Open(folder["x.npz"], null, Floats));
        Assert.Contains("images, others", unnamed.Message);
    }

    [Fact]
    public void IdxHasTheHighByteFirst()
    {
        folder.Write("x.idx", [0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
        foreach (var path in (string[])[folder["x.idx"], Zipped(folder["x.idx"])])
        {
            using var source = DataFiles.Open(path, null, Floats);
            Assert.Equal((2L, "i16[2]"), (source.Count, source.ToString()));
            Assert.Equal([6, 5, 8, 7], Example(source, 1));
        }
    }

    [Fact]
    public void AShortFileIsRefusedWithBothFacts()
    {
        folder.Write("x.idx", [0, 0, 0x08, 1, 0, 0, 0, 9, 1, 2]);
        var e = Assert.Throws<DataException>(() => DataFiles.Open(folder["x.idx"], null, Floats));
        Assert.Contains("u8[9] takes 9 bytes, and 2 follow", e.Message);
    }

    [Theory]
    [InlineData("1,2.5,3\n4,5,6\n", ":2", new[] { 4f, 5 })]
    [InlineData("a,b,label\n1,2.5,3\n4,5,6\n", "label", new[] { 6f })]
    [InlineData("1;2.5;3\n\n4;5;6", "-1", new[] { 6f })]
    [InlineData("# digits\n\na,b,label\n1,2.5,3\n# more\n4,5,6\n", "label", new[] { 6f })]
    [InlineData("1 2.5  3\n4 5 6\n", "1:", new[] { 5f, 6 })]
    public void ATableGivesColumns(string text, string part, float[] second)
    {
        folder.Write("t.csv", Encoding.UTF8.GetBytes(text));
        using var source = DataFiles.Open(folder["t.csv"], part, Floats);
        Assert.Equal(2, source.Count);
        Assert.Equal(second, Row(source, 1));
        Assert.Equal(part.Contains(':') ? 1 : 0, source.Shape.Count);
    }

    [Theory]
    [InlineData("# x\n\na,b\n1,2\n3\n", null, "line 5 has 1 columns, the first line 2")]
    [InlineData("1,2\n3\n", null, "line 2 has 1 columns, the first line 2")]
    [InlineData("1,2\n3,x\n", null, "line 2, column 1: 'x' is no i32")]
    [InlineData("1,2\n3,4.5\n", null, "'4.5' is no i32")]
    [InlineData("1,2\n3,4\n", "2", "[2] are no columns of the 2")]
    [InlineData("1,2\n3,4\n", "1:1", "no columns")]
    public void ATableThatDoesNotFitIsNamed(string text, string? part, string expected)
    {
        folder.Write("t.csv", Encoding.UTF8.GetBytes(text));
        var e = Assert.Throws<DataException>(() => DataFiles.Open(folder["t.csv"], part, new(DType.I32, [2])));
        Assert.Contains(expected, e.Message);
    }

    [Fact]
    public void ATextGivesWindows()
    {
        folder.Write("t.txt", "abcdefghij"u8.ToArray());
        using var plain = DataFiles.Open(folder["t.txt"], null, new(DType.I32, [3]));
        Assert.Equal((3L, "def"), (plain.Count, Encoding.ASCII.GetString(Example(plain, 1))));
        using var shifted = DataFiles.Open(folder["t.txt"], "1:", new(DType.I32, [3]) { Stride = 2 });
        Assert.Equal((4L, "defghi"[..3]), (shifted.Count, Encoding.ASCII.GetString(Example(shifted, 1))));
        using var end = DataFiles.Open(Zipped(folder["t.txt"]), "70%:", new(DType.I32, [null]) { Window = 3 });
        Assert.Equal((1L, "hij"), (end.Count, Encoding.ASCII.GetString(Example(end, 0))));
        var e = Assert.Throws<DataException>(() => DataFiles.Open(folder["t.txt"], null, new(DType.I32, [null])));
        Assert.Contains("--window", e.Message);
    }

    [Fact]
    public void AFolderOfImagesGivesPixelsAndClasses()
    {
        foreach (var (kind, colour) in ((string, SKColor)[])[("b", SKColors.Red), ("a", new SKColor(0, 0, 128))])
        {
            Directory.CreateDirectory(folder[kind]);
            using var bitmap = new SKBitmap(2, 1);
            bitmap.Erase(colour);
            bitmap.SetPixel(1, 0, SKColors.White);
            using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            File.WriteAllBytes(Path.Combine(folder[kind], "1.png"), png.ToArray());
        }
        using var first = DataFiles.Open(folder.Root, null, new(DType.F32, [3, 1, 2]));
        Assert.Equal([0, 255, 0, 255, 128, 255], Example(first, 0));
        using var last = DataFiles.Open(folder.Root, null, new(DType.F32, [null, null, 3]));
        Assert.Equal([255, 0, 0, 255, 255, 255], Example(last, 1));
        using var labels = DataFiles.Open(folder.Root, "labels", new(DType.I32, []));
        Assert.Equal([1, 0, 0, 0], Example(labels, 1));
        var e = Assert.Throws<DataException>(() => DataFiles.Open(folder.Root, null, new(DType.F32, [3, 2, 2])));
        Assert.Contains("1 x 2 pixels, and 2 x 2 are wanted", e.Message);
    }

    [Fact]
    public void WhatIsUnpackedHasNoName()
    {
        folder.Write("x.idx", [0, 0, 0x08, 1, 0, 0, 0, 2, 1, 2]);
        using var source = DataFiles.Open(Zipped(folder["x.idx"]), null, Floats);
        Assert.DoesNotContain(new DirectoryInfo(Path.GetTempPath()).GetFiles("accc-data-*"), f => f.Length == 2);
        Assert.Equal([2], Example(source, 1));
    }

    [Theory]
    [InlineData("x=a,b.npy,y=c", "x a,b.npy -", "y c -")]
    [InlineData("x=t.csv[:64],y=t.csv[64]", "x t.csv :64", "y t.csv 64")]
    public void ASpecificationIsRead(string text, params string[] expected) =>
        Assert.Equal(expected, DataSpec.Parse(text).Select(s => $"{s.Parameter} {s.Path} {s.Part ?? "-"}"));

    [Fact]
    public void WordsArePhiloxAndOrdersArePermutations()
    {
        foreach (var (counter, key) in ((ulong, long)[])[(0, 0), (7, -1), (1ul << 40, 1L << 62)])
        {
            var (a, b, c, d) = Philox.Block(counter, unchecked((ulong)key));
            Assert.Equal((((ulong)b << 32) | a, ((ulong)d << 32) | c), Keys.Words(counter, key));
        }
        var order = Keys.Permutation(1000, 5);
        Assert.Equal(Enumerable.Range(0, 1000), order.Order());
        Assert.Equal(order, Keys.Permutation(1000, 5));
        Assert.NotEqual(order, Keys.Permutation(1000, 6));
        // Each place gets each number as often, give or take: of 6000 draws of 3, 1000 for each of 6 orders.
        var drawn = Enumerable.Range(0, 6000).Select(k => string.Join("", Keys.Permutation(3, Keys.Fold(9, k))))
            .GroupBy(o => o).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(6, drawn.Count);
        Assert.All(drawn.Values, n => Assert.InRange(n, 880, 1120));
    }
}
