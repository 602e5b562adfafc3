// In: this machine and process. Out: the facts that a figure depends on: CPU, cores, memory, versions, and their hash.
using System.Diagnostics;
using System.Globalization;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Accelerate.Backends.Llvm;
using Accelerate.Bench.Records;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <param name="Cpu">The model as the system names it.</param>
/// <param name="Cores">The number of logical processors this process may use.</param>
/// <param name="RamBytes">The machine's memory.</param>
/// <param name="Fingerprint">Equal on machines whose figures may be compared: a hash of model, features and
/// cores.</param>
/// <param name="Dotnet">The runtime's version.</param>
/// <param name="Llvm">libLLVM's version; null if it is absent.</param>
/// <param name="Commit">git's name of the commit that was built; null outside a repository.</param>
internal sealed record Machine(
    string Cpu, int Cores, long RamBytes, string Fingerprint, string Dotnet, string? Llvm, string? Commit)
{
    private static readonly Lazy<Machine> LazyThis = new(Detect);

    /// <summary>Determined once a process.</summary>
    public static Machine This => LazyThis.Value;

    /// <summary>CPU model, cores, memory: "AMD EPYC 9R14, 2 cores, 7.6 GiB".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Cpu}, {Cores} core{(Cores == 1 ? "" : "s")}, {RamBytes / (double)(1L << 30):F1} GiB");

    /// <summary>The record of the machine for the store.</summary>
    public HardwareRecord Hardware() => new(Fingerprint, "cpu", Cpu, Cores, RamBytes,
        Features().Split(' ', StringSplitOptions.RemoveEmptyEntries),
        new[] { ("L1", 0), ("L2", 2), ("L3", 3) }.Select(l => (l.Item1, Bytes: MachineLimits.CacheBytes(l.Item2, 0)))
            .Where(l => l.Bytes > 0).ToDictionary(l => l.Item1, l => l.Bytes));

    /// <summary>
    /// The record of the software for the store. The build is a hash of the assemblies' module ids, which the compiler
    /// derives from the sources: a commit that changes none of them is the same build.
    /// </summary>
    public EnvironmentRecord Environment() =>
        Environment(Commit, Sources.Select(t => t.Assembly.ManifestModule.ModuleVersionId));

    /// <summary>The same record of another build of accc.</summary>
    /// <param name="assembly">Its accc.dll.</param>
    /// <exception cref="FormatException">There is no such build.</exception>
    public EnvironmentRecord Environment(string assembly)
    {
        var folder = Path.GetDirectoryName(assembly)!;
        var files = Sources.Select(t => Path.Combine(folder, t.Assembly.GetName().Name + ".dll"));
        return Environment(Describe(folder), [.. files.Select(Id)]);

        static Guid Id(string file)
        {
            try
            {
                using var stream = File.OpenRead(file);
                using var reader = new PEReader(stream);
                var metadata = reader.GetMetadataReader();
                return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
            }
            catch (Exception e) when (e is IOException or BadImageFormatException or InvalidOperationException)
            {
                throw new FormatException($"{file} is no part of a build of accc: {e.Message}");
            }
        }
    }

    /// <summary>One type of each assembly that figures depend on.</summary>
    private static readonly Type[] Sources = [typeof(Tensor), typeof(Program), typeof(LlvmBackend), typeof(Machine)];

    private EnvironmentRecord Environment(string? commit, IEnumerable<Guid> ids)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', ids)));
        return new(RuntimeInformation.OSDescription, Dotnet, Llvm, commit, Convert.ToHexStringLower(hash.AsSpan(0, 6)));
    }

    private static string Features() =>
        string.Join(' ', (Field("/proc/cpuinfo", "flags") ?? "").Split(' ').Order(StringComparer.Ordinal));

    private static Machine Detect()
    {
        var cpu = Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        var features = Features();
        var cores = System.Environment.ProcessorCount;
        var memory = Field("/proc/meminfo", "MemTotal")?.Split(' ')[0];
        var ram = long.TryParse(memory, NumberStyles.None, CultureInfo.InvariantCulture, out var kib)
            ? kib << 10 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{cpu}\n{features}\n{cores}"));
        return new(cpu, cores, ram, Convert.ToHexStringLower(hash.AsSpan(0, 8)), System.Environment.Version.ToString(),
            LlvmBackend.Available(out _) ? LlvmBackend.Version : null, Describe(AppContext.BaseDirectory));
    }

    private static string? Field(string file, string name)
    {
        if (!File.Exists(file)) return null;
        var line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string? Describe(string folder)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", folder, "describe", "--always", "--dirty"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var text = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 && text.Length > 0 ? text : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no git here; a record without a commit is still valid
        }
    }
}
