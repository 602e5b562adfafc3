// In: a program, sizes, a seed. Out: a case: inputs and state for calls, the same on every backend.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>
/// The work that is timed: one function with one set of sizes, with the same tensors for every backend.
/// </summary>
/// <param name="File">The function's file, as the user wrote it.</param>
/// <param name="Program">The function.</param>
/// <param name="Sizes">The value of each of its sizes.</param>
/// <param name="Inputs">Its inputs, in order; the case owns them.</param>
/// <param name="State">Its parameters and buffers, by label; the case owns them.</param>
internal sealed record BenchCase(string File, Program Program, IReadOnlyDictionary<string, long> Sizes,
    IReadOnlyList<Tensor> Inputs, IReadOnlyDictionary<string, Tensor> State) : IDisposable
{
    /// <summary>The sizes as text, in the program's order: "n=32 m=10".</summary>
    public string Text => string.Join(' ', Program.Sizes.Select(s => $"{s}={Sizes[s]}"));

    /// <summary>
    /// The first float type among inputs and results, taken as the type of the arithmetic; otherwise the first result's
    /// type.
    /// </summary>
    public DType DType => Program.Buffers
        .Where(b => b.Kind is BufferKind.Input or BufferKind.Output).Select(b => b.Type.DType)
        .OrderBy(t => t.IsFloat ? 0 : 1).FirstOrDefault(DType.F32);

    /// <summary>
    /// Float inputs are uniform in [-1, 1), integers in [0, integers), bools random. State that is not given: float
    /// parameters are uniform with the deviation that preserves a layer's scale, float buffers in [0.5, 1.5) because
    /// variances are positive, all others 0.
    /// </summary>
    /// <param name="given">State by label, which is copied; of the program's types.</param>
    /// <param name="integers">The exclusive upper bound of integer inputs, because indices, labels and tokens must be
    /// in range.</param>
    /// <exception cref="ArgumentException">A size has no value, or is not a size of the function.</exception>
    public static BenchCase Random(string file, Program program, IReadOnlyDictionary<string, long> sizes, int seed,
        IReadOnlyDictionary<string, Tensor>? given = null, int integers = 10)
    {
        if (SizeError(program, sizes) is { } error) throw new ArgumentException(error);
        var random = new Random(seed);
        Tensor[] inputs = [.. program.Of(BufferKind.Input).Select(b => b.Type.DType switch
        {
            { IsFloat: true } => Uniform(b, sizes, random, -1, 1),
            DType.Bool => Whole(b, sizes, random, 2),
            _ => Whole(b, sizes, random, integers),
        })];
        var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var b in program.State)
        {
            state[b.Label] = given?.GetValueOrDefault(b.Label) is { } tensor ? tensor.Clone()
                : !b.Type.DType.IsFloat ? Tensor.Zeros(b.Type.DType, Shape(b, sizes))
                : b.Kind == BufferKind.Buffer ? Uniform(b, sizes, random, 0.5, 1.5)
                : Parameter(b, sizes, random);
        }
        return new BenchCase(file, program, sizes, inputs, state);
    }

    /// <summary>The error in those sizes for that function; null if there is none.</summary>
    public static string? SizeError(Program program, IReadOnlyDictionary<string, long> sizes)
    {
        var missing = program.Sizes.Where(s => !sizes.ContainsKey(s)).ToList();
        if (missing.Count > 0)
            return $"'{program.Name}' needs a value for {string.Join(", ", missing)}: write {missing[0]}=32";
        var known = program.Sizes.IsEmpty ? "none" : string.Join(", ", program.Sizes);
        return sizes.Keys.FirstOrDefault(s => !program.Sizes.Contains(s)) is { } extra
            ? $"'{program.Name}' has no size {extra}; it has {known}" : null;
    }

    public void Dispose()
    {
        foreach (var tensor in Inputs.Concat(State.Values)) tensor.Dispose();
    }

    private static Tensor Parameter(ProgramBuffer buffer, IReadOnlyDictionary<string, long> sizes, Random random)
    {
        var shape = Shape(buffer, sizes);
        // A uniform value of ±√(3 / fan in) has the variance 1 / fan in: sums over the fan in preserve the scale of
        // their terms.
        var fan = shape.Skip(1).Aggregate(1L, (product, extent) => product * extent);
        var bound = Math.Sqrt(3.0 / Math.Max(fan, 1));
        return Uniform(buffer, sizes, random, -bound, bound);
    }

    private static Tensor Uniform(
        ProgramBuffer buffer, IReadOnlyDictionary<string, long> sizes, Random random, double low, double high) =>
        Fill(buffer, sizes, () => low + random.NextDouble() * (high - low));

    private static Tensor Whole(ProgramBuffer buffer, IReadOnlyDictionary<string, long> sizes, Random random,
        int above) =>
        Fill(buffer, sizes, () => random.Next(above));

    private static Tensor Fill(ProgramBuffer buffer, IReadOnlyDictionary<string, long> sizes, Func<double> next)
    {
        var shape = Shape(buffer, sizes);
        var values = new double[shape.Aggregate(1L, (product, extent) => product * extent)];
        for (var i = 0; i < values.Length; i++) values[i] = next();
        return Tensor.FromDoubles(buffer.Type.DType, values, shape);
    }

    private static long[] Shape(ProgramBuffer buffer, IReadOnlyDictionary<string, long> sizes) =>
        [.. buffer.Type.Shape.Select(s => s.Evaluate(sizes))];
}
