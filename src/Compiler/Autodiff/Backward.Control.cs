// The cotangents of calls, branches and loops: their regions are differentiated in regions of their own.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Barrier = Accelerate.Compiler.Graph.Barrier;

namespace Accelerate.Compiler.Autodiff;

internal sealed partial class Backward
{
    /// <summary>
    /// The callee's nodes are copied into the graph; their values are the call's own once calls are inlined. A callee
    /// that is to be recomputed is copied onto operands behind a barrier, which no pass looks through.
    /// </summary>
    internal void Through(Call call, Node?[] dy)
    {
        var leaves = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        foreach (var operand in call.Operands)
            leaves[operand] = call.Callee.IsRecomputed && !IsState(operand)
                ? Add(new Barrier(operand, BarrierKind.Checkpoint, call.Id + 1)) : operand;
        var copy = new Copy(this, call.Callee);
        foreach (var (input, operand) in call.Callee.Inputs.Zip(call.Operands)) copy[input] = leaves[operand];
        copy.All();
        var wanted = call.Operands.Where(Needs).Distinct().ToList();
        var given = Inside(copy, wanted.Select(o => leaves[o]), call.Callee.Results.Select((x, k) => (copy[x], dy[k])));
        foreach (var operand in wanted) Give(operand, given(leaves[operand]));
    }

    /// <summary>True for values that are in memory in any case: nothing has to be stored for them.</summary>
    private static bool IsState(Node node) =>
        node is State or Barrier { Kind: BarrierKind.Leaf, Operands: [State] } || Outliner.IsGenerated(node);

    internal void Through(If branch, Node?[] dy)
    {
        List<int> seeds = [.. Enumerable.Range(0, dy.Length).Where(k => dy[k] is not null)];
        List<int> wanted = [.. Enumerable.Range(1, branch.Operands.Length - 1).Where(i => Needs(branch.Operands[i]))];
        var made = new If(Arm(branch.Then), Arm(branch.Otherwise),
            [.. branch.Operands, .. seeds.Select(k => dy[k]!)]);
        var node = Add(made);
        for (var i = 0; i < wanted.Count; i++) Give(branch.Operands[wanted[i]], Add(new Result(node, i)));

        Function Arm(Function region)
        {
            var into = new Function(names.Function(region.Name));
            var back = new Backward(into, names);
            var copy = new Copy(back, region);
            for (var i = 0; i < region.Inputs.Count; i++)
                copy[region.Inputs[i]] = into.Add(new Input($"x{i}", region.Inputs[i].Type));
            var cotangents = seeds.Select(k => into.Add(new Input($"d{k}", dy[k]!.Type))).ToList();
            copy.All();
            var inputs = wanted.Select(i => copy[region.Inputs[i - 1]]).ToList();
            var given = back.Inside(copy, inputs,
                seeds.Select((k, j) => (copy[region.Results[k]], (Node?)cotangents[j])));
            into.Results = [.. inputs.Select(x => given(x) ?? back.Zeros(x.Type))];
            into.ResultNames = [.. inputs.Select(_ => "")];
            return into;
        }
    }

    /// <summary>
    /// Runs the rounds from the last to the first. The carried values at the start of each round, and the products made
    /// of them, are stored by a second loop over the same rounds, which a later pass joins with the loop itself;
    /// everything else in a round is recomputed. Cotangents of carried values are carried. Cotangents of captured
    /// values are carried sums, except for sums of products: their operands are stored, and one product covers all
    /// rounds.
    /// </summary>
    internal void Through(Scan scan, Node?[] dy)
    {
        var body = scan.Body;
        var (active, wanted) = Active(scan);
        if (active.Count + wanted.Count == 0) return;
        var products = KeptProducts(scan, active);
        var histories = Histories(scan, products);

        // Inputs of each round: cotangents of the carried values, sums; then the captured values, the histories, the
        // outputs' cotangents.
        var carried = active.Select(k => dy[k] ?? Zeros(scan.Operands[k].Type)).ToList();
        List<Node> sums = [.. wanted.Select(i => Zeros(scan.Operands[i].Type))];
        List<int> outputs = [.. Enumerable.Range(scan.Carried, body.Results.Length - scan.Carried)
            .Where(k => dy[k] is not null)];
        List<Node> operands = [.. carried, .. sums, .. scan.Operands.Skip(scan.Carried), .. histories,
            .. outputs.Select(k => dy[k]!)];

        var into = new Function(names.Function(body.Name));
        List<Node> inputs = [.. operands.Select((o, i) => into.Add(new Input($"x{i}", o.Type)))];
        var back = new Backward(into, names);
        var at = scan.Count - 1 - Size.Variable(scan.Variable);
        var next = 0;
        List<Node> Take(int count) => inputs.GetRange((next += count) - count, count);
        var (dCarried, dSums, captured, stored, dOutputs) = (Take(active.Count), Take(wanted.Count),
            Take(scan.Operands.Length - scan.Carried), Take(histories.Count), Take(outputs.Count));

        var copy = new Copy(back, body, v => v == scan.Variable ? at : null);
        List<Node> before = [.. stored.Select(s => back.Round(s, at))];
        for (var i = 0; i < body.Inputs.Count; i++)
            copy[body.Inputs[i]] = i < scan.Carried ? before[i] : captured[i - scan.Carried];
        for (var j = 0; j < products.Count; j++) copy.Keep(products[j], before[scan.Carried + j]);
        copy.All();
        var leaves = active.Concat(wanted).Select(i => copy[body.Inputs[i]]).ToList();
        for (var j = 0; j < wanted.Count; j++) back.CarrySum(leaves[active.Count + j], dSums[j]);
        var seeds = active.Select((k, j) => (copy[body.Results[k]], (Node?)dCarried[j]))
            .Concat(outputs.Select((k, j) => (copy[body.Results[k]], (Node?)back.Round(dOutputs[j], at))));
        var given = back.Inside(copy, leaves, seeds);
        into.Results = [.. leaves.Select(x => given(x) ?? back.Zeros(x.Type))];
        var behind = dSums.Select((sum, j) => back.LeaveProducts(active.Count + j, sum)).ToList();
        if (!FitsInto(behind.SelectMany(b => b.Products), before, into)) behind = [];
        foreach (var (j, rest, _) in behind) into.Results = into.Results.SetItem(j, rest);
        List<Node> factors = [.. behind.SelectMany(b => b.Products).SelectMany(p => p.Operands).Distinct()];
        into.Results = [.. into.Results, .. factors];
        into.ResultNames = [.. into.Results.Select(_ => "")];

        var made = Add(new Scan(into, scan.Variable, scan.Count, leaves.Count, [.. operands]));
        var changed = active.Concat(wanted).ToList();
        for (var j = 0; j < changed.Count; j++)
        {
            var (_, rest, moved) = behind.FirstOrDefault(b => b.Result == j);
            // A sum that consists only of products is not carried at all.
            if (rest is null || !ReferenceEquals(rest, into.Inputs[j]))
                Give(scan.Operands[changed[j]], Add(new Result(made, j)));
            foreach (var product in moved ?? [])
                Give(scan.Operands[changed[j]], OfAllRounds(product, made, leaves.Count, factors));
        }
    }

    /// <summary>
    /// The products that a round computes of its carried values and that are kept: they are costly, and where the
    /// result is at most four times as large as the operand, as the gates of an LSTM are, keeping them takes little
    /// more memory than the values that are kept anyway.
    /// </summary>
    private static List<Node> KeptProducts(Scan scan, List<int> active)
    {
        var body = scan.Body;
        var depends = Dependents(body.Nodes, active.Where(k => k < scan.Carried).Select(k => (Node)body.Inputs[k]));
        return [.. body.Nodes.OfType<Dot>().Where(d => !d.Type.Shape.Any(s => s.Variables().Contains(scan.Variable))
            && d.Operands.Any(o => depends.Contains(o) && IsAtMost(d.Type.Count, 4 * o.Type.Count)))];
    }

    /// <summary>
    /// Splits what a round adds to a sum into the products and the sum of everything else. Only a carried value that is
    /// changed by a chain of additions alone is split.
    /// </summary>
    private (int Result, Node Sum, List<Dot> Products) LeaveProducts(int result, Node sum)
    {
        var (products, others) = (new List<Dot>(), new Stack<Node>());
        var node = graph.Results[result];
        for (; node is Binary { Kind: BinaryOp.Add } add && !ReferenceEquals(node, sum); node = add.Operands[0])
        {
            if (add.Operands[1] is Dot { BatchA.IsEmpty: true } product) products.Add(product);
            else others.Push(add.Operands[1]);
        }
        return ReferenceEquals(node, sum) ? (result, others.Aggregate(sum, Plus), products)
            : (result, graph.Results[result], []);
    }

    /// <summary>
    /// True if the factors of each round take no more memory than the values stored for it anyway. Microbatches in a
    /// loop carry nothing from one to the next: their gradients are carried sums.
    /// </summary>
    private static bool FitsInto(IEnumerable<Dot> products, IEnumerable<Node> stored, Function round)
    {
        var needed = Dependencies(round.Results);
        return IsAtMost(Total(products.SelectMany(p => p.Operands).Distinct().Except(stored)),
            Total(stored.Where(needed.Contains)));

        static Size Total(IEnumerable<Node> nodes) => nodes.Aggregate(Size.Zero, (sum, n) => sum + n.Type.Count);
    }

    /// <summary>The nodes and everything they are computed from.</summary>
    private static HashSet<Node> Dependencies(IEnumerable<Node> nodes)
    {
        var (known, open) = (new HashSet<Node>(ReferenceEqualityComparer.Instance), new Stack<Node>(nodes));
        while (open.TryPop(out var node))
            if (known.Add(node))
                foreach (var operand in node.Operands) open.Push(operand);
        return known;
    }

    private static bool IsAtMost(Size a, Size b) => new IndexRanges().NonNegative(b - a);

    /// <summary>The sum of a product over all rounds: the rounds are contracted together with its own axes.</summary>
    private Node OfAllRounds(Dot product, Node loop, int first, List<Node> factors)
    {
        Node Stack(int operand) => Add(new Result(loop, first + factors.IndexOf(product.Operands[operand])));
        static ImmutableArray<int> WithRounds(ImmutableArray<int> axes) => [0, .. axes.Select(d => d + 1)];
        return Add(new Dot(Stack(0), Stack(1), [], [], WithRounds(product.ContractA), WithRounds(product.ContractB),
            product.Type.DType));
    }

    /// <summary>The carried and the captured values of a loop that depend on a leaf.</summary>
    private (List<int> Carried, List<int> Captured) Active(Scan scan)
    {
        var captured = Enumerable.Range(scan.Carried, scan.Operands.Length - scan.Carried)
            .Where(i => Needs(scan.Operands[i])).ToList();
        var active = new SortedSet<int>(Enumerable.Range(0, scan.Carried).Where(k => Needs(scan.Operands[k])));
        int before;
        do
        {
            before = active.Count;
            var depends = Dependents(scan.Body.Nodes, active.Concat(captured).Select(i => (Node)scan.Body.Inputs[i]));
            active.UnionWith(Enumerable.Range(0, scan.Carried).Where(k => depends.Contains(scan.Body.Results[k])
                && scan.Body.Results[k].Type.DType.IsFloat));
        }
        while (active.Count > before);
        return ([.. active], captured);
    }

    /// <summary>For each carried value: its value at the beginning of each round, stacked; then the products.</summary>
    private List<Node> Histories(Scan scan, List<Node> products)
    {
        var body = Resized.Of(scan.Body, _ => null, names.Function);
        // The copy has the nodes of the body in the same order.
        body.Results = [.. body.Results, .. body.Inputs.Take(scan.Carried), .. products.Select(p => body.Nodes[p.Id])];
        body.ResultNames = [.. body.Results.Select(_ => "")];
        // The forward loop has printed and asserted already.
        body = WithoutEffects(body);
        var loop = Add(new Scan(body, scan.Variable, scan.Count, scan.Carried, scan.Operands));
        return [.. Enumerable.Range(scan.Body.Results.Length, scan.Carried + products.Count)
            .Select(k => Add(new Result(loop, k)))];
    }

    private Function WithoutEffects(Function function)
    {
        if (function.Effects.Count == 0) return function;
        var into = new Function(function.Name);
        var copy = new Copy(new Backward(into, names), function);
        foreach (var input in function.Inputs) copy[input] = into.Add(new Input(input.Name, input.Type));
        copy.All();
        into.Results = [.. function.Results.Select(r => copy[r])];
        into.ResultNames = function.ResultNames;
        return into;
    }

    /// <summary>The element of a stack that belongs to a round.</summary>
    private Node Round(Node stack, Size at)
    {
        var shape = stack.Type.Shape;
        ImmutableArray<Size> starts = [at, .. shape.Skip(1).Select(_ => Size.Zero)];
        return Shaped(Add(new Slice(stack, starts, shape.SetItem(0, 1), Ones(shape.Length))), shape.RemoveAt(0));
    }

    /// <summary>A loop made by the rules.</summary>
    /// <param name="count">The number of rounds.</param>
    /// <param name="isReversed">From the last round to the first; outputs are stacked in the order of the
    /// rounds.</param>
    /// <param name="carried">The initial values of the carried ones.</param>
    /// <param name="captured">The values that every round reads.</param>
    /// <param name="round">In: the builder that adds nodes, the carried and captured values, and the function that
    /// takes a round's element of a stack. Out: the next carried values, then the round's outputs.</param>
    internal Node Loop(Size count, bool isReversed, ImmutableArray<Node> carried, ImmutableArray<Node> captured,
        Func<Backward, IReadOnlyList<Node>, Func<Node, Node>, ImmutableArray<Node>> round)
    {
        var into = new Function(names.Function("for"));
        ImmutableArray<Node> operands = [.. carried, .. captured];
        List<Node> inputs = [.. operands.Select((o, i) => into.Add(new Input($"x{i}", o.Type)))];
        var back = new Backward(into, names);
        var variable = names.Variable();
        var at = isReversed ? count - 1 - Size.Variable(variable) : Size.Variable(variable);
        into.Results = round(back, inputs, stack => back.Round(stack, at));
        into.ResultNames = [.. into.Results.Select(_ => "")];
        return Add(new Scan(into, variable, count, carried.Length, operands));
    }

    private void CarrySum(Node leaf, Node sum)
    {
        sums.Add(leaf);
        depends.Add(leaf);
        cotangents[leaf] = [sum];
    }

    /// <summary>
    /// The cotangents of leaves from the values of a copy; its nodes are no part of the sweep around it.
    /// </summary>
    private Func<Node, Node?> Inside(Copy copy, IEnumerable<Node> leaves, IEnumerable<(Node Value, Node? Cotangent)> seeds)
    {
        List<Node> all = [.. leaves.Distinct()];
        if (all.Count == 0) return _ => null;
        var inner = new Backward(graph, names) { current = current };
        foreach (var leaf in all.Where(sums.Contains)) inner.CarrySum(leaf, cotangents[leaf][0]!);
        foreach (var (kept, of) in copy.Kept) inner.kept[kept] = of;
        inner.Sweep(copy.Nodes, all, seeds);
        return inner.Cotangent;
    }

    /// <summary>Copies the nodes of a function, without its effects, into the graph of a sweep.</summary>
    private sealed class Copy(Backward into, Function from, Func<string, Size?>? sizes = null)
    {
        private readonly Dictionary<Node, Node> map = new(ReferenceEqualityComparer.Instance);

        /// <summary>The copies, operands first, each once.</summary>
        public List<Node> Nodes { get; } = [];

        /// <summary>
        /// Values that were kept, each with the copy that computes it: the cotangent of one is the cotangent of the
        /// other.
        /// </summary>
        public Dictionary<Node, Node> Kept { get; } = new(ReferenceEqualityComparer.Instance);

        private readonly Dictionary<Node, Node> keep = new(ReferenceEqualityComparer.Instance);

        /// <summary>Makes the users of a node read a kept value instead.</summary>
        public void Keep(Node old, Node value) => keep[old] = value;

        public Node this[Node old]
        {
            get => map[old];
            set => map[old] = value;
        }

        public void All()
        {
            var known = new HashSet<Node>(ReferenceEqualityComparer.Instance);
            foreach (var node in from.Nodes)
            {
                if (map.ContainsKey(node)) continue;
                if (node is Print or Graph.Assert or Assign)
                {
                    // An effect passes its operand through.
                    if (!node.Operands.IsEmpty) map[node] = map[node.Operands[0]];
                    continue;
                }
                ImmutableArray<Node> operands = [.. node.Operands.Select(o => map[o])];
                var made = sizes is null && node is not RegionNode ? node.With(operands)
                    : Resized.Of(node, operands, sizes ?? (_ => null), into.names.Function);
                if (made is RegionNode { IsEffect: true } region)
                    made = region.WithRegions([.. region.Regions.Select(into.WithoutEffects)], region.Operands);
                map[node] = made = into.graph.Add(made, from.OriginOf(node));
                if (known.Add(made)) Nodes.Add(made);
                if (!keep.TryGetValue(node, out var value)) continue;
                Kept[value] = made;
                Nodes.Add(map[node] = value);
            }
        }
    }
}
