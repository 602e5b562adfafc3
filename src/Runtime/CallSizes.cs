// In: an entry's signature, the inputs of a call. Out: the value of every size, and a backend's plan for these values.
namespace Accelerate.Runtime;

/// <summary>
/// The values that the shapes of a call determine. A session reuses the object for later calls of the same shapes, so
/// that everything that depends on sizes alone is computed once.
/// </summary>
internal sealed class CallSizes : IDisposable
{
    private readonly EntrySpec entry;
    private readonly long[][] shapes;
    private readonly KeyValuePair<string, long>[] given;

    /// <exception cref="ExecutionException">With EntryCheck: the inputs do not fit the signature.</exception>
    internal CallSizes(EntrySpec entry, ReadOnlySpan<Tensor> inputs, IReadOnlyDictionary<string, long>? given)
    {
        // Copied once, so that the call uses the values that were checked.
        var named = given is null ? null : new Dictionary<string, long>(given, StringComparer.Ordinal);
        Values = EntryCheck.Bind(entry, inputs, named);
        this.entry = entry;
        shapes = new long[inputs.Length][];
        for (int i = 0; i < inputs.Length; i++)
        {
            shapes[i] = inputs[i].Shape.ToArray();
        }
        this.given = named is null ? [] : [.. named];
    }

    /// <summary>The entry's sizes by name.</summary>
    public IReadOnlyDictionary<string, long> Values { get; }

    /// <summary>The backend's plan for calls of these sizes; disposed with this object.</summary>
    public IDisposable? Plan { get; set; }

    /// <summary>Frees the backend's plan.</summary>
    public void Dispose()
    {
        Plan?.Dispose();
        Plan = null;
    }

    /// <summary>
    /// True if a call with these inputs passes the same checks with the same dtypes, shapes and given sizes.
    /// </summary>
    internal bool Fit(ReadOnlySpan<Tensor> inputs, IReadOnlyDictionary<string, long>? given)
    {
        if (inputs.Length != shapes.Length || (given?.Count ?? 0) != this.given.Length)
        {
            return false;
        }
        for (int i = 0; i < inputs.Length; i++)
        {
            TensorSpec spec = entry.Inputs[i];
            if (inputs[i].Type != spec.Type || !inputs[i].Shape.SequenceEqual(shapes[i])
                || (spec.IsInout && inputs[i].IsReadOnly))
            {
                return false;
            }
        }
        foreach ((string name, long value) in this.given)
        {
            if (!given!.TryGetValue(name, out long now) || now != value)
            {
                return false;
            }
        }
        return true;
    }
}
