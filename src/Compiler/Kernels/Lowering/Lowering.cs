// In: a function of primitive operations. Out: its program: kernels, buffers, the plan of a call, driver steps.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Fusion;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

internal static class Lowering
{
    /// <summary>Throws a LimitationException for an operation that no kernel computes yet.</summary>
    /// <param name="function">A function after <see cref="Pipeline"/>: with all passes, or only those needed.</param>
    public static Program Lower(Function function)
    {
        var sizes = function.Sizes;
        var most = GraphPrinter.Closure(function).SelectMany(f => f.Nodes).OfType<Extent>()
            .ToDictionary(e => e.Variable, e => e.Most);
        Size Most(Size size) => size.Substitute(most.GetValueOrDefault);
        // Inputs, state and constants, results; temporaries follow when the steps are known.
        var storages = new List<Storage>();
        var sources = new Dictionary<Node, Storage>(ReferenceEqualityComparer.Instance);
        var constants = new Dictionary<string, Storage>();
        Storage Add(Storage storage)
        {
            storages.Add(storage);
            return storage;
        }
        Storage Constant(Const c) => constants.TryGetValue($"{c.Type} {c.Attributes}", out var known)
            ? known
            : constants[$"{c.Type} {c.Attributes}"] = Add(new(BufferKind.Constant, c.Type, "") { Values = c });
        foreach (var input in function.Inputs)
            sources[input] = Add(new(BufferKind.Input, input.Type, input.Name) { IsInout = input.IsInout });
        foreach (var node in function.Nodes)
        {
            if (node is State s) sources[s] = Add(new(Kind(s.Storage), s.Type, s.Name));
            else if (node is Const { IsSplat: false } c) Constant(c);
        }
        foreach (var c in GraphPrinter.Closure(function).SelectMany(f => f.Nodes).OfType<Const>()
            .Where(c => !c.IsSplat))
            Constant(c);
        foreach (var assign in function.Effects.OfType<Assign>()
            .Where(a => a.Storage != StorageClass.Inout && Target(a) is null))
            Add(new(Kind(assign.Storage), assign.Type, assign.Name));
        var results = function.Results.Select((result, i) => new Want(result, Add(
            new(BufferKind.Output, result.Type, i < function.ResultNames.Length ? function.ResultNames[i] : ""))))
                .ToList();
        var assigned = function.Effects.OfType<Assign>().Select(a => new Want(a.Operands[0], Target(a)
            ?? throw new InternalErrorException(
                $"@{function.Name} assigns '{a.Name}', which is no state and no inout input")));
        Storage? Target(Assign a) => storages.FirstOrDefault(s => s.Label == a.Name && (a.Storage == StorageClass.Inout
            ? s.Kind == BufferKind.Input && s.IsInout
            : s.Kind == Kind(a.Storage)));

        var (context, block) = (new LoweringContext(new KernelTable(), Constant), new DraftBlock(null));
        RegionLowering.Lower(context, function, sources, assigned.Concat(results), block);
        var memory = new MemoryPlan(block, Most);
        storages.AddRange(memory.Temporaries);
        if (storages.FirstOrDefault(s => s.Type.Shape.Any(e => Most(e).Variables().Except(sizes).Any())) is { } varying)
            throw new LimitationException(
                $"not supported: the temporary {varying.Type} in a loop, whose size changes from one iteration to the next");
        var numbers = new Dictionary<Storage, int>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < storages.Count; i++) numbers[storages[i]] = i;
        var buffers = storages.Select((s, i) => new ProgramBuffer($"{Letter(s.Kind)}{i}", s.Kind,
            s.Type.With([.. s.Type.Shape.Select(Most)]), s.Label, s.Values, s.IsInout));
        var plan = CallPlan.Of(Checks(function, context, sizes),
            memory.Temporaries.Select(t => memory.Of(t, numbers[t])), memory.Slots);
        return new Program(function.Name, [.. sizes], [.. buffers], plan, context.Kernels.ToImmutable(),
            Steps(block, numbers))
        {
            Setup = function.Setup is { } setup ? Lower(setup) : null,
        };
    }

    private static BufferKind Kind(StorageClass storage) =>
        storage == StorageClass.Param ? BufferKind.Param : BufferKind.Buffer;

    private static char Letter(BufferKind kind) => kind switch
    {
        BufferKind.Input => 'x',
        BufferKind.Param or BufferKind.Buffer => 'p',
        BufferKind.Constant => 'c',
        BufferKind.Output => 'y',
        _ => 't',
    };

    /// <summary>The checks made before anything is written.</summary>
    private static IEnumerable<EntryCheck> Checks(Function function, LoweringContext context,
        IReadOnlyList<string> sizes)
    {
        var checks = function.Checks.Concat(context.Checks)
            .Concat(GraphPrinter.Closure(function).SkipLast(1).SelectMany(f => f.Checks)).Distinct().ToList();
        if (checks.FirstOrDefault(c => c.Left.Variables().Concat(c.Right.Variables()).Except(sizes).Any())
            is { } varying)
            throw new LimitationException(
                $"not supported: {varying.Message}: {varying.Left} and {varying.Right} change from one iteration to the next");
        return checks;
    }

    private static ImmutableArray<Step> Steps(DraftBlock block, IReadOnlyDictionary<Storage, int> numbers) =>
        [.. block.Steps.Select(Step (step) => step switch
    {
        DraftCall c => new CallStep(c.Kernel, [.. c.Storages.Select(s => numbers[s])]) { Place = c.Origin.Place, Layer = c.Origin.Path },
        DraftCopy c => new CopyStep(numbers[c.From], numbers[c.To]),
        DraftSize s => new SizeStep(s.Variable, numbers[s.From], s.Plus, s.Most),
        DraftCheck c => new CheckStep(c.Check),
        DraftLet l => new LetStep(l.Variable, l.Value),
        DraftLoop l => new LoopStep(l.Variable, l.Count, Steps(l.Body, numbers)),
        DraftWhile w => new WhileStep(Steps(w.Condition, numbers), numbers[w.Test], Steps(w.Body, numbers)),
        DraftIf i => new IfStep(numbers[i.Test], Steps(i.Then, numbers), Steps(i.Else, numbers)),
        DraftPrint p => new PrintStep(p.Format, [.. p.Storages.Select(s => numbers[s])]),
        DraftAssert a =>
            new AssertStep(a.Message, numbers[a.Test], [.. a.Storages.Select(s => numbers[s])]) { Place = a.Origin.Place, Layer = a.Origin.Path },
        _ => throw new InvalidOperationException(step.GetType().Name),
    })];
}
