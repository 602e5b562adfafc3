// In: an error that the calling code could not have avoided. Out: the one base type by which all of them are caught.
namespace Accelerate;

/// <summary>
/// The base of every error that is no mistake of the calling code. Its subclasses say which: a call that failed
/// (<see cref="ExecutionException"/>), memory that is not there (<see cref="MemoryException"/>), a file that cannot be
/// used (<see cref="DataException"/>), a backend that cannot run here (BackendException), a program that is right and
/// not supported (<see cref="LimitationException"/>), a bug of the compiler (<see cref="InternalErrorException"/>).
/// </summary>
/// <remarks>
/// A mistake in the text of a program is no exception but data: <c>Compilation.Diagnostics</c>. Misuse by the calling
/// code is an <see cref="ArgumentException"/>, an <see cref="InvalidOperationException"/> or an
/// <see cref="ObjectDisposedException"/>; a call that was cancelled is an <see cref="OperationCanceledException"/>. A
/// compilation, an executable and a session throw nothing else.
/// </remarks>
/// <param name="message">What happened, in the caller's terms.</param>
/// <param name="inner">Its cause, where there is one.</param>
public abstract class AccelerateException(string message, Exception? inner = null) : Exception(message, inner);
