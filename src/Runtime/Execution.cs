// In: a compiled program. Out: the contract of every backend, so that callers need not know which one runs.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>An input, an output or a piece of state of a program.</summary>
/// <param name="Name">The name in the source.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">A size expression for each axis: "784", "n", "2*h + 1". An input axis that is only a name binds
/// that size.</param>
/// <param name="IsInout">True if the call writes into the caller's tensor, which must not share memory with another
/// argument.</param>
public sealed record TensorSpec(string Name, DType Type, IReadOnlyList<string> Shape, bool IsInout = false)
{
    /// <summary>False for a result without a name in the source, whose <see cref="Name"/> is generated.</summary>
    public bool IsNamed { get; init; } = true;

    /// <summary>The form in the source: <c>x: f32[n,784]</c>, <c>inout x: f32[n]</c>.</summary>
    public override string ToString() => $"{(IsInout ? "inout " : "")}{Name}: {Type.Name()}[{string.Join(",", Shape)}]";
}

/// <summary>An exported function.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Inputs">Its parameters, in order.</param>
/// <param name="Outputs">Its results, in order.</param>
/// <param name="Sizes">The names of its size variables: those that stand alone on an input axis, then its `int`
/// parameters, whose values the caller passes by name.</param>
public sealed record EntrySpec(
    string Name, IReadOnlyList<TensorSpec> Inputs, IReadOnlyList<TensorSpec> Outputs, IReadOnlyList<string> Sizes);

/// <summary>Why a call failed.</summary>
public enum ExecutionCode
{
    /// <summary>
    /// The inputs do not fit the signature, or a declared relation of sizes does not hold. Nothing was written.
    /// </summary>
    EntryCheck = 1,

    /// <summary>A check in the running program failed: an assert, a limit on a value.</summary>
    DriverCheck,

    /// <summary>A gather or scatter index was out of range.</summary>
    IndexOutOfRange,

    /// <summary>A callback of the host failed; the inner exception has the cause.</summary>
    Host,
}

/// <summary>A call that did not complete.</summary>
/// <param name="code">The reason.</param>
/// <param name="message">What happened, with the name of the function.</param>
/// <param name="inner">The exception of a host callback, if that is the reason.</param>
public sealed class ExecutionException(ExecutionCode code, string message, Exception? inner = null)
    : AccelerateException(message, inner)
{
    /// <summary>
    /// The reason. If the call had begun to write state, the session refuses calls until that state is replaced; this
    /// never happens with <see cref="ExecutionCode.EntryCheck"/>.
    /// </summary>
    public ExecutionCode Code { get; } = code;

    /// <summary>Details if available, such as the index that was out of range and its range; otherwise null.</summary>
    public string? Details { get; init; }
}

/// <summary>
/// A compiled program: code, frozen weights and memory plan. It is immutable and may be shared by any number of
/// threads; the values that a call changes are in a <see cref="Session"/>. It may be disposed at any time, by any
/// thread, even before its sessions: running calls complete, the last of them frees code and weights, and later calls
/// are refused.
/// </summary>
public abstract class Executable : IDisposable
{
    private Lifetime lifetime;

    internal Executable()
    {
    }

    /// <summary>The exported functions.</summary>
    public abstract IReadOnlyList<EntrySpec> Entries { get; }

    /// <summary>The backend that runs it.</summary>
    public abstract Backend Backend { get; }

    /// <summary>
    /// The maximum bytes of a call together with the session's state and the weights. Null for the machine's memory.
    /// </summary>
    public long? MemoryLimit { get; internal init; }

    /// <summary>Creates a session with the state that the program initialises.</summary>
    /// <exception cref="ObjectDisposedException">The executable is disposed.</exception>
    /// <exception cref="MemoryException">There is not enough memory for its state.</exception>
    public Session CreateSession()
    {
        Enter();
        try
        {
            return new Session(this);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Frees code and weights: now, or when the last running call ends.</summary>
    public void Dispose()
    {
        if (lifetime.Close())
        {
            Dispose(true);
        }
        GC.SuppressFinalize(this);
    }

    /// <summary>Begins a use of code and weights, which stay valid until <see cref="Leave"/>.</summary>
    /// <exception cref="ObjectDisposedException">The executable is disposed.</exception>
    internal void Enter() =>
        ObjectDisposedException.ThrowIf(!lifetime.TryEnter(), typeof(Executable));

    /// <summary>Ends a use that <see cref="Enter"/> began; the last use of a disposed executable frees it.</summary>
    internal void Leave()
    {
        if (lifetime.Leave())
        {
            Dispose(true);
        }
    }

    /// <summary>Frees the backend's resources; called once, when nothing runs.</summary>
    internal virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Fills an empty <see cref="SessionState.Tensors"/> with the initial parameters and buffers.</summary>
    internal virtual void Initialize(SessionState state)
    {
    }

    /// <summary>True for state that no entry assigns: its tensors are read-only and shared by all sessions.</summary>
    internal virtual bool IsFrozen(string name) => false;

    /// <summary>
    /// Computes the values that entries read in place of frozen state, for a session that has replaced the executable's
    /// frozen state.
    /// </summary>
    /// <param name="state">All state by name.</param>
    /// <returns>The value for <see cref="SessionState.Prepared"/>; null if there is nothing to compute.</returns>
    internal virtual IDisposable? Prepare(IReadOnlyDictionary<string, Tensor> state) => null;

    /// <summary>
    /// Runs entry number <paramref name="entry"/>. The inputs have been checked and every size has a value.
    /// </summary>
    /// <param name="state">The state of the session.</param>
    /// <param name="entry">The number of the entry.</param>
    /// <param name="inputs">The inputs in the order of the signature.</param>
    /// <param name="sizes">The values of the entry's sizes in this call.</param>
    /// <param name="results">Receives the results: an existing tensor is written to, a null is replaced by a new
    /// tensor.</param>
    /// <exception cref="OperationCanceledException"><see cref="SessionState.Cancellation"/> was cancelled.</exception>
    /// <exception cref="ExecutionException">With <see cref="ExecutionCode.EntryCheck"/> only if nothing was written. A
    /// backend sets <see cref="SessionState.IsWritten"/> before it writes state.</exception>
    internal abstract void Invoke(
        SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results);
}
