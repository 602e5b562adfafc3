// In: this machine. Out: what accc runs on and with, and why something is missing.
using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class EnvCommand
{
    public static Command Make(Terminal terminal)
    {
        var command = new Command("env", "Says what this machine offers: CPU, LLVM, OpenCL, cache.");
        command.SetAction(_ =>
        {
            foreach (var (name, value) in Lines()) terminal.Output.Write($"{name,-12} {value}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static IEnumerable<(string Name, string Value)> Lines()
    {
        var version = typeof(EnvCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>();
        yield return ("accc", version?.InformationalVersion ?? "unknown");
        yield return (".NET", $"{Environment.Version} ({RuntimeInformation.RuntimeIdentifier})");
        yield return ("system", RuntimeInformation.OSDescription);
        yield return ("cpu", CpuName() ?? "unknown");
        yield return ("threads", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
        if (LlvmBackend.Available(out var reason))
        {
            yield return ("llvm", $"{LlvmBackend.Version} from {LlvmBackend.LoadedFrom}");
            var host = LlvmBackend.Host(out var why);
            yield return ("target", host is null ? why : $"{host.Cpu}, {host.VectorBits}-bit vectors");
            if (host is not null)
                yield return ("features", string.Join(' ', host.Features));
            yield return ("targets", string.Join(' ', LlvmBackend.Targets));
        }
        else
        {
            yield return ("llvm", reason);
        }
        if (OpenClLibrary.Available(out reason))
            foreach (var device in OpenClLibrary.Require())
                yield return ("opencl", $"{device.Name} ({device.Version})" + (device.HasF64 ? "" : ", no f64"));
        else
            yield return ("opencl", reason);
        yield return ("cache", Cache());
    }

    private static string? CpuName()
    {
        const string Info = "/proc/cpuinfo";
        if (!File.Exists(Info)) return null;
        var line = File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string Cache()
    {
        if (DiskCache.FolderFrom(Environment.GetEnvironmentVariable) is not { } folder)
            return "none: HOME is not set, or the cache is off";
        if (!Directory.Exists(folder)) return $"{folder} (empty)";
        if (DiskCache.FromEnvironment(out var refusal) is null) return $"off: {refusal}";
        try
        {
            var files = new DirectoryInfo(folder).GetFiles();
            return string.Create(CultureInfo.InvariantCulture,
                $"{folder} ({files.Length} files, {files.Sum(f => f.Length) / 1024.0 / 1024:0.0} MiB)");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{folder}: {e.Message}";
        }
    }
}
