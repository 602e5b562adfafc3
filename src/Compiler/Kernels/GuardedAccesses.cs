// In: a program that was read from a text. Out: the same program, whose kernels look before they read and write where
// it is not proved that they may.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// load(x[S]) => load(x[S] if(S &lt; count) else 0): lowering's kernels are in bounds by construction; those of a text
/// are what somebody wrote. What is not proved by the ranges of the loops around is guarded, so that no element outside
/// of a buffer is read or written, whatever the text says. An access that is in bounds gives what it gave.
/// </summary>
public static class GuardedAccesses
{
    /// <summary>Only of programs that nobody vouches for.</summary>
    public static Program Of(Program program) => program.IsTrusted ? program : program with
    {
        Kernels = [.. program.Kernels.Select(Of)],
        Setup = program.Setup is { } setup ? Of(setup with { IsTrusted = false }) : null,
        IsTrusted = true,
    };

    public static IReadOnlyList<Program> Of(IReadOnlyList<Program> programs) =>
        programs.All(p => p.IsTrusted) ? programs : [.. programs.Select(Of)];

    public static Kernel Of(Kernel kernel) => new Rewrite(kernel).Kernel();

    private sealed class Rewrite(Kernel kernel)
    {
        private readonly HashSet<Statement> unproved = new(KernelBounds.UnprovedStatements(kernel),
            ReferenceEqualityComparer.Instance);

        private int next = 1 + Compiler.Kernels.Kernel.Statements(kernel.Body).SelectMany(Defined)
            .Select(v => v.Id).DefaultIfEmpty(-1).Max();

        public Kernel Kernel() => unproved.Count == 0 ? kernel : kernel with { Body = Block(kernel.Body) };

        private Block Block(Block block) => new([.. block.Statements.SelectMany(Statement)]);

        private Part Part(Part part) => part with { Block = Block(part.Block) };

        private IEnumerable<Statement> Statement(Statement statement) => statement switch
        {
            Load l when unproved.Contains(l) => Guarded(l),
            Store s when unproved.Contains(s) => [s with { Guards = s.Guards.Add(Inside(s.Buffer, s.Offset)) }],
            Loop l => [l with { Body = Block(l.Body) }],
            Reduction r => [r with { Body = Block(r.Body) }],
            Cumulation c => [c with { Body = Block(c.Body), Epilogue = Block(c.Epilogue) }],
            Ordering o => [o with { Body = Block(o.Body), Epilogue = Block(o.Epilogue) }],
            Contract c =>
                [c with { Left = Block(c.Left), Right = Block(c.Right), Epilogue = Block(c.Epilogue) }],
            Attend a => [a with
            {
                Query = Part(a.Query),
                Key = Part(a.Key),
                Value = Part(a.Value),
                Until = a.Until is { } until ? Part(until) : null,
                Score = Part(a.Score),
                Weight = Part(a.Weight),
                Epilogue = Block(a.Epilogue),
            }],
            _ => [statement],
        };

        private IEnumerable<Statement> Guarded(Load load)
        {
            var guards = load.Guards.Add(Inside(load.Buffer, load.Offset));
            if (load.Fill is not null) return [load with { Guards = guards }];
            var fill = new Value(next++, load.Result.Type);
            return [new Literal(fill, 0, 0), load with { Guards = guards, Fill = fill }];
        }

        private Guard Inside(int buffer, Size offset) => new(offset, kernel.Buffers[buffer].Count);
    }

    /// <summary>Every value that a statement defines itself.</summary>
    private static IEnumerable<Value> Defined(Statement statement) => statement switch
    {
        Compute c => [c.Result],
        Literal l => [l.Result],
        IndexValue i => [i.Result],
        Load l => [l.Result],
        Reduction r => [r.Result],
        Cumulation c => [c.Running],
        Ordering o => [o.Key, o.At],
        Contract c => [c.Accumulator],
        Attend a => new[] { a.Product, a.Difference, a.Sum, a.Total, a.Greatest }.OfType<Value>(),
        _ => [],
    };
}
