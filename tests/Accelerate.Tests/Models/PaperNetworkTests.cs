// In: networks known from their papers, made small, with random weights. Out: executors agree; what each must satisfy
// whatever its weights.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class PaperNetworkTests(ITestOutputHelper output)
{
    /// <summary>A compiled example with state of ordinary numbers; what is called `var` is positive.</summary>
    private sealed class Small
    {
        public Small(string name, string set)
        {
            Compilation =
                Compilation.FromFile(Path.Combine(Shared.Repository, "examples", "models", name + ".acc"), new()
                {
                    Binding =
                    new BindOptions
                    {
                        Set = set.Split(' ').Select(s => s.Split('='))
                        .ToDictionary(s => s[0], s => s[1])
                    },
                });
            Assert.True(Compilation.Diagnostics.IsEmpty, PrettyRenderer.Render(Compilation.Diagnostics));
            var random = new System.Random(name.Sum(c => c));
            foreach (var s in Compilation.Bound!.State)
            {
                long[] shape = [.. s.Type.Shape.Select(d => d.Value)];
                // Weights of a layer of k inputs are about 1 / sqrt(k), as its training would begin.
                var scale = shape.Length > 1 ? Math.Sqrt(3.0 / shape.Skip(1).Aggregate(1L, (a, b) => a * b)) : 0.5;
                var values = Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ =>
                    s.Path.EndsWith("var", StringComparison.Ordinal)
                        || (shape.Length == 1 && s.Path.EndsWith("weight", StringComparison.Ordinal))
                        ? 0.5 + random.NextDouble() : scale * (2 * random.NextDouble() - 1));
                State[s.Path] =
                    Tensor.FromDoubles(s.Type.DType, s.Type.DType.IsFloat ? [.. values]
                        : new double[values.Count()], shape);
            }
        }

        public Compilation Compilation { get; }

        public Dictionary<string, Tensor> State { get; } = [];

        public Tensor[] Run(string entry, params Tensor[] inputs)
        {
            using var executable = Executables.Create("llvm", Compilation, null, State);
            using var session = executable.CreateSession();
            return [.. session.Run(entry, inputs)];
        }

        /// <summary>
        /// LLVM gives the interpreter's bytes, and both the f64 graph interpreter's values within the bound.
        /// </summary>
        public Tensor[] Agreed(string entry, ITestOutputHelper output, params Tensor[] inputs)
        {
            var native = Run(entry, inputs);
            using var executable = Executables.Create("interpreter", Compilation, null, State);
            using var session = executable.CreateSession();
            var exact = session.Run(entry, inputs);
            var reference = GraphInterpreter.Run(Compilation.Entries.Single(e => e.Name == entry).Optimised!,
                [.. inputs.Select(ReferenceValue.Of)], path =>
                    ReferenceValue.Of(State[path]), new Dictionary<string, long>(),
                new InterpreterOptions { Propagation = Propagation.Likely });
            for (var i = 0; i < native.Length; i++)
            {
                Assert.True(native[i].SameBits(exact[i]), $"{entry}[{i}]:\n{native[i]}\n{exact[i]}");
                Compared.Add(native[i].Count);
                var report = Comparison.Compare(native[i], reference[i]);
                Assert.True(report.Agrees, report.Text);
                var largest = reference[i].Values.Max(Math.Abs);
                var worst = native[i].ToDoubles().Zip(reference[i].Values).Max(p => Math.Abs(p.First - p.Second));
                output.WriteLine(
                    $"{entry}[{i}] {native[i].Type} [{string.Join(",", native[i].Shape.ToArray())}]: max|d| {worst:G3} of {largest:G3} from f64");
                Assert.True(worst <= 1e-4 * largest, $"{entry}[{i}]: {worst} of {largest}");
            }
            return native;
        }
    }

    private static Tensor Floats(params long[] shape) => Awkward.Tensor(shape, 0);

    private static double Far(IEnumerable<double> a, IEnumerable<double> b) =>
        a.Zip(b).Max(p => Math.Abs(p.First - p.Second));

    [LlvmFact]
    public void DetrFindsTheSameObjectsInWhateverOrderItsQueriesStand()
    {
        var detr = new Small("detr", "width=4 layers=2 d=16 heads=2 inner=32 queries=6 classes=5");
        var image = Floats(2, 3, 64, 96);
        var found = detr.Agreed("detect", output, image);
        Assert.Equal([2, 6, 6], found[0].Shape.ToArray());
        Assert.All(found[1].ToDoubles(), b => Assert.InRange(b, 0, 1));
        int[] order = [3, 0, 5, 1, 4, 2];
        var rows = detr.State["query_embed.weight"].ToDoubles().Chunk(16).ToArray();
        detr.State["query_embed.weight"] = Tensor.FromDoubles(DType.F32, [.. order.SelectMany(q => rows[q])], [6, 16]);
        var moved = detr.Run("detect", image);
        for (var r = 0; r < 2; r++)
        {
            var (plain, other) =
                (found[r].ToDoubles().Chunk(r == 0 ? 6 : 4).ToArray(), moved[r].ToDoubles().Chunk(r == 0 ? 6 : 4)
                    .ToArray());
            for (var b = 0; b < 2; b++)
                for (var q = 0; q < 6; q++)
                    Assert.True(Far(plain[6 * b + order[q]], other[6 * b + q]) < 1e-5, $"query {q}");
        }
        Assert.True(Far(found[0].ToDoubles(), moved[0].ToDoubles()) > 1e-3); // and the order did change
    }

    [LlvmFact]
    public void ClipComparesDirectionsAndReadsTextUpToItsEnd()
    {
        var clip = new Small("clip",
            "vocab=50 positions=9 image=16 patch=8 layers=2 h=16 heads=2 vision_layers=2 vision_h=24 vision_heads=2 shared=12");
        clip.State["logit_scale"] = Tensor.Scalar(1.5f);
        var images = Floats(3, 3, 16, 16);
        long[] ids = [48, 3, 7, 49, 0, 0, 48, 20, 21, 22, 23, 49];
        var scores = clip.Agreed("similarity", output, images, Tensor.From(ids, 2, 6))[0].ToDoubles();
        var (seen, read) = (clip.Agreed("image_features", output, images)[0].ToDoubles().Chunk(12).ToArray(),
            clip.Agreed("text_features", output, Tensor.From(ids, 2, 6))[0].ToDoubles().Chunk(12).ToArray());
        foreach (var feature in seen.Concat(read)) Assert.InRange(feature.Sum(v => v * v), 1 - 1e-5, 1 + 1e-5);
        for (var i = 0; i < 3; i++)
            for (var j = 0; j < 2; j++)
                Assert.InRange(scores[2 * i + j] - Math.Exp(1.5) * seen[i].Zip(read[j])
                    .Sum(p => p.First * p.Second), -1e-5, 1e-5);
        // Nothing behind the end of the text counts, all before it does.
        ids[4] = 9;
        Assert.True(Far(read[0], clip.Run("text_features", Tensor.From(ids, 2, 6))[0].ToDoubles()) == 0);
        ids[1] = 9;
        Assert.True(Far(read[0], clip.Run("text_features", Tensor.From(ids, 2, 6))[0].ToDoubles()) > 1e-3);
    }

    [LlvmFact]
    public void Wav2VecGivesFortyNineFramesASecondWhateverTheVolume()
    {
        var model = new Small("wav2vec2", "c=16 layers=2 h=24 heads=2 k=6 groups=4");
        var wave = Floats(1, 1600);
        var quiet = model.Agreed("encode", output, wave);
        Assert.Equal([1, 4, 16], quiet[0].Shape.ToArray()); // a frame is 400 samples, the next is 320 on
        Assert.Equal([1, 4, 24], quiet[1].Shape.ToArray());
        var loud = model.Run("encode", Tensor.From(Array.ConvertAll(wave.ToArray<float>(), v => 8 * v), 1, 1600));
        Assert.True(Far(quiet[1].ToDoubles(), loud[1].ToDoubles()) < 2e-2); // but for the norm's epsilon
        Assert.Equal(49, model.Run("encode", Floats(1, 16000))[0].Shape[1]);
    }

    [LlvmFact]
    public void YoloPutsEachBoxNearItsPlaceAndWithinFourAnchors()
    {
        var yolo = new Small("yolov5", "classes=3 width=0.125 depth=0.33");
        var boxes = yolo.Agreed("detect", output, Floats(1, 3, 64, 96))[0];
        Assert.Equal([1, 63 * 2 * 3, 8], boxes.Shape.ToArray());
        var anchors = yolo.State["model.24.anchors"] = Tensor.FromDoubles(DType.F32,
            [.. Enumerable.Range(1, 18).Select(i => i / 4.0)], [3, 3, 2]);
        var rows = yolo.Run("detect", Floats(1, 3, 64, 96))[0].ToDoubles().Chunk(8).ToArray();
        var next = 0;
        foreach (var (level, stride) in new[] { (0, 8), (1, 16), (2, 32) })
            for (var a = 0; a < 3; a++)
                for (var i = 0; i < 64 / stride; i++)
                    for (var j = 0; j < 96 / stride; j++)
                    {
                        var row = rows[next++];
                        Assert.InRange(row[0], (j - 0.5) * stride, (j + 1.5) * stride);
                        Assert.InRange(row[1], (i - 0.5) * stride, (i + 1.5) * stride);
                        for (var e = 0; e < 2; e++)
                            Assert.InRange(row[2 + e], 0, 4 * stride * anchors.ToDoubles()[6 * level + 2 * a + e]);
                        Assert.All(row[4..], p => Assert.InRange(p, 0, 1));
                    }
        Assert.Equal(rows.Length, next);
    }

    [LlvmFact]
    public void StableDiffusionSeesTheTextAsASetAndEachImageAlone()
    {
        var model = new Small("stable_diffusion", "cs=[32,64] blocks=1 text=12 heads=4");
        var (latent, text) = (Floats(2, 4, 8, 12), Floats(2, 5, 12));
        var noise = model.Agreed("denoise", output, latent, Tensor.From([7L, 700], 2), text)[0].ToDoubles();
        var words = text.ToDoubles().Chunk(12).ToArray();
        var shuffled =
            Tensor.FromDoubles(DType.F32, [.. new[] { 2, 0, 4, 1, 3, 9, 8, 7, 6, 5 }.SelectMany(w => words[w])],
                [2, 5, 12]);
        Assert.True(
            Far(noise, model.Run("denoise", latent, Tensor.From([7L, 700], 2), shuffled)[0].ToDoubles()) < 1e-4);
        // The first image alone, and at another time.
        var alone = model.Run("denoise", latent.Slice(0, 1), Tensor.From([7L], 1), text.Slice(0, 1))[0].ToDoubles();
        Assert.Equal(noise[..alone.Length], alone);
        Assert.True(
            Far(alone,
                model.Run("denoise", latent.Slice(0, 1), Tensor.From([8L], 1),
                    text.Slice(0, 1))[0].ToDoubles()) > 1e-4);
    }

    [LlvmFact]
    public void QwenSeesNoTokenBeforeItIsRead()
    {
        var qwen = new Small("qwen", "vocab=40 depth=2 width=24 heads=4 groups=2 inner=32");
        long[] ids = [3, 14, 15, 9, 26, 5, 35, 8];
        var logits = qwen.Agreed("logits", output, Tensor.From(ids, 1, 8))[0].ToDoubles();
        ids[5] = 6;
        var changed = qwen.Run("logits", Tensor.From(ids, 1, 8))[0].ToDoubles();
        Assert.Equal(logits[..(5 * 40)], changed[..(5 * 40)]);
        Assert.True(Far(logits[(5 * 40)..(6 * 40)], changed[(5 * 40)..(6 * 40)]) > 1e-3);
        // The text it writes is what the whole text's logits say at each place.
        ids[5] = 5;
        using var executable = Executables.Create("llvm", qwen.Compilation, null, qwen.State);
        using var session = executable.CreateSession();
        var text =
            session.Run("greedy_text", [Tensor.From(ids, 1, 8)],
                new Dictionary<string, long> { ["count"] = 4 })[0].ToArray<long>();
        var whole = qwen.Run("logits", Tensor.From([.. ids, .. text], 1, 12))[0].ToDoubles().Chunk(40).ToArray();
        for (var i = 0; i < 4; i++) Assert.Equal(text[i], Array.IndexOf(whole[7 + i], whole[7 + i].Max()));
    }
}
