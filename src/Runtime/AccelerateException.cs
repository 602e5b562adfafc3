// In: an error that the calling code could not have avoided. Out: the one base type that catches all of them.
namespace Accelerate;

/// <summary>
/// The base of every error that is not a mistake in the calling code: a failed call (<see cref="ExecutionException"/>),
/// too little memory (<see cref="MemoryException"/>), an unusable file (<see cref="DataException"/>), a backend that
/// cannot run here (BackendException), a correct but unsupported program (<see cref="LimitationException"/>), a bug of
/// the compiler (<see cref="InternalErrorException"/>).
/// </summary>
/// <remarks>
/// Mistakes in a program's text are not exceptions but data: <c>Compilation.Diagnostics</c>. Misuse by the calling code
/// is an <see cref="ArgumentException"/>, an <see cref="InvalidOperationException"/> or an
/// <see cref="ObjectDisposedException"/>; a cancelled call is an <see cref="OperationCanceledException"/>.
/// Compilations, executables and sessions throw nothing else.
/// </remarks>
/// <param name="message">What happened, in the caller's terms.</param>
/// <param name="inner">The cause, if there is one.</param>
public abstract class AccelerateException(string message, Exception? inner = null) : Exception(message, inner);
