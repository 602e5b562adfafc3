// In: a target's name, or this machine. Out: triple, CPU, features, and the resulting vector properties.
using System.Runtime.InteropServices;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// A target of code generation. <paramref name="Triple"/>, <paramref name="Cpu"/> and <paramref name="Features"/> go to
/// LLVM unchanged and are part of the cache key; <paramref name="Name"/> is the user's name for it.
/// </summary>
internal sealed record LlvmTarget(string Name, string Triple, string Cpu, string Features)
{
    private const string LinuxX64 = "x86_64-unknown-linux-gnu";

    // LLVM tunes x86-64-v4 and several Intel parts for 256-bit registers; our explicit vectors use all 512 bits.
    private const string FullWidth = "-prefer-256-bit";

    // The psABI's levels in LLVM's names of features, so that a named target can be compared with a host.
    private static readonly string[] V1 = ["cmov", "cx8", "fxsr", "mmx", "sse", "sse2"];
    private static readonly string[] V2 = [.. V1, "cx16", "sahf", "popcnt", "sse3", "ssse3", "sse4.1", "sse4.2"];
    private static readonly string[] V3 =
        [.. V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"];
    private static readonly string[] V4 = [.. V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

    private static readonly Lazy<LlvmTarget> LazyHost = new(DetectHost);
    private IReadOnlySet<string>? featureSet;

    /// <summary>The names accepted by <see cref="Parse"/>, widest first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["host", "x86-64-v4", "x86-64-v3", "x86-64"];

    /// <summary>This machine's CPU with its exact features.</summary>
    public static LlvmTarget Host => LazyHost.Value;

    /// <summary>AVX-512 F, BW, CD, DQ, VL in full-width registers.</summary>
    public static LlvmTarget X64V4 { get; } = new("x86-64-v4", LinuxX64, "x86-64-v4", FullWidth);

    /// <summary>AVX2 and FMA.</summary>
    public static LlvmTarget X64V3 { get; } = new("x86-64-v3", LinuxX64, "x86-64-v3", "");

    /// <summary>SSE2, which every x86-64 has.</summary>
    public static LlvmTarget X64 { get; } = new("x86-64", LinuxX64, "x86-64", "");

    /// <summary>The target with a name; otherwise an error that lists the names.</summary>
    public static LlvmTarget Parse(string name) => name switch
    {
        "host" => Host,
        "x86-64-v4" => X64V4,
        "x86-64-v3" => X64V3,
        "x86-64" => X64,
        _ => throw new LlvmException($"unknown target `{name}`; the targets are {string.Join(", ", Names)}"),
    };

    /// <summary>The width of the widest vector register, in bits; 0 for a target other than x86-64.</summary>
    public int VectorBits => !IsX64 ? 0 : Has("avx512f") ? 512 : Has("avx2") ? 256 : 128;

    /// <summary>True if the target has a fused multiply-add instruction.</summary>
    public bool HasFma => !IsX64 || Has("fma");

    /// <summary>True if the target has a feature, by LLVM's name: avx512bf16, avx512vnni, f16c …</summary>
    public bool Has(string feature) => FeatureSet.Contains(feature);

    /// <summary>True if code for this target runs on this machine: the same system, and all its features.</summary>
    public bool CanRunHere =>
        Triple == LinuxX64 && HostIsSupported && FeatureSet.IsSubsetOf(Host.FeatureSet);

    private bool IsX64 => Triple.StartsWith("x86_64", StringComparison.Ordinal);

    private static bool HostIsSupported =>
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private IReadOnlySet<string> FeatureSet => featureSet ??= Resolve(Cpu, Features);

    /// <summary>Equality of what code generation sees; the lazily filled feature set does not count.</summary>
    public bool Equals(LlvmTarget? other) => other is not null
        && (Name, Triple, Cpu, Features) == (other.Name, other.Triple, other.Cpu, other.Features);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Triple, Cpu, Features);

    /// <summary>A CPU of the levels above implies its features; any other (a host) lists all of them.</summary>
    private static HashSet<string> Resolve(string cpu, string features)
    {
        HashSet<string> set = [.. cpu switch { "x86-64-v4" => V4, "x86-64-v3" => V3, "x86-64-v2" => V2, _ => V1 }];
        foreach (var item in features.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (item[0] == '+')
                set.Add(item[1..]);
            else
                set.Remove(item[1..]);
        }

        return set;
    }

    private static unsafe LlvmTarget DetectHost()
    {
        LlvmLibrary.Require();
        if (!HostIsSupported)
            throw new LlvmException("code runs on x86-64 Linux only; name a target to generate code for it");
        var cpu = LlvmText.Take(LlvmC.LLVMGetHostCPUName());
        // The list keeps signs, because a virtual machine may hide features that its CPU's name implies. Sorted, so
        // that the cache key does not depend on the order of a hash map inside LLVM.
        var features = LlvmText.Take(LlvmC.LLVMGetHostCPUFeatures())
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .OrderBy(f => f[1..], StringComparer.Ordinal);
        return new LlvmTarget("host", LinuxX64, cpu, string.Join(',', features.Append(FullWidth)));
    }
}
