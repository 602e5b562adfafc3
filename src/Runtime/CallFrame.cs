// In: the arguments of a call, which the caller may change or drop at any time. Out: the same tensors, held in memory
// until the call has ended.
namespace Accelerate.Runtime;

/// <summary>
/// An entry's arguments while a call runs: in arrays of its own, so that whoever writes to the caller's changes
/// nothing, and with a hold on each tensor's memory, so that whoever disposes one only says that he is done with it.
/// Kept by the session for the calls that follow: a repeated call allocates nothing.
/// </summary>
internal sealed class CallFrame(EntrySpec entry)
{
    private readonly Tensor[] _inputs = new Tensor[entry.Inputs.Count];
    private readonly Tensor[] _results = new Tensor[entry.Outputs.Count];
    private readonly Storage?[] _held = new Storage?[entry.Inputs.Count + entry.Outputs.Count];

    public ReadOnlySpan<Tensor> Inputs => _inputs;

    /// <summary>The caller's tensors; null where the call is to make one.</summary>
    public Span<Tensor> Results => _results;

    /// <summary>Takes the arguments. On an error <see cref="Release"/> gives back what was taken.</summary>
    /// <exception cref="ArgumentNullException">An input is null.</exception>
    /// <exception cref="ObjectDisposedException">A tensor is disposed.</exception>
    /// <exception cref="ExecutionException">With EntryCheck: too few or too many.</exception>
    public void Take(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> results)
    {
        if (inputs.Length != _inputs.Length)
        {
            throw Check($"'{entry.Name}' takes {_inputs.Length} inputs, not {inputs.Length}");
        }
        if (results.Length != _results.Length)
        {
            throw Check($"'{entry.Name}' has {_results.Length} results, not {results.Length}");
        }
        for (int i = 0; i < inputs.Length; i++)
        {
            _inputs[i] = inputs[i] ?? throw new ArgumentNullException(
                nameof(inputs), $"'{entry.Name}': the input {entry.Inputs[i].Name} is null");
            _held[i] = _inputs[i].TryHold() ?? throw new ObjectDisposedException(
                nameof(Tensor), $"'{entry.Name}': the tensor given for {entry.Inputs[i].Name} is disposed");
        }
        for (int i = 0; i < results.Length; i++)
        {
            _results[i] = results[i];
            _held[inputs.Length + i] = _results[i] is null ? null : _results[i].TryHold()
                ?? throw new ObjectDisposedException(
                    nameof(Tensor), $"'{entry.Name}': the tensor given for result {i} is disposed");
        }
    }

    public void Release()
    {
        foreach (Storage? storage in _held)
        {
            storage?.Release();
        }
        Array.Clear(_held);
        Array.Clear(_inputs);
        Array.Clear(_results);
    }

    private static ExecutionException Check(string message) => new(ExecutionCode.EntryCheck, message);
}
