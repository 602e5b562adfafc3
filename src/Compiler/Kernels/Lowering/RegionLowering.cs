// In: a function, or a region of one, and the storages of its inputs and results. Out: its steps, appended to a block.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels.Lowering;

/// <summary>Shared by all regions of a function: kernels, constants, checks; and the loops around a region.</summary>
internal sealed record LoweringContext(KernelTable Kernels, Func<Const, Storage> Constant)
{
    /// <summary>Conditions that a call must meet, beyond the function's own checks.</summary>
    public List<EntryCheck> Checks { get; init; } = [];

    /// <summary>The variables of the surrounding loops, with their names in the driver.</summary>
    public ImmutableDictionary<string, string> Loops { get; private init; } = ImmutableDictionary<string, string>.Empty;

    public IndexRanges Ranges { get; private init; } = new();

    /// <summary>True if only values that a call computes determine whether a region runs.</summary>
    public bool IsConditional { get; init; }

    /// <summary>
    /// 1, or 0 in a call in which a surrounding loop has no iteration: then no condition applies here.
    /// </summary>
    private Size Runs { get; init; } = Size.One;

    /// <summary>
    /// The context inside one more loop. Loop variables are named by depth, so that equal loops have equal kernels.
    /// </summary>
    public LoweringContext Inside(string variable, Size count)
    {
        var ranges = new IndexRanges(Ranges);
        ranges.Add(variable, count);
        var runs = count.Variables().Any(Loops.ContainsKey) ? Runs : Runs * Size.Min(1, count);
        return this with { Loops = Loops.Add(variable, VariableName.Driver("i", Loops.Count + 1)), Ranges = ranges, Runs = runs };
    }

    /// <summary>The context with the ranges of sizes that the call computes.</summary>
    public LoweringContext With(IEnumerable<Extent> extents)
    {
        var ranges = new IndexRanges(Ranges);
        foreach (var extent in extents) ranges.Add(extent.Variable, extent.Most + 1);
        return this with { Ranges = ranges };
    }

    /// <summary>
    /// A condition of a region: checked before the call writes anything, if only the sizes of the call determine it
    /// (returns null); otherwise as a step when the region runs.
    /// </summary>
    public DraftCheck? Require(EntryCheck check)
    {
        if (IsConditional || check.Left.Variables().Concat(check.Right.Variables()).Any(Loops.ContainsKey))
            return new(check with { Left = Renamed(check.Left), Right = Renamed(check.Right) });
        Checks.Add(check with { Left = check.Left * Runs, Right = check.Right * Runs });
        return null;
    }

    public Size Renamed(Size size) =>
        size.Substitute(v => Loops.TryGetValue(v, out var name) ? Size.Variable(name) : null);
}

internal sealed class RegionLowering
{
    private readonly LoweringContext context;
    private readonly Function function;
    private readonly DraftBlock block;
    private readonly KernelLowering kernels;
    private readonly IReadOnlyList<LoweredNode> actions;
    private readonly Placement placement;

    private RegionLowering(LoweringContext context, Function function, IReadOnlyDictionary<Node, Storage> sources,
        IEnumerable<Want> wants, DraftBlock block)
    {
        (this.context, this.function, this.block) =
            (context = context.With(function.Nodes.OfType<Extent>()), function, block);
        var apart = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        var inOrder = new List<LoweredNode>();
        FusionPlan fusion;
        int before;
        do
        {
            before = apart.Count;
            fusion = new FusionPlan(function, context.Ranges, apart);
            kernels = new KernelLowering(fusion);
            inOrder.Clear();
            foreach (var node in function.Nodes)
                if (Action(node, fusion) is { } action) inOrder.Add(action);
            // An update that reads other elements of the tensor it changes is computed before the first element is
            // written.
            foreach (var (update, kernel) in inOrder.Where(a => a.Node is UpdateSlice)
                .Select(a => ((UpdateSlice)a.Node, a.Kernels[^1])))
            {
                var arguments = kernel.Arguments.ToList();
                var read = arguments.FindIndex(n => ReferenceEquals(n, update.Operands[0]));
                if (read >= 0
                    && !Placement.SameElement(kernel.Kernel, read,
                        arguments.FindIndex(n => ReferenceEquals(n, update))))
                    apart.Add(update.Operands[1]);
            }
        }
        while (apart.Count > before);
        var known = new Dictionary<Node, Storage>(sources, ReferenceEqualityComparer.Instance);
        foreach (var c in function.Nodes.OfType<Const>().Where(c => !c.IsSplat)) known[c] = context.Constant(c);
        wants = [.. wants];
        actions = KernelOrder.Of(inOrder, wants, known, function, fusion);
        var checks = actions.SelectMany(a => a.Kernels).SelectMany(k => k.Checks)
            .Concat(function.Nodes.SelectMany(n => AxisChecks.Of(n, context.Ranges))).Distinct();
        foreach (var check in checks)
            if (context.Require(check) is { } step) block.Add(step);
        placement = new Placement(actions, wants, known, block);
    }

    /// <summary>Appends the steps that compute the wanted values.</summary>
    public static void Lower(LoweringContext context, Function function, IReadOnlyDictionary<Node, Storage> sources,
        IEnumerable<Want> wants, DraftBlock block) => new RegionLowering(context, function, sources, wants, block)
            .Emit();

    private static LoweredNode? Action(Node node, FusionPlan fusion)
    {
        switch (node)
        {
            case RegionNode region:
                var operands = region.Operands;
                ImmutableArray<Take> takes = region switch
                {
                    If i => Taken(i),
                    Scan s => [.. operands.Take(s.Carried).Select((o, k) => new Take(o, k))],
                    While w => [.. operands.Take(w.Carried).Select((o, k) => new Take(o, k))],
                    _ => throw new InvalidOperationException(region.Op),
                };
                var results = new Node?[region.ResultTypes.Length];
                foreach (var result in fusion.ResultsOf(region)) results[result.Index] = result;
                // Each taken operand is removed from the reads once: one that is also captured is read.
                var reads = operands.ToList();
                foreach (var take in takes) reads.RemoveAt(reads.FindIndex(o => ReferenceEquals(o, take.Operand)));
                return new(node, [], [.. reads], [.. results], region.ResultTypes, takes);
            case Print or Graph.Assert or Extent:
                return new(node, [], node.Operands, [], [], []);
            case var _ when fusion.IsRoot(node) && Empty.IsEmpty(node.Type):
                return new(node, [], [], [node], [node.Type], []);
            case var _ when fusion.IsRoot(node):
                ImmutableArray<LoweredKernel> kernels = [.. new KernelLowering(fusion).Lower(node)];
                if (kernels.IsEmpty) return null; // another result of the same kernel stands for it
                var written = kernels.SelectMany(k => k.Arguments.Zip(k.Kernel.Buffers)).Where(a => a.Second.IsOutput)
                    .Select(a => a.First).Distinct().ToList();
                var read = kernels.SelectMany(k => k.Arguments).Where(a => !written.Contains(a)).Distinct();
                return new(node, kernels, [.. read], [.. written], [.. written.Select(w => w.Type)],
                    [.. kernels.Select(k => k.Base).OfType<Node>().Select(b => new Take(b, 0))]);
            default:
                return null;
        }
    }

    /// <summary>
    /// The operands of a branch whose memory its results can take over: one side changes the operand, the other passes
    /// it on.
    /// </summary>
    private static ImmutableArray<Take> Taken(If branch)
    {
        var takes = ImmutableArray.CreateBuilder<Take>();
        for (var k = 0; k < branch.ResultTypes.Length; k++)
        {
            foreach (var input in branch.Regions.Select(r => Origin(r, r.Results[k])).Where(i => i >= 0))
            {
                var operand = branch.Operands[input + 1];
                if (!operand.Type.Equals(branch.ResultTypes[k]) || takes.Any(t => ReferenceEquals(t.Operand, operand)))
                    continue;
                takes.Add(new(operand, k));
                break;
            }
        }
        return takes.ToImmutable();
    }

    /// <summary>
    /// The input of a region whose memory a value would be in if everything was done in place; -1 if there is none. A
    /// guess: the region's own placement decides.
    /// </summary>
    private static int Origin(Function region, Node value) => value switch
    {
        Input i => region.Inputs.ToList().IndexOf(i),
        UpdateSlice or Scatter or Unary or Graph.Convert or Select =>
            Origin(region, value.Operands[value is Select ? 1 : 0]),
        Binary b => Origin(region, b.Operands[0]) is >= 0 and var i ? i : Origin(region, b.Operands[1]),
        Result { Operands: [Scan s], Index: var k } when k < s.Carried => Origin(region, s.Operands[k]),
        Result { Operands: [While w], Index: var k } => Origin(region, w.Operands[k]),
        Result { Operands: [If i], Index: var k } =>
            Taken(i).FirstOrDefault(t => t.Result == k) is { } t ? Origin(region, t.Operand) : -1,
        _ => -1,
    };

    private void Emit()
    {
        for (var p = 0; p < actions.Count; p++)
        {
            var (action, targets) = (actions[p], placement.TargetsOf(p));
            switch (action.Node)
            {
                case Print print:
                    block.Add(new DraftPrint(print.Format, [.. print.Operands.Select(Place)]));
                    break;
                case Graph.Assert assert:
                    block.Add(
                        new DraftAssert(assert.Message, Place(assert.Operands[0]),
                            [.. assert.Operands.Skip(1).Select(Place)], Origin(assert)));
                    break;
                case Extent extent:
                    block.Add(
                        new DraftSize(extent.Variable, Place(extent.Operands[0]), extent.Plus,
                            context.Renamed(extent.Most)));
                    break;
                case If branch:
                    Branch(branch, action.Takes, targets);
                    break;
                case Scan scan:
                    Loop(scan, targets);
                    break;
                case While loop:
                    Loop(loop, targets);
                    break;
                default:
                    foreach (var take in action.Takes) Bring(take.Operand, targets[take.Result]);
                    foreach (var kernel in action.Kernels)
                        Call(placement.SliceOf(p) is { } want
                            ? kernel with { Kernel = Placement.Slice(kernel, action.Writes[0]!, want)! } : kernel,
                            node => placement.Places[node], action.Node);
                    break;
            }
        }
        foreach (var want in placement.Copies.Where(w => w.Index is not null && !Empty.IsEmpty(w.Value.Type)))
        {
            var copy = KernelSizes.Sliced(CopyKernel.For(want.Value.Type), 1, want.Index!, want.Count!)!;
            block.Add(
                new DraftCall(context.Kernels.Add(KernelSizes.Rename(copy, context.Loops)),
                    [Place(want.Value), want.Target], Graph.Origin.None));
        }
        Copies([.. placement.Copies.Where(w => w.Index is null).Select(w => (Place(w.Value), w.Target))]);
    }

    private void Branch(If branch, ImmutableArray<Take> takes, Storage[] targets)
    {
        var inputs = new Storage[branch.Operands.Length - 1];
        for (var i = 0; i < inputs.Length; i++)
        {
            var operand = branch.Operands[i + 1];
            if (takes.FirstOrDefault(t => ReferenceEquals(t.Operand, operand)) is { } take && IsFilled(operand)
                && !inputs.Contains(targets[take.Result]))
                Bring(operand, inputs[i] = targets[take.Result]);
            else inputs[i] = Place(operand);
        }
        var (test, then, otherwise) = (Place(branch.Operands[0]), block.Inner(), block.Inner());
        var inside = context with { IsConditional = true };
        Lower(inside, branch.Then, Bound(branch.Then, inputs), Wants(branch.Then, targets), then);
        Lower(inside, branch.Otherwise, Bound(branch.Otherwise, inputs), Wants(branch.Otherwise, targets), otherwise);
        block.Add(new DraftIf(test, then, otherwise));
    }

    private void Loop(Scan scan, Storage[] targets)
    {
        var inputs = Inputs(scan, scan.Carried, targets);
        var inside = context.Inside(scan.Variable, scan.Count);
        var body = block.Inner();
        Lower(inside, scan.Body, Bound(scan.Body, inputs), scan.Body.Results.Select((value, k) => k < scan.Carried
            ? new Want(value, targets[k])
            : new Want(value, targets[k], Size.Variable(scan.Variable), scan.Count)), body);
        block.Add(new DraftLoop(inside.Loops[scan.Variable], context.Renamed(scan.Count), body));
    }

    private void Loop(While loop, Storage[] targets)
    {
        var inputs = Inputs(loop, loop.Carried, targets);
        var test = new Storage(BufferKind.Temporary, TensorType.Scalar(DType.Bool), "", block);
        var (condition, body) = (block.Inner(), block.Inner());
        Lower(context, loop.Condition, Bound(loop.Condition, inputs), Wants(loop.Condition, [test]), condition);
        var inside = context with { IsConditional = true };
        Lower(inside, loop.Body, Bound(loop.Body, inputs), Wants(loop.Body, targets), body);
        block.Add(new DraftWhile(condition, test, body));
    }

    /// <summary>
    /// Carried values are brought to where they live during the loop; captured ones are read where they are.
    /// </summary>
    private Storage[] Inputs(RegionNode loop, int carried, Storage[] targets)
    {
        for (var k = 0; k < carried; k++) Bring(loop.Operands[k], targets[k]);
        return [.. loop.Operands.Select((operand, i) => i < carried ? targets[i] : Place(operand))];
    }

    private static IEnumerable<Want> Wants(Function region, Storage[] targets) =>
        region.Results.Zip(targets, (value, target) => new Want(value, target));

    private static Dictionary<Node, Storage> Bound(Function region, Storage[] inputs)
    {
        var places = new Dictionary<Node, Storage>(ReferenceEqualityComparer.Instance);
        foreach (var (input, storage) in region.Inputs.Zip(inputs)) places[input] = storage;
        return places;
    }

    /// <summary>True for a value without storage of its own: it is made anew wherever it is taken.</summary>
    private bool IsFilled(Node node) => !placement.Places.ContainsKey(node);

    /// <summary>The storage of an operand.</summary>
    private Storage Place(Node node)
    {
        if (placement.Places.TryGetValue(node, out var storage)) return storage;
        storage = new Storage(BufferKind.Temporary, node.Type, "", block);
        Bring(node, storage);
        return storage;
    }

    /// <summary>Brings the value of an operand into a storage that is about to be changed.</summary>
    private void Bring(Node node, Storage target)
    {
        if (Empty.IsEmpty(node.Type)) return;
        if (IsFilled(node)) Call(kernels.Fill(node), _ => target, node);
        else Copies([(placement.Places[node], target)]);
    }

    private void Call(LoweredKernel kernel, Func<Node, Storage> place, Node node)
    {
        var (named, sums) = KernelSizes.Named(KernelSizes.Rename(kernel.Kernel, context.Loops));
        Storage[] places = [.. kernel.Arguments.Select(place)];
        foreach (var (name, sum) in sums) block.Add(new DraftLet(name, sum));
        block.Add(new DraftCall(context.Kernels.Add(named), [.. places], Origin(node)));
    }

    private Origin Origin(Node node) => function.OriginOf(node);

    /// <summary>Simultaneous copies: none reads a value that another has overwritten.</summary>
    private void Copies(List<(Storage From, Storage To)> pending)
    {
        pending.RemoveAll(c => ReferenceEquals(c.From, c.To));
        while (pending.Count > 0)
        {
            var next = pending.FindIndex(c => !pending.Any(other => ReferenceEquals(other.From, c.To)));
            if (next < 0)
            {
                // A cycle: the first target's old value is saved.
                var (old, aside) = (pending[0].To, new Storage(BufferKind.Temporary, pending[0].To.Type, "", block));
                block.Add(new DraftCopy(old, aside));
                pending = [.. pending.Select(c => ReferenceEquals(c.From, old) ? (aside, c.To) : c)];
                next = 0;
            }
            block.Add(new DraftCopy(pending[next].From, pending[next].To));
            pending.RemoveAt(next);
        }
    }
}
