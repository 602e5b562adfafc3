// In: a range of seeds. Out: nothing when every sequence does what the model says, else the first that does not.
using System.Diagnostics;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.OpenCl;

namespace Accelerate.Tests.Runtime.PublicApi;

/// <summary>
/// Random sequences of public calls. They run in processes of their own: what must not happen is a crash, and a test
/// that dies tells nothing. Seed s runs on backend s modulo their number.
/// </summary>
internal static class ApiSequences
{
    private const int Steps = 30;

    public static string[] Backends { get; } =
    [
        .. LlvmLibrary.Available(out _) ? ["llvm 1", "llvm 2"] : Array.Empty<string>(),
        "interpreter 1", "interpreter 2",
        .. OpenClExecutable.Available(out _) ? ["opencl"] : Array.Empty<string>(),
    ];

    /// <summary>Runs a range of seeds in this process; `FIRST COUNT` as the child is told.</summary>
    /// <returns>The exit code.</returns>
    public static int Child(string range)
    {
        var words = range.Split(' ').Select(int.Parse).ToArray();
        var folder = Directory.CreateTempSubdirectory("acc-api-").FullName;
        var failures = 0;
        try
        {
            for (var seed = words[0]; seed < words[0] + words[1]; seed++)
            {
                var backend = Backends[seed % Backends.Length];
                // Before it runs: behind a crash this line says what it was.
                Console.Out.Write($"seed {seed} ({backend})\n");
                Console.Out.Flush();
                using var world = new ApiWorld(seed, backend, folder);
                try
                {
                    world.Run(Steps);
                }
                catch (Exception e)
                {
                    var what = e is ApiDifference ? e.Message : $"{e}";
                    Console.Out.Write($"FAILED seed {seed} ({backend}): {what}\n{world.Steps}\n");
                    if (++failures == 20) return 1;
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return failures == 0 ? 0 : 1;
    }

    /// <summary>
    /// Runs a range of seeds in a child process. Null when all is well; else what failed, or the seed that ended the
    /// process, with its exit code.
    /// </summary>
    public static string? Run(int first, int count)
    {
        using var child = Process.Start(StartupHook.Start(StartupHook.PublicApi, $"{first} {count}"))!;
        var errors = child.StandardError.ReadToEndAsync();
        var text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        var at = text.IndexOf("FAILED", StringComparison.Ordinal);
        if (child.ExitCode == 0 && at < 0) return null;
        if (at >= 0) return text[at..];
        var last = text.TrimEnd().Split('\n')[^1];
        return $"{last}: the process ended with {child.ExitCode}\n{errors.Result}";
    }
}
