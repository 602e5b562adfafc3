// In: a state that no program text may lead to. Out: an error that blames the compiler, never the user.
namespace Accelerate.Compiler.Diagnostics;

/// <summary>A bug of the compiler: what one stage made breaks what the next one relies on.</summary>
public sealed class InternalErrorException(string message, Exception? inner = null)
    : Exception($"internal error: {message}", inner);
