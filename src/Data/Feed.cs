// In: an exported function and files for its parameters. Out: batches of examples by number.
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Data;

/// <summary>How text files are cut into windows.</summary>
/// <param name="Length">The length of a window in bytes; null for the extent in the parameter's type.</param>
/// <param name="Stride">The distance in bytes from one window to the next; null for windows that do not
/// overlap.</param>
public sealed record TextCut(long? Length = null, long? Stride = null);

/// <summary>
/// The data of some parameters of a function. Example i of one parameter belongs to example i of the others.
/// </summary>
public sealed class Feed : IDisposable
{
    private readonly List<Column> columns = [];

    private sealed record Column(TensorSpec Parameter, DataSource Source, long[] Shape);

    private Feed(string entry) => Entry = entry;

    /// <summary>The name of the function.</summary>
    public string Entry { get; }

    /// <summary>The parameters that this feed has data for.</summary>
    internal IEnumerable<string> Parameters => columns.Select(c => c.Parameter.Name);

    /// <summary>The number of examples.</summary>
    public long Count { get; private set; }

    /// <summary>The batch size that the function's types require; null if they leave it open.</summary>
    public long? FixedBatch { get; private set; }

    /// <summary>The number of consecutive examples that share bytes.</summary>
    internal long Overlap => columns.Max(c => c.Source.Overlap);

    /// <summary>Whether the examples are windows of a text.</summary>
    internal bool IsWindows => columns.Any(c => c.Source.IsWindows);

    /// <summary>Opens the files and checks them against the function's types and against each other.</summary>
    /// <param name="entry">The function.</param>
    /// <param name="specs">The files, at least one. The first axis of a parameter is the axis of examples.</param>
    /// <param name="cut">How text files are cut into windows; null for the length that the types give.</param>
    /// <exception cref="DataException">A file cannot be read, does not fit its parameter, or has another number of
    /// examples.</exception>
    /// <exception cref="ArgumentException">A parameter does not exist, has no axis of examples, or is given twice; or
    /// no data are given.</exception>
    public static Feed Open(EntrySpec entry, IReadOnlyList<DataSpec> specs, TextCut? cut = null)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(specs);
        var feed = new Feed(entry.Name);
        try
        {
            foreach (var spec in specs) feed.Add(entry, spec, cut ?? new());
            feed.Check();
            return feed;
        }
        catch
        {
            feed.Dispose();
            throw;
        }
    }

    private void Add(EntrySpec entry, DataSpec spec, TextCut cut)
    {
        var parameter = entry.Inputs.FirstOrDefault(i => i.Name == spec.Parameter)
            ?? throw new ArgumentException($"'{entry.Name}' has no parameter '{spec.Parameter}'; its parameters are "
                + string.Join(", ", entry.Inputs));
        if (columns.Any(c => c.Parameter.Name == spec.Parameter))
            throw new ArgumentException($"the data of '{spec.Parameter}' are given twice");
        if (parameter.Shape.Count == 0)
            throw new ArgumentException($"{parameter} has no axis of examples, and so takes no data");
        if (Extent(parameter.Shape[0]) is { } batch)
        {
            if (FixedBatch is { } other && other != batch)
                throw new ArgumentException($"'{entry.Name}' takes {other} examples of one parameter and {batch} of "
                    + $"{parameter}");
            FixedBatch = batch;
        }
        long?[] wanted = [.. parameter.Shape.Skip(1).Select(Extent)];
        var source = DataFiles.Open(spec.Path, spec.Part,
            new(parameter.Type, wanted) { Window = cut.Length, Stride = cut.Stride });
        try
        {
            columns.Add(new(parameter, source, Fitted(source, wanted) ?? throw new DataException(spec.Path,
                $"an example is {source}, which does not fit {parameter}")));
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static long? Extent(string size) =>
        long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;

    /// <summary>
    /// The shape of an example as the function takes it. It may differ from the file's by axes of 1, and a single axis
    /// matches any axes of the same size: u8[28,28] fits f32[n, 784] and f32[n, 1, 28, 28], but not f32[n, 14, 56].
    /// </summary>
    private static long[]? Fitted(DataSource source, long?[] wanted)
    {
        var shape = source.Shape;
        if (shape.Count == wanted.Length && shape.Zip(wanted).All(p => p.Second is null || p.First == p.Second))
            return [.. shape];
        if (wanted.Any(w => w is null)) return null;
        long[] known = [.. wanted.Select(w => w!.Value)];
        long[] given = [.. shape.Where(n => n != 1)], asked = [.. known.Where(n => n != 1)];
        var isFlat = given.Length <= 1 || asked.Length <= 1;
        return given.SequenceEqual(asked) || (isFlat && Product(given) == Product(asked)) ? known : null;

        static Int128 Product(long[] extents) => extents.Aggregate((Int128)1, (a, n) => a * n);
    }

    private void Check()
    {
        if (columns.Count == 0) throw new ArgumentException($"'{Entry}' is given no data");
        Count = columns.Min(c => c.Source.Count);
        // Between a text and the same text shifted by a byte, one may have one window more.
        var longer = columns.Find(c => c.Source.Count > Count + (columns.All(o => o.Source.IsWindows) ? 1 : 0));
        if (longer is not null)
        {
            var shorter = columns.First(c => c.Source.Count == Count);
            throw new DataException(longer.Source.Name, $"has {longer.Source.Count} examples of "
                + $"{longer.Parameter.Name}, and {shorter.Source.Name} has {Count} of {shorter.Parameter.Name}: they "
                + "belong together, one by one");
        }
        if (Count == 0) throw new DataException(columns[0].Source.Name, "has no examples");
        if (Count > int.MaxValue)
            throw new DataException(columns[0].Source.Name,
                $"has {Count} examples, and {int.MaxValue} at most are read");
    }

    /// <summary>The tensors of a batch by parameter, in newly allocated memory.</summary>
    internal Batch Read(ReadOnlySpan<int> examples)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var (parameter, source, shape) in columns)
            {
                var tensor = Tensor.Uninitialized(parameter.Type, [examples.Length, .. shape]);
                tensors[parameter.Name] = tensor;
                Fill(tensor, source, examples);
            }
            return new Batch(tensors, examples.Length);
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
    }

    private static void Fill(Tensor tensor, DataSource source, ReadOnlySpan<int> examples)
    {
        var bytes = new byte[source.Type == tensor.Type ? 0 : source.ExampleBytes];
        using var flat = tensor.Reshape(examples.Length, tensor.Count / Math.Max(1, examples.Length));
        for (var i = 0; i < examples.Length; i++)
        {
            using var row = flat.Slice(i, i + 1);
            if (source.Type == tensor.Type)
            {
                source.Read(examples[i], row.Bytes);
                continue;
            }
            source.Read(examples[i], bytes);
            if (Conversion.Exact(bytes, source.Type, row.Bytes, tensor.Type) is { } value)
                throw new DataException(source.Name, $"example {examples[i]} of {source.Type.Name()} has {value}, "
                    + $"which is no {tensor.Type.Name()}: declare the parameter as {source.Type.Name()}, and convert "
                    + "in the program");
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        foreach (var column in columns) column.Source.Dispose();
    }
}

/// <summary>The examples of one call.</summary>
/// <param name="Tensors">The tensors by parameter, each of shape [Count, …] and of the parameter's dtype.</param>
/// <param name="Count">The number of examples.</param>
public sealed record Batch(IReadOnlyDictionary<string, Tensor> Tensors, int Count) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }
}
