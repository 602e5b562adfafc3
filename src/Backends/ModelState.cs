// In: the entries of an executable, and their initial state. Out: the state of its sessions, and the values computed
// from the part that no call changes.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// Immutable, shared by all sessions. State that some entry assigns is copied for every session; frozen state is read
/// in place, and the values that the entries' setups compute from it are kept here.
/// </summary>
internal sealed class ModelState : IDisposable
{
    private readonly IReadOnlyList<ProgramEntry> entries;
    private readonly Dictionary<string, Tensor> initial = new(StringComparer.Ordinal);
    private readonly Func<IReadOnlyList<Program>, IReadOnlyDictionary<string, Tensor>, Executable> create;
    private readonly HashSet<string> assigned;
    private readonly Dictionary<string, Tensor> frozen = new(StringComparer.Ordinal);
    private readonly PreparedValues? prepared;

    /// <param name="entries">The entries, which share one state.</param>
    /// <param name="initial">The initial state of a session, by label; zeros for the others. Not disposed here.</param>
    /// <param name="create">Creates an executable of setup programs with that initial state.</param>
    public ModelState(IReadOnlyList<ProgramEntry> entries, IReadOnlyDictionary<string, Tensor> initial,
        Func<IReadOnlyList<Program>, IReadOnlyDictionary<string, Tensor>, Executable> create)
    {
        (this.entries, this.create) = (entries, create);
        // Our own views, because sessions are created from them after the caller may have disposed the tensors.
        foreach (var (label, tensor) in initial) this.initial[label] = tensor.AsReadOnly();
        assigned =
            [.. entries.SelectMany(e => e.Program.Written.Select(b => e.Program.Buffers[b])).Where(IsState)
                .Select(b => b.Label)];
        var frozenFor = entries.SelectMany(e => e.Program.Setup?.Buffers ?? []).Where(IsState);
        if (frozenFor.FirstOrDefault(b => assigned.Contains(b.Label)) is { } both)
            throw new ArgumentException($"one program assigns the state '{both.Label}', another was compiled for its never being "
                + "assigned: compile the functions of an executable together");
        foreach (var buffer in State.Where(b => IsFrozen(b.Label)))
        {
            using var made = Given(buffer) is null ? Tensor.Zeros(buffer.Type.DType, Shape(buffer)) : null;
            frozen[buffer.Label] = (made ?? Given(buffer)!).AsReadOnly();
        }
        prepared = Prepare(frozen);
    }

    private IEnumerable<ProgramBuffer> State => entries.SelectMany(e => e.Program.State).DistinctBy(b => b.Label);

    public bool IsFrozen(string label) => !assigned.Contains(label);

    /// <summary>Initialises the state of a new session.</summary>
    public void Initialize(SessionState state)
    {
        foreach (var buffer in State)
            state.Tensors[buffer.Label] = IsFrozen(buffer.Label) ? frozen[buffer.Label].AsReadOnly()
                : Given(buffer)?.Clone() ?? Tensor.Zeros(buffer.Type.DType, Shape(buffer));
    }

    /// <summary>Runs the entries' setups on other values of the frozen state.</summary>
    public PreparedValues? Prepare(IReadOnlyDictionary<string, Tensor> state) =>
        PreparedValues.Compute(entries, state, create);

    /// <summary>The folded constants of an entry by buffer, for a session; null if there are none.</summary>
    public Tensor?[]? ConstantsOf(ProgramEntry entry, SessionState state) =>
        ((PreparedValues?)state.Prepared ?? prepared)?.Of(entry);

    public void Dispose()
    {
        prepared?.Dispose();
        foreach (var tensor in frozen.Values.Concat(initial.Values)) tensor.Dispose();
    }

    private static bool IsState(ProgramBuffer buffer) => buffer.Kind is BufferKind.Param or BufferKind.Buffer;

    private static long[] Shape(ProgramBuffer buffer) => buffer.Type.Count.IsConstant
        ? [.. buffer.Type.Shape.Select(s => s.Value)]
        : throw new InternalErrorException($"the state '{buffer.Label}' has the symbolic type {buffer.Type}");

    private Tensor? Given(ProgramBuffer buffer)
    {
        var shape = Shape(buffer);
        if (!initial.TryGetValue(buffer.Label, out var given)) return null;
        return ProgramEntry.Fits(given, buffer.Type.DType, shape) ? given
            : throw new ArgumentException($"the initial '{buffer.Label}' must be {buffer.Type}");
    }
}
