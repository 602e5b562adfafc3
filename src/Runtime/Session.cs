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
    private readonly Executable _executable;
    private readonly SessionState _state = new();
    private int _busy;
    private bool _disposed;
    private string? _broken;

    internal Session(Executable executable)
    {
        _executable = executable;
        executable.Initialize(_state);
    }

    /// <summary>
    /// Parameters and buffers by name; live tensors, to be read or written between calls only. Those that no entry of the
    /// executable assigns are frozen: read-only, shared with other sessions, and used in forms that are computed once;
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
    /// Calls an entry. The results belong to the caller. An `inout` input is written in place; after a failure behind the
    /// entry checks it may be half written.
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
        return Exclusive(() => Invoke(index, [.. inputs], sizes));
    }

    /// <summary>Calls an entry with its inputs given by name; else as the other overload.</summary>
    public Tensor[] Run(string entry, IReadOnlyDictionary<string, Tensor> inputs)
    {
        int index = Find(entry);
        IReadOnlyList<TensorSpec> specs = _executable.Entries[index].Inputs;
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
        return Exclusive(() => Invoke(index, [.. specs.Select(s => inputs[s.Name])]));
    }

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
    /// Replaces the whole state by copies of <paramref name="tensors"/>; nothing changes on an error. Frozen tensors that
    /// are given as they are stay; for others, what depends on frozen state is computed anew.
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
                _state.Dispose();
                return null;
            },
            evenBroken: true);
    }

    private Tensor[] Invoke(int index, Tensor[] inputs, IReadOnlyDictionary<string, long>? given = null)
    {
        EntrySpec entry = _executable.Entries[index];
        Dictionary<string, long> sizes = EntryCheck.Bind(entry, inputs, given);
        try
        {
            Tensor[] outputs = _executable.Invoke(_state, index, inputs, sizes);
            GC.KeepAlive(inputs); // native code has only their addresses
            return outputs;
        }
        catch (ExecutionException e) when (e.Code == ExecutionCode.EntryCheck)
        {
            throw;
        }
        catch (Exception e)
        {
            _broken = $"'{entry.Name}' failed: {e.Message}";
            throw;
        }
    }

    private T Exclusive<T>(Func<T> action, bool evenBroken = false)
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException(
                "the session is in a call; a session takes one at a time, so create one for each concurrent caller");
        }
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_broken is not null && !evenBroken)
            {
                throw new InvalidOperationException(
                    $"the session's state may be half written ({_broken}); call Reset or LoadState first");
            }
            return action();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
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
