// Every exported function of examples/ and bench/ on the device; every kernel of these and of the cases has a text for
// it.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.OpenCl;

public class CaseTests(ITestOutputHelper output)
{
    /// <summary>
    /// About as many kernels as had a text for the device when this was last changed: the table does not shrink.
    /// </summary>
    private static readonly Dictionary<KernelKind, int> Expected = new()
    {
        [KernelKind.Map] = 250,
        [KernelKind.Row] = 60,
        [KernelKind.Contraction] = 20,
    };

    private static IEnumerable<string> Files(string folder, SearchOption option) =>
        Directory.GetFiles(Path.Combine(Shared.Repository, folder), "*.acc", option).Order(StringComparer.Ordinal);

    /// <summary>
    /// Every kernel of every example, benchmark and case has OpenCL C: nothing can fall back to another backend. The
    /// networks' kernels are counted where they run.
    /// </summary>
    [Fact]
    public void EveryKernelHasATextForTheDevice()
    {
        var (printed, skipped) = (new SortedDictionary<KernelKind, int>(), new List<string>());
        string[] files =
            [.. Files("examples", SearchOption.TopDirectoryOnly), .. Files("bench", SearchOption.AllDirectories),
            .. Files(Path.Combine("tests", "cases"), SearchOption.AllDirectories)];
        foreach (var file in files)
        {
            foreach (var program in Compiled(file))
            {
                foreach (var kernel in program.Kernels)
                {
                    try
                    {
                        OpenClPrinter.Print(kernel);
                        printed[kernel.Kind] = printed.GetValueOrDefault(kernel.Kind) + 1;
                    }
                    catch (LimitationException e)
                    {
                        skipped.Add($"{Path.GetFileName(file)} {program.Name}, a {kernel.Kind} kernel: {e.Message}");
                    }
                }
            }
        }
        output.WriteLine(
            string.Join(", ", printed.Select(k => $"{k.Value} {k.Key}"))
            + $", {skipped.Count} skipped\n{string.Join('\n', skipped)}");
        Assert.Empty(skipped);
        foreach (var (kind, count) in Expected)
            Assert.True(printed.GetValueOrDefault(kind) >= count,
                $"{printed.GetValueOrDefault(kind)} {kind} kernels, {count} before");
    }

    /// <summary>
    /// What compiles as it stands: some files need sizes that their header sets, some show a mistake.
    /// </summary>
    private static IReadOnlyList<Program> Compiled(string file)
    {
        var compilation = Compilation.FromFile(file);
        return compilation.Diagnostics.IsEmpty ? compilation.Programs : [];
    }

    /// <summary>The networks of examples/models have tests of their own, with their weights.</summary>
    [OpenClFact]
    public void ExamplesRunOnTheDevice()
    {
        var ran = 0;
        // The kernels of a training step are many: a CPU's compiler takes a minute for them. Gradients run on the device in
        // the programs of the fuzzer.
        foreach (var file in Files("examples", SearchOption.TopDirectoryOnly)
            .Concat(Files("bench", SearchOption.TopDirectoryOnly))
            .Where(f => !Path.GetFileName(f).StartsWith("train_", StringComparison.Ordinal)))
        {
            foreach (var program in Compiled(file))
            {
                Compare(program);
                ran++;
            }
        }
        output.WriteLine($"ran {ran}");
        Assert.True(ran >= 7, $"only {ran} functions ran");
    }

    private void Compare(Program program)
    {
        Compare(program, WorkShape.Item);
        // Tiles take a CPU's compiler long; one network of examples/models has them in every run.
        if (program.Kernels.Length <= 3 && TargetMatrix.Has(program.Name)) Compare(program, WorkShape.Group);
    }

    private void Compare(Program program, WorkShape shape)
    {
        using var device = new OpenClExecutable([program], null, shape);
        // LLVM's bytes are the interpreter's, by tests of their own, and BERT's come a hundred times sooner.
        using Executable reference = LlvmLibrary.Available(out _) ? new LlvmExecutable([program])
            : new InterpreterExecutable([program]);
        var random = new System.Random(5);
        var inputs = program.Of(BufferKind.Input).Select(b =>
        {
            long[] shape = [.. b.Type.Shape.Select((s, axis) => s.Evaluate(_ => 17))];
            var values = Enumerable.Range(0, (int)shape.Aggregate(1L, (a, c) => a * c))
                .Select(_ => random.NextDouble() * 8 - 4).ToArray();
            return Tensor.FromDoubles(b.Type.DType, values, shape);
        }).ToArray();
        var expected = reference.CreateSession().Run(program.Name, inputs);
        var actual = device.CreateSession().Run(program.Name, inputs);
        Assert.Equal(0, device.KernelsEmpty);
        if (program.AllSteps.All(step => step is CallStep or CheckStep or CopyStep))
            Assert.Equal(program.Steps.OfType<CallStep>().Count(), device.KernelsLaunched);
        else Assert.True(device.KernelsLaunched > 0); // how often a loop runs is not in the program's text
        foreach (var (a, e) in actual.Zip(expected))
        {
            if (OpenClDevice.Default.IsExact) Assert.True(a.SameBits(e), $"{program.Name} by {shape}:\n{a}\n{e}");
            foreach (var (x, y) in a.ToDoubles().Zip(e.ToDoubles()))
                Assert.InRange(x, y - 1e-6 * Math.Abs(y), y + 1e-6 * Math.Abs(y));
            Compared.Add(a.Count);
        }
        output.WriteLine($"ran: {program.Name} by {shape}, {device.KernelsLaunched} kernels on {device.DeviceName}");
    }
}
