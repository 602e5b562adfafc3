// In: a state that no program text may lead to. Out: an error that blames the compiler, never the user.
namespace Accelerate;

/// <summary>A bug of Accelerate: one of its stages made something that breaks what another relies on.</summary>
/// <param name="message">What was found.</param>
/// <param name="inner">The exception that showed it, where there is one.</param>
public sealed class InternalErrorException(string message, Exception? inner = null)
    : AccelerateException($"internal error: {message}", inner);
