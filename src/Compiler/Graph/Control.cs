// Control flow: if, scan, while. Their regions are closed functions; values used from outside are operands.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// A node with functions inside. A region sees the size variables of the surrounding function and nothing else: every
/// tensor it uses is an operand. It may print and assert; then the node is an effect too. It assigns no state (the
/// assigned value is a result). Several results are taken apart by <see cref="Result"/>.
/// </summary>
internal abstract class RegionNode(string op, ImmutableArray<Function> regions, ImmutableArray<Node> operands,
    ImmutableArray<TensorType> results)
    : Node(op, operands, results.IsEmpty ? TensorType.Scalar(DType.Bool) : results[0])
{
    public ImmutableArray<Function> Regions { get; } = regions;

    public override ImmutableArray<TensorType> ResultTypes { get; } = results;

    public override bool IsEffect { get; } = regions.Any(r => r.Effects.Count > 0);

    /// <summary>The same node with rewritten regions, in their order.</summary>
    public abstract RegionNode WithRegions(ImmutableArray<Function> regions, ImmutableArray<Node> operands);

    public override Node With(ImmutableArray<Node> operands) => WithRegions(Regions, operands);

    /// <summary>Requires a region's inputs to have the operands' types, and forbids assignments in it.</summary>
    internal static void Require(Function region, IEnumerable<TensorType> inputs, string rule)
    {
        var wanted = inputs.ToList();
        Rule.Require(region.Inputs.Select(i => i.Type).SequenceEqual(wanted), rule,
            () => $"@{region.Name} takes {Rule.List(region.Inputs.Select(i => i.Type))}, not {Rule.List(wanted)}");
        Rule.Require(!region.Effects.Any(e => e is Assign), rule, () => $"@{region.Name} assigns state");
    }
}

/// <summary>
/// The results of one of two regions: operand 0 is the condition, a scalar bool; the others go to both.
/// </summary>
internal sealed class If(Function then, Function otherwise, ImmutableArray<Node> operands)
    : RegionNode("if", [then, otherwise], operands, Infer(then, otherwise, operands))
{
    public override OpTraits Traits => OpTraits.None;

    public Function Then => Regions[0];

    public Function Otherwise => Regions[1];

    public override string Attributes => $"@{Then.Name},@{Otherwise.Name}";

    public override RegionNode WithRegions(ImmutableArray<Function> regions, ImmutableArray<Node> operands) =>
        new If(regions[0], regions[1], operands);

    private static ImmutableArray<TensorType> Infer(Function then, Function otherwise, ImmutableArray<Node> operands)
    {
        Rule.Require(operands.Length > 0 && operands[0].Type.Equals(TensorType.Scalar(DType.Bool)), "if C1",
            () => $"the condition is {(operands.IsEmpty ? "missing" : operands[0].Type.Text)}");
        Require(then, operands.Skip(1).Select(o => o.Type), "if C2");
        Require(otherwise, operands.Skip(1).Select(o => o.Type), "if C2");
        var (a, b) = (then.Results.Select(r => r.Type).ToList(), otherwise.Results.Select(r => r.Type).ToList());
        Rule.Require(a.SequenceEqual(b), "if C3", () =>
            $"@{then.Name} gives {Rule.List(a)}, @{otherwise.Name} {Rule.List(b)}");
        return [.. a];
    }
}

/// <summary>
/// A counted loop. Operands: the initial values of `Carried` variables, then the values that the body captures. The
/// body runs for each 0 &lt;= Variable &lt; Count, in order, where Variable is a size of the body (named `i.1`: unlike
/// any user's name, unique in the program); it takes the carried values and the captured ones, and returns the next
/// carried values, then the elements of the scan outputs. Results: the carried values after the last iteration, then
/// each output with Count as its first axis.
/// </summary>
internal sealed class Scan(Function body, string variable, Size count, int carried, ImmutableArray<Node> operands)
    : RegionNode("scan", [body], operands, Infer(body, variable, count, carried, operands))
{
    public override OpTraits Traits => OpTraits.None;

    public Function Body => Regions[0];

    public string Variable { get; } = variable;

    public Size Count { get; } = count;

    /// <summary>The number of carried values: the first operands and the first results.</summary>
    public int Carried { get; } = carried;

    public override string Attributes => $"@{Body.Name},{Variable}<{Count},{Carried}";

    public override IEnumerable<Size> AttributeSizes => [Count];

    public override RegionNode WithRegions(ImmutableArray<Function> regions, ImmutableArray<Node> operands) =>
        new Scan(regions[0], Variable, Count, Carried, operands);

    private static ImmutableArray<TensorType> Infer(Function body, string variable, Size count, int carried,
        ImmutableArray<Node> operands)
    {
        Require(body, operands.Select(o => o.Type), "scan C1");
        var results = body.Results.Select(r => r.Type).ToList();
        var first = operands.Take(carried).Select(o => o.Type).ToList();
        Rule.Require(carried >= 0 && carried <= operands.Length && carried <= results.Count
            && results.Take(carried).SequenceEqual(first), "scan C2",
            () => $"@{body.Name} carries {Rule.List(first)}, and gives {Rule.List(results)}");
        Rule.Require(!count.Variables().Contains(variable)
            && !results.Any(r => r.Shape.Any(s => s.Variables().Contains(variable))), "scan C3",
            () => $"a result of @{body.Name} has a size that depends on {variable}");
        return [.. results.Take(carried), .. results.Skip(carried).Select(r => r.With(r.Shape.Insert(0, count)))];
    }
}

/// <summary>
/// Repeats the body while the condition holds, which is tested before each iteration. Operands: the initial values of
/// `Carried` variables, then the values that the regions capture; both regions take all of them. The condition returns
/// a scalar bool, the body the next carried values; the results are the last ones.
/// </summary>
internal sealed class While(Function condition, Function body, int carried, ImmutableArray<Node> operands)
    : RegionNode("while", [condition, body], operands, Infer(condition, body, carried, operands))
{
    public override OpTraits Traits => OpTraits.None;

    public Function Condition => Regions[0];

    public Function Body => Regions[1];

    public int Carried { get; } = carried;

    public override string Attributes => $"@{Condition.Name},@{Body.Name},{Carried}";

    public override RegionNode WithRegions(ImmutableArray<Function> regions, ImmutableArray<Node> operands) =>
        new While(regions[0], regions[1], Carried, operands);

    private static ImmutableArray<TensorType> Infer(Function condition, Function body, int carried,
        ImmutableArray<Node> operands)
    {
        Require(condition, operands.Select(o => o.Type), "while C1");
        Require(body, operands.Select(o => o.Type), "while C1");
        Rule.Require(condition.Results.Select(r => r.Type).SequenceEqual([TensorType.Scalar(DType.Bool)]), "while C2",
            () => $"the condition gives {Rule.List(condition.Results.Select(r => r.Type))}");
        var results = body.Results.Select(r => r.Type).ToList();
        Rule.Require(carried <= operands.Length
            && results.SequenceEqual(operands.Take(carried).Select(o => o.Type)), "while C3",
            () => $"@{body.Name} gives {Rule.List(results)}, not {Rule.List(operands.Take(carried).Select(o => o.Type))}");
        return [.. results];
    }
}
