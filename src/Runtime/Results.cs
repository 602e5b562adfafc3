// In: the tensors that a call returned, and the function's signature. Out: the tensors by position and by name.
using System.Collections;

namespace Accelerate;

/// <summary>
/// The results of a call, by position in the order of the signature, and by name. They belong to the caller; disposing
/// this object disposes all of them.
/// </summary>
/// <remarks>
/// A result has the name given in the signature: <c>-> (taken: i32, total: f32)</c>. A single unnamed result has the
/// name of its function; several unnamed results are accessible by position only.
/// </remarks>
public sealed class Results : IReadOnlyList<Tensor>, IDisposable
{
    private readonly EntrySpec entry;
    private readonly Tensor[] tensors;

    internal Results(EntrySpec entry, Tensor[] tensors) => (this.entry, this.tensors) = (entry, tensors);

    /// <summary>The number of results.</summary>
    public int Count => tensors.Length;

    /// <summary>The result at a position, from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such position.</exception>
    public Tensor this[int index] => (uint)index < (uint)tensors.Length
        ? tensors[index]
        : throw new ArgumentOutOfRangeException(
            nameof(index), index, $"'{entry.Name}' has {tensors.Length} results");

    /// <summary>The result with a name.</summary>
    /// <exception cref="ArgumentException">There is no such result; the message lists the names.</exception>
    public Tensor this[string name] => TryGet(name, out Tensor? tensor)
        ? tensor
        : throw new ArgumentException(
            $"'{entry.Name}' has no result '{name}'; its results are {string.Join(", ", entry.Outputs)}",
            nameof(name));

    /// <summary>Looks up the result with a name.</summary>
    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Tensor? tensor)
    {
        ArgumentNullException.ThrowIfNull(name);
        tensor = null;
        for (int i = 0; i < tensors.Length && tensor is null; i++)
        {
            if (entry.Outputs[i].Name == name)
            {
                tensor = tensors[i];
            }
        }
        if (tensors.Length == 1 && name == entry.Name)
        {
            tensor ??= tensors[0];
        }
        return tensor is not null;
    }

    /// <summary>The tensors in order.</summary>
    public IEnumerator<Tensor> GetEnumerator() => ((IEnumerable<Tensor>)tensors).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Disposes all tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in tensors)
        {
            tensor.Dispose();
        }
    }
}
