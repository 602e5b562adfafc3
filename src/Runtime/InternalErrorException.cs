// In: a state that no program text may lead to. Out: an error that blames the compiler, not the user.
namespace Accelerate;

/// <summary>A bug of Accelerate: one stage broke an invariant that another relies on.</summary>
/// <param name="message">The broken invariant.</param>
/// <param name="inner">The exception that revealed it, if there is one.</param>
public sealed class InternalErrorException(string message, Exception? inner = null)
    : AccelerateException($"internal error: {message}", inner);
