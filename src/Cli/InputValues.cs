// In: `name=VALUE` arguments and an entry's program. Out: its input tensors, in order.
using System.Globalization;
using Accelerate.Backends;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// Files and literals first, because they bind size variables; then `zeros`, `ones` and `random`, which need the sizes.
/// </summary>
internal sealed class InputValues
{
    public const string Help = """
        name=VALUE for every parameter, where VALUE is
          @file.npy, @file.idx, @file.gz   a data file; one of another dtype is converted if every value stays
                                           exact, so u8 images may be given for f32 or i32
          zeros, ones                      filled; n=4 gives the size n where no file does, or an int parameter
          random:seed=1,low=0,high=9       floats in [-1, 1), integers from 0 to 9, unless low and high say else;
                                           step=1: of low, low + 1, … high
          mixed:seed=1,every=4             the same, with zeros of both signs, subnormals, infinities, NaN and the
                                           dtype's extremes in one of 4 places
          3.5  true  [1, 2]  [[1], [2]]    a literal
        """;

    private readonly Program program;
    private readonly long? memory;
    private readonly IReadOnlyDictionary<string, long>? fixedSizes;
    private readonly string entry;
    private readonly HashSet<string> variables;
    private readonly ProgramBuffer[] parameters;
    private readonly Dictionary<string, long> sizes = [];
    private readonly Dictionary<string, Tensor> tensors = [];

    /// <param name="program">The program to call.</param>
    /// <param name="memory">The maximum bytes of a call; null for the machine's memory.</param>
    /// <param name="fixedSizes">The sizes that `--dim` has made constants: their names do not occur in the
    /// program.</param>
    public InputValues(Program program, long? memory = null, IReadOnlyDictionary<string, long>? fixedSizes = null)
    {
        (this.program, this.memory, this.fixedSizes) = (program, memory, fixedSizes);
        entry = program.Name;
        variables = [.. program.Sizes];
        parameters = [.. program.Of(BufferKind.Input)];
    }

    /// <summary>All sizes of the program, once the inputs are read.</summary>
    public IReadOnlyDictionary<string, long> Sizes => sizes;

    /// <exception cref="CliException">A value is missing, malformed, or of another dtype or rank.</exception>
    public Tensor[] Read(IReadOnlyList<string> arguments)
    {
        var texts = Texts(arguments);
        foreach (var p in parameters)
            if (!texts.ContainsKey(p.Label)) throw Missing(p);
        foreach (var p in parameters)
        {
            var text = texts[p.Label];
            if (text.StartsWith('@')) tensors[p.Label] = FromFile(text[1..], p);
            else if (!IsFill(text)) tensors[p.Label] = FromLiteral(text, p);
        }
        // Before anything is filled; missing sizes are reported below.
        if (variables.All(sizes.ContainsKey))
            MemoryException.ThrowIfBeyond($"'{entry}'", ProgramMemory.Of(program, sizes), memory);
        foreach (var p in parameters)
            if (!tensors.ContainsKey(p.Label)) tensors[p.Label] = Filled(texts[p.Label], p);
        if (variables.FirstOrDefault(v => !sizes.ContainsKey(v)) is { } open)
            throw new CliException($"'{entry}' needs a value for {open}: int", $"add {open}=4, or another number");
        return [.. parameters.Select(p => tensors[p.Label])];
    }

    private static string Signature(ProgramBuffer p) => $"{p.Label}: {p.Type}";

    public static bool IsFill(string text) =>
        text is "zeros" or "ones" or "random" or "mixed" || text.StartsWith("random:", StringComparison.Ordinal)
        || text.StartsWith("mixed:", StringComparison.Ordinal);

    /// <summary>The text of each parameter; values of size variables are stored as sizes.</summary>
    private Dictionary<string, string> Texts(IReadOnlyList<string> arguments)
    {
        var texts = new Dictionary<string, string>();
        foreach (var argument in arguments)
        {
            var at = argument.IndexOf('=');
            if (at <= 0)
            {
                if (Cut(arguments, argument) is { } whole)
                    throw CommonOptions.Usage($"the value of {whole[..whole.IndexOf('=')]} is cut at its blanks, "
                        + $"before '{argument}'", $"quote it: {Quoted(whole)}");
                throw CommonOptions.Usage($"'{argument}' is not name=VALUE",
                    parameters.Length == 0 ? $"'{entry}' has no parameters" : (parameters.FirstOrDefault(p =>
                        !arguments.Any(a => a.StartsWith(p.Label + "=", StringComparison.Ordinal))) ?? parameters[0])
                            .Label is var open && (IsFill(argument) || argument.StartsWith('['))
                        ? $"write {Quoted($"{open}={argument}")}" : $"for example {open}=zeros");
            }
            var (name, value) = (argument[..at], argument[(at + 1)..]);
            if (parameters.Any(p => p.Label == name))
            {
                if (!texts.TryAdd(name, value)) throw CommonOptions.Usage($"'{name}' is given twice");
            }
            else if (variables.Contains(name))
            {
                if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                    throw new CliException($"{argument}: a size is a whole number, 0 or more",
                        $"for example {name}=4");
                if (!sizes.TryAdd(name, size)) throw CommonOptions.Usage($"'{name}' is given twice");
            }
            else if (fixedSizes?.TryGetValue(name, out var constant) ?? false)
            {
                if (value != $"{constant}")
                    throw CommonOptions.Usage($"{argument}: --dim fixes {name} to {constant}", "leave one of them out");
            }
            else
            {
                throw new CliException($"'{entry}' has no parameter or size '{name}'",
                    name is "seed" or "low" or "high" or "step" or "every"
                        ? "it belongs to what is drawn: "
                            + $"{parameters.FirstOrDefault()?.Label ?? "x"}=random:{name}={value}"
                    : Nearest.Help(name, parameters.Select(p => p.Label).Concat(variables), "parameters and sizes"));
            }
        }
        return texts;
    }

    /// <summary>The literal that a shell has cut at its blanks, `x=[[1,` `2]]`, as it was meant.</summary>
    private static string? Cut(IReadOnlyList<string> arguments, string part)
    {
        var first = arguments.TakeWhile(a => a != part).Select((a, i) => (a, i))
            .LastOrDefault(p => p.a.Contains("=[", StringComparison.Ordinal));
        if (first.a is null || Depth(first.a) <= 0) return null;
        var whole = first.a;
        foreach (var next in arguments.Skip(first.i + 1).TakeWhile(_ => Depth(whole) > 0)) whole += " " + next;
        return whole;

        static int Depth(string text) => text.Count(c => c == '[') - text.Count(c => c == ']');
    }

    /// <summary>As a shell gives it on in one piece.</summary>
    private static string Quoted(string argument) => !argument.Contains(' ', StringComparison.Ordinal) ? argument
        : $"{argument[..(argument.IndexOf('=') + 1)]}'{argument[(argument.IndexOf('=') + 1)..]}'";

    private CliException Missing(ProgramBuffer p) =>
        new($"'{entry}' needs a value for {Signature(p)}",
            $"{p.Label}=@file.npy, {p.Label}=zeros, {p.Label}=random:seed=1 or a literal");

    private Tensor FromFile(string path, ProgramBuffer p)
    {
        var tensor = Loaded(path, p);
        Bind(tensor, p);
        return tensor.Type == p.Type.DType ? tensor : Exact(tensor, path, p);
    }

    private Tensor Loaded(string path, ProgramBuffer p)
    {
        try
        {
            return TensorFile.Load(path, memory);
        }
        catch (DataException) when (ForeignFiles.Of(path) is { Name: not "a NumPy array" } kind)
        {
            throw new CliException($"{p.Label}=@{path}: this is {kind.Name}, and data are read from .npy and IDX files",
                kind.Array is { } help ? ForeignFiles.For(help, path) : "in Python: numpy.save(\"x.npy\", x)");
        }
    }

    /// <summary>The same values in the declared dtype, if it represents all of them.</summary>
    private static Tensor Exact(Tensor tensor, string path, ProgramBuffer p)
    {
        var type = p.Type.DType;
        var name = type.Name();
        return LargeValues.Convert(tensor, type, (value, back) =>
        {
            // A double cannot represent every 64-bit integer.
            var isWide = tensor.Type is DType.I64 or DType.U64 && Math.Abs(value) > 1L << 53;
            if (isWide || !back.Equals(value))
                throw new CliException(string.Create(CultureInfo.InvariantCulture,
                    $"{path} holds {tensor.Type.Name()}, but {Signature(p)} is wanted and {value} is no {name}"),
                    $"convert the file, in NumPy with x.astype(numpy.{NumPyName(type)})");
        });
    }

    private static string NumPyName(DType type) => type switch
    {
        DType.Bool => "bool_",
        DType.BF16 => "float32",
        _ when type.IsFloat => $"float{8 * type.Bytes()}",
        _ => $"{(type.IsSigned ? "int" : "uint")}{8 * type.Bytes()}",
    };

    private Tensor FromLiteral(string text, ProgramBuffer p)
    {
        try
        {
            var tensor = Literals.Parse(text, p.Type.DType);
            Bind(tensor, p);
            return tensor;
        }
        catch (FormatException e)
        {
            throw new CliException($"{p.Label}={text}: {e.Message}",
                File.Exists(text) || ForeignFiles.Named(text) is not null ? $"a file is given by `@`: {p.Label}=@{text}"
                    : $"{Signature(p)} takes @file.npy, zeros, ones, random:seed=1, or a literal such as "
                        + $"{Example(p.Type)}");
        }
    }

    private static string Example(TensorType type)
    {
        var number = type.DType == DType.Bool ? "true" : type.DType.IsFloat ? "0.5" : "1";
        var items = type.Rank == 0 ? number : $"{number}, {number}";
        return new string('[', type.Rank) + items + new string(']', type.Rank);
    }

    /// <summary>Takes the sizes that stand alone on an axis; the session checks the whole shape.</summary>
    private void Bind(Tensor tensor, ProgramBuffer p)
    {
        if (tensor.Rank != p.Type.Rank)
        {
            var shape = string.Join(",", tensor.Shape.ToArray());
            throw new CliException($"{Signature(p)} has {Quantity.Of(p.Type.Rank, "axis")}, the value is [{shape}]",
                $"a literal of that type is {Example(p.Type)}"
                    + (tensor.Rank + 1 == p.Type.Rank ? "; of an array x in NumPy, x[None] has an axis more" : ""));
        }
        for (var axis = 0; axis < tensor.Rank; axis++)
        {
            if (p.Type.Shape[axis].Terms is not [{ Coefficient: 1, Atoms: [VariableAtom variable] }]) continue;
            var (name, extent) = (variable.Name, tensor.Shape[axis]);
            if (!sizes.TryAdd(name, extent) && sizes[name] != extent)
                throw new CliException(
                    $"the size {name} is {sizes[name]}, but axis {axis} of {Signature(p)} is {extent}");
        }
    }

    private Tensor Filled(string text, ProgramBuffer p)
    {
        var unknown = p.Type.Shape.SelectMany(s => s.Variables()).Distinct().Where(v => !sizes.ContainsKey(v)).ToList();
        if (unknown.Count > 0)
            throw new CliException($"{p.Label}={text} needs the size{(unknown.Count > 1 ? "s" : "")} "
                + $"{string.Join(" and ", unknown)} of {Signature(p)}",
                $"add {string.Join(' ', unknown.Select(v => v + "=4"))}, or {(unknown.Count > 1 ? "other numbers"
                    : "another number")}");
        var shape = p.Type.Shape.Select(s => s.Evaluate(sizes)).ToArray();
        try
        {
            if (text is not ("zeros" or "ones"))
                return RandomValues.Make(text, p.Label, p.Type.DType, shape);
            return text == "zeros" ? Tensor.Zeros(p.Type.DType, shape)
                : LargeValues.Make(p.Type.DType, shape, _ => 1);
        }
        catch (ArgumentException e)
        {
            throw new CliException($"{p.Label}={text}: {e.Message}");
        }
    }
}
