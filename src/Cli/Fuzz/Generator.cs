// In: a seed. Out: a well-typed program with its calls, always the same for one seed.
using System.Collections.Immutable;
using System.Globalization;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// Grows a pool of typed values by steps drawn from a table. Each step writes a statement over suitable values, and
/// knows the type of the value it defines and how closely the f64 reference predicts it (<see cref="Grade"/>). Sizes
/// are the compiler's own polynomials, so that the types computed here are compared with the compiler's.
/// </summary>
internal sealed partial class Generator
{
    /// <summary>The maximum number of elements of one value; the interpreters run each of them by definition.</summary>
    private const long MostElements = 20_000;

    private static readonly DType[] Floats = [DType.F32, DType.F32, DType.F16, DType.BF16, DType.F64];

    private static readonly DType[] Integers = [DType.I32, DType.I32, DType.I64, DType.I8, DType.I16, DType.U8,
        DType.U16, DType.U32, DType.U64];

    // Sizes around 16 lanes, half and double of them, and blocks of 4096; also even numbers that are not multiples of
    // four, which leave remainders in loops unrolled by four or eight.
    private static readonly long[] Edges = [7, 8, 10, 14, 15, 16, 17, 22, 31, 32, 33, 63, 64, 65];

    // Sizes at which the compiler chooses another method: columns and rows beyond registers and caches, sums in
    // segments, rows sorted differently.
    private static readonly long[] Large = [47, 48, 49, 96, 127, 128, 129, 255, 256, 257, 300, 512, 513, 1023, 1024, 1025,
        1152, 1153, 1500, 2047, 2048, 2049, 3000, 4095, 4096, 4097];

    private readonly Random random;
    private readonly List<FuzzParameter> parameters = [];
    private readonly List<FuzzState> state = [];
    private readonly List<FuzzStatement> statements = [];
    private readonly List<FuzzValue> pool = [];
    private readonly SortedDictionary<string, long> sizes = new(StringComparer.Ordinal);
    private readonly List<Size> palette = [];
    private readonly HashSet<string> avoided;
    private readonly DType mainFloat;
    private readonly DType mainInteger;
    private int names;

    private Generator(int seed, IReadOnlyCollection<string> avoid)
    {
        random = new Random(seed);
        avoided = [.. avoid];
        (mainFloat, mainInteger) = (Pick(Floats), Pick(Integers));
        Program = Grow(seed).Live();
    }

    public FuzzProgram Program { get; }

    /// <param name="seed">Any number.</param>
    /// <param name="avoid">The names of steps to leave out; `zero` for sizes of 0.</param>
    public static FuzzProgram Make(int seed, IReadOnlyCollection<string>? avoid = null) =>
        new Generator(seed, avoid ?? []).Program;

    /// <summary>The names of all steps, for the coverage table and `--avoid`.</summary>
    public static IEnumerable<string> StepNames => Table.Select(s => s.Name);

    private sealed record Step(string Name, int Weight, Func<Generator, bool> Try);

    private static readonly ImmutableArray<Step> Table =
        [.. ElementwiseSteps, .. MovementSteps, .. ReductionSteps, .. IndexedSteps, .. IndexFormSteps,
            .. ControlSteps, .. LibrarySteps, .. IdiomSteps];

    private FuzzProgram Grow(int seed)
    {
        Dimensions();
        for (var i = random.Next(1, 4); i > 0; i--) Parameter(Pick(mainFloat, mainFloat, mainInteger, AnyType()),
            AnyShape());
        if (random.Next(5) == 0) State();
        var steps = Pick(1, 2, 3, 3, 4, 5, 6, 8, 12);
        // Some programs have scalars only: they are cheap, and have separate code.
        ImmutableArray<Step> table = Chance(10)
            ? [.. Table.Where(s => s.Name is "scalar" or "convert" or "bitcast")] : Table;
        var total = table.Sum(s => s.Weight);
        // A step that finds no suitable values is not counted.
        for (var tries = 0; steps > 0 && tries < 200; tries++)
        {
            var at = random.Next(total);
            var step = table.First(s => (at -= s.Weight) < 0);
            if (avoided.Contains(step.Name)) continue;
            var (before, known) = (statements.Count, pool.Count);
            if (step.Try(this)) steps--;
            else
            {
                statements.RemoveRange(before, statements.Count - before);
                pool.RemoveAll(v => pool.IndexOf(v) >= known && parameters.All(p => p.Value != v));
            }
        }
        if (state.Count > 0) AssignState();
        var made = pool.Where(v => statements.Any(s => s.Defines == v)).ToList();
        if (made.Count == 0) made = pool;
        var results = made.TakeLast(1).Concat(made.OrderBy(_ => random.Next()).Take(random.Next(3))).Distinct();
        var canGradient = state.Count == 0 && parameters.All(p => !p.IsInout)
            && results.Any(r => r.Type.IsFloat) && parameters.Any(p => p.Value.Type.IsFloat);
        return new()
        {
            IsGradient = canGradient && random.Next(5) == 0 && !avoided.Contains("gradient"),
            Seed = seed,
            Parameters = [.. parameters],
            State = [.. state],
            Statements = [.. statements],
            Results = [.. results],
            Sizes = sizes.ToImmutableSortedDictionary(),
            IsPinned = sizes.Count > 0 && random.Next(6) == 0,
            Calls = state.Count > 0 ? random.Next(1, 4) : random.Next(8) == 0 ? 2 : 1,
        };
    }

    /// <summary>Draws a few sizes for all shapes, so that values fit together.</summary>
    private void Dimensions()
    {
        var large = random.Next(10) == 0;
        for (var i = random.Next(2, 5); i > 0; i--)
        {
            long value = random.Next(20) switch
            {
                0 => Zero(),
                1 or 2 => 1,
                < 13 => random.Next(2, 7),
                _ => Pick(Edges),
            };
            if (large && i == 1) value = Pick(Large);
            if (random.Next(2) == 0)
            {
                palette.Add(value);
            }
            else
            {
                var name = new[] { "n", "m", "p", "q" }[sizes.Count];
                sizes[name] = value;
                palette.Add(Size.Variable(name));
            }
        }
    }

    private long Zero() => avoided.Contains("zero") ? 1 : 0;

    private ImmutableArray<Size> AnyShape()
    {
        var rank = Pick(0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5);
        ImmutableArray<Size> shape = [.. Enumerable.Range(0, rank).Select(_ =>
            random.Next(4) == 0 ? Size.Constant(random.Next(1, 5)) : Pick(palette))];
        while (Count(shape) > MostElements) shape = shape.RemoveAt(random.Next(shape.Length));
        return shape;
    }

    private DType AnyType() => random.Next(8) switch
    {
        0 => DType.Bool,
        < 4 => Pick(Integers),
        _ => Pick(Floats),
    };

    private FuzzValue Parameter(DType type, ImmutableArray<Size> shape, string? fill = null)
    {
        var value = new FuzzValue($"x{parameters.Count}", type, shape, Grade.Exact);
        var isInout = fill is null && random.Next(25) == 0;
        parameters.Add(new(value, fill ?? Fill(type), isInout));
        pool.Add(value);
        return value;
    }

    /// <summary>Ordinary numbers, with few equal values, or with few or many special ones.</summary>
    private string Fill(DType type)
    {
        var seed = random.Next(1000);
        // Bytes over their whole range, wider integers beyond the range of bytes: this tests sign changes in
        // conversions, and orders that differ from those of the bits.
        var high = type.IsFloat ? Pick(1, 4, 4, 20) : !Chance(4) ? 9 : type.Bytes() > 1 ? 300 : type.IsSigned ? 127 : 255;
        var low = type.IsSigned ? -high : 0;
        if (type == DType.Bool) return $"random:seed={seed}";
        return random.Next(8) switch
        {
            < 3 => $"random:seed={seed},low={low},high={high}",
            3 => $"random:seed={seed},low={low},high={high},step=1",
            4 => $"mixed:seed={seed},low={low},high={high},every=3",
            5 => $"mixed:seed={seed},low={low},high={high},step=1,every=6",
            _ => $"mixed:seed={seed},low={low},high={high},every=40",
        };
    }

    /// <summary>Integers from <paramref name="low"/> to <paramref name="high"/>.</summary>
    private string Uniform(long low, long high) => $"random:seed={random.Next(1000)},low={low},high={high}";

    private void State()
    {
        for (var i = random.Next(1, 3); i > 0; i--)
        {
            var type = Pick(mainFloat, mainInteger);
            ImmutableArray<Size> shape = [.. AnyShape().Select(s => s.IsConstant ? s : Size.Constant(Value(s)))];
            var value = new FuzzValue($"s{state.Count}", type, shape, Grade.Exact);
            state.Add(new(Pick("param", "buffer"), value, Literal(type)));
            pool.Add(value);
        }
    }

    /// <summary>Assigns each piece of state a new value of its type, if there is one.</summary>
    private void AssignState()
    {
        for (var i = 0; i < state.Count; i++)
        {
            var held = state[i].Value;
            var next = pool.Where(v => v != held && v.Type == held.Type && v.Shape.SequenceEqual(held.Shape)).ToList();
            var (text, grade) = next.Count > 0 && random.Next(3) > 0
                ? (Pick(next) is var v ? $"{held.Name} = {v.Name}" : "", v.Grade)
                : ($"{held.Name} {(held.Type.IsFloat ? "*=" : "+=")} {Literal(held.Type)}", held.Grade);
            statements.Add(new("assign", text, null, [.. pool.Where(p => text.Contains(p.Name)).Select(p => p.Name),
                held.Name]));
            // A call begins with the state that the previous one left, so only the first is compared with the
            // reference.
            state[i] = state[i] with { Value = held with { Grade = grade } };
        }
    }

    // Values.

    private FuzzValue? Find(Func<FuzzValue, bool> fits)
    {
        var fitting = pool.Where(fits).ToList();
        // Late values more often than early ones, so that chains become long.
        return fitting.Count == 0 ? null : fitting[Math.Max(random.Next(fitting.Count), random.Next(fitting.Count))];
    }

    /// <summary>A suitable value, or a new parameter if there is none.</summary>
    private FuzzValue FindOr(DType type, ImmutableArray<Size> shape) =>
        (random.Next(4) > 0 ? Find(v => v.Type == type && v.Shape.SequenceEqual(shape)) : null)
        ?? Parameter(type, shape);

    /// <summary>Defines a variable by an expression.</summary>
    private bool Let(string op, DType type, ImmutableArray<Size> shape, Grade grade, string expression,
        params ReadOnlySpan<FuzzValue> uses)
    {
        var name = Name();
        return Define(op, name, type, shape, grade, $"let {name} = {expression}", uses);
    }

    /// <summary>Defines a variable by any statements.</summary>
    private bool Define(string op, string name, DType type, ImmutableArray<Size> shape, Grade grade, string text,
        params ReadOnlySpan<FuzzValue> uses)
    {
        if (shape.Length > 5 || Count(shape) > MostElements || shape.Any(s => Value(s) < 0)) return false;
        if (avoided.Contains("zero") && shape.Any(s => Value(s) == 0)) return false;
        var value = new FuzzValue(name, type, shape, type.IsFloat || grade == Grade.Loose ? grade : Grade.Exact);
        statements.Add(new(op, text, value, [.. uses.ToArray().Select(u => u.Name)]));
        pool.Add(value);
        return true;
    }

    private string Name() => $"v{names++}";

    /// <summary>
    /// The grade of a function with jumps, such as `floor`: a rounded value may be on either side of one.
    /// </summary>
    private static Grade Jump(params ReadOnlySpan<FuzzValue> values)
    {
        foreach (var v in values) if (v.Grade != Grade.Exact) return Grade.Loose;
        return Grade.Exact;
    }

    private static Grade Worst(params ReadOnlySpan<FuzzValue> values)
    {
        var worst = Grade.Exact;
        foreach (var v in values) if (v.Grade > worst) worst = v.Grade;
        return worst;
    }

    /// <summary>At least Rounded for floats.</summary>
    private static Grade Round(DType type, Grade grade) =>
        type.IsFloat && grade == Grade.Exact ? Grade.Rounded : grade;

    /// <summary>A literal that the dtype represents.</summary>
    private string Literal(DType type)
    {
        if (type == DType.Bool) return Pick("true", "false");
        var whole = random.Next(type.IsSigned ? -3 : 0, 6);
        if (!type.IsFloat) return Text(whole);
        return random.Next(12) switch
        {
            0 => Pick("inf", "-inf", "nan"),
            1 => "-0.0",
            < 5 => Text(whole),
            _ => Text(Math.Round(random.NextDouble() * 8 - 4, 2)),
        };
    }

    /// <summary>An operand of x's dtype that can be combined with it.</summary>
    private (string Text, FuzzValue[] Uses) Operand(FuzzValue x)
    {
        var value = random.Next(6) switch
        {
            0 => null,
            1 => Find(v => v.Type == x.Type && v.Rank == 0),
            2 => Find(v => v.Type == x.Type && v.Rank < x.Rank && v.Shape.SequenceEqual(x.Shape[^v.Rank..])),
            _ => Find(v => v != x && v.Type == x.Type && v.Shape.SequenceEqual(x.Shape)),
        };
        if (value is not null) return (value.Name, [value]);
        if (random.Next(3) == 0)
        {
            value = Parameter(x.Type, random.Next(3) == 0 ? [] : x.Shape);
            return (value.Name, [value]);
        }
        if (random.Next(10) == 0 && x.Type is not (DType.Bool or DType.I8 or DType.U8) && sizes.Count > 0)
            return (Pick([.. sizes.Keys]), []);
        var text = Literal(x.Type);
        return (text.StartsWith('-') ? $"({text})" : text, []);
    }

    private string LiteralOperand(DType type) => Literal(type) is var text && text is ['-', ..] ? $"({text})" : text;

    // Sizes and numbers.

    private long Value(Size size) => size.Evaluate(sizes);

    private long Count(ImmutableArray<Size> shape) => shape.Aggregate(1L, (p, s) => p * Value(s));

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Shape(ImmutableArray<Size> shape) => $"[{string.Join(", ", shape.Select(s => s.Display))}]";

    private T Pick<T>(params IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private bool Chance(int oneIn) => random.Next(oneIn) == 0;
}
