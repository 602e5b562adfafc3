// In: a function. Out: its text form, deterministic, which GraphReader reads back to the same graph.
using System.Text;

namespace Accelerate.Compiler.Graph;

/// <summary>
/// One node per line: `%1: f32[n,128] = dot(%x, %0; contract [1]x[1],batch []x[])   # mlp.acc:6:44 linear`. Called
/// functions come before their callers, and a setup comes before its function.
/// </summary>
internal static class GraphPrinter
{
    public static string Print(Function function)
    {
        var text = new StringBuilder();
        foreach (var f in Whole(function)) PrintOne(f, text);
        return text.ToString();
    }

    /// <summary>The functions reachable through calls, callees first, the function itself last.</summary>
    public static IReadOnlyList<Function> Closure(Function function)
    {
        var order = new List<Function>();
        void Visit(Function f)
        {
            if (order.Contains(f)) return;
            foreach (var callee in f.Nodes.SelectMany(Callees)) Visit(callee);
            order.Add(f);
        }
        Visit(function);
        return order;
    }

    /// <summary>The same, preceded by its setup and the functions that the setup reaches.</summary>
    public static IEnumerable<Function> Whole(Function function) =>
        function.Setup is { } setup ? Whole(setup).Concat(Closure(function)) : Closure(function);

    /// <summary>The functions a node runs.</summary>
    public static IEnumerable<Function> Callees(Node node) => node switch
    {
        Call c => [c.Callee],
        RegionNode r => r.Regions,
        _ => [],
    };

    private static void PrintOne(Function function, StringBuilder text)
    {
        text.Append(function.Composite.Length > 0 ? $"composite {function.Composite} @{function.Name} {{\n"
            : $"graph @{function.Name}{(function.Setup is { } setup ? $"; setup @{setup.Name}" : "")} {{\n");
        foreach (var check in function.Checks)
            text.Append(
                $"  check({check.Kind.ToString().ToLowerInvariant()}, {check.Left}, {check.Right}, {Types.Quote.Text(check.Message)})\n");
        foreach (var node in function.Nodes)
        {
            var line =
                $"  %{node.Id}: {node.Type} = {node.Op}({string.Join(", ", node.Operands.Select(o => $"%{o.Id}"))}"
                + (node.Attributes.Length > 0 ? $"; {node.Attributes})" : ")");
            var origin = function.OriginOf(node);
            var comment = string.Join(' ', new[] { function.ForwardOf(node) is { } of ? $"d %{of.Id}" : "", origin.Where }
                .Concat(origin.Composites).Where(s => s.Length > 0));
            text.Append(comment.Length == 0 ? line : $"{line,-86}  # {comment}").Append('\n');
        }
        text.Append("  return(" + string.Join(", ", function.Results.Select((r, i) =>
            $"%{r.Id}" + (i < function.ResultNames.Length && function.ResultNames[i].Length > 0
                ? $" {Types.Quote.Text(function.ResultNames[i])}" : ""))) + ")\n}\n");
    }
}
