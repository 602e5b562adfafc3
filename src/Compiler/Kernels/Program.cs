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
/// A tensor of the program; an inout input is written too. Where temporaries lie is the plan's, constants carry their
/// values.
/// </summary>
internal sealed record ProgramBuffer(string Name, BufferKind Kind, TensorType Type, string Label, Const? Values = null,
    bool IsInout = false);

internal abstract record Step;

/// <summary>
/// Fails the call, where it is reached, when sizes do not fit. What the sizes of the call decide alone is no step:
/// <see cref="CallPlan.Checks"/>.
/// </summary>
internal sealed record CheckStep(EntryCheck Check) : Step;

/// <summary>Runs a kernel over all its jobs; the buffers are given in the kernel's order.</summary>
internal sealed record CallStep(int Kernel, ImmutableArray<int> Buffers) : Step
{
    /// <summary>
    /// Where in the source an index was out of range, if the kernel says so; empty when it is not known.
    /// </summary>
    public string Place { get; init; } = "";

    /// <summary>The layer that it computes, as its weights are named; empty for what is in none.</summary>
    public string Layer { get; init; } = "";
}

/// <summary>
/// From here on the size Variable, which kernels take like any other, is the integer scalar in buffer From + Plus, but
/// at least 1, and at most Most. No buffer's shape depends on it: what a kernel takes as smaller by it has room for the
/// most.
/// </summary>
internal sealed record SizeStep(string Variable, int From, long Plus, Size Most) : Step;

/// <summary>
/// From here on the size Variable is Value: a kernel of many sizes is called with a few that are sums of them, and is
/// then the same kernel for other sums.
/// </summary>
internal sealed record LetStep(string Variable, Size Value) : Step;

/// <summary>
/// Runs the body for each 0 &lt;= Variable &lt; Count, in order. In the body the variable is a size that kernels take
/// like any other; no buffer's shape depends on it.
/// </summary>
internal sealed record LoopStep(string Variable, Size Count, ImmutableArray<Step> Body) : Step;

/// <summary>
/// Runs the condition, ends when the bool scalar in buffer Test is false, else runs the body, and again.
/// </summary>
internal sealed record WhileStep(ImmutableArray<Step> Condition, int Test, ImmutableArray<Step> Body) : Step;

/// <summary>Runs one of the two by the bool scalar in buffer Test.</summary>
internal sealed record IfStep(int Test, ImmutableArray<Step> Then, ImmutableArray<Step> Else) : Step;

/// <summary>All bytes of one buffer into another of the same type; what `expect: copies` counts.</summary>
internal sealed record CopyStep(int From, int To) : Step;

/// <summary>Prints buffers through a format, as <see cref="Print"/> does.</summary>
internal sealed record PrintStep(string Format, ImmutableArray<int> Buffers) : Step;

/// <summary>
/// Fails the call when the bool scalar in buffer Test is false; the message formats the other buffers.
/// </summary>
internal sealed record AssertStep(string Message, int Test, ImmutableArray<int> Buffers) : Step
{
    /// <summary>Where in the source it stands; empty when it is not known.</summary>
    public string Place { get; init; } = "";

    /// <summary>The layer that it stands in; empty for none.</summary>
    public string Layer { get; init; } = "";
}

/// <summary>
/// The driver of one exported function: its sizes, its buffers, what its calls need before the first step, its kernels
/// without repeats, and its steps in order.
/// </summary>
internal sealed record Program(string Name, ImmutableArray<string> Sizes, ImmutableArray<ProgramBuffer> Buffers,
    CallPlan Plan, ImmutableArray<Kernel> Kernels, ImmutableArray<Step> Steps)
{
    /// <summary>
    /// Computes the folded constants: its result k is the value of the constants with FoldedIndex k. Run once for the
    /// values of the frozen state that it reads, before the first call; null when nothing is folded. Two setups whose
    /// results have the same name compute the same value from the same state.
    /// </summary>
    public Program? Setup { get; init; }

    /// <summary>
    /// True for what lowering made. Of any other program, backends guard the accesses that are not proved:
    /// <see cref="GuardedAccesses"/>.
    /// </summary>
    public bool IsTrusted { get; init; } = true;

    /// <summary>The state that calls or the setup use, each piece once.</summary>
    public IEnumerable<ProgramBuffer> State => Buffers.Concat(Setup?.Buffers ?? [])
        .Where(b => b.Kind is BufferKind.Param or BufferKind.Buffer).DistinctBy(b => b.Label);

    public IEnumerable<ProgramBuffer> Of(BufferKind kind) => Buffers.Where(b => b.Kind == kind);

    /// <summary>Every step, those of loops and branches behind the one they belong to.</summary>
    public IEnumerable<Step> AllSteps => Flat(Steps);

    /// <summary>The buffers that a step writes: results, temporaries, assigned state, inout inputs.</summary>
    public IEnumerable<int> Written => AllSteps.SelectMany(WrittenBy).Distinct();

    /// <summary>True for a step that itself writes state; one that holds others does not.</summary>
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

    /// <summary>The steps that copy a whole tensor, loops counted once.</summary>
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
