// In: a compiled entry, inputs, state. Out: its results by the f64 graph interpreter, and counts of its code.
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class GraphCall
{
    /// <summary>
    /// Every node's floats are rounded to its dtype. Assigned state is not kept: each call begins with the same state.
    /// </summary>
    /// <exception cref="CliException">A check of the call fails.</exception>
    public static IReadOnlyList<Tensor> Run(CompiledEntry entry, Tensor[] inputs,
        IReadOnlyDictionary<string, Tensor> state, IReadOnlyDictionary<string, long> sizes)
    {
        try
        {
            var results = GraphInterpreter.Run(entry.Bound, [.. inputs.Select(ReferenceValue.Of)],
                path => ReferenceValue.Of(state[path]), sizes, new InterpreterOptions { RoundToDType = true });
            return [.. results.Select(ToTensor)];
        }
        catch (ReferenceException e)
        {
            throw new CliException(e.Message);
        }
    }

    /// <summary>
    /// The number of nodes in a graph, its setup and every function that it calls or repeats, each counted once.
    /// </summary>
    public static int Nodes(Function function)
    {
        var seen = new HashSet<Function>(ReferenceEqualityComparer.Instance);
        var left = new Stack<Function>([function]);
        while (left.TryPop(out var next))
        {
            if (!seen.Add(next)) continue;
            if (next.Setup is { } setup) left.Push(setup);
            foreach (var called in next.Nodes.SelectMany(Called)) left.Push(called);
        }
        return seen.Sum(f => f.Nodes.Count);
    }

    private static IEnumerable<Function> Called(Node node) => node switch
    {
        RegionNode r => r.Regions,
        Call c => [c.Callee],
        _ => [],
    };

    /// <summary>The number of instructions in the kernels' modules: the indented lines of bodies.</summary>
    public static long Instructions(Program program, ExecutableOptions options) =>
        LlvmExecutable.Modules([program], options.Target).Sum(m => (long)m.Text.Split('\n').Count(IsInstruction));

    private static bool IsInstruction(string line) =>
        line.StartsWith("  ", StringComparison.Ordinal) && line.Trim() is { Length: > 0 } text && text[0] is not (';' or ']');

    private static Tensor ToTensor(ReferenceValue value)
    {
        if (value.DType.IsFloat) return Tensor.FromDoubles(value.DType, value.Values, value.Shape);
        var tensor = Tensor.Uninitialized(value.DType, value.Shape);
        var width = value.DType.Bytes();
        for (var i = 0; i < value.Integers.Length; i++)
            BitConverter.GetBytes(value.Integers[i]).AsSpan(0, width).CopyTo(tensor.Bytes[(i * width)..]);
        return tensor;
    }
}
