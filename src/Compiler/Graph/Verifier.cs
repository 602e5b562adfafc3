// In: a function. Out: nothing, or a GraphException that names the first rule of OPS.md that does not hold.
namespace Accelerate.Compiler.Graph;

/// <summary>Infers every type again and checks order, ownership and results. Run after every pass by the tests.</summary>
public static class Verifier
{
    public static void Verify(Function function)
    {
        for (var id = 0; id < function.Nodes.Count; id++)
        {
            var node = function.Nodes[id];
            Rule.Require(node.Id == id, "graph C2", () => $"node {id} calls itself %{node.Id}");
            foreach (var operand in node.Operands)
                Rule.Require(operand.Id < id && ReferenceEquals(function.Nodes[operand.Id], operand), "graph C3",
                    () => $"%{id} = {node.Op} uses %{operand.Id}, which is not defined before it");
            var again = node.With(node.Operands);
            Rule.Require(again.Type.Equals(node.Type), "graph C4", () => $"%{id} = {node.Op} says {node.Type}, its operands give {again.Type}");
            foreach (var callee in GraphPrinter.Callees(node)) Verify(callee);
        }
        Rule.Require(!function.Results.IsEmpty || function.Effects.Count > 0, "graph C5",
            () => $"@{function.Name} has neither results nor effects");
        foreach (var result in function.Results)
            Rule.Require(result.Id >= 0 && result.Id < function.Nodes.Count && ReferenceEquals(function.Nodes[result.Id], result),
                "graph C6", () => $"a result of @{function.Name} belongs to another function");
        var names = function.Inputs.Select(i => i.Name).ToList();
        Rule.Require(names.Distinct().Count() == names.Count, "graph C7", () => $"two inputs of @{function.Name} have one name");
        var closure = GraphPrinter.Closure(function);
        Rule.Require(closure.DistinctBy(f => f.Name).Count() == closure.Count, "graph C8",
            () => $"two functions that @{function.Name} reaches have one name");
    }
}
