// In: names of backends given by the user, or none. Out: those, or all that are available on this machine.
namespace Accelerate.Cli;

internal static class PresentBackends
{
    public static IEnumerable<string> All => Executables.Backends.Where(b => Has(b, out _));

    /// <exception cref="CliException">There is no backend with this name.</exception>
    /// <exception cref="BackendException">A backend requested by name is not available.</exception>
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
