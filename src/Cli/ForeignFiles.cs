// In: a file of an unexpected format. Out: its format, by its first bytes or its name, and how to convert it to one
// that is read here.
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>A file format of other programs.</summary>
/// <param name="Name">The name with its article: "an image".</param>
/// <param name="Endings">The endings of file names, without the dot.</param>
/// <param name="Array">How to convert it to an npy file; null if it holds no array.</param>
/// <param name="Weights">How to convert it to a safetensors file; null if it holds no weights.</param>
internal sealed record ForeignFile(string Name, string[] Endings, string? Array, string? Weights);

internal static class ForeignFiles
{
    private const string Torch =
        "in Python: safetensors.torch.save_file(torch.load(\"{0}\", weights_only=True), \"{1}.safetensors\")";

    private static readonly ForeignFile[] Table =
    [
        new("a PyTorch checkpoint", ["pth", "pt", "ckpt"],
            "in Python: numpy.save(\"{1}.npy\", torch.load(\"{0}\").numpy())",
            Torch),
        new("an archive of NumPy arrays", ["npz"], "in Python: numpy.save(\"{1}.npy\", numpy.load(\"{0}\")[\"arr_0\"])",
            "in Python: safetensors.numpy.save_file(dict(numpy.load(\"{0}\")), \"{1}.safetensors\")"),
        new("a NumPy array", ["npy"], null,
            "it has no names: safetensors.numpy.save_file({{\"name\": numpy.load(\"{0}\")}}, \"{1}.safetensors\")"),
        new("an ONNX model", ["onnx"], null, "ONNX is not read: write the model in .acc, and save the weights that "
            + "it was "
            + "exported from with safetensors.torch.save_file"),
        new("an HDF5 file", ["h5", "hdf5", "keras"], "in Python: numpy.save(\"{1}.npy\", "
            + "h5py.File(\"{0}\")[\"name\"][:])",
            "in Python: safetensors.numpy.save_file({{w.path: w.numpy() for w in model.weights}}, "
                + "\"{1}.safetensors\")"),
        new("a GGUF model", ["gguf", "ggml"], null, "take the model's safetensors file, from which it was made"),
        new("a pickle", ["pkl", "pickle", "bin"], "in Python: numpy.save(\"{1}.npy\", numpy.load(\"{0}\", "
            + "allow_pickle=True))",
            Torch),
        new("a safetensors file", ["safetensors"], "weights are given by --weights {0}; one array of it by "
            + "numpy.save(\"{1}.npy\", safetensors.numpy.load_file(\"{0}\")[\"name\"])", null),
        new("an image", ["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff"],
            "in Python: numpy.save(\"{1}.npy\", numpy.asarray(PIL.Image.open(\"{0}\")))", null),
        new("a sound", ["wav", "mp3", "flac", "ogg"], "in Python: numpy.save(\"{1}.npy\", soundfile.read(\"{0}\")[0])",
            null),
        new("a table of text", ["csv", "tsv"], "in Python: numpy.save(\"{1}.npy\", numpy.loadtxt(\"{0}\", "
            + "delimiter=\",\"))",
            null),
        new("a text", ["txt", "dat", "md"], "in Python: numpy.save(\"{1}.npy\", numpy.loadtxt(\"{0}\"))", null),
        new("a JSON text", ["json"], "in Python: numpy.save(\"{1}.npy\", numpy.array(json.load(open(\"{0}\"))))", null),
        new("a program", ["acc", "py", "ipynb"], null, null),
    ];

    private static readonly (byte[] Bytes, string Ending)[] Magic =
    [
        ([0x93, (byte)'N', (byte)'U', (byte)'M'], "npy"), ([0x89, (byte)'P', (byte)'N', (byte)'G'], "png"),
        ([0xFF, 0xD8, 0xFF], "jpg"), ([(byte)'G', (byte)'I', (byte)'F', (byte)'8'], "gif"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "h5"), ([(byte)'G', (byte)'G', (byte)'U', (byte)'F'], "gguf"),
        ([0x80, 2], "pkl"), ([0x80, 3], "pkl"), ([0x80, 4], "pkl"), ([0x80, 5], "pkl"),
        // torch.save writes zip files; only .npz is something else.
        ([(byte)'P', (byte)'K', 3, 4], "pth"),
    ];

    /// <summary>
    /// The format of a file; null if it is unknown, or not a regular file: opening a pipe would wait for its writer.
    /// </summary>
    public static ForeignFile? Of(string path)
    {
        if (FileStatus.Of(path) is not { Kind: FileKind.Regular }) return null;
        var ending = Path.GetExtension(path).TrimStart('.').ToLowerInvariant();
        var named = Table.FirstOrDefault(k => k.Endings.Contains(ending));
        Span<byte> first = stackalloc byte[8];
        try
        {
            using var file = File.OpenRead(path);
            first = first[..file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return named;
        }
        foreach (var (bytes, known) in Magic)
        {
            if (!first.StartsWith(bytes)) continue;
            var kind = Table.First(k => k.Endings.Contains(known));
            return known is "pth" or "pkl" && named is { Name: not "a safetensors file" } ? named : kind;
        }
        return named;
    }

    /// <summary>The format indicated by a name's ending.</summary>
    public static ForeignFile? Named(string path) =>
        Table.FirstOrDefault(k => k.Endings.Contains(Path.GetExtension(path).TrimStart('.').ToLowerInvariant()));

    /// <summary>A line of help with this file's name.</summary>
    public static string For(string help, string path) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture,
        help, path, Path.GetFileNameWithoutExtension(path));
}
