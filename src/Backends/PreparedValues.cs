// In: entries with setup programs, and state. Out: the values that the setups compute, each once.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// The folded constants of entries, for one set of values of the frozen state. Entries whose setups name the same value
/// share it: a packed weight used by two functions is packed once.
/// </summary>
internal sealed class PreparedValues : IDisposable
{
    private readonly Dictionary<string, Tensor> values = new(StringComparer.Ordinal);
    private readonly Dictionary<ProgramEntry, Tensor?[]> constants = [];

    private PreparedValues()
    {
    }

    /// <summary>The setups that must run, without those whose every value another one computes.</summary>
    public static IReadOnlyList<Program> Setups(IEnumerable<Program> programs)
    {
        var planned = new HashSet<string>(StringComparer.Ordinal);
        return [.. programs.Select(p => p.Setup).OfType<Program>().Where(setup => Names(setup).Count(planned.Add) > 0)];
    }

    /// <summary>Runs the setups; null if no entry has one.</summary>
    /// <param name="entries">The entries of an executable.</param>
    /// <param name="state">The state that the setups read, by label; zeros for missing state.</param>
    /// <param name="create">Creates an executable of setup programs, which reads that state in place.</param>
    public static PreparedValues? Compute(IReadOnlyList<ProgramEntry> entries,
        IReadOnlyDictionary<string, Tensor> state,
        Func<IReadOnlyList<Program>, IReadOnlyDictionary<string, Tensor>, Executable> create)
    {
        var setups = Setups(entries.Select(e => e.Program));
        if (setups.Count == 0) return null;
        var prepared = new PreparedValues();
        try
        {
            using var executable = create(setups, state);
            using var session = executable.CreateSession();
            foreach (var setup in setups)
                foreach (var (name, value) in Names(setup).Zip(session.Run(setup.Name)))
                    if (!prepared.values.TryAdd(name, value)) value.Dispose();
            foreach (var entry in entries) prepared.constants[entry] = prepared.ConstantsOf(entry.Program);
            return prepared;
        }
        catch
        {
            prepared.Dispose();
            throw;
        }
    }

    /// <summary>The folded constants of an entry by buffer; null for every other buffer.</summary>
    public Tensor?[] Of(ProgramEntry entry) => constants[entry];

    public void Dispose()
    {
        foreach (var value in values.Values) value.Dispose();
    }

    private Tensor?[] ConstantsOf(Program program)
    {
        string[] names = program.Setup is { } setup ? [.. Names(setup)] : [];
        return [.. program.Buffers.Select(b =>
            b is { Kind: BufferKind.Constant, Values.FoldedIndex: >= 0 and var index }
            ? index < names.Length ? values[names[index]]
                : throw new InternalErrorException($"@{program.Name} has no setup that computes {b.Name}")
            : null)];
    }

    /// <summary>The names of a setup's results; an unnamed one is not shared.</summary>
    private static IEnumerable<string> Names(Program setup) => setup.Of(BufferKind.Output)
        .Select((b, i) => b.Label.Length > 0 ? b.Label : $"{setup.Name} {i}");
}
