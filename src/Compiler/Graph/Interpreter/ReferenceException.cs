// Thrown by the reference interpreter when a call fails: an entry check, an assertion, an access out of range.
namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>A call that would fail in a compiled executable too.</summary>
internal sealed class ReferenceException(string message) : Exception(message);
