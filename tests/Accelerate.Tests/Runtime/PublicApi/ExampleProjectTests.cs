// In: the README's C# sample and the projects of examples/csharp, each as it stands. Out: whether a fresh project, to
// which only our public types are visible, builds and runs them.
using System.Diagnostics;
using System.IO.Compression;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime.PublicApi;

public sealed class ExampleProjectTests
{
    private static readonly string[] Libraries =
        ["Accelerate.Runtime", "Accelerate.Compiler", "Accelerate.Backends", "Accelerate.Data", "Accelerate.Training",
            "Antlr4.Runtime.Standard", "System.Numerics.Tensors"];

    private static readonly string Examples = Path.Combine(Shared.Repository, "examples", "csharp");

    [LlvmFact]
    public void TheReadmesSampleAndTheExamplesBuildAndRun()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["lib"]);
        foreach (var library in Libraries)
            File.Copy(Path.Combine(AppContext.BaseDirectory, library + ".dll"), folder[$"lib/{library}.dll"]);
        string[] examples = [.. Directory.GetDirectories(Examples).Select(d => Path.GetFileName(d)!).Order()];
        Assert.Equal(["predict", "serve", "train"], examples);
        foreach (var example in examples)
        {
            Directory.CreateDirectory(folder[example]);
            foreach (var file in Directory.GetFiles(Path.Combine(Examples, example)))
                File.Copy(file, folder[$"{example}/{Path.GetFileName(file)}"]);
        }
        // The sample has a project like the examples'.
        Directory.CreateDirectory(folder["readme"]);
        File.Copy(Path.Combine(Examples, "predict", "Predict.csproj"), folder["readme/Readme.csproj"]);
        File.WriteAllText(folder["readme/Program.cs"], Sample());
        File.WriteAllText(folder["all.slnx"], "<Solution>" + string.Concat(examples.Append("readme").Select(e =>
            $"<Project Path=\"{e}/{char.ToUpperInvariant(e[0])}{e[1..]}.csproj\"/>")) + "</Solution>");
        Run("dotnet", folder["."], "build", "all.slnx", "-nologo", "-v", "quiet", "-m:1", "-nodeReuse:false",
            "-p:UseSharedCompilation=false", $"-p:AccelerateBinaries={folder["lib"]}");

        Assert.Contains("0.66524", Run("dotnet", Shared.Repository, Built(folder, "readme", "Readme")));
        var predict = Run("dotnet", folder["."], Built(folder, "predict", "Predict"));
        Assert.Contains("classify(x: f32[n,4]) -> probabilities: f32[n,3], class: i32[n]\n", predict);
        Assert.Contains("sum to 1.000\n", predict);
        Assert.Contains("after 1000 calls: 2 classes\n", predict);
        Assert.Contains("'classify' wants x: f32[n,4], not f32[2,5]", predict);
        var serve = Run("dotnet", folder["."], Built(folder, "serve", "Serve"));
        Assert.Contains("means: 1, 2, 3, 4\n", serve);
        Assert.Contains("the long call was stopped\n3 values, the largest 0.", serve);
        Assert.Contains("count 6, total 0.6\n", serve);
        WriteDigits(folder, "train", 400);
        WriteDigits(folder, "t10k", 60);
        var train = Run("dotnet", folder["."], Built(folder, "train", "Train"), folder["."], "12");
        Assert.Contains("epoch 12: loss 0.", train);
        Assert.EndsWith("60 of 60 digits of the test set are right\n", train);
    }

    /// <summary>Files like MNIST's, in which a digit is the rows that are lit.</summary>
    private static void WriteDigits(TemporaryFolder folder, string set, int count)
    {
        var random = new Random(1);
        var (images, labels) = (new byte[count * 784], new byte[count]);
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)random.Next(10);
            for (var k = 0; k < 84; k++) images[i * 784 + labels[i] * 70 + k] = (byte)random.Next(100, 256);
        }
        WriteIdx(folder[$"{set}-images-idx3-ubyte.gz"], images, count, 28, 28);
        WriteIdx(folder[$"{set}-labels-idx1-ubyte.gz"], labels, count);
    }

    private static void WriteIdx(string path, byte[] values, params int[] shape)
    {
        using var file = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        file.Write([0, 0, 8, (byte)shape.Length]);
        foreach (var extent in shape) file.Write([.. BitConverter.GetBytes(extent).Reverse()]);
        file.Write(values);
    }

    /// <summary>The text of the README's C# block.</summary>
    private static string Sample()
    {
        var readme = File.ReadAllText(Path.Combine(Shared.Repository, "README.md")).ReplaceLineEndings("\n");
        var block = Assert.Single(readme.Split("```csharp\n").Skip(1));
        return block[..block.IndexOf("```", StringComparison.Ordinal)];
    }

    private static string Built(TemporaryFolder folder, string example, string name) =>
        folder[$"{example}/bin/Debug/net10.0/{name}.dll"];

    private static string Run(string command, string where, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = where,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What a test run sets for itself is not the business of another build.
        foreach (var name in start.Environment.Keys.ToList())
            if (name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)}: {output}{error.Result}");
        return output;
    }
}
