// In: an error that LLVM reports, or text it rejects. Out: an exception whose message can be shown to the user.
namespace Accelerate.Backends.Llvm.Native;

/// <summary>LLVM is missing, or refused its input: IR, pass names, a target, an object or a symbol.</summary>
internal sealed class LlvmException(string message) : BackendException(message);
