// In: a kernel. Out: its text form, which KernelReader reads back to the same kernel.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static class KernelPrinter
{
    public static string Print(Kernel kernel)
    {
        var text = new StringBuilder();
        text.Append($"kernel @{kernel.Name}({string.Join(", ", kernel.Buffers.Select(b =>
            $"{b.Name}: {(b.IsUpdated ? "inout" : b.IsOutput ? "out" : "in")}({b.Type.Name()}, {b.Count})"))}; sizes({string.Join(", ", kernel.Sizes)})) {{"
            + $"  # {kernel.Kind.ToString().ToLowerInvariant()}\n");
        new Printer(kernel, text).Block(kernel.Body, 1);
        return text.Append("}\n").ToString();
    }

    /// <summary>The text without the name: kernels with equal bodies are merged.</summary>
    public static string Body(Kernel kernel) => Print(kernel with { Name = "_" });

    private sealed class Printer(Kernel kernel, StringBuilder text)
    {
        private string Name(int buffer) => kernel.Buffers[buffer].Name;

        public void Block(Block block, int depth)
        {
            foreach (var statement in block.Statements)
            {
                Indent(depth);
                Statement(statement, depth);
                text.Append('\n');
            }
        }

        private void Indent(int depth) => text.Append(' ', 2 * depth);

        private void Yield(Value value, int depth, Value? factor = null)
        {
            Indent(depth);
            text.Append($"yield(%{value.Id}{(factor is null ? "" : $", %{factor.Id}")})\n");
        }

        private void Statement(Statement statement, int depth)
        {
            switch (statement)
            {
                case Compute c:
                    text.Append(
                        $"{Define(c.Result)}{c.Op.ToString().ToLowerInvariant()}({string.Join(", ", c.Arguments.Select(a => $"%{a.Id}"))})");
                    break;
                case Literal l:
                    text.Append($"{Define(l.Result)}const({(l.Result.Type.IsFloat
                        ? ConstText.Float(l.Float) : l.Integer.ToString(CultureInfo.InvariantCulture))})");
                    break;
                case IndexValue i:
                    text.Append($"{Define(i.Result)}index({i.Index})");
                    break;
                case Load l:
                    text.Append(
                        $"{Define(l.Result)}load({Name(l.Buffer)}[{l.Offset}]{Guards(l.Guards)}{(l.Fill is { } f ? $" else %{f.Id}" : "")})");
                    break;
                case Store s:
                    text.Append($"store({Name(s.Buffer)}[{s.Offset}], %{s.Value.Id}{Guards(s.Guards)})");
                    break;
                case Flag c:
                    text.Append($"flag(%{c.Condition.Id})");
                    break;
                case Loop l:
                    text.Append($"{l.Kind.ToString().ToLowerInvariant()}({l.Variable} < {l.Extent}) {{\n");
                    Block(l.Body, depth + 1);
                    Close(depth);
                    break;
                case Reduction r:
                    text.Append(
                        $"{Define(r.Result)}{(r.Lanes ? "reduce" : "serial")}.{r.Kind.ToString().ToLowerInvariant()}({r.Variable} < {r.Extent}) {{\n");
                    Block(r.Body, depth + 1);
                    Yield(r.Yield, depth + 1, r.Factor);
                    Close(depth);
                    break;
                case Cumulation c:
                    text.Append($"cumulate.{c.Kind.ToString().ToLowerInvariant()}({c.Variable} < {c.Extent}) {{\n");
                    Into(c.Body, c.Yield, [c.Running], c.Epilogue, depth);
                    break;
                case Ordering o:
                    text.Append(
                        $"sort.{(o.IsDescending ? "descending" : "ascending")}({o.Variable} < {o.Extent}) {{\n");
                    Into(o.Body, o.Yield, [o.Key, o.At], o.Epilogue, depth);
                    break;
                case Contract c:
                    text.Append($"contract({Axis(c.M)}, {Axis(c.N)}; {string.Join(", ", c.K.Select(Axis))}) {{\n");
                    Part("left", c.Left, c.LeftYield, depth + 1);
                    Part("right", c.Right, c.RightYield, depth + 1);
                    Indent(depth + 1);
                    text.Append($"into(%{c.Accumulator.Id}: {c.Accumulator.Type.Name()}) {{\n");
                    Block(c.Epilogue, depth + 2);
                    Close(depth + 1);
                    text.Append('\n');
                    Close(depth);
                    break;
                case Attend a:
                    text.Append($"attend({Axis(a.M)}, {Axis(a.S)}, {Axis(a.E)}; {Axis(a.K)}; block {a.KeyBlock}) {{\n");
                    Part("query", a.Query.Block, a.Query.Yield, depth + 1);
                    Part("key", a.Key.Block, a.Key.Yield, depth + 1);
                    Part("value", a.Value.Block, a.Value.Yield, depth + 1);
                    if (a.Until is { } until) Part("until", until.Block, until.Yield, depth + 1);
                    Part($"score(%{a.Product.Id}: {a.Product.Type.Name()})", a.Score.Block, a.Score.Yield, depth + 1);
                    Part($"weight(%{a.Difference.Id}: {a.Difference.Type.Name()})", a.Weight.Block, a.Weight.Yield,
                        depth + 1);
                    Indent(depth + 1);
                    text.Append($"into(%{a.Sum.Id}: {a.Sum.Type.Name()}, %{a.Total.Id}: {a.Total.Type.Name()}"
                        + (a.Greatest is { } greatest ? $", %{greatest.Id}: {greatest.Type.Name()}) {{\n" : ") {\n"));
                    Block(a.Epilogue, depth + 2);
                    Close(depth + 1);
                    text.Append('\n');
                    Close(depth);
                    break;
                default:
                    throw new InvalidOperationException($"no text form for {statement.GetType().Name}");
            }
        }

        private static string Guards(ImmutableArray<Guard> guards) =>
            guards.IsEmpty ? "" : $" if({string.Join(", ", guards.Select(g => $"{g.Index} < {g.Extent}"))})";

        /// <summary>Prints the rest of a statement with an epilogue, after its head.</summary>
        private void Into(Block body, Value yield, ImmutableArray<Value> into, Block epilogue, int depth)
        {
            Block(body, depth + 1);
            Yield(yield, depth + 1);
            Close(depth);
            text.Append($" into({string.Join(", ", into.Select(v => $"%{v.Id}: {v.Type.Name()}"))}) {{\n");
            Block(epilogue, depth + 1);
            Close(depth);
        }

        private static string Axis(Axis axis) => $"{axis.Variable} < {axis.Extent}";

        private static string Define(Value value) => $"%{value.Id}: {value.Type.Name()} = ";

        private void Part(string name, Block block, Value yield, int depth)
        {
            Indent(depth);
            text.Append($"{name} {{\n");
            Block(block, depth + 1);
            Yield(yield, depth + 1);
            Close(depth);
            text.Append('\n');
        }

        private void Close(int depth)
        {
            Indent(depth);
            text.Append('}');
        }
    }
}
