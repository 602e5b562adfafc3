// In: the networks at their published sizes, bound only. Out: their parameters are as many as published.
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Graph;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class ParameterCountTests
{
    /// <summary>
    /// Trained parameters of the defaults, or of the sizes set; running statistics and caches do not count.
    /// </summary>
    [Theory]
    [InlineData("resnet50", "", 25_557_032)] // torchvision's table of weights, as the next three
    [InlineData("mobilenetv2", "", 3_504_872)]
    [InlineData("vit", "", 86_567_656)] // vit_b_16
    [InlineData("vit", "patch=32", 88_224_232)] // vit_b_32
    [InlineData("bert", "", 109_482_240)] // bert-base-uncased without its two heads
    [InlineData("bert", "vocab=28996", 108_310_272)] // bert-base-cased
    [InlineData("bert", "layers=24 h=1024 heads=16", 335_141_888)] // bert-large-uncased
    [InlineData("t5", "", 60_506_624)] // t5-small
    [InlineData("t5", "layers=12 h=768 heads=12 inner=3072", 222_903_552)] // t5-base
    [InlineData("whisper", "", 37_760_640)] // whisper-tiny, with the encoder's fixed positions
    [InlineData("whisper", "layers=6 h=512 heads=8", 72_593_920)] // whisper-base
    [InlineData("gpt2", "", 124_439_808)]
    [InlineData("gpt2", "layers=24 width=1024 heads=16", 354_823_168)] // gpt2-medium
    [InlineData("llama", "", 6_738_415_616)] // Llama 2 7B
    [InlineData("qwen", "", 494_032_768)] // Qwen2-0.5B
    [InlineData("clip", "", 151_277_313)] // ViT-B/32
    [InlineData("detr", "", 41_524_768)] // ResNet-50; the norms are buffers
    [InlineData("wav2vec2", "", 94_371_712)] // base
    [InlineData("stable_diffusion", "", 859_520_964)] // version 1's U-Net
    [InlineData("yolov5", "", 7_235_389)] // yolov5s, its norms not yet folded; then n, m, l
    [InlineData("yolov5", "width=0.25", 1_872_157)]
    [InlineData("yolov5", "width=0.75 depth=0.67", 21_190_557)]
    [InlineData("yolov5", "width=1.0 depth=1.0", 46_563_709)]
    public void AsPublished(string name, string set, long published)
    {
        var compilation =
            Compilation.FromFile(Path.Combine(Shared.Repository, "examples", "models", name + ".acc"), new()
            {
                Last = CompilationStage.Bound,
                Binding = new BindOptions
                {
                    Set = set.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split('='))
                    .ToDictionary(s => s[0], s => s[1]),
                },
            });
        Assert.True(compilation.Diagnostics.IsEmpty, string.Join('\n', compilation.Diagnostics));
        Assert.Equal(published, compilation.Bound!.State.Where(s => s.Storage == StorageClass.Param)
            .Sum(s => s.Type.Count.Value));
    }
}
