// In: the values that calls of a program change. Out: one place for them, which a session owns and a backend writes.
namespace Accelerate.Runtime;

/// <summary>The memory of a session, which a backend reads and writes: named tensors and scratch memory.</summary>
internal sealed class SessionState : IDisposable
{
    /// <summary>Trained parameters and buffers by name; owned by the session.</summary>
    public Dictionary<string, Tensor> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// True once the call under way has begun to write <see cref="Tensors"/>: a backend says so before the first write.
    /// A call that fails after that leaves the state half written.
    /// </summary>
    public bool IsWritten { get; set; }

    /// <summary>The bytes that a call may take with its session's state and its weights; null: the machine's.</summary>
    public long? MemoryLimit { get; internal init; }

    /// <summary>Held while tensors are replaced, and while a caller looks one up.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Advances when tensors are replaced by others: addresses taken before are then invalid.</summary>
    public int Version { get; internal set; }

    /// <summary>
    /// Stops the call under way before its next step. A backend looks at it between steps, and throws an
    /// <see cref="OperationCanceledException"/> with it.
    /// </summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Where the program prints.</summary>
    public TextWriter Output { get; set; } = Console.Out;

    /// <summary>Intermediate results live here during a call.</summary>
    public Arena Arena { get; } = new();

    /// <summary>The backend's own part of a session, such as its <see cref="Host"/>; disposed with it.</summary>
    public IDisposable? BackendState { get; set; }

    /// <summary>
    /// The values that the backend computed from this session's frozen tensors; disposed with them. Null while these
    /// tensors are the executable's own: then all sessions share the values that were computed when it was made.
    /// </summary>
    public IDisposable? Prepared { get; set; }

    /// <summary>Frees the tensors, the arena and the backend's part.</summary>
    public void Dispose()
    {
        Version++;
        Clear();
        Prepared?.Dispose();
        Prepared = null;
        Arena.Dispose();
        BackendState?.Dispose();
        BackendState = null;
    }

    /// <summary>
    /// Replaces some tensors, and the values prepared from the frozen ones where these are among them.
    /// </summary>
    internal void Replace(IReadOnlyDictionary<string, Tensor> tensors, bool isPrepared, IDisposable? prepared)
    {
        Version++;
        foreach ((string name, Tensor tensor) in tensors)
        {
            Tensors[name].Dispose();
            Tensors[name] = tensor;
        }
        if (isPrepared)
        {
            Prepared?.Dispose();
            Prepared = prepared;
        }
    }

    /// <summary>
    /// Replaces all tensors, by an action that fills an empty <see cref="Tensors"/>; on an error they stay.
    /// </summary>
    internal void Replace(Action initialize)
    {
        var old = new Dictionary<string, Tensor>(Tensors);
        Tensors.Clear();
        try
        {
            initialize();
        }
        catch
        {
            Clear();
            foreach ((string name, Tensor tensor) in old)
            {
                Tensors[name] = tensor;
            }
            throw;
        }
        Version++;
        foreach (Tensor tensor in old.Values)
        {
            tensor.Dispose();
        }
        Prepared?.Dispose();
        Prepared = null;
    }

    private void Clear()
    {
        foreach (Tensor tensor in Tensors.Values)
        {
            tensor.Dispose();
        }
        Tensors.Clear();
    }
}
