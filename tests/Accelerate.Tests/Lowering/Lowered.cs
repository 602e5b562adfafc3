// In: a graph's text and inputs. Out: its results on the kernel interpreter, which LLVM has given bit for bit.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

/// <summary>A graph compiled once for the interpreter and every configuration, to be called with any inputs.</summary>
internal sealed class Lowered : IDisposable
{
    private static readonly LlvmOptions[] Configurations =
    [
        new("host", 3, UseCache: false, Threads: 3), new("x86-64-v3", 0, UseCache: false, Threads: 1),
        new("x86-64", 3, UseCache: false, Threads: 2),
    ];

    private readonly Program program;
    private readonly Executable reference;
    private readonly Executable[] natives;

    public Lowered(string graph)
    {
        program = Program(graph);
        reference = new InterpreterExecutable([program]);
        natives = [.. Configurations.Select(c => new LlvmExecutable([program], c))];
    }

    /// <summary>Lowered as it stands: with the passes that lowering needs, and no other.</summary>
    public static Program Plain(Function function) =>
        Compiler.Kernels.Lowering.Lowering.Lower(Pipeline.Run(function, passes: Pipeline.Needed));

    public static Program Program(string graph)
    {
        var program = Compiler.Kernels.Lowering.Lowering.Lower(Pipeline.Run(GraphReader.Read(graph), verify: true));
        foreach (var kernel in program.Kernels)
        {
            KernelVerifier.Verify(kernel);
            var text = KernelPrinter.Print(kernel);
            Assert.Equal(text, KernelPrinter.Print(KernelReader.Read(text)));
            var unproved = KernelBounds.Unproved(kernel);
            Assert.True(unproved.Count == 0, $"{string.Join('\n', unproved)}\n{text}");
        }
        return program;
    }

    /// <summary>The results; throws what the calls throw, the same on every backend.</summary>
    public Tensor[] Run(params Tensor[] inputs)
    {
        var (expected, failure) = Call(reference, inputs);
        foreach (var native in natives)
        {
            var (actual, raised) = Call(native, inputs);
            Assert.Equal(failure?.Code, raised?.Code);
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.True(expected[i].SameBits(actual[i]),
                    $"{native.Backend}:\n{ProgramPrinter.Print(program)}\n{expected[i]}\n{actual[i]}");
                Compared.Add(actual[i].Count);
            }
        }
        return failure is null ? expected : throw failure;
    }

    public void Dispose()
    {
        reference.Dispose();
        foreach (var native in natives) native.Dispose();
    }

    private (Tensor[] Results, ExecutionException? Failure) Call(Executable executable, Tensor[] inputs)
    {
        using var session = executable.CreateSession();
        try
        {
            return ([.. session.Run(program.Name, inputs)], null);
        }
        catch (ExecutionException e)
        {
            return ([], e);
        }
    }
}
