// Random kernels on the interpreter and on LLVM: the same bytes, for as many seeds as the time allows.
using System.Diagnostics;
using System.Globalization;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

namespace Accelerate.Tests.Llvm;

/// <summary>
/// ACC_FUZZ_SECONDS sets the time (20), ACC_FUZZ_SEED the first seed (0): a failure prints the seed to start from.
/// </summary>
public sealed class RandomKernelTests(ITestOutputHelper output)
{
    private static readonly NativeConfiguration[] Configurations =
        [.. NativeConfiguration.All, NativeConfiguration.WideTiles];

    [LlvmFact]
    public void LlvmGivesTheInterpretersBytes()
    {
        var seconds = Number("ACC_FUZZ_SECONDS", 20);
        var seed = Number("ACC_FUZZ_SEED", 0);
        var (clock, first) = (Stopwatch.StartNew(), seed);
        for (; clock.Elapsed.TotalSeconds < seconds; seed++)
        {
            var random = RandomKernels.Make(seed);
            // Two of the configurations a seed: other kernels are worth more than the same one everywhere.
            var some = new Random(seed);
            Agreement.Check(random.Kernel, random.Inputs, random.Sizes, $"seed {seed}",
                Configurations[some.Next(Configurations.Length)], Configurations[some.Next(Configurations.Length)]);
        }
        output.WriteLine($"seeds {first} to {seed - 1}; {Compared.Line}");
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value) ? value
            : otherwise;
}
