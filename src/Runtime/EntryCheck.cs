// In: an entry's signature and the tensors of a call. Out: the value of every size variable, or an entry-check error.
namespace Accelerate.Runtime;

/// <summary>
/// Binds size variables where a name stands alone on an axis, then checks every axis against its size expression.
/// </summary>
internal static class EntryCheck
{
    /// <param name="entry">The signature.</param>
    /// <param name="inputs">The tensors of the call, in the order of the signature.</param>
    /// <param name="given">Sizes given by name: the program's `int` parameters.</param>
    public static Dictionary<string, long> Bind(
        EntrySpec entry, ReadOnlySpan<Tensor> inputs, IReadOnlyDictionary<string, long>? given = null)
    {
        if (inputs.Length != entry.Inputs.Count)
        {
            throw Fail($"'{entry.Name}' takes {entry.Inputs.Count} inputs, not {inputs.Length}");
        }
        string? unknown = given?.Keys.FirstOrDefault(name => !entry.Sizes.Contains(name));
        if (unknown is not null)
        {
            throw Fail($"'{entry.Name}' has no size '{unknown}'");
        }
        string? negative = given?.Keys.FirstOrDefault(name => given[name] < 0);
        if (negative is not null)
        {
            throw Fail($"'{entry.Name}': the size {negative} is {given![negative]}");
        }
        var sizes = new Dictionary<string, long>(given ?? new Dictionary<string, long>(), StringComparer.Ordinal);
        for (int i = 0; i < inputs.Length; i++)
        {
            TensorSpec spec = entry.Inputs[i];
            if (inputs[i].Type != spec.Type || inputs[i].Rank != spec.Shape.Count)
            {
                throw Mismatch(entry, spec, inputs[i], "");
            }
            if (spec.IsInout && inputs[i].IsReadOnly)
            {
                throw Fail($"'{entry.Name}' writes {spec.Name}, and the tensor given for it is read-only");
            }
            for (int axis = 0; axis < spec.Shape.Count; axis++)
            {
                if (entry.Sizes.Contains(spec.Shape[axis]))
                {
                    sizes.TryAdd(spec.Shape[axis], inputs[i].Shape[axis]);
                }
            }
        }
        string? unbound = entry.Sizes.FirstOrDefault(name => !sizes.ContainsKey(name));
        if (unbound is not null)
        {
            throw Fail($"'{entry.Name}': the size {unbound} has no value: it stands alone on no input axis");
        }
        for (int i = 0; i < inputs.Length; i++)
        {
            for (int axis = 0; axis < inputs[i].Rank; axis++)
            {
                string size = entry.Inputs[i].Shape[axis];
                long expected = Evaluate(entry, size, sizes);
                if (inputs[i].Shape[axis] != expected)
                {
                    string reason = long.TryParse(size, out _) ? "" : $", where {size} is {expected}";
                    throw Mismatch(entry, entry.Inputs[i], inputs[i], $"{reason} (axis {axis})");
                }
            }
        }
        return sizes;
    }

    private static long Evaluate(EntrySpec entry, string size, Dictionary<string, long> sizes)
    {
        try
        {
            return new SizeText<long, SizeValues>(size, 0, new SizeValues(sizes)).All();
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw Fail($"'{entry.Name}': the size {size} has no value here: {e.Message}");
        }
    }

    private static ExecutionException Mismatch(EntrySpec entry, TensorSpec spec, Tensor given, string why) => Fail(
        $"'{entry.Name}' wants {spec}, not {Tensor.DescribeShape(given.Type, given.Shape)}{why}");

    private static ExecutionException Fail(string message) => new(ExecutionCode.EntryCheck, message);
}
