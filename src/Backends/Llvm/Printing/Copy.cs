// One of several iterations of a loop that are printed side by side: its position, and its values.
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Iterations of a parallel or vector loop are independent: printed alternately statement by statement, they share
/// loads, and their chains of additions run concurrently.
/// </summary>
internal sealed class Copy(Copy? outer, int number)
{
    private readonly Dictionary<int, Operand> values = [];
    private readonly Dictionary<string, Size> places = [];

    /// <summary>Distinguishes the names of its index values from those of the others.</summary>
    public int Number { get; } = number;

    /// <summary>The copy's own value with that number, or the common one.</summary>
    public Operand Of(int value) => values.TryGetValue(value, out var here) ? here
        : outer?.Of(value) ?? throw new InvalidOperationException($"the value %{value} is not defined");

    public void Bind(int value, Operand operand) => values[value] = operand;

    /// <summary>The meaning of a name in an index here; null for itself.</summary>
    public Size? Place(string name) => places.TryGetValue(name, out var place) ? place : outer?.Place(name);

    public void Place(string name, Size place) => places[name] = place;
}
