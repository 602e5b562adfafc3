// In: an executable and input tensors. Out: the results of its entries; the state that they change is kept between
// calls.
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>
/// The mutable part of a program: parameters, buffers and scratch memory. It runs one call at a time; for concurrent
/// calls create several sessions of one executable.
/// </summary>
/// <remarks>
/// A call that fails after it has begun to write state leaves the state half written. The session then refuses calls
/// until <see cref="Reset"/> or <see cref="LoadState"/> has replaced all of it; any other failure leaves the state
/// unchanged. A session may be disposed at any time, by any thread, before or after its executable: a running call
/// completes.
/// </remarks>
public sealed class Session : IDisposable
{
    /// <summary>
    /// The number of shape combinations remembered for an entry: enough for the alternating batch sizes of a server. A
    /// call is compared with each of them, in about 5 ns an input; one that matches none costs about 10 µs more.
    /// </summary>
    private const int RememberedSizes = 8;

    private readonly Executable executable;
    private readonly SessionState state;
    private readonly StateTensors tensors;
    private readonly CallFrame[] frames;
    private readonly List<CallSizes>[] known;
    private int busy; // 1 during a call, and permanently once everything is freed
    private volatile bool disposed;
    private string? broken;

    internal Session(Executable executable)
    {
        this.executable = executable;
        state = new SessionState { MemoryLimit = executable.MemoryLimit };
        tensors = new StateTensors(state);
        frames = [.. executable.Entries.Select(entry => new CallFrame(entry))];
        known = [.. executable.Entries.Select(_ => new List<CallSizes>())];
        try
        {
            executable.Initialize(state);
        }
        catch (Exception e)
        {
            MemoryException? memory = OutOfMemory("the state of a session", e);
            state.Dispose();
            if (memory is not null)
            {
                throw memory;
            }
            throw;
        }
    }

    /// <summary>
    /// Parameters and buffers by name. The tensors are live: read or write them only between calls. State that no entry
    /// of the executable assigns is frozen: its tensors are read-only and shared by other sessions, and values that
    /// depend on them alone are computed once; <see cref="LoadState"/> and <see cref="LoadStatePart"/> replace them. A
    /// tensor becomes invalid with the session, or when it is replaced.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return tensors;
        }
    }

    /// <summary>The target of the program's `print`; standard output by default.</summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public TextWriter Output
    {
        get => state.Output;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            ObjectDisposedException.ThrowIf(disposed, this);
            state.Output = value;
        }
    }

    /// <summary>
    /// Calls an entry. The results belong to the caller. An `inout` input is written in place and may be half written
    /// if the call fails after the entry checks.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <exception cref="ArgumentException">There is no such entry.</exception>
    /// <exception cref="ArgumentNullException">A name or an input is null.</exception>
    /// <exception cref="ExecutionException">The inputs do not fit, or the program failed.</exception>
    /// <exception cref="MemoryException">The call needs more memory than there is or the limit allows.</exception>
    /// <exception cref="InvalidOperationException">A call is running, or an earlier one left the state half
    /// written.</exception>
    /// <exception cref="ObjectDisposedException">The session, its executable or a tensor is disposed.</exception>
    public Results Run(string entry, params Tensor[] inputs) => Run(entry, inputs, null);

    /// <summary>Calls an entry that has `int` parameters, or one that may be cancelled.</summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <param name="sizes">The values of `int` parameters by name; null if the entry has none.</param>
    /// <param name="cancellation">Stops the call. It is checked before the call, before each kernel and before each
    /// iteration of a loop of the program; a running kernel completes. A stopped call throws an
    /// <see cref="OperationCanceledException"/>. If it had begun to write state, the state is half written, as after
    /// any failure.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> stopped the call.</exception>
    /// <inheritdoc cref="Run(string, Tensor[])"/>
    public Results Run(string entry, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, long>? sizes = null,
        CancellationToken cancellation = default)
    {
        int index = Find(entry);
        ArgumentNullException.ThrowIfNull(inputs);
        EntrySpec spec = executable.Entries[index];
        var results = new Tensor[spec.Outputs.Count];
        RunInto(index, inputs as Tensor[] ?? [.. inputs], results, sizes, cancellation);
        return new Results(spec, results);
    }

    /// <summary>Calls an entry with its inputs given by name; otherwise like the other overload.</summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">One tensor for each of its inputs, by the input's name.</param>
    /// <param name="sizes">The values of `int` parameters by name; null if the entry has none.</param>
    /// <param name="cancellation">Stops the call, as in the other overload.</param>
    /// <inheritdoc cref="Run(string, IReadOnlyList{Tensor}, IReadOnlyDictionary{string, long}, CancellationToken)"/>
    public Results Run(string entry, IReadOnlyDictionary<string, Tensor> inputs,
        IReadOnlyDictionary<string, long>? sizes = null, CancellationToken cancellation = default)
    {
        IReadOnlyList<TensorSpec> specs = executable.Entries[Find(entry)].Inputs;
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(disposed, this);
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
    /// Calls an entry that writes its results into the caller's tensors, so that a repeated call allocates nothing.
    /// They may be half written if the call fails after the entry checks.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <param name="results">One tensor for each result, of its dtype and shape, sharing no memory with an input, the
    /// state or another result. A null is replaced by a new tensor once the call has succeeded.</param>
    /// <param name="sizes">The values of `int` parameters, if the entry has any.</param>
    /// <param name="cancellation">Stops the call, as in <c>Run</c>.</param>
    /// <inheritdoc cref="Run(string, IReadOnlyList{Tensor}, IReadOnlyDictionary{string, long}, CancellationToken)"/>
    public void RunInto(
        string entry, ReadOnlySpan<Tensor> inputs, Span<Tensor> results,
            IReadOnlyDictionary<string, long>? sizes = null, CancellationToken cancellation = default) =>
        RunInto(Find(entry), inputs, results, sizes, cancellation);

    /// <summary>Resets all state to the values that the program initialises; on an error nothing changes.</summary>
    /// <exception cref="InvalidOperationException">A call is running.</exception>
    /// <exception cref="ObjectDisposedException">The session or its executable is disposed.</exception>
    public void Reset() => Exclusive(() =>
    {
        lock (state.Gate)
        {
            state.Replace(() => executable.Initialize(state));
            tensors.Drop();
        }
        broken = null;
    });

    /// <summary>
    /// Replaces the whole state by copies of <paramref name="tensors"/>; on an error nothing changes. Frozen tensors
    /// stay where the given values are equal; where they differ, the values that depend on frozen state are computed
    /// again.
    /// </summary>
    /// <param name="tensors">One tensor for each name of <see cref="State"/>, of its dtype and shape.</param>
    /// <exception cref="ArgumentException">A name is missing or unknown, or a dtype or shape differs.</exception>
    /// <exception cref="ArgumentNullException">A tensor is null.</exception>
    /// <exception cref="InvalidOperationException">A call is running.</exception>
    /// <exception cref="ObjectDisposedException">The session, its executable or a tensor is disposed.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> tensors)
    {
        Dictionary<string, Tensor> given = Given(tensors);
        Exclusive(() =>
        {
            if (state.Tensors.Keys.FirstOrDefault(name => !given.ContainsKey(name)) is { } missing)
            {
                throw new ArgumentException($"the state has no tensor '{missing}'");
            }
            Fit(given);
            Replace(given);
            broken = null;
        });
    }

    /// <summary>
    /// Replaces a part of the state by copies of <paramref name="tensors"/> and keeps the rest; on an error nothing
    /// changes. If frozen values differ, the values that depend on them are computed again.
    /// </summary>
    /// <param name="tensors">Tensors for some names of <see cref="State"/>, each of its dtype and shape.</param>
    /// <exception cref="ArgumentException">A name is unknown, or a dtype or shape differs.</exception>
    /// <exception cref="ArgumentNullException">A tensor is null.</exception>
    /// <exception cref="InvalidOperationException">A call is running, or an earlier one left the state half written:
    /// then all of it must be replaced.</exception>
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

    /// <summary>Copied once: the tensors that were checked are used, even if the dictionary changes.</summary>
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

    /// <summary>Checks that each tensor has a place in the state, with its dtype and shape.</summary>
    private void Fit(Dictionary<string, Tensor> given)
    {
        foreach ((string name, Tensor other) in given)
        {
            Tensor own = state.Tensors.GetValueOrDefault(name)
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
        // Copies before disposing: the caller may pass this session's own tensors.
        var copies = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        IDisposable? prepared = null;
        bool isOther = false;
        try
        {
            foreach ((string name, Tensor own) in state.Tensors)
            {
                bool isFrozen = executable.IsFrozen(name);
                if (!tensors.TryGetValue(name, out Tensor? other) || (isFrozen && own.SameBytes(other)))
                {
                    continue;
                }
                copies[name] = isFrozen ? ReadOnlyCopy(other) : other.Clone();
                isOther |= isFrozen;
            }
            if (isOther)
            {
                prepared = executable.Prepare(state.Tensors.Keys.ToDictionary(
                    name => name, name => copies.GetValueOrDefault(name) ?? state.Tensors[name]));
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
        lock (state.Gate)
        {
            state.Replace(copies, isOther, prepared);
            this.tensors.Drop();
        }
    }

    private static Tensor ReadOnlyCopy(Tensor tensor)
    {
        using Tensor copy = tensor.Clone();
        return copy.AsReadOnly();
    }

    /// <summary>Frees the state, now or when the running call has ended.</summary>
    public void Dispose()
    {
        disposed = true;
        FreeIfDisposed();
    }

    /// <summary>
    /// Frees everything if the session is disposed and idle. The first thread to do so keeps the session busy
    /// permanently.
    /// </summary>
    private void FreeIfDisposed()
    {
        if (!disposed || Interlocked.Exchange(ref busy, 1) != 0)
        {
            return;
        }
        foreach (CallSizes known in this.known.SelectMany(k => k))
        {
            known.Dispose();
        }
        lock (state.Gate)
        {
            tensors.Drop();
            state.Dispose();
        }
    }

    private void RunInto(
        int index, ReadOnlySpan<Tensor> inputs, Span<Tensor> results, IReadOnlyDictionary<string, long>? given,
        CancellationToken cancellation)
    {
        Enter(evenBroken: false);
        CallFrame frame = frames[index];
        CallSizes? made = null;
        state.IsWritten = false;
        state.Cancellation = cancellation;
        try
        {
            cancellation.ThrowIfCancellationRequested();
            frame.Take(inputs, results);
            CallSizes? sizes = Known(index, frame.Inputs, given);
            sizes ??= made = new CallSizes(executable.Entries[index], frame.Inputs, given);
            executable.Invoke(state, index, frame.Inputs, sizes, frame.Results);
            if (made is not null)
            {
                Remember(index, made);
                made = null;
            }
            frame.Results.CopyTo(results);
        }
        catch (Exception e)
        {
            if (state.IsWritten && e is not ExecutionException { Code: ExecutionCode.EntryCheck })
            {
                broken = $"'{executable.Entries[index].Name}' failed: {e.Message}";
            }
            if (OutOfMemory($"'{executable.Entries[index].Name}'", e) is { } memory)
            {
                throw memory;
            }
            if (!Boundary.IsDocumented(e))
            {
                throw Boundary.Bug($"'{executable.Entries[index].Name}'", e);
            }
            throw;
        }
        finally
        {
            state.Cancellation = default;
            made?.Dispose(); // only a call that succeeds is remembered
            frame.Release();
            Exit();
        }
    }

    /// <summary>The sizes of an earlier call with the same shapes; null if none is remembered.</summary>
    private CallSizes? Known(int index, ReadOnlySpan<Tensor> inputs, IReadOnlyDictionary<string, long>? given)
    {
        foreach (CallSizes known in this.known[index])
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
        List<CallSizes> known = this.known[index];
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
        if (Interlocked.Exchange(ref busy, 1) != 0)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            throw new InvalidOperationException(
                "the session is in a call; a session takes one at a time, so create one for each concurrent caller");
        }
        try
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            executable.Enter();
        }
        catch
        {
            Unlock();
            throw;
        }
        if (this.broken is not null && !evenBroken)
        {
            string broken = this.broken;
            Exit();
            throw new InvalidOperationException(
                $"the session's state may be half written ({broken}); call Reset or LoadState first");
        }
    }

    private void Exit()
    {
        Unlock();
        executable.Leave();
    }

    private void Unlock()
    {
        Interlocked.Exchange(ref busy, 0); // a full fence: this thread or the disposing one sees the other
        FreeIfDisposed();
    }

    private MemoryException? OutOfMemory(string who, Exception e) => e is OutOfMemoryException
        ? MemoryException.From(who, [.. state.Tensors.Select(t => new MemoryUse(
            $"{t.Key}: {Tensor.DescribeShape(t.Value.Type, t.Value.Shape)}", t.Value.ByteCount))], e)
        : null;

    private int Find(string entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        for (int i = 0; i < executable.Entries.Count; i++)
        {
            if (executable.Entries[i].Name == entry)
            {
                return i;
            }
        }
        string names = string.Join(", ", executable.Entries.Select(e => e.Name));
        throw new ArgumentException($"the program exports no '{entry}'; it exports {names}");
    }

    private static ExecutionException Check(string message) => new(ExecutionCode.EntryCheck, message);
}
