// In: a command line and the exception that ended it. Out: a folder that reproduces it, and the message.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class Reproducer
{
    /// <summary>
    /// Copies the small files named on the command line, the command line itself and the stack
    /// trace.
    /// </summary>
    public static string Write(IReadOnlyList<string> args, Exception exception)
    {
        var headline = $"error[{Codes.CompilerBug}]: compiler bug: {exception.Message}";
        try
        {
            var folder = Directory.CreateTempSubdirectory("accc-bug-").FullName;
            File.WriteAllText(Path.Combine(folder, "command.txt"),
                "accc " + string.Join(' ', args.Select(Quoted)) + "\n");
            File.WriteAllText(Path.Combine(folder, "stack.txt"), exception + "\n");
            foreach (var path in args.Where(IsSource))
                File.Copy(path, Path.Combine(folder, Path.GetFileName(path)), overwrite: true);
            return $"{headline}\n  = help: {folder} has the source, the command line and the stack trace";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{headline}\n{exception}";
        }
    }

    private static bool IsSource(string argument) =>
        (argument.EndsWith(".acc", StringComparison.Ordinal) || argument.EndsWith(".graph", StringComparison.Ordinal))
        && FileStatus.Of(argument) is { Kind: FileKind.Regular };

    public static string Quoted(string argument) =>
        argument.All(c => char.IsLetterOrDigit(c) || "-_./=:@,".Contains(c)) ? argument
            : $"'{argument.Replace("'", "'\\''")}'";
}
