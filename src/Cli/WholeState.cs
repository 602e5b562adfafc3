// In: a session, and the model's initial state. Out: the state that the program reads as written.
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class WholeState
{
    /// <summary>
    /// A session only has the state that its compiled programs use. State that the optimiser found unused (for example
    /// if only an empty slice is read) is assigned by no call, so it keeps its initial value.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Of(Session session, IReadOnlyDictionary<string, Tensor> initial)
    {
        var whole = new Dictionary<string, Tensor>(initial, StringComparer.Ordinal);
        foreach (var (path, value) in session.State) whole[path] = value;
        return whole;
    }
}
