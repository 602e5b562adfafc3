// In: a session's own tensors. Out: the same memory in tensors that callers may dispose.
using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Accelerate.Runtime;

/// <summary>
/// The current state by name. A caller gets a view, the same one until the state is replaced: disposing it takes
/// nothing from the session, which may be running a call. All members are thread-safe.
/// </summary>
internal sealed class StateTensors(SessionState state) : IReadOnlyDictionary<string, Tensor>
{
    private readonly Dictionary<string, Tensor> views = new(StringComparer.Ordinal);

    public int Count => Names().Length;

    public IEnumerable<string> Keys => Names();

    public IEnumerable<Tensor> Values => Names().Select(name => this[name]);

    public Tensor this[string key] => TryGetValue(key, out Tensor? tensor)
        ? tensor
        : throw new KeyNotFoundException($"the program has no state named '{key}'");

    public bool ContainsKey(string key)
    {
        lock (state.Gate)
        {
            return state.Tensors.ContainsKey(key);
        }
    }

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Tensor value)
    {
        lock (state.Gate)
        {
            if (views.TryGetValue(key, out value) && !value.IsDisposed)
            {
                return true;
            }
            if (!state.Tensors.TryGetValue(key, out Tensor? own))
            {
                return false;
            }
            value = views[key] = own.Share();
            return true;
        }
    }

    public IEnumerator<KeyValuePair<string, Tensor>> GetEnumerator() =>
        Names().Select(name => KeyValuePair.Create(name, this[name])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>
    /// Disposes the views, because their tensors are about to be freed. Called inside the state's gate.
    /// </summary>
    public void Drop()
    {
        foreach (Tensor view in views.Values)
        {
            view.Dispose();
        }
        views.Clear();
    }

    private string[] Names()
    {
        lock (state.Gate)
        {
            return [.. state.Tensors.Keys];
        }
    }
}
