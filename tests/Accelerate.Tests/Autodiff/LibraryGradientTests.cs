// Every function of the library that takes and gives floats: its gradient against central differences, at the sizes that
// calls.txt calls it with.
using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Autodiff;

public sealed partial class LibraryGradientTests(ITestOutputHelper output)
{
    private sealed record CallLine(string Name, string Layer, string Call, string What, string Parameters,
        string Arguments, string Numbers);

    /// <summary>The calls that have a value in torch too; layers call these functions.</summary>
    private static IEnumerable<CallLine> Calls()
    {
        var block = Array.Empty<string>();
        foreach (var text in File.ReadLines(Path.Combine(Shared.Repository, "tests", "Accelerate.Tests", "Models",
            "Calls", "calls.txt")))
        {
            var parts = text.Split('\t');
            if (parts[0].StartsWith("== ", StringComparison.Ordinal)) block = parts;
            else if (parts[5].StartsWith("value", StringComparison.Ordinal) && parts[2].Length == 0
                && !parts[0].StartsWith("any", StringComparison.Ordinal))
                yield return new(block[0][3..], block[1], block[2], parts[0], parts[1], parts[3], parts[4]);
        }
    }

    [GeneratedRegex(@"(?<name>\w+):(?<kind>\w+)\[(?<shape>[\d,]*)\]")]
    private static partial Regex Argument();

    [GeneratedRegex(@"(?<name>\w+): (?<type>\w+(\[[^\]]*\])?)")]
    private static partial Regex Parameter();

    private static string? Program(CallLine line)
    {
        var parameters = Parameter().Matches(line.Parameters);
        var floats = parameters.Where(p => p.Groups["type"].Value.StartsWith("f32", StringComparison.Ordinal)).ToList();
        if (floats.Count == 0) return null;
        var numbers = line.Numbers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => n.Split('='))
            .ToDictionary(n => n[0], n => n[1]);
        string Filled(string text) => numbers.Aggregate(text, (t, n) => t.Replace($"{{{n.Key}}}", n.Value));
        var names = string.Join(", ", parameters.Select(p => p.Groups["name"].Value));
        var wanted = string.Join(", ", floats.Select(p => p.Groups["name"].Value));
        var results = floats.Count == 1 ? floats[0].Groups["type"].Value : "("
            + string.Join(", ", floats.Select(p => $"d{p.Groups["name"].Value}: {p.Groups["type"].Value}")) + ")";
        var tangents = string.Concat(floats.Select(p => $", t{p.Groups["name"].Value}: {p.Groups["type"].Value}"));
        var along = string.Concat(floats.Select(p => $", t{p.Groups["name"].Value}"));
        var body = $$"""
            fn loss({{line.Parameters}}) -> f32 {
                let y = {{Filled(line.Call)}}
                let flat = min(max(f32(reshape(y, [size(y)])), -1e4), 1e4)
                return sum[i](flat[i] * cos(1 + 3 * f32(i)))
            }
            export fn l({{line.Parameters}}) -> f32 = loss({{names}})
            export fn g({{line.Parameters}}) -> {{results}} = grad(loss, wrt: {{(floats.Count == 1 ? wanted : $"[{wanted}]")}})({{names}})
            export fn t({{line.Parameters}}{{tangents}}) -> f32 = jvp(loss, wrt: [{{wanted}}])({{names}}{{along}})
            """;
        return "use nn\nuse optim\n" + body;
    }

    /// <summary>Values between those where functions have kinks, and no two equal.</summary>
    private static ReferenceValue[] Inputs(CallLine line) => [.. Argument().Matches(line.Arguments).Select((m, salt) =>
    {
        long[] shape = [.. m.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
        return m.Groups["kind"].Value switch
        {
            "i32" => GradientCheck.Varied(DType.I32, shape, salt, 0, 0),
            "unit" => GradientCheck.Varied(DType.F32, shape, salt + 1, 0.1, 0.85),
            _ => line.Name switch
            {
                "acos" or "asin" or "atanh" => GradientCheck.Varied(DType.F32, shape, salt + 1, -0.9, 0.9),
                "acosh" or "log2" or "log10" or "kl_div" => GradientCheck.Varied(DType.F32, shape, salt + 1, 1.1, 2.5),
                _ => GradientCheck.Varied(DType.F32, shape, salt + 1, -1.21, 1.32),
            },
        };
    })];

    [Fact]
    public void CentralDifferencesAgree()
    {
        var wrong = new ConcurrentBag<string>();
        var undefined = new ConcurrentBag<string>();
        var names = new ConcurrentDictionary<string, int>();
        // The base, and one size off for one in three: all sizes of a function have one text.
        var lines = Calls().Where(c => c.Layer.Length == 0).GroupBy(c => c.Name)
            .SelectMany(g => g.Where((c, i) => i == 0 || i % 3 == 1)).ToList();
        Parallel.ForEach(lines, line =>
        {
            if (Program(line) is not { } program) return;
            var what = $"{line.Name} {line.What}";
            try
            {
                var check = new GradientCheck(program);
                if (check.Errors.Count > 0)
                {
                    wrong.Add($"{what}: {PrettyRenderer.Render([check.Errors[0]])}");
                    return;
                }
                var inputs = Inputs(line);
                if (inputs.All(x => x.Count == 0) || inputs.Sum(x => x.Count) > 400) return;
                if (!double.IsFinite(check.Run("l", inputs)[0].Values[0]))
                {
                    undefined.Add(what);
                    return;
                }
                foreach (var text in check.Gradient(inputs, 3e-6).Concat(check.Tangent(inputs, 3e-6)).Take(3))
                    wrong.Add($"{what}: {text}");
                names.AddOrUpdate(line.Name, 1, (_, n) => n + 1);
            }
            catch (ReferenceException e)
            {
                wrong.Add($"{what}: {e.Message}");
            }
        });
        output.WriteLine($"{names.Count} functions, {names.Values.Sum()} calls");
        Assert.True(wrong.IsEmpty, $"{wrong.Count} differ:\n{string.Join('\n', wrong.Order().Take(60))}");
        // A variance below the epsilon that is taken away: no value, and no gradient.
        Assert.All(undefined, what => Assert.EndsWith("eps=-0.5", what, StringComparison.Ordinal));
        Assert.True(names.Count > 140, $"{names.Count} functions: {string.Join(' ', names.Keys.Order())}");
    }
}
