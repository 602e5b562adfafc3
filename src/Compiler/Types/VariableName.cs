// The names of a size's variables and their meaning, read and written in one place.
using System.Globalization;

namespace Accelerate.Compiler.Types;

/// <summary>The kind of a variable in a size.</summary>
internal enum VariableKind
{
    /// <summary>A size of the call: a name of the language, which has no dots and no quotes.</summary>
    Size,

    /// <summary>Defined by a step of the driver: a loop's variable, the used extent of an axis.</summary>
    Driver,

    /// <summary>A loop of a kernel, or an index used only in proofs.</summary>
    Loop,

    /// <summary>A value that a kernel has loaded and uses as an index: nothing is known of it.</summary>
    Loaded,
}

/// <summary>
/// A text form has only names, so a name encodes its kind. Only this class parses names; other code asks for the kind.
/// </summary>
internal static class VariableName
{
    /// <summary>
    /// The loaded value with that id, in one of the copies of a statement that are printed side by side.
    /// </summary>
    public static string Loaded(int id, int copy = 0) =>
        copy == 0 ? $"v{id}'" : string.Create(CultureInfo.InvariantCulture, $"v{id}'{copy}");

    /// <summary>A loop of a kernel. The stem consists of letters, and is not the `v` of a loaded value.</summary>
    public static string Loop(string stem, int number) => $"{stem}{number}'";

    /// <summary>A variable that a step of the driver defines.</summary>
    public static string Driver(string stem, int number) => $"{stem}.{number}";

    public static VariableKind KindOf(string name) =>
        LoadedId(name) is not null ? VariableKind.Loaded
        : name.Contains('\'') ? VariableKind.Loop
        : name.Contains('.') ? VariableKind.Driver : VariableKind.Size;

    /// <summary>The id of a loaded value; null for every other name.</summary>
    public static int? LoadedId(string name) =>
        name is ['v', ..] && name.IndexOf('\'') is > 1 and var end
            && int.TryParse(name.AsSpan(1, end - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id : null;

    /// <summary>True for a variable that exists only inside a kernel: its loops, and loaded values.</summary>
    public static bool IsOfKernel(string name) => KindOf(name) is VariableKind.Loop or VariableKind.Loaded;

    /// <summary>True if the size mentions a variable of the kind.</summary>
    public static bool Mentions(this Size size, VariableKind kind) => size.Variables().Any(v => KindOf(v) == kind);
}
