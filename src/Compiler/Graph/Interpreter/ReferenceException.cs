// What the reference interpreter throws when a call fails: an entry check, an assertion, an access that leaves its
// tensor.
namespace Accelerate.Compiler.Graph.Interpreter;

/// <summary>A call that a compiled executable would end with an error too.</summary>
internal sealed class ReferenceException(string message) : Exception(message);
