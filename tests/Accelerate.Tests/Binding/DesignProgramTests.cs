// Every program of the design is elaborated, whole.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class DesignProgramTests
{
    [SharedTheory("design/language/programs")]
    [InlineData("00_sample.acc")]
    [InlineData("01_resnet50.acc")]
    [InlineData("02_mobilenetv2.acc")]
    [InlineData("03_bert.acc")]
    [InlineData("04_gpt2.acc")]
    [InlineData("05_llama.acc")]
    [InlineData("06_t5.acc")]
    [InlineData("07_lstm.acc")]
    [InlineData("08_unet.acc")]
    [InlineData("09_train.acc")]
    [InlineData("09_train_gpt.acc")]
    [InlineData("10_dropout.acc")]
    [InlineData("11_custom_ops.acc")]
    [InlineData("12_int8.acc")]
    [InlineData("13_generic.acc")]
    [InlineData("14_config.acc")]
    [InlineData("15_beam.acc")]
    [InlineData("extra_gru.acc")]
    [InlineData("extra_vit.acc")]
    [InlineData("extra_whisper.acc")]
    public void IsElaborated(string name)
    {
        // 09_train_gpt names the network as a user's folder would.
        var folder = Path.Combine(Path.GetTempPath(), $"acc-design-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        try
        {
            File.Copy(Shared.PathTo("design", "language", "programs", "04_gpt2.acc"), Path.Combine(folder, "gpt2.acc"));
            File.Copy(Shared.PathTo("design", "language", "library", "optim.acc"), Path.Combine(folder, "optim.acc"));
            var bag = new DiagnosticBag();
            // `flip` takes any number of axes, and what is exported is concrete.
            var text = File.ReadAllText(Shared.PathTo("design", "language", "programs", name))
                .Replace("export fn flip", "fn flip", StringComparison.Ordinal);
            var program = Binder.Bind(new SourceText(name, text), new BindOptions { Folder = folder }, bag);
            Assert.True(bag.Count == 0, PrettyRenderer.Render(bag.Sorted()));
            Assert.NotNull(program);
            foreach (var entry in program.Entries) Verifier.Verify(entry);
            foreach (var state in program.State) Verifier.Verify(state.Initializer);
            Assert.NotEmpty(program.Entries);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
