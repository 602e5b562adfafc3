// In: a step of a public call. Out: its value, or an exception of a type that the public documentation names.
namespace Accelerate.Runtime;

/// <summary>
/// The boundary of the public API. An exception of an undocumented type is a bug of the library and is reported as
/// such; a refused allocation becomes a <see cref="MemoryException"/>.
/// </summary>
internal static class Boundary
{
    /// <param name="who">A name of the step: "compiling net.acc", "'predict'".</param>
    /// <param name="action">The step.</param>
    public static T Guard<T>(string who, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (OutOfMemoryException e)
        {
            throw MemoryException.From(who, [], e);
        }
        catch (OverflowException)
        {
            // Sizes are the only numbers computed with overflow checks.
            throw new LimitationException(
                $"not supported: {who}: a size, or a number of elements or bytes, does not fit 64 bits");
        }
        catch (Exception e) when (!IsDocumented(e))
        {
            throw Bug(who, e);
        }
    }

    /// <summary>True for exceptions that callers may receive unchanged.</summary>
    public static bool IsDocumented(Exception e) =>
        e is AccelerateException or ArgumentException or InvalidOperationException or OperationCanceledException;

    /// <summary>The error for an exception that should never occur here.</summary>
    public static InternalErrorException Bug(string who, Exception e) =>
        new($"{who}: {e.GetType().Name}: {e.Message}", e);
}
