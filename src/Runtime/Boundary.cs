// In: a step of a public call. Out: its value, or an exception of a type that the public documentation names.
namespace Accelerate.Runtime;

/// <summary>
/// The public surface of the library. An exception whose type the documentation does not name is a bug of ours, and the
/// caller is told so; a refused allocation is a <see cref="MemoryException"/>.
/// </summary>
internal static class Boundary
{
    /// <param name="who">The step: "compiling net.acc", "'predict'".</param>
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
            // Sizes are the only numbers that are computed checked.
            throw new LimitationException(
                $"not supported: {who}: a size, or a number of elements or bytes, does not fit 64 bits");
        }
        catch (Exception e) when (!IsDocumented(e))
        {
            throw Bug(who, e);
        }
    }

    /// <summary>True for what a caller may be given as it is.</summary>
    public static bool IsDocumented(Exception e) =>
        e is AccelerateException or ArgumentException or InvalidOperationException or OperationCanceledException;

    /// <summary>The error for an exception that nothing here should have led to.</summary>
    public static InternalErrorException Bug(string who, Exception e) =>
        new($"{who}: {e.GetType().Name}: {e.Message}", e);
}
