// In: the values that calls of a program change. Out: one object for them, owned by a session and written by a backend.
namespace Accelerate.Runtime;

/// <summary>The memory of a session, read and written by a backend: named tensors and scratch memory.</summary>
internal sealed class SessionState : IDisposable
{
    /// <summary>Trained parameters and buffers by name; owned by the session.</summary>
    public Dictionary<string, Tensor> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// True once the running call has begun to write <see cref="Tensors"/>: a backend sets it before the first write. A
    /// call that fails afterwards leaves the state half written.
    /// </summary>
    public bool IsWritten { get; set; }

    /// <summary>
    /// The maximum bytes of a call with its session's state and weights; null for the machine's memory.
    /// </summary>
    public long? MemoryLimit { get; internal init; }

    /// <summary>Held while tensors are replaced or looked up by a caller.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Incremented when tensors are replaced: addresses taken before are then invalid.</summary>
    public int Version { get; internal set; }

    /// <summary>
    /// Stops the running call before its next step. A backend checks it between steps and throws an
    /// <see cref="OperationCanceledException"/> with it.
    /// </summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>The target of the program's output.</summary>
    public TextWriter Output { get; set; } = Console.Out;

    /// <summary>Intermediate results during a call.</summary>
    public Arena Arena { get; } = new();

    /// <summary>The backend's own part of a session, such as its <see cref="Host"/>; disposed with it.</summary>
    public IDisposable? BackendState { get; set; }

    /// <summary>
    /// The values that the backend computed from this session's frozen tensors; disposed with them. Null while those
    /// are the executable's own: then all sessions share the values computed with the executable.
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

    /// <summary>Replaces some tensors, and the prepared values if frozen ones are among them.</summary>
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
    /// Replaces all tensors by an action that fills an empty <see cref="Tensors"/>; on an error the old ones stay.
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
