// In: an optimised function, and which state is frozen. Out: the function with the weights of its contractions in
// panels.
using System.Collections.Immutable;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// dot(x, w) => dot(x, unpack(barrier(pack(w)))) where w is known before the first call and has the contiguous axis of
/// the result. pack(w) has the shape [columns / 32, contracted axes .., 32], padded with zeros: everything that a
/// register tile reads lies together. unpack consists of movements only, so the kernel reads the panels in place; the
/// setup ends at the barrier. There is one layout for every dtype and target, and also for a single row. The bits are
/// those of the dot without it.
/// </summary>
internal static class PackWeights
{
    /// <summary>
    /// With fewer columns panels would be mostly padding: a quarter of a panel makes a weight at most four times as
    /// large.
    /// </summary>
    private const int FewestColumns = 8;

    public static Function Run(Function function, FrozenState frozen, Rewrites rewrites)
    {
        var plan = new Plan(function, null, [], frozen, rewrites);
        return plan.IsEmpty ? function : plan.Build([]);
    }

    /// <summary>A weight's axes, grouped as its panels need them.</summary>
    /// <param name="Shape">The weight's shape, with axes split where the result splits them; the other parameters refer
    /// to its axes.</param>
    /// <param name="Apart">Axes before the panels; each index along them has its own panels.</param>
    /// <param name="Contract">The contracted axes, in the dot's order.</param>
    /// <param name="Flat">The axes that together are the columns.</param>
    private sealed record Layout(
        ImmutableArray<Size> Shape, ImmutableArray<int> Apart, ImmutableArray<int> Contract, ImmutableArray<int> Flat)
    {
        private ImmutableArray<int> Order => [.. Apart, .. Contract, .. Flat];

        private ImmutableArray<Size> Outer => [.. Apart.Concat(Contract).Select(d => Shape[d])];

        private ImmutableArray<Size> Joined => [.. Flat.Select(d => Shape[d])];

        /// <summary>The type of the packed weight.</summary>
        public TensorType TypeOf(TensorType weight)
        {
            var function = new Function("");
            return Pack(function, function.Add(new Input("w", weight)), Origin.None).Type;
        }

        /// <summary>Adds the packed weight to a function.</summary>
        public Node Pack(Function into, Node weight, Origin origin)
        {
            var (outer, columns) = (Outer, Size.Product(Joined).Value);
            var panels = (columns + PanelLayout.Columns - 1) / PanelLayout.Columns;
            var node = Reshaped(Transposed(Reshaped(weight, Shape), Order), [.. outer, columns]);
            if (panels * PanelLayout.Columns > columns)
            {
                var zero = into.Add(weight.Type.DType.IsFloat ? Const.Of(TensorType.Scalar(weight.Type.DType), 0.0)
                    : Const.Of(TensorType.Scalar(weight.Type.DType), 0L), origin);
                node = into.Add(new Pad(node, zero, [.. node.Type.Shape.Select(_ => Size.Zero)],
                    [.. outer.Select(_ => Size.Zero), panels * PanelLayout.Columns - columns],
                        [.. node.Type.Shape.Select(_ => 0L)]),
                        origin);
            }
            node = Transposed(Reshaped(node, [.. outer, panels, PanelLayout.Columns]), PanelsBeforeContract);
            return into.Add(new Graph.Barrier(node, BarrierKind.Setup), origin);

            Node Transposed(Node x, ImmutableArray<int> order) => Layout.Transposed(into, x, order, origin);
            Node Reshaped(Node x, ImmutableArray<Size> to) => Layout.Reshaped(into, x, to, origin);
        }

        /// <summary>Adds a view of the panels that has the weight's own axes.</summary>
        public Node Unpack(Function into, Node packed, TensorType weight, Origin origin)
        {
            var (outer, columns) = (Outer, Size.Product(Joined).Value);
            var panels = packed.Type.Shape[Apart.Length].Value;
            var node = Transposed(into, packed, Inverse(PanelsBeforeContract), origin);
            node = Reshaped(into, node, [.. outer, panels * PanelLayout.Columns], origin);
            if (panels * PanelLayout.Columns > columns)
            {
                var rank = node.Type.Rank;
                node = into.Add(new Slice(node, [.. Enumerable.Repeat(Size.Zero, rank)], [.. outer, columns],
                    [.. Enumerable.Repeat(1L, rank)]), origin);
            }
            node = Transposed(into, Reshaped(into, node, [.. outer, .. Joined], origin), Inverse(Order), origin);
            return Reshaped(into, node, weight.Shape, origin);
        }

        /// <summary>[apart .., contract .., panels, 32] as [apart .., panels, contract .., 32].</summary>
        private ImmutableArray<int> PanelsBeforeContract
        {
            get
            {
                var (apart, contract) = (Apart.Length, Contract.Length);
                return [.. Enumerable.Range(0, apart), apart + contract, .. Enumerable.Range(apart, contract),
                    apart + contract + 1];
            }
        }

        private static ImmutableArray<int> Inverse(ImmutableArray<int> order) =>
            [.. Enumerable.Range(0, order.Length).Select(d => order.IndexOf(d))];

        private static Node Transposed(Function into, Node x, ImmutableArray<int> order, Origin origin) =>
            order.SequenceEqual(Enumerable.Range(0, order.Length)) ? x : into.Add(new Transpose(x, order), origin);

        private static Node Reshaped(Function into, Node x, ImmutableArray<Size> shape, Origin origin) =>
            x.Type.Shape.SequenceEqual(shape) ? x : into.Add(new Reshape(x, shape), origin);
    }

    /// <summary>A weight that a region needs packed outside of the loops and branches around it.</summary>
    /// <param name="Make">Adds the packed weight to a function, given the values that the region's inputs stand for
    /// there.</param>
    private sealed record Lifted(Func<Function, Func<Node, Node>, Node> Make, TensorType Type);

    /// <summary>The weights to pack in a function or region, and in the regions inside.</summary>
    private sealed class Plan
    {
        private readonly Function function;
        private readonly bool isRegion;
        private readonly HashSet<Node> packedInputs;
        private readonly Dictionary<Node, (int Side, Layout Layout)> dots = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<Node, ImmutableArray<Plan>> regions = new(ReferenceEqualityComparer.Instance);
        private readonly List<Lifted> lifted = [];

        /// <summary>
        /// For a dot, or for a node with regions: the position of its (first) weight in the list of lifted ones.
        /// </summary>
        private readonly Dictionary<object, int> places = new(ReferenceEqualityComparer.Instance);

        /// <param name="function">A function, or a region of one.</param>
        /// <param name="known">A region's inputs that have one value for all calls; null for a whole function.</param>
        /// <param name="packedInputs">Those of the inputs that are packed weights.</param>
        /// <param name="frozen">State that no call changes.</param>
        /// <param name="rewrites">Counts the weights.</param>
        public Plan(Function function, IReadOnlySet<Node>? known, HashSet<Node> packedInputs, FrozenState frozen,
            Rewrites rewrites)
        {
            (this.function, isRegion, this.packedInputs) = (function, known is not null, packedInputs);
            var values = new KnownValues(function, frozen, known);
            FusionPlan? fusion = null;
            foreach (var node in function.Nodes)
            {
                if (node is RegionNode region) Add(region, values, frozen, rewrites);
                else if (node is Dot dot && rewrites.MayGoOn && dot.Operands.Any(values.Contains)
                    && Packable(dot, fusion ??= new FusionPlan(function), values) is { } found)
                {
                    dots[dot] = found;
                    var place = function.OriginOf(dot).Place;
                    var weight = dot.Operands[found.Side];
                    rewrites.Add(
                        () => new("pack-weights", "weight of a contraction", weight.ToString(), "panels", place));
                    if (isRegion) Lift(dot, found.Side, found.Layout);
                }
            }
        }

        public bool IsEmpty => dots.Count == 0 && regions.Count == 0;

        private void Add(RegionNode node, KnownValues values, FrozenState frozen, Rewrites rewrites)
        {
            // The first operand of a branch is its condition; a carried value changes in every iteration.
            var (skipped, carried) =
                node switch { If => (1, 0), Scan s => (0, s.Carried), While w => (0, w.Carried), _ => (0, 0) };
            ImmutableArray<Plan> inside = [.. node.Regions.Select(region =>
            {
                HashSet<Node> Captured(Func<Node, bool> fits) => region.Inputs
                    .Where((_, i) => i >= carried && fits(node.Operands[i + skipped]))
                    .ToHashSet<Node>(ReferenceEqualityComparer.Instance);
                return new Plan(region, Captured(values.Contains), Captured(IsPacked), frozen, rewrites);
            })];
            if (inside.All(p => p.IsEmpty)) return;
            regions[node] = inside;
            if (!isRegion) return;
            places[node] = lifted.Count;
            foreach (var plan in inside)
            {
                foreach (var weight in plan.lifted)
                {
                    lifted.Add(weight with
                    {
                        Make = (into, given) => weight.Make(into,
                            input => Copied(into, node.Operands[plan.Number(input) + skipped], given)),
                    });
                }
            }
        }

        private int Number(Node input) => function.Inputs.TakeWhile(i => !ReferenceEquals(i, input)).Count();

        private void Lift(Dot dot, int side, Layout layout)
        {
            places[dot] = lifted.Count;
            var (weight, origin) = (dot.Operands[side], function.OriginOf(dot));
            var type = layout.TypeOf(weight.Type);
            lifted.Add(new((into, given) => layout.Pack(into, Copied(into, weight, given), origin), type));
        }

        /// <summary>
        /// Copies a node of this function into another, given the values that the inputs stand for there.
        /// </summary>
        private Node Copied(Function into, Node node, Func<Node, Node> given) =>
            new Rebuild(function, into).CopyWithOperands(node, given);

        /// <summary>Rebuilds the function.</summary>
        /// <param name="extra">A region's new inputs: the weights that its node lifts out of all its regions.</param>
        /// <param name="first">The first of them that is this region's own.</param>
        public Function Build(IReadOnlyList<TensorType> extra, int first = 0)
        {
            var rebuild = new Rebuild(function);
            var (into, map) = (rebuild.Into, rebuild.Map);
            if (isRegion)
                foreach (var input in function.Inputs) rebuild.Copy(input);
            var names = 0;
            List<Node> packed = [.. extra.Select(type =>
            {
                while (function.Inputs.Any(i => i.Name == $"packed.{names}")) names++;
                return into.Add(new Input($"packed.{names++}", type));
            })];
            foreach (var node in function.Nodes)
            {
                if (rebuild.Has(node)) continue;
                var origin = function.OriginOf(node);
                if (dots.TryGetValue(node, out var dot))
                {
                    var weight = node.Operands[dot.Side];
                    var panels = isRegion ? packed[first + places[node]] : dot.Layout.Pack(into, map[weight], origin);
                    ImmutableArray<Node> operands = [.. node.Operands.Select(o => map[o])];
                    var view = dot.Layout.Unpack(into, panels, weight.Type, origin);
                    rebuild.Add(node, node.With(operands.SetItem(dot.Side, view)));
                }
                else if (regions.TryGetValue(node, out var inside))
                {
                    rebuild[node] = Rebuilt((RegionNode)node, inside, into, map, i => packed[first + places[node] + i]);
                }
                else rebuild.Copy(node);
            }
            return rebuild.Finish();
        }

        /// <summary>The node with its regions rebuilt and one more operand for each lifted weight.</summary>
        private Node Rebuilt(
            RegionNode node, ImmutableArray<Plan> inside, Function into, IReadOnlyDictionary<Node, Node> map,
                Func<int, Node> own)
        {
            var skipped = node is If ? 1 : 0;
            List<Lifted> all = [.. inside.SelectMany(p => p.lifted)];
            var operands = node.Operands.Select(o => map[o]).ToList();
            var regions = ImmutableArray.CreateBuilder<Function>();
            var first = 0;
            foreach (var plan in inside)
            {
                foreach (var weight in plan.lifted)
                    operands.Add(isRegion ? own(operands.Count - node.Operands.Length)
                        : weight.Make(into, input => map[node.Operands[plan.Number(input) + skipped]]));
                regions.Add(plan.Build([.. all.Select(l => l.Type)], first));
                first += plan.lifted.Count;
            }
            return into.Add(node.WithRegions(regions.ToImmutable(), [.. operands]), function.OriginOf(node));
        }

        /// <summary>The operand of a dot that should be packed, and its layout; null if none should.</summary>
        private (int Side, Layout Layout)? Packable(Dot dot, FusionPlan fusion, KnownValues values)
        {
            if (dot.ContractA.IsEmpty || values.Contains(dot) || fusion.ExitOf(dot) is not { } root) return null;
            var axes = ContractionAxes.Of(root, dot, Target.Own(root), fusion);
            var side = axes.IsSwapped ? 0 : 1;
            var weight = dot.Operands[side];
            if (!values.Contains(weight) || FusionPlan.IsGenerated(weight) || IsPacked(weight)) return null;
            var (batch, free, contract) = side == 0 ? (dot.BatchA, dot.FreeA, dot.ContractA)
                : (dot.BatchB, dot.FreeB, dot.ContractB);
            var before = batch.Length + (side == 0 ? 0 : dot.FreeA.Length);
            // The weight's axes, with those of the columns split into their parts.
            var parts = axes.Apart.Concat(axes.Columns).Select(p => p with { Axis = free[p.Axis - before] }).ToList();
            List<AxisPart> all = [.. Enumerable.Range(0, weight.Type.Rank).SelectMany(d => parts.Where(p => p.Axis == d)
                .OrderByDescending(p => p.Scale).DefaultIfEmpty(new AxisPart(d, weight.Type.Shape[d])))];
            ImmutableArray<int> order = [.. parts.Select(p => all.IndexOf(p))];
            ImmutableArray<int> At(ImmutableArray<int> whole) =>
                [.. whole.Select(d => all.FindIndex(p => p.Axis == d))];
            var columns = Size.Product([.. axes.Columns.Select(p => p.Extent)]).Value;
            // Loops around whole panels read the same panels as a single axis of all columns would.
            var apart = columns % PanelLayout.Columns == 0 ? 0 : axes.Apart.Length;
            if (columns < FewestColumns) return null;
            ImmutableArray<int> outside = [.. At(batch), .. order.Take(apart)];
            return (side, new Layout([.. all.Select(p => p.Extent)], outside, At(contract), [.. order.Skip(apart)]));
        }

        private bool IsPacked(Node node)
        {
            while (node is Transpose or Reshape or Slice) node = node.Operands[0];
            return node is Graph.Barrier { Kind: BarrierKind.Setup } || packedInputs.Contains(node);
        }
    }
}
