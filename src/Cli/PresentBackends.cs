// In: names of backends that a user gave, or none. Out: those, or all that are on this machine.
namespace Accelerate.Cli;

internal static class PresentBackends
{
    public static IEnumerable<string> All => Executables.Backends.Where(b => Has(b, out _));

    /// <exception cref="CliException">There is no such backend.</exception>
    /// <exception cref="BackendException">What is asked for by name and is not there is not passed over.</exception>
    public static IReadOnlyList<string> Named(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (!Executables.Backends.Contains(name))
                throw CommonOptions.Usage($"there is no backend '{name}'",
                    Nearest.Help(name, Executables.Backends, "backends"));
            if (!Has(name, out var why)) throw new BackendException(why!);
        }
        return [.. names.Distinct()];
    }

    private static bool Has(string backend, out string? why) =>
        Executables.IsAvailable(Enum.Parse<Backend>(backend, ignoreCase: true), out why);
}
