// A whole exported function as the backends see it: buffers, the plan of its calls, and the steps of its driver.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels;

internal enum BufferKind
{
    Input, Param, Buffer, Constant, Temporary, Output,
}

/// <summary>
/// A tensor of the program; an inout input is also written. The plan says where temporaries lie; constants carry their
/// values.
/// </summary>
internal sealed record ProgramBuffer(string Name, BufferKind Kind, TensorType Type, string Label, Const? Values = null,
    bool IsInout = false);

internal abstract record Step;

/// <summary>
/// Fails the call, when it is reached, if sizes do not fit. Conditions on the sizes of the call alone are not steps:
/// see <see cref="CallPlan.Checks"/>.
/// </summary>
internal sealed record CheckStep(EntryCheck Check) : Step;

/// <summary>Runs a kernel over all its jobs; the buffers are in the kernel's order.</summary>
internal sealed record CallStep(int Kernel, ImmutableArray<int> Buffers) : Step
{
    /// <summary>
    /// The source location to report if the kernel flags an index out of range; empty when it is not known.
    /// </summary>
    public string Place { get; init; } = "";

    /// <summary>The layer that the step computes, named like its weights; empty outside of layers.</summary>
    public string Layer { get; init; } = "";
}

/// <summary>
/// Defines the size Variable for the following steps: the integer scalar in buffer From + Plus, but at least 1, and at
/// most Most. Kernels take it like any other size, but no buffer's shape depends on it: buffers have room for Most.
/// </summary>
internal sealed record SizeStep(string Variable, int From, long Plus, Size Most) : Step;

/// <summary>
/// Defines the size Variable as Value for the following steps: a kernel of many sizes is called with a few that are
/// sums of them, so that the same kernel serves other sums.
/// </summary>
internal sealed record LetStep(string Variable, Size Value) : Step;

/// <summary>
/// Runs the body for each 0 &lt;= Variable &lt; Count, in order. In the body the variable is a size that kernels take
/// like any other; no buffer's shape depends on it.
/// </summary>
internal sealed record LoopStep(string Variable, Size Count, ImmutableArray<Step> Body) : Step;

/// <summary>
/// Runs the condition; ends if the bool scalar in buffer Test is false, else runs the body and repeats.
/// </summary>
internal sealed record WhileStep(ImmutableArray<Step> Condition, int Test, ImmutableArray<Step> Body) : Step;

/// <summary>Runs one of the two, selected by the bool scalar in buffer Test.</summary>
internal sealed record IfStep(int Test, ImmutableArray<Step> Then, ImmutableArray<Step> Else) : Step;

/// <summary>Copies all bytes of one buffer into another of the same type; counted by `expect: copies`.</summary>
internal sealed record CopyStep(int From, int To) : Step;

/// <summary>Prints buffers through a format, as <see cref="Print"/> does.</summary>
internal sealed record PrintStep(string Format, ImmutableArray<int> Buffers) : Step;

/// <summary>Fails the call if the bool scalar in buffer Test is false; the message formats the other buffers.</summary>
internal sealed record AssertStep(string Message, int Test, ImmutableArray<int> Buffers) : Step
{
    /// <summary>Its source location; empty when it is not known.</summary>
    public string Place { get; init; } = "";

    /// <summary>The layer that it belongs to; empty for none.</summary>
    public string Layer { get; init; } = "";
}

/// <summary>
/// The driver of one exported function: its sizes, its buffers, the plan of its calls, its kernels without repeats, and
/// its steps in order.
/// </summary>
internal sealed record Program(string Name, ImmutableArray<string> Sizes, ImmutableArray<ProgramBuffer> Buffers,
    CallPlan Plan, ImmutableArray<Kernel> Kernels, ImmutableArray<Step> Steps)
{
    /// <summary>
    /// Computes the folded constants: its result k is the value of the constants with FoldedIndex k. Run once for the
    /// values of the frozen state that it reads, before the first call; null if nothing is folded. Two setups whose
    /// results have the same name compute the same value from the same state.
    /// </summary>
    public Program? Setup { get; init; }

    /// <summary>
    /// True for programs made by lowering. In any other program, backends guard the accesses that are not proved: <see
    /// cref="GuardedAccesses"/>.
    /// </summary>
    public bool IsTrusted { get; init; } = true;

    /// <summary>The state that calls or the setup use, each piece once.</summary>
    public IEnumerable<ProgramBuffer> State => Buffers.Concat(Setup?.Buffers ?? [])
        .Where(b => b.Kind is BufferKind.Param or BufferKind.Buffer).DistinctBy(b => b.Label);

    public IEnumerable<ProgramBuffer> Of(BufferKind kind) => Buffers.Where(b => b.Kind == kind);

    /// <summary>Every step; those of loops and branches follow the step they belong to.</summary>
    public IEnumerable<Step> AllSteps => Flat(Steps);

    /// <summary>The buffers that a step writes: results, temporaries, assigned state, inout inputs.</summary>
    public IEnumerable<int> Written => AllSteps.SelectMany(WrittenBy).Distinct();

    /// <summary>True for a step that writes state itself, not through the steps it contains.</summary>
    public bool WritesState(Step step) =>
        WrittenBy(step).Any(b => Buffers[b].Kind is BufferKind.Param or BufferKind.Buffer);

    /// <summary>The sizes that steps define: variables of loops, extents of masked axes, sums of others.</summary>
    public IEnumerable<string> Variables => AllSteps.Select(s => s switch
    {
        LoopStep l => l.Variable,
        SizeStep z => z.Variable,
        LetStep d => d.Variable,
        _ => null,
    }).OfType<string>().Distinct();

    /// <summary>The number of steps that copy a whole tensor; those in loops count once.</summary>
    public int Copies => AllSteps.OfType<CopyStep>().Count();

    private IEnumerable<int> WrittenBy(Step step) => step switch
    {
        CallStep c => c.Buffers.Where((_, i) => Kernels[c.Kernel].Buffers[i].IsOutput),
        CopyStep c => [c.To],
        _ => [],
    };

    private static IEnumerable<Step> Flat(IEnumerable<Step> steps) => steps.SelectMany(s => s switch
    {
        LoopStep l => Flat(l.Body).Prepend(s),
        WhileStep w => Flat(w.Condition.Concat(w.Body)).Prepend(s),
        IfStep i => Flat(i.Then.Concat(i.Else)).Prepend(s),
        _ => [s],
    });
}
