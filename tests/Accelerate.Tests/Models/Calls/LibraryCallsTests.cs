// In: calls.txt, where every function of the library is called right and with each size and number one off. Out: what
// torch refuses is refused in the user's terms, and the rest gives torch's values.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models.Calls;

/// <summary>
/// torch_verdicts.py writes calls.txt and says what its lines are. A line that begins with `any` leaves sizes and ints
/// to the call: one program, whose entry checks refuse. `data` is a tensor's element that names no row: no size is
/// wrong, and the call fails when it reads.
/// </summary>
public partial class LibraryCallsTests(ITestOutputHelper output)
{
    private sealed record Line(string What, string Parameters, string Where, string Arguments, string Numbers,
        string Verdict)
    {
        public bool IsAny => What.StartsWith("any", StringComparison.Ordinal);

        public bool Is(string verdict) => Verdict.StartsWith(verdict, StringComparison.Ordinal);
    }

    private sealed record Block(string Name, string Layer, string Call, List<Line> Lines);

    private static readonly string Folder =
        Path.Combine(Shared.Repository, "tests", "Accelerate.Tests", "Models", "Calls");

    private static readonly Lazy<List<Block>> Blocks = new(() =>
    {
        var blocks = new List<Block>();
        foreach (var text in File.ReadLines(Path.Combine(Folder, "calls.txt")))
        {
            var parts = text.Split('\t');
            if (text.StartsWith("== ", StringComparison.Ordinal))
                blocks.Add(new Block(parts[0][3..], parts[1], parts[2], []));
            else
                blocks[^1].Lines.Add(new Line(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]));
        }
        return blocks;
    });

    private static readonly string[] Names = ["activations", "adam", "arrays", "attention", "averages", "conv",
        "descent", "fourier", "images", "init", "linear", "losses", "math", "muon", "names", "nn", "norms", "optim",
        "pool", "random", "recurrent", "resize", "schedules", "windows"];

    public static TheoryData<string> Files => [.. Names];

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryCallOneOffIsRefusedOrRight(string file)
    {
        var mine = Declared(file).ToHashSet();
        var blocks = Blocks.Value.Where(b => mine.Contains(b.Name)).ToList();
        var wrong = new ConcurrentBag<string>();
        var (refused, values) = (0, 0);
        Parallel.ForEach(blocks, block =>
        {
            foreach (var same in block.Lines.GroupBy(l => (l.IsAny, l.Parameters, l.Where, l.Numbers)))
            {
                var program = Program(block, same.First(), [.. same]);
                if (same.Key.IsAny) Any(block, program, [.. same], wrong);
                else Known(block, program, same.Single(), wrong);
                Interlocked.Add(ref refused, same.Count(l => l.Is("refused")));
                Interlocked.Add(ref values, same.Count(l => l.Is("value")));
            }
        });
        output.WriteLine($"{file}: {mine.Count} functions and layers, {refused} calls refused, {values} values");
        Assert.True(wrong.IsEmpty, $"{wrong.Count} differ:\n{string.Join('\n', wrong.Order().Take(200))}");
    }

    /// <summary>A function added to the library is added to calls.py, or stands here with its reason.</summary>
    [Fact]
    public void EveryFunctionIsCalled()
    {
        string[] elsewhere =
        [
            "RelativeBias", // its numbers: Refusals below; its values: positions.acc
            // Modules over state: Refusals below; their steps: tests/cases/optim.
            "SGD", "RMSprop", "Adagrad", "Adam", "AdamW", "Lion", "LAMB", "Adafactor", "Muon", "Ema", "LossScale",
            // Of lists of state: what `keep` and `plain` ask there, and Refusals of a step.
            "matching", "decays", "are_gradients", "is_shape",
            "is_layer", "is_window", // what the layers of conv.acc assert
            "per_axis", "per_side", // what lists of sizes have to be
        ];
        var called = Blocks.Value.Select(b => b.Name).ToHashSet();
        Assert.Empty(Names.SelectMany(Declared).Except(called).Except(elsewhere));
    }

    [Theory]
    [InlineData("RelativeBias(2, buckets: 3)", "1 buckets reach 128")]
    [InlineData("RelativeBias(-1)", "-1 heads")]
    [InlineData("RelativeBias(2, reach: 8)", "16 buckets reach 8")]
    [InlineData("SGD(net.params, momentum: -0.5)", "and not -0.5")]
    [InlineData("SGD(net.params, momentum: 0.9, dampening: 1.5)", "from 0 to 1, and not 1.5")]
    [InlineData("SGD(net.params, nesterov: true)", "nesterov needs a momentum and no dampening, and not 0")]
    [InlineData("SGD(net.params, decay: -0.1)", "and not -0.1")]
    [InlineData("RMSprop(net.params, alpha: 1.0)", "below 1, and not 1")]
    [InlineData("RMSprop(net.params, momentum: -0.5)", "and not -0.5")]
    [InlineData("Adagrad(net.params, rate_decay: -0.5)", "and not 0 and -0.5")]
    [InlineData("Adam(net.params, b2: 1.0)", "and not 0.9 and 1")]
    [InlineData("Lion(net.params, decay: -0.1)", "and not -0.1")]
    [InlineData("LAMB(net.params, eps: -0.5)", "and not -0.5 and 0")]
    [InlineData("LAMB([])", "at least one piece of state")]
    [InlineData("Adafactor(net.params, power: 0.0)", "above 0, and not 0")]
    [InlineData("Adafactor(net.params, limit: 0.0)", "above 0, and not 0")]
    [InlineData("Muon(net.params, momentum: 1.0)", "below 1, and not 1")]
    [InlineData("Muon(net.params, b1: 1.0)", "and not 1.0 and 0.95")]
    [InlineData("Ema(net.params, decay: 1.0)", "below 1, and not 1")]
    [InlineData("LossScale(start: 0)", "by more than 0, and not by 0")]
    [InlineData("LossScale(every: 0)", "at least 1 step, and not after 0")]
    [InlineData("AdamW(net.params, b1: 1.0)", "and not 1.0 and 0.999")]
    [InlineData("AdamW(net.params, b2: -0.1)", "and not 0.9 and -0.1")]
    [InlineData("AdamW(net.params, eps: -1e-8)", "and not -1E-08 and 0.01")]
    [InlineData("AdamW(net.params, decay: -0.1)", "and not 1E-08 and -0.1")]
    public void Refusals(string made, string says)
    {
        var text = $"use nn\nuse optim\nmodule M {{\n    let net = Linear(2, 2)\n    let l = {made}\n"
            + "    export fn f(x: f32[2]) -> f32[2] = net(x)\n}";
        var found = Assert.Single(Errors(text));
        Assert.Contains(says, found.Headline, StringComparison.Ordinal);
        Assert.Equal(5, found.Span.Line);
    }

    /// <summary>A gradient of another shape that would be stretched, and one too few.</summary>
    [Theory]
    [InlineData("SGD(net.params)", "0 * net.bias, 0 * net.bias",
        "gradient 0 that `SGD.step` is given is f32[2], and the state weight is f32[2,2]")]
    [InlineData("Lion(net.params)", "net.bias[0], net.bias",
        "gradient 0 that `Lion.step` is given is a scalar f32, and the state weight is f32[2,2]")]
    [InlineData("AdamW(net.params)", "0 * net.weight", "`AdamW.step` is given 1 gradient for 2 pieces of state")]
    public void RefusalsOfAStep(string made, string gradients, string says)
    {
        var text = $"use nn\nuse optim\nmodule M {{\n    let net = Linear(2, 2)\n    let l = {made}\n"
            + $"    export fn f() -> f32 {{\n        l.step([{gradients}], 0.1)\n        return 1\n    }}\n}}";
        var found = Assert.Single(Errors(text));
        Assert.Equal(says, found.Headline);
        Assert.Equal(7, found.Span.Line);
    }

    /// <summary>
    /// The values of f32 within what the dtype rounds: inputs are multiples of 1/16, which all of them hold.
    /// </summary>
    [Theory]
    [InlineData("f64", 1e-4)]
    [InlineData("f16", 0.02)]
    [InlineData("bf16", 0.12)]
    public void AGenericFunctionTakesEveryFloat(string dtype, double near)
    {
        var wrong = new ConcurrentBag<string>();
        var library = string.Concat(Names.Select(Text));
        var tried = 0;
        Parallel.ForEach(Blocks.Value.Where(b => b.Layer.Length == 0), block =>
        {
            var line = block.Lines[0];
            // Generic in what it takes, and not only in what it is told to give.
            var isGeneric = Regex.IsMatch(library, $@"^(?:composite )?fn {block.Name}\([^)]*\b[A-Z]\[", RegexOptions.Multiline);
            if (!isGeneric || !line.Parameters.Contains("f32[", StringComparison.Ordinal)) return;
            Interlocked.Increment(ref tried);
            var typed = line with
            {
                What = $"of {dtype}",
                Parameters = line.Parameters.Replace("f32[", $"{dtype}["),
                Arguments = line.Arguments.Replace(":f32[", $":{dtype}[").Replace(":unit[", $":unit.{dtype}["),
            };
            Known(block, Program(block with { Call = block.Call.Replace("f32(", $"{dtype}(") }, typed, [line]), typed,
                wrong, near);
        });
        output.WriteLine($"{dtype}: {tried} functions");
        Assert.True(tried > 70, $"{tried} functions");
        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Order()));
    }

    private static string Text(string file) => File.ReadAllText(Directory.GetFiles(Path.Combine(Shared.Repository,
        "src", "Compiler", "Library"), $"{file}.acc", SearchOption.AllDirectories).Single());

    private static IEnumerable<string> Declared(string file) =>
        Name().Matches(Text(file)).Select(m => m.Groups[1].Value);

    /// <summary>
    /// The digest of torch_verdicts.py in the language, and the sizes of the result. A layer's call stands in its
    /// module.
    /// </summary>
    private static string Program(Block block, Line line, List<Line> same)
    {
        var rank = same.Select(l => Shape(l.Verdict).Length).Max();
        var numbers = line.Numbers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => n.Split('='))
            .ToDictionary(n => n[0], n => n[1]);
        string Filled(string text) => numbers.Aggregate(text, (t, n) => t.Replace($"{{{n.Key}}}", n.Value));
        var sizes = string.Concat(Enumerable.Range(0, rank).Select(d => $", i64(size(y, axis: {d}))"));
        var types = rank == 0 ? "f64" : $"(f64{string.Concat(Enumerable.Repeat(", i64", rank))})";
        var where = line.Where.Length == 0 ? "" : $" where {line.Where}";
        var function = $$"""
            export fn f({{line.Parameters}}) -> {{types}}{{where}} {
                let y = {{Filled(block.Call)}}
                let flat = f64(reshape(y, [size(y)]))
                let z = min(max(select(flat != flat, 777, flat), -1e4), 1e4)
                return sum[i](z[i] * (1 + i % 7)){{sizes}}
            }
            """;
        return "use nn\nuse optim\n" + (block.Layer.Length == 0 ? function
            : $"module M {{\nlet l = {Filled(block.Layer)}\n{function}\n}}");
    }

    private static List<Diagnostic> Errors(string program)
    {
        var bag = new DiagnosticBag();
        Binder.Bind(new SourceText("t.acc", program), new BindOptions(), bag);
        return [.. bag.Sorted()];
    }

    private static void Known(Block block, string program, Line line, ConcurrentBag<string> wrong, double near = 1e-4)
    {
        var bag = new DiagnosticBag();
        var bound = Binder.Bind(new SourceText("t.acc", program), new BindOptions(), bag);
        var error = bag.Sorted().FirstOrDefault();
        if (error is not null)
        {
            Refused(block, line, error.Headline, error.Span, wrong);
            return;
        }
        try
        {
            var types = bound!.State.ToDictionary(s => s.Path, s => s.Type);
            var results = GraphInterpreter.Run(bound.Entries[0], Inputs(line), path => ReferenceValue.Of(
                Tensor.Zeros(types[path].DType, [.. types[path].Shape.Select(d => d.Value)])),
                new Dictionary<string, long>(), new InterpreterOptions
                {
                    Clamped = (_, _) => throw new ReferenceException("an index was out of range"),
                });
            Given(block, line, results, wrong, near);
        }
        catch (ReferenceException e)
        {
            Refused(block, line, e.Message, null, wrong);
        }
    }

    private static void Any(Block block, string program, List<Line> lines, ConcurrentBag<string> wrong)
    {
        var compilation = Compilation.FromSource(new SourceText("t.acc", program));
        if (!compilation.Diagnostics.IsEmpty)
        {
            wrong.Add($"{block.Name} any: {PrettyRenderer.Render([compilation.Diagnostics[0]])}");
            return;
        }
        using var kernels = Executables.Create("interpreter", compilation);
        foreach (var line in lines)
        {
            var sizes = line.Arguments.Split(' ').Where(a => a.Contains('=')).Select(a => a.Split('='))
                .ToDictionary(a => a[0], a => long.Parse(a[1], CultureInfo.InvariantCulture));
            using var session = kernels.CreateSession();
            try
            {
                var results = session.Run("f", [.. Inputs(line).Select(Tensors.Of)], sizes);
                Given(block, line, [.. results.Select(ReferenceValue.Of)], wrong);
            }
            catch (ExecutionException e)
            {
                Refused(block, line, e.Message, null, wrong);
            }
        }
    }

    private static void Given(Block block, Line line, IReadOnlyList<ReferenceValue> results,
        ConcurrentBag<string> wrong, double near = 1e-4)
    {
        if (!line.Is("value"))
        {
            wrong.Add($"{block.Name} {line.What}: a value, and torch refuses");
            return;
        }
        if (!line.Verdict.Contains(';')) return;
        if (results.Count - 1 != Shape(line.Verdict).Length)
            throw new InvalidOperationException($"{block.Name}: calls of one program have results of unlike ranks");
        var shape = results.Skip(1).Select(r => r.Integers[0]).ToArray();
        if (!shape.SequenceEqual(Shape(line.Verdict)))
            wrong.Add($"{block.Name} {line.What}: [{string.Join(", ", shape)}], and torch says {line.Verdict}");
        var expected = Verdict().Match(line.Verdict).Groups["sum"].Value;
        if (expected == "_") return;
        var sum = double.Parse(expected, CultureInfo.InvariantCulture);
        if (!(Math.Abs(results[0].Values[0] - sum) <= near * (1 + Math.Abs(sum))))
            wrong.Add($"{block.Name} {line.What}: digest {results[0].Values[0]:R}, torch's {sum:R}");
    }

    private static void Refused(Block block, Line line, string message, Span? place, ConcurrentBag<string> wrong)
    {
        var what = $"{block.Name} {line.What}: {message}";
        if (line.Is("data") && message.Contains("an index was out of range", StringComparison.Ordinal)) return;
        if (!line.Is("refused")) wrong.Add($"{what} | torch: {line.Verdict}");
        else if (!Understandable().IsMatch(message)
            && !(line.Where.Length > 0 && message.StartsWith($"'f': {line.Where}: ", StringComparison.Ordinal)))
            wrong.Add($"{what} | is not in the caller's terms");
        else if (place is { } p && p.Source.Path != "t.acc") wrong.Add($"{what} | is reported at {p}");
    }

    private static long[] Shape(string verdict) => [.. Verdict().Match(verdict).Groups["shape"].Value
        .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(s => long.Parse(s, CultureInfo.InvariantCulture))];

    /// <summary>`x:f32[2,3] ids:i32[4]`, filled as torch_verdicts.py fills them.</summary>
    private static ReferenceValue[] Inputs(Line line) =>
        [.. line.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(a => !a.Contains('='))
            .Select((a, salt) => Filled(Argument().Match(a), salt))];

    private static ReferenceValue Filled(Match m, int salt)
    {
        long[] shape = [.. m.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(s => long.Parse(s, CultureInfo.InvariantCulture))];
        var places = Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b));
        var kind = m.Groups["kind"].Value.Split('.');
        var dtype = DTypeNames.TryParse(kind[^1], out var named) ? named : DType.F32;
        return kind[0] switch
        {
            "i32" => ReferenceValue.Of(DType.I32, shape, [.. places.Select(i => (long)((i + salt) % 3))]),
            "unit" => ReferenceValue.Of(dtype, shape, [.. places.Select(i => ((i * 7 + salt) % 11 + 1) / 16.0)]),
            _ => ReferenceValue.Of(dtype, shape, [.. places.Select(i => ((i * 7 + 3 * salt) % 11 - 5) / 4.0)]),
        };
    }

    [GeneratedRegex(@"^(?:fn|module) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Name();

    [GeneratedRegex(@"^\w+:(?<kind>[\w.]+)\[(?<shape>[\d,]*)\]$")]
    private static partial Regex Argument();

    [GeneratedRegex(@"^value (?<shape>[\d,]*); (?<sum>\S+)")]
    private static partial Regex Verdict();

    // What a function needs, what a layer was made with, or arguments that do not fit a parameter's type.
    [GeneratedRegex(@"needs |assert failed: |stands where |there is no axis | but .* wants | does not fit "
        + @"|: a size is at least 0|^a size of state is at least 0|, elsewhere \[|^.f. wants |: the size \w+ is -1$")]
    private static partial Regex Understandable();
}
