// In: the tensors that a call gave, and the signature of the function. Out: the same by position and by name.
using System.Collections;

namespace Accelerate;

/// <summary>
/// The results of a call, which belong to the caller: by position in the order of the signature, and by name. To
/// dispose this is to dispose all of them.
/// </summary>
/// <remarks>
/// A result has the name that the signature gives it: <c>-> (taken: i32, total: f32)</c>. A single result without a
/// name goes by the name of its function, several without names by position only.
/// </remarks>
public sealed class Results : IReadOnlyList<Tensor>, IDisposable
{
    private readonly EntrySpec _entry;
    private readonly Tensor[] _tensors;

    internal Results(EntrySpec entry, Tensor[] tensors) => (_entry, _tensors) = (entry, tensors);

    /// <summary>The number of results.</summary>
    public int Count => _tensors.Length;

    /// <summary>The result at a position, counted from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public Tensor this[int index] => (uint)index < (uint)_tensors.Length
        ? _tensors[index]
        : throw new ArgumentOutOfRangeException(
            nameof(index), index, $"'{_entry.Name}' has {_tensors.Length} results");

    /// <summary>The result of that name.</summary>
    /// <exception cref="ArgumentException">There is none; the message names those that there are.</exception>
    public Tensor this[string name] => TryGet(name, out Tensor? tensor)
        ? tensor
        : throw new ArgumentException(
            $"'{_entry.Name}' has no result '{name}'; its results are {string.Join(", ", _entry.Outputs)}",
            nameof(name));

    /// <summary>The result of that name, if there is one.</summary>
    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Tensor? tensor)
    {
        ArgumentNullException.ThrowIfNull(name);
        tensor = null;
        for (int i = 0; i < _tensors.Length && tensor is null; i++)
        {
            if (_entry.Outputs[i].Name == name)
            {
                tensor = _tensors[i];
            }
        }
        if (_tensors.Length == 1 && name == _entry.Name)
        {
            tensor ??= _tensors[0];
        }
        return tensor is not null;
    }

    /// <summary>The tensors in order.</summary>
    public IEnumerator<Tensor> GetEnumerator() => ((IEnumerable<Tensor>)_tensors).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Disposes all tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _tensors)
        {
            tensor.Dispose();
        }
    }
}
