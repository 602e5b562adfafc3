// In: an executable and input tensors. Out: the results of its entries, with the state they change kept between calls.
namespace Accelerate.Runtime;

/// <summary>
/// The mutable side of a program: parameters, buffers and scratch memory. One call at a time; for concurrent calls make
/// several sessions of one executable.
/// </summary>
/// <remarks>
/// A call that fails after its entry checks may have changed some of the state. The session then refuses calls until
/// <see cref="Reset"/> or <see cref="LoadState"/> has replaced all of it.
/// </remarks>
public sealed class Session : IDisposable
{
    /// <summary>
    /// Shapes an entry is remembered for: enough for the alternating batch sizes of a server. Each is compared with in
    /// some 5 ns an input; a call that none fits costs some 10 µs more.
    /// </summary>
    private const int RememberedSizes = 8;

    private readonly Executable _executable;
    private readonly SessionState _state = new();
    private readonly List<CallSizes>[] _known;
    private int _busy;
    private bool _disposed;
    private string? _broken;

    internal Session(Executable executable)
    {
        _executable = executable;
        _known = [.. executable.Entries.Select(_ => new List<CallSizes>())];
        executable.Initialize(_state);
    }

    /// <summary>
    /// Parameters and buffers by name; live tensors, to be read or written between calls only. Those that no entry of
    /// the executable assigns are frozen: read-only, shared with other sessions, and used in forms that are computed
    /// once;
    /// <see cref="LoadState"/> replaces them.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State => _state.Tensors;

    /// <summary>Where the program's `print` writes: standard output, unless it is set.</summary>
    public TextWriter Output
    {
        get => _state.Output;
        set => _state.Output = value;
    }

    /// <summary>
    /// Calls an entry. The results belong to the caller. An `inout` input is written in place; after a failure behind
    /// the entry checks it may be half written.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <exception cref="ArgumentException">No such entry.</exception>
    /// <exception cref="ExecutionException">The inputs do not fit, or the program failed.</exception>
    /// <exception cref="InvalidOperationException">A call is under way, or an earlier one broke the state.</exception>
    public Tensor[] Run(string entry, params Tensor[] inputs) => Run(entry, inputs, null);

    /// <summary>Calls an entry that has `int` parameters: their values are given by name, as sizes.</summary>
    /// <inheritdoc cref="Run(string, Tensor[])"/>
    public Tensor[] Run(string entry, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, long>? sizes)
    {
        int index = Find(entry);
        var results = new Tensor[_executable.Entries[index].Outputs.Count];
        RunInto(index, inputs as Tensor[] ?? [.. inputs], results, sizes);
        return results;
    }

    /// <summary>Calls an entry with its inputs given by name; else as the other overload.</summary>
    public Tensor[] Run(string entry, IReadOnlyDictionary<string, Tensor> inputs)
    {
        IReadOnlyList<TensorSpec> specs = _executable.Entries[Find(entry)].Inputs;
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
        return Run(entry, [.. specs.Select(s => inputs[s.Name])], null);
    }

    /// <summary>
    /// Calls an entry that writes its results into tensors the caller gives, so that a repeated call allocates nothing.
    /// After a failure behind the entry checks they may be half written.
    /// </summary>
    /// <param name="entry">The name of an exported function.</param>
    /// <param name="inputs">Its inputs in order, with the dtypes and shapes of its signature.</param>
    /// <param name="results">
    /// One tensor a result, of its dtype and shape, sharing memory with no input, no state and no other result. A null
    /// is replaced by a new tensor.
    /// </param>
    /// <param name="sizes">The values of `int` parameters, if the entry has any.</param>
    /// <inheritdoc cref="Run(string, Tensor[])"/>
    public void RunInto(
        string entry, ReadOnlySpan<Tensor> inputs, Span<Tensor> results,
            IReadOnlyDictionary<string, long>? sizes = null) =>
        RunInto(Find(entry), inputs, results, sizes);

    /// <summary>Takes the state back to what the program initialises it to.</summary>
    public void Reset() => Exclusive<object?>(
        () =>
        {
            _state.Clear();
            _executable.Initialize(_state);
            _broken = null;
            return null;
        },
        evenBroken: true);

    /// <summary>
    /// Replaces the whole state by copies of <paramref name="tensors"/>; nothing changes on an error. Frozen tensors
    /// that are given as they are stay; for others, what depends on frozen state is computed anew.
    /// </summary>
    /// <exception cref="ArgumentException">A name missing or unknown, or another dtype or shape.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> tensors) => Exclusive<object?>(
        () =>
        {
            foreach ((string name, Tensor own) in _state.Tensors)
            {
                Tensor other = tensors.GetValueOrDefault(name)
                    ?? throw new ArgumentException($"the state has no tensor '{name}'");
                string wanted = Tensor.DescribeShape(own.Type, own.Shape);
                string given = Tensor.DescribeShape(other.Type, other.Shape);
                if (wanted != given)
                {
                    throw new ArgumentException($"the state's '{name}' must be {wanted}, not {given}");
                }
            }
            string? unknown = tensors.Keys.FirstOrDefault(name => !_state.Tensors.ContainsKey(name));
            if (unknown is not null)
            {
                throw new ArgumentException($"the program has no state named '{unknown}'");
            }
            Replace(tensors);
            _broken = null;
            return null;
        },
        evenBroken: true);

    private void Replace(IReadOnlyDictionary<string, Tensor> tensors)
    {
        // Copies before any disposal: the caller may hand back this session's own tensors.
        var copies = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        bool isOther = false;
        try
        {
            foreach ((string name, Tensor own) in _state.Tensors)
            {
                bool isFrozen = _executable.IsFrozen(name);
                if (isFrozen && own.SameBytes(tensors[name]))
                {
                    continue;
                }
                copies[name] = isFrozen ? ReadOnlyCopy(tensors[name]) : tensors[name].Clone();
                isOther |= isFrozen;
            }
            if (isOther)
            {
                IDisposable? prepared = _executable.Prepare(_state.Tensors.Keys.ToDictionary(
                    name => name, name => copies.GetValueOrDefault(name) ?? _state.Tensors[name]));
                _state.Prepared?.Dispose();
                _state.Prepared = prepared;
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
        _state.Version++;
        foreach ((string name, Tensor copy) in copies)
        {
            _state.Tensors[name].Dispose();
            _state.Tensors[name] = copy;
        }
    }

    private static Tensor ReadOnlyCopy(Tensor tensor)
    {
        using Tensor copy = tensor.Clone();
        return copy.AsReadOnly();
    }

    /// <summary>Frees the state. An error while a call is under way.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        Exclusive<object?>(
            () =>
            {
                _disposed = true;
                foreach (CallSizes known in _known.SelectMany(k => k))
                {
                    known.Dispose();
                }
                _state.Dispose();
                return null;
            },
            evenBroken: true);
    }

    private void RunInto(
        int index, ReadOnlySpan<Tensor> inputs, Span<Tensor> results, IReadOnlyDictionary<string, long>? given)
    {
        Enter(evenBroken: false);
        EntrySpec entry = _executable.Entries[index];
        bool begun = false;
        try
        {
            if (results.Length != entry.Outputs.Count)
            {
                throw Check($"'{entry.Name}' has {entry.Outputs.Count} results, not {results.Length}");
            }
            CallSizes sizes = SizesOf(index, inputs, given);
            begun = true;
            _executable.Invoke(_state, index, inputs, sizes, results);
        }
        catch (Exception e) when (begun && e is not ExecutionException { Code: ExecutionCode.EntryCheck })
        {
            _broken = $"'{entry.Name}' failed: {e.Message}";
            throw;
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
            foreach (Tensor input in inputs)
            {
                GC.KeepAlive(input); // native code has only their addresses
            }
        }
    }

    /// <summary>The sizes of a call: those of an earlier one with the same shapes, if it is remembered.</summary>
    private CallSizes SizesOf(int index, ReadOnlySpan<Tensor> inputs, IReadOnlyDictionary<string, long>? given)
    {
        List<CallSizes> known = _known[index];
        for (int i = 0; i < known.Count; i++)
        {
            if (known[i].Fit(inputs, given))
            {
                return known[i];
            }
        }
        var sizes = new CallSizes(_executable.Entries[index], inputs, given);
        if (known.Count == RememberedSizes)
        {
            known[^1].Dispose();
            known.RemoveAt(known.Count - 1);
        }
        known.Insert(0, sizes);
        return sizes;
    }

    private T Exclusive<T>(Func<T> action, bool evenBroken = false)
    {
        Enter(evenBroken);
        try
        {
            return action();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private void Enter(bool evenBroken)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException(
                "the session is in a call; a session takes one at a time, so create one for each concurrent caller");
        }
        if (_disposed || (_broken is not null && !evenBroken))
        {
            Volatile.Write(ref _busy, 0);
            ObjectDisposedException.ThrowIf(_disposed, this);
            throw new InvalidOperationException(
                $"the session's state may be half written ({_broken}); call Reset or LoadState first");
        }
    }

    private int Find(string entry)
    {
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
