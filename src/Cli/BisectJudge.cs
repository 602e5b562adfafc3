// In: a bound graph and a call of it. Out: whether a rewritten graph, or its code, does the same.
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

/// <summary>The outcome of a call is its results, then its inout parameters and the state it assigns.</summary>
internal sealed class BisectJudge
{
    private readonly Tensor[] inputs;
    private readonly IReadOnlyDictionary<string, long> sizes;
    private readonly IReadOnlyDictionary<string, Tensor> state;
    private readonly DType? compute;
    private readonly IReadOnlyList<ReferenceValue> exact;
    private readonly Lazy<IReadOnlyList<ReferenceValue>> rounded;

    /// <param name="bound">The graph with the right results.</param>
    /// <param name="inputs">The inputs of the call, which are not changed.</param>
    /// <param name="sizes">The sizes of the call.</param>
    /// <param name="state">The state before the call, by path.</param>
    /// <param name="compute">The dtype to which contractions may round their operands; results are compared with its
    /// precision.</param>
    public BisectJudge(Function bound, Tensor[] inputs, IReadOnlyDictionary<string, long> sizes,
        IReadOnlyDictionary<string, Tensor> state, DType? compute = null)
    {
        (this.inputs, this.sizes, this.state, this.compute) = (inputs, sizes, state, compute);
        exact = Reference(bound, isRounded: false);
        rounded = new(() => Reference(bound, isRounded: true));
    }

    /// <param name="graph">The rewritten graph.</param>
    /// <param name="backend">The backend that runs it; `reference` is the graph interpreter.</param>
    /// <param name="options">The options of code generation.</param>
    public bool IsRight(Function graph, string backend, ExecutableOptions options)
    {
        if (backend != "reference") return Wrong(Run(graph, backend, options)) is null;
        // Exactly like the reference, or with every node rounded as executors do.
        return Agrees(Reference(graph, isRounded: false), exact)
            || Agrees(Reference(graph, isRounded: true), rounded.Value);
    }

    /// <summary>The first step after the optimiser that gives another result; null if none does.</summary>
    /// <param name="graph">The optimised graph.</param>
    /// <param name="backends">The kernel interpreter, then the backends compared with it.</param>
    /// <param name="options">The options of code generation.</param>
    /// <param name="ran">The backends that could run it.</param>
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
                // A backend that cannot run it cannot be wrong.
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

    /// <summary>The paths of the state that the graph assigns, in a fixed order; passes preserve them.</summary>
    private static IEnumerable<string> Assigned(Function graph) => graph.Effects.OfType<Assign>()
        .Where(a => a.Storage != StorageClass.Inout).Select(a => a.Name).Distinct().Order(StringComparer.Ordinal);

    /// <summary>An inout parameter may share its name with a path; a param and a buffer may not share one.</summary>
    private static StorageClass Class(Assign assign) =>
        assign.Storage == StorageClass.Inout ? StorageClass.Inout : StorageClass.Buffer;
}
