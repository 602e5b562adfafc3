// In: a seed and a number. Out: one hostile input, the same on every machine: files, and what is done with them.
namespace Accelerate.Cli.Hostile;

/// <summary>What stands at a name before the command runs.</summary>
internal abstract record HostileFile(string Name);

internal sealed record RegularFile(string Name, byte[] Bytes) : HostileFile(Name)
{
    public RegularFile(string name, string text) : this(name, System.Text.Encoding.UTF8.GetBytes(text))
    {
    }

    /// <summary>Permission bits; null for those of any new file.</summary>
    public UnixFileMode? Mode { get; init; }
}

internal sealed record FolderFile(string Name) : HostileFile(Name);

internal sealed record LinkFile(string Name, string Target) : HostileFile(Name);

/// <summary>A named pipe at whose other end is nobody.</summary>
internal sealed record PipeFile(string Name) : HostileFile(Name);

/// <summary>A device node of the system's memory devices: 3 null, 5 zero, 7 full. Only root can make one.</summary>
internal sealed record DeviceFile(string Name, int Minor) : HostileFile(Name);

/// <param name="Kind">Which generator made it.</param>
/// <param name="Files">What stands in the current folder.</param>
/// <param name="Command">The command line; empty when <paramref name="Call"/> is what runs.</param>
/// <param name="Call">What runs instead of a command, and gives its exit code.</param>
internal sealed record HostileInput(string Kind, IReadOnlyList<HostileFile> Files, IReadOnlyList<string> Command,
    Func<int>? Call = null)
{
    /// <summary>Names that the command may make or change.</summary>
    public IReadOnlyCollection<string> Written { get; init; } = [];

    /// <summary>Whether the command line itself may be wrong, which is 2.</summary>
    public bool IsCommandWrong { get; init; }

    /// <summary>Whether a command may end so: any way but a bug, and a wrong usage only where it may be one.</summary>
    public bool Allows(int code) => code is ExitCodes.Ok or ExitCodes.UserError or ExitCodes.Limitation
        || (code == ExitCodes.Usage && IsCommandWrong);

    public override string ToString() => Command.Count > 0
        ? "accc " + string.Join(' ', Command.Select(Reproducer.Quoted)) : $"reads a {Kind} text";
}

/// <summary>The kinds of input, by name.</summary>
internal static class HostileInputs
{
    private static readonly (string Kind, Func<Random, Corpus, HostileInput> Make)[] Generators =
    [
        ("acc", HostilePrograms.Make),
        ("graph", HostileTexts.Graph),
        ("kernel", HostileTexts.Kernel),
        ("program", HostileTexts.Program),
        ("case", HostilePrograms.Case),
        ("safetensors", HostileWeights.Make),
        ("npy", HostileData.Npy),
        ("idx", HostileData.Idx),
        ("gz", HostileData.Gzip),
        ("cli", HostileCommandLines.Make),
    ];

    public static IReadOnlyList<string> Kinds { get; } = [.. Generators.Select(g => g.Kind)];

    public static HostileInput Make(IReadOnlyList<string> kinds, long seed, long number, Corpus corpus)
    {
        var kind = kinds[(int)((ulong)number % (ulong)kinds.Count)];
        // Every input has a generator of its own, so that one can be made without those before it.
        var mixed = RandomValues.Mix((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)number);
        return Generators.First(g => g.Kind == kind).Make(new Random((int)(mixed & int.MaxValue)), corpus);
    }
}
