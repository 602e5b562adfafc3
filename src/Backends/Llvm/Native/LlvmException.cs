// In: an error that LLVM reports, or text it rejects. Out: an exception whose message is fit to be shown as it is.
namespace Accelerate.Backends.Llvm.Native;

/// <summary>LLVM is absent, or refused its input: IR, pass names, a target, an object or a symbol.</summary>
internal sealed class LlvmException(string message) : BackendException(message);
