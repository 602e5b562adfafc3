// In: a subcommand that is designed but not built. Out: a message that says so, exit code 3.
using System.CommandLine;

namespace Accelerate.Cli;

internal static class PlannedCommands
{
    private static readonly (string Name, string Description, string Instead)[] Planned =
    [
        ("build", "Object, C header and manifest ahead of time",
            "accc run compiles in memory and keeps objects in a cache"),
        ("inspect", "Shows what is in a weight file", "accc run --weights names the keys that do not fit"),
        ("quantize", "Makes integer weights", "examples of int8 in .acc do it by hand"),
        ("tune", "Searches for tile sizes", "the tiles are fixed for each target"),
        ("lsp", "Language server", "accc check --diagnostics json gives an editor what it needs"),
        ("serve", "HTTP server", "a Session in an ASP.NET program does it in a few lines"),
    ];

    public static IEnumerable<string> Names => Planned.Select(p => p.Name);

    public static IEnumerable<Command> Make() => Planned.Select(p =>
    {
        var command = new Command(p.Name, p.Description + " (not built yet).") { TreatUnmatchedTokensAsErrors = false };
        command.SetAction(int (_) =>
            throw new CliException($"not supported: accc {p.Name}", p.Instead, ExitCodes.Limitation));
        return command;
    });
}
