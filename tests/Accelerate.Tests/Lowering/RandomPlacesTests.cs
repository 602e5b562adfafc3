// Random graphs of integers: the graph interpreter, the kernel interpreter and LLVM give the same values.
using System.Diagnostics;
using System.Globalization;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

/// <summary>
/// ACC_FUZZ_PLACES_SECONDS sets the time (10), ACC_FUZZ_SEED the first seed (0): a failure prints the seed to start
/// from.
/// </summary>
public sealed class RandomPlacesTests(ITestOutputHelper output)
{
    [LlvmFact]
    public void EveryExecutorGivesTheSameIntegers()
    {
        var seconds = Number("ACC_FUZZ_PLACES_SECONDS", 10);
        var seed = Number("ACC_FUZZ_SEED", 0);
        var (clock, first) = (Stopwatch.StartNew(), seed);
        for (; clock.Elapsed.TotalSeconds < seconds; seed++) Check(seed);
        output.WriteLine($"seeds {first} to {seed - 1}; {Compared.Line}");
    }

    private static void Check(int seed)
    {
        var random = RandomPlaces.Make(seed);
        var text = GraphPrinter.Print(random.Function);
        try
        {
            var inputs = random.Inputs.Select(g => g.ToTensor()).ToArray();
            var expected = GraphInterpreter.Run(random.Function,
                [.. inputs.Select(
                    t => ReferenceValue.Of(DType.I32, [.. t.Shape], [.. t.ToArray<int>().Select(i => (long)i)]))],
                _ => throw new InvalidOperationException(), random.Sizes);
            var program = Compiler.Kernels.Lowering.Lowering.Lower(Pipeline.Run(random.Function, verify: true));
            text += ProgramPrinter.Print(program);
            foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
            Equal(new InterpreterExecutable([program]), program.Name, inputs, expected);
            // A few at full optimisation: most of the time of a seed is the compiler's.
            var level = seed % 8 == 0 ? 3 : 0;
            Equal(new LlvmExecutable([program],
                new LlvmOptions(seed % 2 == 0 ? "host" : "x86-64", level, UseCache: false, Threads: 2)),
                program.Name, inputs, expected);
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed}, {string.Join(", ", random.Sizes)}: {e}\n{text}");
        }
    }

    private static void Equal(Executable executable, string name, Tensor[] inputs,
        IReadOnlyList<ReferenceValue> expected)
    {
        using var _ = executable;
        using var session = executable.CreateSession();
        var actual = session.Run(name, inputs);
        for (var i = 0; i < actual.Count; i++)
        {
            Assert.Equal(expected[i].Shape, actual[i].Shape.ToArray());
            Assert.True(expected[i].Integers.SequenceEqual(actual[i].ToDoubles().Select(v => (long)v)),
                $"result {i} on {executable.Backend}: {string.Join(' ', expected[i].Integers.Take(60))}\nnot {string.Join(' ', actual[i].ToDoubles().Take(60))}");
            Compared.Add(actual[i].Count);
        }
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value) ? value
            : otherwise;
}
