// In: a compiled program. Out: the contract every backend fulfils, so that callers need not know which one runs.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>An input, an output or a piece of state of a program.</summary>
/// <param name="Name">Its name in the source.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">
/// The text of a size for each axis: "784", "n", "2*h + 1". An input axis that is a name alone gives that size its
/// value.
/// </param>
/// <param name="IsInout">The call writes into the caller's tensor, which must share memory with no other
/// argument.</param>
public sealed record TensorSpec(string Name, DType Type, IReadOnlyList<string> Shape, bool IsInout = false)
{
    /// <summary>False for a result without a name in the source; <see cref="Name"/> is then one of its own.</summary>
    public bool IsNamed { get; init; } = true;

    /// <summary>As in the source: <c>x: f32[n,784]</c>, <c>inout x: f32[n]</c>.</summary>
    public override string ToString() => $"{(IsInout ? "inout " : "")}{Name}: {Type.Name()}[{string.Join(",", Shape)}]";
}

/// <summary>An exported function.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Inputs">Its parameters, in order.</param>
/// <param name="Outputs">Its results, in order.</param>
/// <param name="Sizes">
/// The names of its size variables: those that stand alone on an input axis, then its `int` parameters, whose values
/// the caller gives by name.
/// </param>
public sealed record EntrySpec(
    string Name, IReadOnlyList<TensorSpec> Inputs, IReadOnlyList<TensorSpec> Outputs, IReadOnlyList<string> Sizes);

/// <summary>Why a call failed.</summary>
public enum ExecutionCode
{
    /// <summary>
    /// The inputs do not fit the signature, or a relation of sizes that it declares does not hold. Nothing was written.
    /// </summary>
    EntryCheck = 1,

    /// <summary>A check of the running program failed: an assert, a limit on a value.</summary>
    DriverCheck,

    /// <summary>A gather or scatter index was out of range.</summary>
    IndexOutOfRange,

    /// <summary>A callback of the host failed; the inner exception says how.</summary>
    Host,
}

/// <summary>A call that did not complete.</summary>
/// <param name="code">Why.</param>
/// <param name="message">What happened, with the name of the function.</param>
/// <param name="inner">What a callback of the host threw, where that is the reason.</param>
public sealed class ExecutionException(ExecutionCode code, string message, Exception? inner = null)
    : AccelerateException(message, inner)
{
    /// <summary>
    /// Why. If the call had begun to write state, the session refuses calls until that is replaced; after
    /// <see cref="ExecutionCode.EntryCheck"/> it never had.
    /// </summary>
    public ExecutionCode Code { get; } = code;

    /// <summary>
    /// More about the failure where more is known: the index that was out of range, and its range. Else null.
    /// </summary>
    public string? Details { get; init; }
}

/// <summary>
/// A compiled program: code, frozen weights and memory plan. It is immutable, and any number of threads share it; the
/// values that a call changes are in a <see cref="Session"/>. It may be disposed at any time, before its sessions too,
/// and by any thread: calls under way run to their end, the last of them frees code and weights, and later ones are
/// refused.
/// </summary>
public abstract class Executable : IDisposable
{
    private Lifetime _lifetime;

    internal Executable()
    {
    }

    /// <summary>The exported functions.</summary>
    public abstract IReadOnlyList<EntrySpec> Entries { get; }

    /// <summary>The backend that runs it.</summary>
    public abstract Backend Backend { get; }

    /// <summary>
    /// The number of bytes that a call of a session may take, together with the session's state and the weights. Null:
    /// as many as the machine has.
    /// </summary>
    public long? MemoryLimit { get; internal init; }

    /// <summary>A session with its state as the program initialises it.</summary>
    /// <exception cref="ObjectDisposedException">The executable is disposed.</exception>
    /// <exception cref="MemoryException">There is no room for its state.</exception>
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

    /// <summary>Frees code and weights: now, or when the last call under way ends.</summary>
    public void Dispose()
    {
        if (_lifetime.Close())
        {
            Dispose(true);
        }
        GC.SuppressFinalize(this);
    }

    /// <summary>Begins a use of code and weights, which stay until <see cref="Leave"/>.</summary>
    /// <exception cref="ObjectDisposedException">The executable is disposed.</exception>
    internal void Enter() =>
        ObjectDisposedException.ThrowIf(!_lifetime.TryEnter(), typeof(Executable));

    /// <summary>Ends what <see cref="Enter"/> began; the last use of a disposed executable frees it.</summary>
    internal void Leave()
    {
        if (_lifetime.Leave())
        {
            Dispose(true);
        }
    }

    /// <summary>Frees what the backend holds; called once, when nothing runs.</summary>
    internal virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Puts initial parameters and buffers into an empty <see cref="SessionState.Tensors"/>.</summary>
    internal virtual void Initialize(SessionState state)
    {
    }

    /// <summary>True for state that no entry assigns: its tensors are read-only, and sessions share them.</summary>
    internal virtual bool IsFrozen(string name) => false;

    /// <summary>
    /// Computes the values that the entries read in place of frozen state, for a session whose frozen state is not the
    /// executable's own.
    /// </summary>
    /// <param name="state">All state by name.</param>
    /// <returns>For <see cref="SessionState.Prepared"/>; null if there is nothing to compute.</returns>
    internal virtual IDisposable? Prepare(IReadOnlyDictionary<string, Tensor> state) => null;

    /// <summary>
    /// Runs entry number <paramref name="entry"/>. Inputs fit its signature and every size has a value.
    /// </summary>
    /// <param name="state">The session's.</param>
    /// <param name="entry">The number of the entry.</param>
    /// <param name="inputs">In the order of the signature.</param>
    /// <param name="sizes">What the call's shapes make of the entry's sizes.</param>
    /// <param name="results">Takes the results: a tensor that is there is written into, a null becomes a new
    /// one.</param>
    /// <exception cref="OperationCanceledException"><see cref="SessionState.Cancellation"/> was cancelled.</exception>
    /// <exception cref="ExecutionException">
    /// With <see cref="ExecutionCode.EntryCheck"/> only if nothing was written. A backend that writes state sets
    /// <see cref="SessionState.IsWritten"/> before it does.
    /// </exception>
    internal abstract void Invoke(
        SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results);
}
