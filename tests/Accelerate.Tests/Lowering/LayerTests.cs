// Where a kernel comes from: the place in the user's source, and the layer that tells equal ones apart.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public sealed class LayerTests
{
    private const string Source = """
        use nn
        module Block(n) {
            let fc = Linear(n, n)
            fn apply(x: f32[m, n]) -> f32[m, n] = x |> fc |> relu
        }
        module Net {
            let blocks = [Block(8) for i in 0:3]
            let names = Embedding(4, 8)
            export fn f(x: f32[m, 8]) -> f32[m, 8] {
                for block in blocks { x = block(x) }
                return x
            }
            export fn named(at: i32[m]) -> f32[m, 8] = names(at)
        }
        """;

    private static Compilation Compiled { get; } = Compilation.FromSource(new SourceText("net.acc", Source));

    /// <summary>Of three equal layers each call says which it is, and they are still one kernel.</summary>
    [Fact]
    public void EqualLayersAreToldApart()
    {
        var program = Compiled.Programs.Single(p => p.Name == "f");
        var products = program.AllSteps.OfType<CallStep>()
            .Where(c => program.Kernels[c.Kernel].Kind == KernelKind.Contraction).ToList();
        Assert.Equal(["blocks.0", "blocks.1", "blocks.2"], products.Select(c => c.Layer));
        Assert.All(products, c => Assert.StartsWith("net.acc:4:", c.Place));
        Assert.Single(products.Select(c => c.Kernel).Distinct());
    }

    /// <summary>An error at run time names both; the program's text keeps them.</summary>
    [Fact]
    public void AnErrorNamesTheLayer()
    {
        var programs = Compiled.Programs.Select(p => ProgramReader.Read(ProgramPrinter.Print(p))).ToList();
        using var executable = Executables.Create("interpreter", programs);
        using var session = executable.CreateSession();
        using var at = Tensor.From<int>([1, 7], 2);
        var error = Assert.Throws<ExecutionException>(() => session.Run("named", [at]));
        Assert.Matches(@"\(net\.acc:13:\d+ in names\)", error.Message);
    }
}
