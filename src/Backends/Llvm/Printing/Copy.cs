// One of several iterations of a loop that are printed side by side: where it stands, and the values it has there.
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Iterations of a parallel or vector loop do not depend on each other: printed statement by statement in turns, they
/// share what they load, and their chains of additions run at once.
/// </summary>
internal sealed class Copy(Copy? outer, int number)
{
    private readonly Dictionary<int, Operand> values = [];
    private readonly Dictionary<string, Size> places = [];

    /// <summary>Distinguishes the names of its index values from those of the others.</summary>
    public int Number { get; } = number;

    /// <summary>The value with that number here, or where the copies part.</summary>
    public Operand Of(int value) => values.TryGetValue(value, out var here) ? here
        : outer?.Of(value) ?? throw new InvalidOperationException($"the value %{value} is not defined");

    public void Bind(int value, Operand operand) => values[value] = operand;

    /// <summary>What a name in an index stands for here; null for itself.</summary>
    public Size? Place(string name) => places.TryGetValue(name, out var place) ? place : outer?.Place(name);

    public void Place(string name, Size place) => places[name] = place;
}
