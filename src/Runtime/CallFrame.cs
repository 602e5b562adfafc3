// In: the arguments of a call, which the caller may change or drop at any time. Out: the same tensors, kept alive until
// the call ends.
namespace Accelerate.Runtime;

/// <summary>
/// The arguments of a running call. They are in separate arrays, so that writes to the caller's arrays have no effect,
/// and each tensor's memory is held, so that disposing a tensor does not free it during the call. The session keeps the
/// frame for later calls: a repeated call allocates nothing.
/// </summary>
internal sealed class CallFrame(EntrySpec entry)
{
    private readonly Tensor[] inputs = new Tensor[entry.Inputs.Count];
    private readonly Tensor[] results = new Tensor[entry.Outputs.Count];
    private readonly Storage?[] held = new Storage?[entry.Inputs.Count + entry.Outputs.Count];

    public ReadOnlySpan<Tensor> Inputs => inputs;

    /// <summary>The caller's tensors; null where the call allocates one.</summary>
    public Span<Tensor> Results => results;

    /// <summary>Takes the arguments. After an error, <see cref="Release"/> releases those already taken.</summary>
    /// <exception cref="ArgumentNullException">An input is null.</exception>
    /// <exception cref="ObjectDisposedException">A tensor is disposed.</exception>
    /// <exception cref="ExecutionException">With EntryCheck: too few or too many arguments.</exception>
    public void Take(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> results)
    {
        if (inputs.Length != this.inputs.Length)
        {
            throw Check($"'{entry.Name}' takes {this.inputs.Length} inputs, not {inputs.Length}");
        }
        if (results.Length != this.results.Length)
        {
            throw Check($"'{entry.Name}' has {this.results.Length} results, not {results.Length}");
        }
        for (int i = 0; i < inputs.Length; i++)
        {
            this.inputs[i] = inputs[i] ?? throw new ArgumentNullException(
                nameof(inputs), $"'{entry.Name}': the input {entry.Inputs[i].Name} is null");
            held[i] = this.inputs[i].TryHold() ?? throw new ObjectDisposedException(
                nameof(Tensor), $"'{entry.Name}': the tensor given for {entry.Inputs[i].Name} is disposed");
        }
        for (int i = 0; i < results.Length; i++)
        {
            this.results[i] = results[i];
            held[inputs.Length + i] = this.results[i] is null ? null : this.results[i].TryHold()
                ?? throw new ObjectDisposedException(
                    nameof(Tensor), $"'{entry.Name}': the tensor given for result {i} is disposed");
        }
    }

    public void Release()
    {
        foreach (Storage? storage in held)
        {
            storage?.Release();
        }
        Array.Clear(held);
        Array.Clear(inputs);
        Array.Clear(results);
    }

    private static ExecutionException Check(string message) => new(ExecutionCode.EntryCheck, message);
}
