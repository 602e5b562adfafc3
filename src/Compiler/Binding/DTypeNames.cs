// In: a name. Out: the dtype it names, if any.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal static class DTypeNames
{
    private static readonly Dictionary<string, DType> Table = Enum.GetValues<DType>().ToDictionary(d => d.Name());

    public static IEnumerable<string> All => Table.Keys;

    public static bool TryParse(string name, out DType dtype) => Table.TryGetValue(name, out dtype);
}
