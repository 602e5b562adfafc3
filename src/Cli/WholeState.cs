// In: a session, and the model's state as it began. Out: the state that the program as it is written reads.
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class WholeState
{
    /// <summary>
    /// A session has what its compiled programs use. What the optimiser found to be without use (only its empty part is
    /// read, say) is assigned by no call, and so is what it was at first.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Of(Session session, IReadOnlyDictionary<string, Tensor> initial)
    {
        var whole = new Dictionary<string, Tensor>(initial, StringComparer.Ordinal);
        foreach (var (path, value) in session.State) whole[path] = value;
        return whole;
    }
}
