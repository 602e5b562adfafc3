// In: a function of primitive operations. Out: its program: kernels, buffers, arena slots, driver steps.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels.Lowering;

public static class Lowering
{
    /// <summary>Throws LimitationException for an operation that no kernel computes yet.</summary>
    public static Program Lower(Function function)
    {
        var (main, setup) = Constants.Split(function);
        return LowerOne(main) with { Setup = setup is null ? null : LowerOne(setup) };
    }

    private static Program LowerOne(Function function)
    {
        if (function.Effects.Count > 0) throw new LimitationException($"not supported: {function.Effects[0].Op} in compiled functions");
        var fusion = new Fusion(function);
        var lowering = new KernelLowering(fusion);
        var lowered = fusion.Roots.SelectMany(lowering.Lower).ToList();

        // A result that is an input, a state or another result is copied; every result has a buffer of its own.
        var copies = new List<Node?>();
        var outputs = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < function.Results.Length; i++)
        {
            var result = function.Results[i];
            if (!Fusion.IsSource(result) && outputs.TryAdd(result, i)) copies.Add(null);
            else copies.Add(result);
        }
        bool IsTemporary(Node node) => !Fusion.IsSource(node) && !outputs.ContainsKey(node);
        var plan = new MemoryPlan(lowered, IsTemporary);

        var buffers = ImmutableArray.CreateBuilder<ProgramBuffer>();
        var numbers = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        int Add(Node? node, ProgramBuffer buffer)
        {
            if (node is not null) numbers[node] = buffers.Count;
            buffers.Add(buffer);
            return buffers.Count - 1;
        }
        foreach (var input in function.Inputs) Add(input, new($"x{buffers.Count}", BufferKind.Input, input.Type, input.Name));
        foreach (var node in function.Nodes)
        {
            if (node is State s)
                Add(s, new($"p{buffers.Count}", s.Storage == StorageClass.Param ? BufferKind.Param : BufferKind.Buffer, s.Type, s.Name));
            else if (node is Const { IsSplat: false } c)
                Add(c, new($"c{buffers.Count}", BufferKind.Constant, c.Type, "", -1, c));
        }
        var resultBuffers = function.Results.Select((result, i) => Add(copies[i] is null ? result : null,
            new($"y{buffers.Count}", BufferKind.Output, result.Type, i < function.ResultNames.Length ? function.ResultNames[i] : ""))).ToList();

        var steps = ImmutableArray.CreateBuilder<Step>();
        steps.AddRange(function.Checks.Select(c => new CheckStep(c)));
        steps.AddRange(lowered.SelectMany(k => k.Checks).Distinct().Select(c => new CheckStep(c)));
        var kernels = new KernelTable();
        foreach (var kernel in lowered)
        {
            foreach (var node in kernel.Arguments.Where(n => !numbers.ContainsKey(n)))
                Add(node, new($"t{buffers.Count}", BufferKind.Temporary, node.Type, "", plan.SlotOf(node)));
            if (kernel.Base is { } held)
                steps.Add(new CallStep(kernels.Add(CopyKernel.For(held.Type)), [numbers[held], numbers[kernel.Updated!]]));
            steps.Add(new CallStep(kernels.Add(kernel.Kernel), [.. kernel.Arguments.Select(n => numbers[n])]));
        }
        for (var i = 0; i < function.Results.Length; i++)
            if (copies[i] is { } source)
                steps.Add(new CallStep(kernels.Add(CopyKernel.For(source.Type)), [numbers[source], resultBuffers[i]]));
        return new Program(function.Name, [.. function.Sizes], buffers.ToImmutable(), [.. plan.Slots], kernels.ToImmutable(), steps.ToImmutable());
    }

    /// <summary>Kernels by their text: equal ones are one, called twice.</summary>
    private sealed class KernelTable
    {
        private readonly Dictionary<string, int> known = [];
        private readonly List<Kernel> kernels = [];

        public int Add(Kernel kernel)
        {
            var body = KernelPrinter.Body(kernel);
            if (known.TryGetValue(body, out var index)) return index;
            kernels.Add(kernel with { Name = $"k{kernels.Count}" });
            return known[body] = kernels.Count - 1;
        }

        public ImmutableArray<Kernel> ToImmutable() => [.. kernels];
    }
}
