// Random nests of loops, branches and updates: the executors against the reference interpreter, which overwrites
// nothing.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Control;

public class RandomProgramTests(ITestOutputHelper output)
{
    private static readonly string[] State = ["a", "b"];

    [Fact]
    public void TheInterpreterAgreesWithTheReference()
    {
        var seed = System.Random.Shared.Next(1_000_000);
        output.WriteLine($"seeds {seed} to {seed + 249}");
        var copies = 0;
        for (var s = seed; s < seed + 250; s++) copies += Check(s, p => new InterpreterExecutable([p]));
        output.WriteLine($"{copies} copies");
    }

    /// <summary>Seeds that found something once.</summary>
    [Theory]
    [InlineData(52532)] // a constant given to a branch twice, once to be overwritten
    [InlineData(372556)] // reads at the same element what a copy into the target had overwritten
    public void OldFindings(int seed) => Check(seed, p => new InterpreterExecutable([p]));

    [LlvmFact]
    public void LlvmAgreesWithTheReference()
    {
        var seed = System.Random.Shared.Next(1_000_000);
        output.WriteLine($"seeds {seed} to {seed + 19}");
        for (var s = seed; s < seed + 20; s++)
            Check(s, p =>
                new LlvmExecutable([p], new(OptLevel: s % 2 == 0 ? 0 : 3, Threads: 1 + s % 3, UseCache: false)));
    }

    private static int Check(int seed, Func<Program, Executable> create)
    {
        try
        {
            var function = RandomPrograms.Make(seed);
            Verifier.Verify(function);
            var program = Compiler.Kernels.Lowering.Lowering.Lower(Pipeline.Run(function));
            foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
            var text = ProgramPrinter.Print(program);
            Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(text)));
            using var executable = create(program);
            using var session = executable.CreateSession();
            for (var call = 0; call < 3; call++) Call(function, session, new System.Random(seed + call), call);
            return program.Copies;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }
    }

    private static void Call(Function function, Session session, System.Random random, int n)
    {
        Tensor Numbers(params long[] shape)
        {
            var values = Enumerable.Range(0, (int)shape.Aggregate(1L, (p, s) => p * s)).Select(_ => random.Next(-9, 9))
                .ToArray();
            return Tensor.From(values, shape);
        }
        Tensor[] inputs = [Numbers(4), Numbers(4), Numbers(), Numbers(3, 4), Numbers(n)];
        var assigned = new Dictionary<string, ReferenceValue>();
        foreach (var name in State)
            if (session.State.TryGetValue(name, out var held)) assigned[name] = ReferenceValue.Of(held);
        assigned["x"] = ReferenceValue.Of(inputs[0]);
        assigned["m"] = ReferenceValue.Of(inputs[3]);
        var before = new Dictionary<string, ReferenceValue>(assigned);
        var expected = GraphInterpreter.Run(function, [.. inputs.Select(ReferenceValue.Of)],
            name => before.TryGetValue(name, out var value) ? value : ReferenceValue.Of(DType.I32, [4], new long[4]),
            new Dictionary<string, long>(), new() { Assign = (a, value) => assigned[a.Name] = value });
        var results = session.Run("entry", inputs);
        for (var i = 0; i < results.Count; i++) Same($"result {i}", expected[i], results[i]);
        foreach (var name in State) if (session.State.TryGetValue(name, out var held)) Same(name, assigned[name], held);
        Same("x", assigned["x"], inputs[0]);
        Same("m", assigned["m"], inputs[3]);
        Same("y", ReferenceValue.Of(inputs[1]), inputs[1]);
    }

    private static void Same(string what, ReferenceValue expected, Tensor actual) =>
        Assert.True(expected.Integers.SequenceEqual(ReferenceValue.Of(actual).Integers),
            $"{what}: {string.Join(' ', expected.Integers)} is {string.Join(' ', ReferenceValue.Of(actual).Integers)}");
}
