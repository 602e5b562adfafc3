// In: a function. Out: nothing, or a GraphException that names the first violated rule of OPS.md.
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// Infers every type again and checks order, ownership and results. The tests run it after every pass.
/// </summary>
internal static class Verifier
{
    public static void Verify(Function function)
    {
        Rule.Require(!function.Results.IsEmpty || function.Effects.Count > 0, "graph C5",
            () => $"@{function.Name} has neither results nor effects");
        VerifyNodes(function);
        VerifySetup(function);
    }

    private static void VerifySetup(Function function)
    {
        if (function.Setup is { } setup)
        {
            Rule.Require(setup.Inputs.Count == 0 && setup.Effects.Count == 0 && setup.Setup is null
                && setup.Sizes.Count == 0, "setup C1",
                () => $"@{setup.Name} runs before the first call, and has inputs, effects, sizes or a setup of its own");
            VerifyNodes(setup);
            var assigned = function.Effects.OfType<Assign>().Select(a => a.Name).ToHashSet();
            var read = GraphPrinter.Closure(setup).SelectMany(f => f.Nodes).OfType<State>()
                .FirstOrDefault(s => assigned.Contains(s.Name));
            Rule.Require(read is null, "setup C3",
                () => $"@{setup.Name} reads the state {read!.Name} before the first call, and @{function.Name} assigns it");
        }
        var types = function.Setup?.Results.Select(r => r.Type).ToList() ?? [];
        foreach (var c in GraphPrinter.Closure(function).SelectMany(f => f.Nodes).OfType<Const>())
            Rule.Require(c.FoldedIndex < 0 || (c.FoldedIndex < types.Count && types[c.FoldedIndex].Equals(c.Type)),
                "setup C2", () => $"the setup of @{function.Name} has no result {c.FoldedIndex} of type {c.Type}");
    }

    /// <summary>
    /// A region may have no results: for example, the branch of an `if` in which only the other one prints.
    /// </summary>
    private static void VerifyNodes(Function function)
    {
        for (var id = 0; id < function.Nodes.Count; id++)
        {
            var node = function.Nodes[id];
            Rule.Require(node.Id == id, "graph C2", () => $"node {id} calls itself %{node.Id}");
            foreach (var operand in node.Operands)
                Rule.Require(operand.Id < id && ReferenceEquals(function.Nodes[operand.Id], operand), "graph C3",
                    () => $"%{id} = {node.Op} uses %{operand.Id}, which is not defined before it");
            var again = node.With(node.Operands);
            Rule.Require(again.Type.Equals(node.Type) && again.ResultTypes.SequenceEqual(node.ResultTypes), "graph C4",
                () => $"%{id} = {node.Op} says {node.Type}, its operands give {Rule.List(again.ResultTypes)}");
            Bounds.Verify(node);
            if (node is Scan scan) VerifyVariable(scan, function);
            if (node is Extent extent) VerifyExtent(extent, function);
            foreach (var callee in GraphPrinter.Callees(node)) VerifyNodes(callee);
        }
        foreach (var result in function.Results)
            Rule.Require(result.Id >= 0 && result.Id < function.Nodes.Count
                && ReferenceEquals(function.Nodes[result.Id], result),
                "graph C6", () => $"a result of @{function.Name} belongs to another function");
        Rule.Require(!function.Results.Any(r => r is RegionNode), "graph C9",
            () => $"a result of @{function.Name} is control flow without `result`");
        var names = function.Inputs.Select(i => i.Name).ToList();
        Rule.Require(names.Distinct()
            .Count() == names.Count, "graph C7", () => $"two inputs of @{function.Name} have one name");
        VerifyAssignments(function);
        var closure = GraphPrinter.Closure(function);
        Rule.Require(closure.DistinctBy(f => f.Name).Count() == closure.Count, "graph C8",
            () => $"two functions that @{function.Name} reaches have one name");
    }

    /// <summary>
    /// A buffer has room for the most, and arbitrary content past the extent: nodes that pass on a whole buffer must
    /// not have such a size.
    /// </summary>
    private static void VerifyExtent(Extent extent, Function around)
    {
        bool IsIn(TensorType type) => type.Shape.Any(s => s.Mentions(extent.Variable));
        Rule.Require(!around.Nodes.Take(extent.Id + 1)
            .Any(n => n.ResultTypes.Any(IsIn) || n.AttributeSizes.Any(s => s.Mentions(extent.Variable))), "extent C3",
            () => $"{extent.Variable} has a meaning before %{extent.Id} = extent");
        var whole = around.Nodes.Where(n => n.IsEffect || n is RegionNode or Call)
            .SelectMany(n => n.ResultTypes.Concat(n.Operands.Select(o => o.Type)))
            .Concat(around.Results.Select(r => r.Type));
        Rule.Require(!whole.Any(IsIn), "extent C4",
            () => $"{extent.Variable} is a size of a result, or of what an effect, a region or a call takes or gives");
    }

    private static void VerifyVariable(Scan scan, Function around) =>
        Rule.Require(!around.Sizes.Contains(scan.Variable) && !GraphPrinter.Closure(scan.Body).SelectMany(f => f.Nodes)
            .Any(n => n is Scan inner && inner.Variable == scan.Variable), "scan C4",
            () => $"{scan.Variable} has a meaning around or inside the loop over @{scan.Body.Name}");

    private static void VerifyAssignments(Function function)
    {
        var known = new HashSet<(bool IsInput, string Name)>();
        foreach (var assign in function.Effects.OfType<Assign>())
        {
            var isInput = assign.Storage == StorageClass.Inout;
            var input = function.Inputs.FirstOrDefault(i => i.IsInout && i.Name == assign.Name);
            Rule.Require(!isInput
                || input is not null, "assign C1", () => $"@{function.Name} has no inout input {assign.Name}");
            var held = isInput ? input : function.Nodes.FirstOrDefault(n => n is State s && s.Name == assign.Name);
            Rule.Require(held is null || held.Type.Equals(assign.Type), "assign C2",
                () => $"{assign.Name} is {held!.Type}, not {assign.Type}");
            Rule.Require(known.Add((isInput, assign.Name)), "assign C3", () => $"{assign.Name} is assigned twice");
        }
    }
}
