// In: a folder with one folder of images for each class. Out: the images as bytes, or their class numbers.
using Accelerate.Runtime;
using SkiaSharp;

namespace Accelerate.Data;

/// <summary>
/// Classes are numbered in the order of the folder names, and images come in the order of file names. They are decoded
/// once into a temporary file. All images must have the parameter's size: resizing and cropping are left to the
/// program.
/// </summary>
internal static class ImageFolder
{
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"];

    public static DataSource Open(string path, string? part, DataWanted wanted)
    {
        var classes = Directory.GetDirectories(path).Order(StringComparer.Ordinal).ToArray();
        var images = classes.SelectMany((folder, index) => Directory.EnumerateFiles(folder)
            .Where(f => Endings.Contains(Path.GetExtension(f).ToLowerInvariant()))
            .Order(StringComparer.Ordinal).Select(file => (File: file, Class: index))).ToList();
        if (images.Count == 0)
            throw new DataException(path, "the folder has no images: a folder for each class is looked for, with "
                + string.Join(", ", Endings));
        using var file = new TemporaryFile();
        if (part == "labels")
        {
            foreach (var image in images) file.Stream.Write(BitConverter.GetBytes(image.Class));
            return new DataSource(path, DType.I32, [], images.Count, file.Written());
        }
        if (part is not null)
            throw new DataException(path, $"[{part}]: of a folder of images there are the images and its [labels]");
        var shape = Shape(path, wanted.Shape, images[0].File);
        foreach (var (name, _) in images) Write(file.Stream, name, shape);
        return new DataSource(path, DType.U8, shape.Channels == 0 ? [shape.Height, shape.Width]
            : shape.IsFirst ? [shape.Channels, shape.Height, shape.Width]
            : [shape.Height, shape.Width, shape.Channels], images.Count, file.Written());
    }

    /// <param name="Height">The height of every image in pixels.</param>
    /// <param name="Width">The width of every image in pixels.</param>
    /// <param name="Channels">1 for grey, 3 for red, green, blue; 0 for grey without an axis.</param>
    /// <param name="IsFirst">Whether the axis of channels comes first.</param>
    private readonly record struct ImageShape(int Height, int Width, int Channels, bool IsFirst);

    private static ImageShape Shape(string path, IReadOnlyList<long?> wanted, string first)
    {
        using var codec = SKCodec.Create(first) ?? throw new DataException(first, "no image that can be read");
        int Of(long? extent, int otherwise) => extent is { } e ? (int)Math.Min(e, int.MaxValue) : otherwise;
        var (h, w) = (codec.Info.Height, codec.Info.Width);
        return wanted switch
        {
            [1 or 3, var height, var width] =>
                new(Of(height, h), Of(width, w), (int)wanted[0]!.Value, IsFirst: true),
            [var height, var width, 1 or 3] =>
                new(Of(height, h), Of(width, w), (int)wanted[2]!.Value, IsFirst: false),
            [var height, var width] => new(Of(height, h), Of(width, w), 0, IsFirst: false),
            _ => throw new DataException(path, "images are for a parameter of [n, 3, h, w], [n, h, w, 3] (or 1 for "
                + "grey) or [n, h, w]"),
        };
    }

    private static void Write(Stream target, string path, ImageShape shape)
    {
        using var codec = SKCodec.Create(path) ?? throw new DataException(path, "no image that can be read");
        if (codec.Info.Width != shape.Width || codec.Info.Height != shape.Height)
            throw new DataException(path, $"the image has {codec.Info.Height} x {codec.Info.Width} pixels, and "
                + $"{shape.Height} x {shape.Width} are wanted: bring all to one size first");
        using var bitmap = SKBitmap.Decode(codec, new SKImageInfo(shape.Width, shape.Height, SKColorType.Rgba8888,
            SKAlphaType.Unpremul)) ?? throw new DataException(path, "no image that can be read");
        var pixels = bitmap.GetPixelSpan();
        var count = shape.Width * shape.Height;
        var bytes = new byte[count * Math.Max(1, shape.Channels)];
        for (var i = 0; i < count; i++)
        {
            var (r, g, b) = (pixels[4 * i], pixels[4 * i + 1], pixels[4 * i + 2]);
            if (shape.Channels != 3)
            {
                // The luma of BT.601 in 16-bit fixed point, like Pillow's convert("L").
                bytes[i] = (byte)((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16);
                continue;
            }
            var (at, step) = shape.IsFirst ? (i, count) : (3 * i, 1);
            (bytes[at], bytes[at + step], bytes[at + 2 * step]) = (r, g, b);
        }
        target.Write(bytes);
    }
}
