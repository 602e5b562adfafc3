// In: a graph as it was bound, a call of it. Out: whether a rewritten graph, or its code, does the same.
using Accelerate.Backends;
using Accelerate.Backends.OpenCl;
using Accelerate.Bench;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// What a call does is its results, then what it leaves in its inout parameters and in the state it assigns.
/// </summary>
internal sealed class BisectJudge
{
    private readonly Tensor[] inputs;
    private readonly IReadOnlyDictionary<string, long> sizes;
    private readonly IReadOnlyDictionary<string, Tensor> state;
    private readonly DType? compute;
    private readonly IReadOnlyList<ReferenceValue> exact;
    private readonly Lazy<IReadOnlyList<ReferenceValue>> rounded;

    /// <param name="bound">The graph whose results are right.</param>
    /// <param name="inputs">Of the call; they stay as they are.</param>
    /// <param name="sizes">Of the call.</param>
    /// <param name="state">On entry, by path.</param>
    /// <param name="compute">What contractions may round their operands to; results are held to its precision.</param>
    public BisectJudge(Function bound, Tensor[] inputs, IReadOnlyDictionary<string, long> sizes,
        IReadOnlyDictionary<string, Tensor> state, DType? compute = null)
    {
        (this.inputs, this.sizes, this.state, this.compute) = (inputs, sizes, state, compute);
        exact = Reference(bound, isRounded: false);
        rounded = new(() => Reference(bound, isRounded: true));
    }

    /// <param name="graph">The graph, rewritten.</param>
    /// <param name="backend">What runs it; `reference` is the graph interpreter.</param>
    /// <param name="options">How code is made.</param>
    public bool IsRight(Function graph, string backend, ExecutableOptions options)
    {
        if (backend != "reference") return Wrong(Run(graph, backend, options)) is null;
        // As the reference, or with every node rounded as every executor does.
        return Agrees(Reference(graph, isRounded: false), exact)
            || Agrees(Reference(graph, isRounded: true), rounded.Value);
    }

    /// <summary>The first step behind the optimiser that does something else; null when all do the same.</summary>
    /// <param name="graph">The optimised graph.</param>
    /// <param name="backends">The kernel interpreter, then those that are held to it.</param>
    /// <param name="options">How code is made.</param>
    /// <param name="ran">Those that could run it.</param>
    public string? Behind(Function graph, IEnumerable<string> backends, ExecutableOptions options,
        out IReadOnlyList<string> ran)
    {
        List<string> held = ["interpreter"];
        ran = held;
        var expected = Run(graph, "interpreter", options);
        if (Wrong(expected) is { } wrong)
            return $"its kernels give another result, in the kernel interpreter: {wrong}";
        foreach (var backend in backends.Where(b => b != "interpreter"))
        {
            try
            {
                var owes = backend == "llvm" || OpenClDevice.Default.IsExact ? Owes.Bits : Owes.Bound;
                Agreement.Check(backend, owes, [.. expected.Select((v, i) => ($"{i}", v))],
                    [.. Run(graph, backend, options).Select((v, i) => ($"{i}", v))]);
            }
            catch (LimitationException)
            {
                // What a backend cannot run it cannot get wrong.
                continue;
            }
            catch (InternalErrorException e)
            {
                return "the kernels are right in the kernel interpreter, but " + e.Message.Split(": ", 2)[1];
            }
            held.Add(backend);
        }
        return null;
    }

    private string? Wrong(IReadOnlyList<Tensor> actual)
    {
        foreach (var (value, i) in actual.Select((v, i) => (v, i)))
            if (Comparison.Compare(value, Wanted(exact[i]), () => Wanted(rounded.Value[i])) is { Agrees: false } report)
                return report.Text;
        return null;
    }

    private ReferenceValue Wanted(ReferenceValue value) => compute is { } type ? value.WithPrecision(type) : value;

    private bool Agrees(IReadOnlyList<ReferenceValue> actual, IReadOnlyList<ReferenceValue> expected) =>
        actual.Zip(expected).All(p => Comparison.Compare(p.First, Wanted(p.Second)).Agrees);

    private List<Tensor> Run(Function graph, string backend, ExecutableOptions options)
    {
        using var executable =
            Executables.Create(backend, [Lowering.Lower(graph)], options, state);
        using var session = executable.CreateSession();
        session.Output = TextWriter.Null;
        Tensor[] given = [.. inputs.Select(i => i.Clone())];
        var results = session.Run(graph.Name, given, sizes);
        return [.. results, .. graph.Inputs.Zip(given).Where(i => i.First.IsInout).Select(i => i.Second),
            .. Assigned(graph).Select(path => session.State[path].Clone())];
    }

    private List<ReferenceValue> Reference(Function graph, bool isRounded)
    {
        var assigned = new Dictionary<(StorageClass, string), ReferenceValue>();
        var results = GraphInterpreter.Run(graph, [.. inputs.Select(ReferenceValue.Of)],
            path => ReferenceValue.Of(state[path]), sizes, new InterpreterOptions
            {
                Propagation = Propagation.Likely,
                RoundToDType = isRounded,
                Assign = (assign, value) => assigned[(Class(assign), assign.Name)] = value,
            });
        return [.. results,
            .. graph.Inputs.Zip(inputs).Where(i => i.First.IsInout).Select(i =>
                assigned.GetValueOrDefault((StorageClass.Inout, i.First.Name)) ?? ReferenceValue.Of(i.Second)),
            .. Assigned(graph).Select(path => assigned.TryGetValue((StorageClass.Buffer, path), out var value) ? value
                : ReferenceValue.Of(state[path]))];
    }

    /// <summary>Paths of the state that the graph assigns, which its passes keep, in one order.</summary>
    private static IEnumerable<string> Assigned(Function graph) => graph.Effects.OfType<Assign>()
        .Where(a => a.Storage != StorageClass.Inout).Select(a => a.Name).Distinct().Order(StringComparer.Ordinal);

    /// <summary>An inout parameter may have the name of a path; a param and a buffer have not the same.</summary>
    private static StorageClass Class(Assign assign) =>
        assign.Storage == StorageClass.Inout ? StorageClass.Inout : StorageClass.Buffer;
}
