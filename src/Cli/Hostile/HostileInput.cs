// In: a seed and a number. Out: one hostile input, the same on every machine: files, and a command that uses them.
namespace Accelerate.Cli.Hostile;

/// <summary>A file that exists before the command runs.</summary>
internal abstract record HostileFile(string Name);

internal sealed record RegularFile(string Name, byte[] Bytes) : HostileFile(Name)
{
    public RegularFile(string name, string text) : this(name, System.Text.Encoding.UTF8.GetBytes(text))
    {
    }

    /// <summary>The permission bits; null for the default.</summary>
    public UnixFileMode? Mode { get; init; }
}

internal sealed record FolderFile(string Name) : HostileFile(Name);

internal sealed record LinkFile(string Name, string Target) : HostileFile(Name);

/// <summary>A named pipe without anybody at its other end.</summary>
internal sealed record PipeFile(string Name) : HostileFile(Name);

/// <summary>A device node of the system's memory devices: 3 null, 5 zero, 7 full. Only root can make one.</summary>
internal sealed record DeviceFile(string Name, int Minor) : HostileFile(Name);

/// <param name="Kind">The generator that made it.</param>
/// <param name="Files">The files in the current folder.</param>
/// <param name="Command">The command line; empty if <paramref name="Call"/> runs instead.</param>
/// <param name="Call">A function to run instead of a command; it returns the exit code.</param>
internal sealed record HostileInput(string Kind, IReadOnlyList<HostileFile> Files, IReadOnlyList<string> Command,
    Func<int>? Call = null)
{
    /// <summary>Names that the command may create or change.</summary>
    public IReadOnlyCollection<string> Written { get; init; } = [];

    /// <summary>Whether the command line itself may be wrong (exit code 2).</summary>
    public bool IsCommandWrong { get; init; }

    /// <summary>
    /// Whether this exit code is acceptable: any but a bug, and wrong usage only if the command line may be wrong.
    /// </summary>
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
        // Every input has its own random generator, so that one can be made without its predecessors.
        var mixed = RandomValues.Mix((ulong)seed * 0x9E3779B97F4A7C15 + (ulong)number);
        return Generators.First(g => g.Kind == kind).Make(new Random((int)(mixed & int.MaxValue)), corpus);
    }
}
