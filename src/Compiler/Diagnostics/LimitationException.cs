// What the compiler does not build yet, as an exception: it ends in exit code 3, never in another backend's answer.
namespace Accelerate.Compiler.Diagnostics;

/// <summary>The message starts with `not supported: `.</summary>
public sealed class LimitationException(string message) : Exception(message);
