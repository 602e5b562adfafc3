// In: a random generator and printed graphs, kernels and programs. Out: hostile ones, and calls of their readers.
using System.Text;
using Accelerate.Backends;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Random = System.Random;

namespace Accelerate.Cli.Hostile;

/// <summary>
/// The command line reads graphs; the code cache, for example, reads kernels and programs. Texts that are accepted are
/// also run: a text must not access foreign memory.
/// </summary>
internal static class HostileTexts
{
    // A longer loop may legitimately exceed an input's time limit.
    private const int LongestLoop = 4096;

    private static readonly string[] Stages = ["graph", "opt", "kernels", "program", "llvm", "cl"];

    public static HostileInput Graph(Random random, Corpus corpus)
    {
        var text = Broken(random, corpus.Graphs, corpus);
        string[] command = random.Next(4) switch
        {
            0 => ["check", "a.graph"],
            1 => ["dump", "a.graph", "--stage", random.Pick(Stages)],
            _ => Run(random, text),
        };
        return new("graph", [new RegularFile("a.graph", text)], command)
        {
            // A tensor may have the name of a size, which the call then names twice.
            IsCommandWrong = command[0] == "run",
        };
    }

    public static HostileInput Kernel(Random random, Corpus corpus)
    {
        var text = Broken(random, corpus.Kernels, corpus);
        return new("kernel", [new RegularFile("a.kernel", text)], [], () => Outcome(() =>
            KernelVerifier.Verify(KernelReader.Read(Encoding.UTF8.GetString(text)))));
    }

    public static HostileInput Program(Random random, Corpus corpus)
    {
        var text = Broken(random, corpus.LoweredPrograms, corpus);
        var backend = random.Pick(["none", "interpreter", "llvm"]);
        var extent = random.Next(4);
        return new("program", [new RegularFile("a.program", text)], [], () => Outcome(() =>
        {
            var program = ProgramReader.Read(Encoding.UTF8.GetString(text));
            foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
            if (backend != "none" && IsShort(text)) Execute(program, backend, extent);
        }));
    }

    private static void Execute(Program program, string backend, int extent)
    {
        var options = new ExecutableOptions { Threads = 1, UseCache = false, MemoryLimit = 256 << 20 };
        using var executable = Executables.Create(backend, [program], options);
        using var session = executable.CreateSession();
        session.Output = TextWriter.Null;
        var sizes = program.Sizes.ToDictionary(s => s, _ => (long)extent);
        Tensor[] inputs = [.. program.Of(BufferKind.Input).Select(b =>
            Tensor.Zeros(b.Type.DType, [.. b.Type.Shape.Select(s => s.Evaluate(sizes))]))];
        session.Run(program.Name, inputs, sizes);
    }

    /// <summary>
    /// The errors of these readers and backends for a wrong text; other exceptions are bugs and propagate.
    /// </summary>
    private static int Outcome(Action action)
    {
        try
        {
            action();
            return ExitCodes.Ok;
        }
        catch (LimitationException)
        {
            return ExitCodes.Limitation;
        }
        catch (Exception e) when (e is FormatException or GraphException or KernelException or ExecutionException
            or BackendException)
        {
            return ExitCodes.UserError;
        }
    }

    private static byte[] Broken(Random random, IReadOnlyList<string> texts, Corpus corpus) => random.Next(24) switch
    {
        0 => Encoding.UTF8.GetBytes(
            string.Concat(Enumerable.Repeat(random.Pick(Mutation.Characters), 1 + random.Next(3000)))),
        1 => Encoding.UTF8.GetBytes(random.Pick(texts) + random.Pick(texts)),
        _ => Mutation.Text(random, random.Pick(texts), corpus.Words),
    };

    /// <summary>A call of the last graph of the text, with small inputs.</summary>
    private static string[] Run(Random random, byte[] bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        try
        {
            var graph = GraphReader.Read(text);
            if (!IsShort(bytes)) return ["check", "a.graph"];
            var fill = random.Pick(["zeros", "ones", "random:seed=1"]);
            var sizes = graph.Sizes.Select(s => $"{s}={random.Next(5)}");
            // An input and a size may share a name; then one of them is missing.
            var arguments = graph.Inputs.Select(i => $"{i.Name}={fill}").Concat(sizes).DistinctBy(a => a.Split('=')[0]);
            return ["run", "./a.graph", graph.Name, .. arguments, "--backend",
                random.Pick(["interpreter", "llvm"]), "--memory", "256M"];
        }
        catch (Exception)
        {
            // If the reader refuses the text or fails, the command must show it.
            return ["run", "./a.graph", "f", "--backend", "interpreter"];
        }
    }

    private static bool IsShort(byte[] text)
    {
        var value = 0L;
        foreach (var b in text)
        {
            value = b is >= (byte)'0' and <= (byte)'9' ? Math.Min((value * 10) + b - '0', int.MaxValue) : 0;
            if (value > LongestLoop) return false;
        }
        return !Encoding.UTF8.GetString(text).Contains("while", StringComparison.Ordinal);
    }
}
