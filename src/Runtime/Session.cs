// In: an executable and input tensors. Out: the results of its entries, with the state they change kept between calls.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// The mutable side of a program: parameters, buffers and scratch memory. One call at a time; for concurrent calls make
/// several sessions of one executable.
/// </summary>
/// <remarks>
/// A call that fails once it has begun to write state leaves that half written. The session then refuses calls until
/// <see cref="Reset"/> or <see cref="LoadState"/> has replaced all of it; any other failure leaves it as it was.
/// It may be disposed at any time and by any thread, before or after its executable: a call under way runs to its end.
/// </remarks>
public sealed class Session : IDisposable
{
    /// <summary>
    /// The number of tuples of shapes that are remembered for an entry: enough for the alternating batch sizes of a
    /// server. A call is compared with each of them, in about 5 ns an input; one that fits none costs about 10 µs more.
    /// </summary>
    private const int RememberedSizes = 8;

    private readonly Executable _executable;
    private readonly SessionState _state;
    private readonly StateTensors _tensors;
    private readonly CallFrame[] _frames;
    private readonly List<CallSizes>[] _known;
    private int _busy; // 1 while a call is under way, and for good once all is freed
    private volatile bool _disposed;
    private string? _broken;

    internal Session(Executable executable)
    {
        _executable = executable;
        _state = new SessionState { MemoryLimit = executable.MemoryLimit };
        _tensors = new StateTensors(_state);
        _frames = [.. executable.Entries.Select(entry => new CallFrame(entry))];
        _known = [.. executable.Entries.Select(_ => new List<CallSizes>())];
        try
        {
            executable.Initialize(_state);
        }
        catch (Exception e)
        {
            MemoryException? memory = OutOfMemory("the state of a session", e);
            _state.Dispose();
            if (memory is not null)
            {
                throw memory;
            }
            throw;
        }
    }

    /// <summary>
    /// Parameters and buffers by name. The tensors are live: read or write them between calls only. State that no entry
    /// of the executable assigns is frozen: its tensors are read-only, other sessions share them, and values that
    /// depend on them alone are computed once; <see cref="LoadState"/> and <see cref="LoadStatePart"/> replace them. A
    /// tensor ends with the session, or when another replaces it.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _tensors;
        }
    }

    /// <summary>Where the program's `print` writes: standard output, unless it is set.</summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public TextWriter Output
    {
        get => _state.Output;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            ObjectDisposedException.ThrowIf(_disposed, this);
            _state.Output = value;
        }
    }

    /// <summary>
    /// Calls an entry. The results belong to the caller. An `inout` input is written in place; it may be half written
    /// after a call that failed once the entry checks had passed.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <exception cref="ArgumentException">No such entry.</exception>
    /// <exception cref="ArgumentNullException">A name or an input is null.</exception>
    /// <exception cref="ExecutionException">The inputs do not fit, or the program failed.</exception>
    /// <exception cref="MemoryException">The call takes more memory than there is or the limit allows.</exception>
    /// <exception cref="InvalidOperationException">A call is under way, or an earlier one broke the state.</exception>
    /// <exception cref="ObjectDisposedException">The session, its executable or a tensor is disposed.</exception>
    public Results Run(string entry, params Tensor[] inputs) => Run(entry, inputs, null);

    /// <summary>
    /// Calls an entry that has `int` parameters, or one that may be cancelled.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <param name="sizes">The values of `int` parameters by name; null if the entry has none.</param>
    /// <param name="cancellation">
    /// Stops the call. It is looked at before the call, before each kernel and before each turn of a loop of the
    /// program; a kernel that has begun runs to its end. A call that is stopped ends in an
    /// <see cref="OperationCanceledException"/>. Where it had begun to write state, that is half written, as after any
    /// failure.
    /// </param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> stopped the call.</exception>
    /// <inheritdoc cref="Run(string, Tensor[])"/>
    public Results Run(string entry, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, long>? sizes = null,
        CancellationToken cancellation = default)
    {
        int index = Find(entry);
        ArgumentNullException.ThrowIfNull(inputs);
        EntrySpec spec = _executable.Entries[index];
        var results = new Tensor[spec.Outputs.Count];
        RunInto(index, inputs as Tensor[] ?? [.. inputs], results, sizes, cancellation);
        return new Results(spec, results);
    }

    /// <summary>Calls an entry with its inputs given by name; else as the other overload.</summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">One tensor for each of its inputs, by the input's name.</param>
    /// <param name="sizes">The values of `int` parameters by name; null if the entry has none.</param>
    /// <param name="cancellation">Stops the call, as in the other overload.</param>
    /// <inheritdoc cref="Run(string, IReadOnlyList{Tensor}, IReadOnlyDictionary{string, long}, CancellationToken)"/>
    public Results Run(string entry, IReadOnlyDictionary<string, Tensor> inputs,
        IReadOnlyDictionary<string, long>? sizes = null, CancellationToken cancellation = default)
    {
        IReadOnlyList<TensorSpec> specs = _executable.Entries[Find(entry)].Inputs;
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorSpec? missing = specs.FirstOrDefault(s => !inputs.ContainsKey(s.Name));
        if (missing is not null)
        {
            throw Check($"'{entry}' needs the input '{missing}'");
        }
        string? extra = inputs.Keys.FirstOrDefault(name => specs.All(s => s.Name != name));
        if (extra is not null)
        {
            throw Check($"'{entry}' has no input '{extra}'; its inputs are {string.Join(", ", specs)}");
        }
        return Run(entry, [.. specs.Select(s => inputs[s.Name])], sizes, cancellation);
    }

    /// <summary>
    /// Calls an entry that writes its results into tensors of the caller, so that a repeated call allocates nothing.
    /// They may be half written after a call that failed once the entry checks had passed.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <param name="results">
    /// One tensor for each result, of its dtype and shape. It shares memory with no input, no state and no other
    /// result. A null is replaced by a new tensor once the call has succeeded.
    /// </param>
    /// <param name="sizes">The values of `int` parameters, if the entry has any.</param>
    /// <param name="cancellation">Stops the call, as in <c>Run</c>.</param>
    /// <inheritdoc cref="Run(string, IReadOnlyList{Tensor}, IReadOnlyDictionary{string, long}, CancellationToken)"/>
    public void RunInto(
        string entry, ReadOnlySpan<Tensor> inputs, Span<Tensor> results,
            IReadOnlyDictionary<string, long>? sizes = null, CancellationToken cancellation = default) =>
        RunInto(Find(entry), inputs, results, sizes, cancellation);

    /// <summary>Gives all state the values that the program initialises it to; on an error it stays as it is.</summary>
    /// <exception cref="InvalidOperationException">A call is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session or its executable is disposed.</exception>
    public void Reset() => Exclusive(() =>
    {
        lock (_state.Gate)
        {
            _state.Replace(() => _executable.Initialize(_state));
            _tensors.Drop();
        }
        _broken = null;
    });

    /// <summary>
    /// Replaces the whole state by copies of <paramref name="tensors"/>; nothing changes on an error. Frozen tensors
    /// stay where the values given are the same; where they differ, the values that depend on frozen state are computed
    /// again.
    /// </summary>
    /// <param name="tensors">One for each name of <see cref="State"/>, of its dtype and shape.</param>
    /// <exception cref="ArgumentException">A name missing or unknown, or another dtype or shape.</exception>
    /// <exception cref="ArgumentNullException">A null tensor.</exception>
    /// <exception cref="InvalidOperationException">A call is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session, its executable or a tensor is disposed.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> tensors)
    {
        Dictionary<string, Tensor> given = Given(tensors);
        Exclusive(() =>
        {
            if (_state.Tensors.Keys.FirstOrDefault(name => !given.ContainsKey(name)) is { } missing)
            {
                throw new ArgumentException($"the state has no tensor '{missing}'");
            }
            Fit(given);
            Replace(given);
            _broken = null;
        });
    }

    /// <summary>
    /// Replaces a part of the state by copies of <paramref name="tensors"/>, and leaves the rest as it is; nothing
    /// changes on an error. Where the values of frozen state differ, the values that depend on it are computed again.
    /// </summary>
    /// <param name="tensors">
    /// Any of the names of <see cref="State"/>, each with a tensor of its dtype and shape.
    /// </param>
    /// <exception cref="ArgumentException">An unknown name, or another dtype or shape.</exception>
    /// <exception cref="ArgumentNullException">A null tensor.</exception>
    /// <exception cref="InvalidOperationException">A call is under way, or an earlier one broke the state: then all of
    /// it has to be replaced.</exception>
    /// <exception cref="ObjectDisposedException">The session, its executable or a tensor is disposed.</exception>
    public void LoadStatePart(IReadOnlyDictionary<string, Tensor> tensors)
    {
        Dictionary<string, Tensor> given = Given(tensors);
        Exclusive(() =>
        {
            Fit(given);
            Replace(given);
        }, evenBroken: false);
    }

    /// <summary>Looked up once: the tensors that were checked are copied, whatever becomes of the dictionary.</summary>
    private static Dictionary<string, Tensor> Given(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var given = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, Tensor tensor) in tensors)
        {
            given[name] = tensor ?? throw new ArgumentNullException(nameof(tensors), $"the state's '{name}' is null");
        }
        return given;
    }

    /// <summary>Each tensor has a place in the state, with its dtype and shape.</summary>
    private void Fit(Dictionary<string, Tensor> given)
    {
        foreach ((string name, Tensor other) in given)
        {
            Tensor own = _state.Tensors.GetValueOrDefault(name)
                ?? throw new ArgumentException($"the program has no state named '{name}'");
            string wanted = Tensor.DescribeShape(own.Type, own.Shape);
            string found = Tensor.DescribeShape(other.Type, other.Shape);
            if (wanted != found)
            {
                throw new ArgumentException($"the state's '{name}' must be {wanted}, not {found}");
            }
        }
    }

    private void Replace(Dictionary<string, Tensor> tensors)
    {
        // Copies before any disposal: the caller may hand back this session's own tensors.
        var copies = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        IDisposable? prepared = null;
        bool isOther = false;
        try
        {
            foreach ((string name, Tensor own) in _state.Tensors)
            {
                bool isFrozen = _executable.IsFrozen(name);
                if (!tensors.TryGetValue(name, out Tensor? other) || (isFrozen && own.SameBytes(other)))
                {
                    continue;
                }
                copies[name] = isFrozen ? ReadOnlyCopy(other) : other.Clone();
                isOther |= isFrozen;
            }
            if (isOther)
            {
                prepared = _executable.Prepare(_state.Tensors.Keys.ToDictionary(
                    name => name, name => copies.GetValueOrDefault(name) ?? _state.Tensors[name]));
            }
        }
        catch
        {
            foreach (Tensor copy in copies.Values)
            {
                copy.Dispose();
            }
            throw;
        }
        lock (_state.Gate)
        {
            _state.Replace(copies, isOther, prepared);
            _tensors.Drop();
        }
    }

    private static Tensor ReadOnlyCopy(Tensor tensor)
    {
        using Tensor copy = tensor.Clone();
        return copy.AsReadOnly();
    }

    /// <summary>Frees the state, now or when the call under way has ended.</summary>
    public void Dispose()
    {
        _disposed = true;
        FreeIfDisposed();
    }

    /// <summary>
    /// Frees everything if the session is disposed and in no call. The first thread that sees so keeps the session busy
    /// for good.
    /// </summary>
    private void FreeIfDisposed()
    {
        if (!_disposed || Interlocked.Exchange(ref _busy, 1) != 0)
        {
            return;
        }
        foreach (CallSizes known in _known.SelectMany(k => k))
        {
            known.Dispose();
        }
        lock (_state.Gate)
        {
            _tensors.Drop();
            _state.Dispose();
        }
    }

    private void RunInto(
        int index, ReadOnlySpan<Tensor> inputs, Span<Tensor> results, IReadOnlyDictionary<string, long>? given,
        CancellationToken cancellation)
    {
        Enter(evenBroken: false);
        CallFrame frame = _frames[index];
        CallSizes? made = null;
        _state.IsWritten = false;
        _state.Cancellation = cancellation;
        try
        {
            cancellation.ThrowIfCancellationRequested();
            frame.Take(inputs, results);
            CallSizes? sizes = Known(index, frame.Inputs, given);
            sizes ??= made = new CallSizes(_executable.Entries[index], frame.Inputs, given);
            _executable.Invoke(_state, index, frame.Inputs, sizes, frame.Results);
            if (made is not null)
            {
                Remember(index, made);
                made = null;
            }
            frame.Results.CopyTo(results);
        }
        catch (Exception e)
        {
            if (_state.IsWritten && e is not ExecutionException { Code: ExecutionCode.EntryCheck })
            {
                _broken = $"'{_executable.Entries[index].Name}' failed: {e.Message}";
            }
            if (OutOfMemory($"'{_executable.Entries[index].Name}'", e) is { } memory)
            {
                throw memory;
            }
            if (!Boundary.IsDocumented(e))
            {
                throw Boundary.Bug($"'{_executable.Entries[index].Name}'", e);
            }
            throw;
        }
        finally
        {
            _state.Cancellation = default;
            made?.Dispose(); // only a call that succeeds takes one of the remembered places
            frame.Release();
            Exit();
        }
    }

    /// <summary>The sizes of an earlier call with the same shapes, if it is remembered.</summary>
    private CallSizes? Known(int index, ReadOnlySpan<Tensor> inputs, IReadOnlyDictionary<string, long>? given)
    {
        foreach (CallSizes known in _known[index])
        {
            if (known.Fit(inputs, given))
            {
                return known;
            }
        }
        return null;
    }

    private void Remember(int index, CallSizes sizes)
    {
        List<CallSizes> known = _known[index];
        if (known.Count == RememberedSizes)
        {
            known[^1].Dispose();
            known.RemoveAt(known.Count - 1);
        }
        known.Insert(0, sizes);
    }

    private void Exclusive(Action action, bool evenBroken = true)
    {
        Enter(evenBroken);
        try
        {
            action();
        }
        catch (OutOfMemoryException e)
        {
            throw OutOfMemory("the state of a session", e)!;
        }
        finally
        {
            Exit();
        }
    }

    private void Enter(bool evenBroken)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            throw new InvalidOperationException(
                "the session is in a call; a session takes one at a time, so create one for each concurrent caller");
        }
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _executable.Enter();
        }
        catch
        {
            Unlock();
            throw;
        }
        if (_broken is not null && !evenBroken)
        {
            string broken = _broken;
            Exit();
            throw new InvalidOperationException(
                $"the session's state may be half written ({broken}); call Reset or LoadState first");
        }
    }

    private void Exit()
    {
        Unlock();
        _executable.Leave();
    }

    private void Unlock()
    {
        Interlocked.Exchange(ref _busy, 0); // a full fence: either this sees the disposal, or that sees a free session
        FreeIfDisposed();
    }

    private MemoryException? OutOfMemory(string who, Exception e) => e is OutOfMemoryException
        ? MemoryException.From(who, [.. _state.Tensors.Select(t => new MemoryUse(
            $"{t.Key}: {Tensor.DescribeShape(t.Value.Type, t.Value.Shape)}", t.Value.ByteCount))], e)
        : null;

    private int Find(string entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        for (int i = 0; i < _executable.Entries.Count; i++)
        {
            if (_executable.Entries[i].Name == entry)
            {
                return i;
            }
        }
        string names = string.Join(", ", _executable.Entries.Select(e => e.Name));
        throw new ArgumentException($"the program exports no '{entry}'; it exports {names}");
    }

    private static ExecutionException Check(string message) => new(ExecutionCode.EntryCheck, message);
}
