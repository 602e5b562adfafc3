// Where a value may be computed: the nest of blocks around its use, with the variables that each block binds.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>
/// One block of the kernel under construction. A value whose index does not mention the block's variables is computed
/// in the block outside, unless that one takes no statements (between perfectly nested parallel loops).
/// </summary>
internal sealed class Scope(Scope? outer, BlockBuilder builder, bool takesStatements,
    params IEnumerable<string> variables)
{
    private readonly HashSet<string> variables = [.. variables];

    public BlockBuilder Builder { get; } = builder;

    /// <summary>The number of scopes around this one.</summary>
    public int Depth { get; } = outer is null ? 0 : outer.Depth + 1;

    /// <summary>Values of nodes computed in this scope, by node, index and conditions.</summary>
    public Dictionary<(Node Node, string At), Value> Known { get; } = [];

    /// <summary>True inside a vector loop or a lane reduction, where only in-order reductions are allowed.</summary>
    public bool InVector { get; init; }

    public void Bind(string variable) => variables.Add(variable);

    public Scope Inner(params IEnumerable<string> bound) =>
        new(this, Builder.Inner(), true, bound) { InVector = InVector };

    /// <summary>The body of a lane reduction, whose iterations are lanes.</summary>
    public Scope Lanes(string variable) => new(this, Builder.Inner(), true, variable) { InVector = true };

    /// <summary>The outermost block in which all the expressions have a value.</summary>
    public Scope Home(IEnumerable<Size> expressions)
    {
        var mentioned = expressions.SelectMany(e => e.Variables()).ToHashSet();
        var home = this;
        while (home.Outside is { } outside && !home.variables.Overlaps(mentioned)) home = outside;
        return home;
    }

    private Scope? Outside => outer is not null && outer.TakesStatements ? outer : null;

    private bool TakesStatements => takesStatements;
}
