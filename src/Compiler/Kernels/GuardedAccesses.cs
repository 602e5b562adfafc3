// In: a program read from a text. Out: the same program with guards on the kernels' accesses that are not proved to be
// in bounds.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// load(x[S]) => load(x[S] if(S &lt; count) else 0): lowering's kernels are in bounds by construction; those of a text
/// may have been written by anyone. Accesses that the ranges of the surrounding loops do not prove are guarded, so that
/// no element outside of a buffer is read or written, whatever the text says. An access in bounds keeps its result.
/// </summary>
internal static class GuardedAccesses
{
    /// <summary>Applies only to programs that are not trusted.</summary>
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

        private int next = 1 + Compiler.Kernels.Kernel.Statements(kernel.Body).SelectMany(s => s.Defines)
            .Select(v => v.Id).DefaultIfEmpty(-1).Max();

        public Kernel Kernel() => unproved.Count == 0 ? kernel : kernel with { Body = Block(kernel.Body) };

        private Block Block(Block block) => new([.. block.Statements.SelectMany(Statement)]);

        private IEnumerable<Statement> Statement(Statement statement) => statement switch
        {
            Load l when unproved.Contains(l) => Guarded(l),
            Store s when unproved.Contains(s) => [s with { Guards = s.Guards.Add(Inside(s.Buffer, s.Offset)) }],
            _ => [statement.Map(s => s, Block)],
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
}
