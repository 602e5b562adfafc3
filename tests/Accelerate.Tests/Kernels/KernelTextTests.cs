// Kernels and programs as text: without comments and white space they read back, print the same, and run to the same
// bytes.
using System.Text.RegularExpressions;
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

public sealed partial class KernelTextTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(300)]
    public void RandomKernelsSurviveTheirText(int first)
    {
        using var pool = new WorkerPool(2);
        for (var seed = first; seed < first + 100; seed++)
        {
            var random = RandomKernels.Make(seed);
            KernelVerifier.Verify(random.Kernel);
            Assert.Empty(KernelBounds.Unproved(random.Kernel));
            var text = KernelPrinter.Print(random.Kernel);
            var again = KernelReader.Read(Bare(text));
            Assert.Equal(text, KernelPrinter.Print(again));

            var (expected, given) = (random.Buffers(), random.Buffers());
            var counted = new CompiledKernel(random.Kernel, countStores: true);
            counted.Run(expected, name => random.Sizes[name]);
            new CompiledKernel(again).Run(given, name => random.Sizes[name], pool);
            for (var i = 0; i < given.Length; i++)
                Assert.True(expected[i].SameBits(given[i]), $"seed {seed}, buffer {i}\n{text}");
            // What is updated is stored in part, or several times.
            if (random.Kernel.Buffers.Any(b => b.IsUpdated)) continue;
            Assert.Equal(random.Kernel.Buffers.Where(b => b.IsOutput)
                .Sum(b => b.Count.Evaluate(random.Sizes) * b.Type.Bytes()), counted.StoredBytes);
        }
    }

    [Fact]
    public void EveryRowOfTheTableSurvivesItsText()
    {
        foreach (var row in NumericsTable.Rows)
        {
            var text = KernelPrinter.Print(KernelReader.Read(row.Text));
            Assert.Equal(text, KernelPrinter.Print(KernelReader.Read(Bare(text))));
        }
    }

    [Fact]
    public void AProgramSurvivesItsText()
    {
        var program = ProgramReader.Read(InterpreterTests.Scaled);
        var text = ProgramPrinter.Print(program);
        Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(Bare(text))));
    }

    internal static string Bare(string text) => WhiteSpace().Replace(Comment().Replace(text, ""), "");

    [GeneratedRegex(@"#[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();

    /// <summary>
    /// What is missing, out of range, unknown, or ends too early has a place; nothing else is thrown.
    /// </summary>
    [Theory]
    [InlineData("kernel @k(x: in(f32, n); sizes(n)) {\n contract(i < n, j < n; k < n) {\n"
        + " left { %0: f32 = load(x[i]) }\n right { %1: f32 = load(x[k]) yield(%1) }\n into(%2: f32) { }\n }\n}", "3:")]
    [InlineData("kernel @k(x: in(f32, n); sizes(n)) {\n %0: i64 = 99999999999999999999\n}", "2:")]
    [InlineData("kernel @k(x: in(f32, n); sizes(n)) {\n %0: f32 = load(x[i], \"\\", "2:")]
    [InlineData("kernel @k(x: in(f99, n); sizes(n)) { }", "'f99' is not a dtype")]
    [InlineData("kernel @k(x: in(f32, n); sizes(n)) { twirl(i < n) { } }", "1:")]
    [InlineData("", "1:")]
    public void TextsThatAreNoKernelsEndInAPlace(string text, string line) => Assert.StartsWith(line,
        Assert.Throws<FormatException>(() => KernelReader.Read(text)).Message, StringComparison.Ordinal);
}
