// In: a file and why it cannot be used. Out: the one error type of reading and writing files.
namespace Accelerate;

/// <summary>A file is missing or malformed, cannot be read or written, or does not fit its use.</summary>
/// <param name="path">The file, as the caller named it.</param>
/// <param name="message">The reason.</param>
/// <param name="inner">The operating system's error, if there is one.</param>
public sealed class DataException(string path, string message, Exception? inner = null)
    : AccelerateException($"{(path.Length > 0 ? path : "''")}: {message}", inner)
{
    /// <summary>The file, as the caller named it.</summary>
    public string Path { get; } = path;

    /// <summary>Runs <paramref name="action"/> and turns the operating system's errors into data errors.</summary>
    internal static T Guard<T>(string path, Func<T> action)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            return action();
        }
        catch (OutOfMemoryException e)
        {
            throw MemoryException.From(path, [], e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException(path, "no such file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new DataException(path, e.Message, e);
        }
    }
}
