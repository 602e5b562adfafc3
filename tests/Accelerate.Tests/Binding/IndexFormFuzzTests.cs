// Random index forms over small tensors come in; the graph's values are those of the definition: for each element the
// body, evaluated by loops that know nothing of views, gathers or dots.
using System.Globalization;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class IndexFormFuzzTests
{
    /// <summary>An integer or a number as the language writes it, and what it is for values of the indices.</summary>
    private sealed record Term(string Text, Func<int[], double> At);

    [Theory]
    [InlineData(1, 150)]
    [InlineData(2, 150)]
    [InlineData(3, 150)]
    [InlineData(4, 150)]
    public void TheGraphGivesTheDefinition(int seed, int rounds)
    {
        for (var round = 0; round < rounds; round++)
            Check(new Random(seed * 10007 + round), $"seed {seed}, round {round}");
    }

    private static void Check(Random random, string where)
    {
        var symbolic = random.Next(2) == 0;
        var names = new[] { "i", "j", "k", "l" }[..random.Next(1, 5)];
        var extents = names.Select(_ => random.Next(1, 5)).ToArray();
        var reduced = random.Next(2) == 0 ? random.Next(0, names.Length) : 0;
        var kind = new[] { "sum", "max", "min", "prod", "mean" }[random.Next(5)];
        var inputs = new List<ReferenceValue>();
        var parameters = new List<string>();
        string Extent(int index) => symbolic ? $"e{index}" : $"{extents[index]}";

        Term Read(int depth)
        {
            var rank = random.Next(1, 4);
            var shape = Enumerable.Range(0, rank).Select(_ => random.Next(1, 6)).ToArray();
            var subscripts = new Term[rank];
            var guards = new List<Term>();
            for (var axis = 0; axis < rank; axis++)
            {
                var s = Subscript(depth);
                var values = All(extents).Select(i => (int)s.At(i)).ToList();
                if (values.Min() < 0 || values.Max() >= shape[axis])
                {
                    var size = shape[axis];
                    if (random.Next(3) == 0)
                        guards.Add(
                            new($"{s.Text} >= 0 and {s.Text} < {size}", i => s.At(i) >= 0 && s.At(i) < size ? 1 : 0));
                    else if (values.Min() >= 0 && random.Next(2) == 0) shape[axis] = values.Max() + 1;
                    else s = new($"({s.Text}) % {size}", Mod(s, size));
                }
                subscripts[axis] = s;
            }
            var name = $"x{inputs.Count}";
            var data = Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ => (double)random.Next(-3, 4))
                .ToArray();
            parameters.Add($"{name}: f32[{string.Join(", ", shape)}]");
            inputs.Add(ReferenceValue.Of(DType.F32, [.. shape.Select(x => (long)x)], data));
            var final = (int[])shape.Clone();
            double At(int[] i)
            {
                var at = 0;
                for (var axis = 0; axis < rank; axis++) at = at * final[axis] + (int)subscripts[axis].At(i);
                return data[at];
            }
            var text = $"{name}[{string.Join(", ", subscripts.Select(s => s.Text))}]";
            return guards.Count == 0 ? new(text, At)
                : new($"(if {string.Join(" and ", guards.Select(g => g.Text))} {{ {text} }} else {{ -2 }})",
                    i => guards.All(g => g.At(i) == 1) ? At(i) : -2);
        }

        Term Subscript(int depth)
        {
            var a = random.Next(names.Length);
            var plain = new Term(names[a], i => i[a]);
            switch (random.Next(depth > 0 ? 9 : 8))
            {
                case 0 or 1 or 2:
                    return plain;
                case 3:
                    var c = random.Next(0, 4);
                    return new($"{c}", _ => c);
                case 4:
                    var (p, q, r, b) =
                        (random.Next(1, 4), random.Next(-2, 4), random.Next(0, 3), random.Next(names.Length));
                    return new($"{p} * {names[a]} + {q} * {names[b]} + {r}", i => p * i[a] + q * i[b] + r);
                case 5:
                    var d = random.Next(1, 4);
                    return random.Next(2) == 0 ? new($"{names[a]} // {d}", i => i[a] / d)
                        : new($"{names[a]} % {d}", i => i[a] % d);
                case 6:
                    var e = extents[a];
                    return new($"{Extent(a)} - 1 - {names[a]}", i => e - 1 - i[a]);
                case 7:
                    var m = random.Next(0, 4);
                    return random.Next(2) == 0 ? new($"min({names[a]}, {m})", i => Math.Min(i[a], m))
                        : new($"max({names[a]} - {m}, 0)", i => Math.Max(i[a] - m, 0));
                default:
                    var id = $"x{inputs.Count}";
                    var values = Enumerable.Range(0, extents[a]).Select(_ => (long)random.Next(0, 4)).ToArray();
                    parameters.Add($"{id}: i32[{Extent(a)}]");
                    inputs.Add(ReferenceValue.Of(DType.I32, [values.Length], values));
                    return new($"{id}[{names[a]}]", i => values[i[a]]);
            }
        }

        static Func<int[], double> Mod(Term s, int size) => i => (((int)s.At(i) % size) + size) % size;

        // A product of two reads under a sum is a dot; more, and sums, are not.
        var body = Read(1);
        for (var more = random.Next(3); more > 0; more--)
        {
            var (left, right) = (body, Read(1));
            var op = random.Next(3) == 0 ? "+" : "*";
            body = new($"{left.Text} {op} {right.Text}", op == "+" ? i => left.At(i) + right.At(i)
                : i => left.At(i) * right.At(i));
            if (op == "+") body = body with { Text = $"({body.Text})" };
        }
        var outer = names.Length - reduced;
        string Indices(IEnumerable<int> which) => string.Join(", ", which.Select(n => $"{names[n]} < {Extent(n)}"));
        var element = reduced == 0 ? body.Text : $"{kind}[{Indices(Enumerable.Range(outer, reduced))}]({body.Text})";
        if (symbolic) parameters.AddRange(extents.Select((_, e) => $"e{e}: int"));
        var text =
            $"export fn f({string.Join(", ", parameters)}) = [{Indices(Enumerable.Range(0, outer))}] => {element}";

        var expected = All(extents[..outer]).Select(i =>
        {
            var terms = All(extents[outer..]).Select(r => body.At([.. i, .. r])).ToList();
            return reduced == 0 ? terms[0] : kind switch
            {
                "sum" => terms.Sum(),
                "mean" => terms.Average(),
                "max" => terms.Max(),
                "min" => terms.Min(),
                _ => terms.Aggregate(1.0, (x, y) => x * y),
            };
        }).ToList();
        double[] actual;
        try
        {
            var result =
                GraphInterpreter.Run(Bound.Function(text), inputs, _ => throw new InvalidOperationException("no state"),
                symbolic ? extents.Select((e, n) => (n, e)).ToDictionary(p => $"e{p.n}", p => (long)p.e) : new())[0];
            // A body that meets no tensor is a number, and the form i32.
            actual = result.DType == DType.F32 ? [.. result.Values] : [.. result.Integers.Select(v => (double)v)];
        }
        catch (Exception e)
        {
            throw new Xunit.Sdk.XunitException($"{where}: {text}\n{string.Join(", ", extents)}\n{e}");
        }
        Assert.True(expected.Count == actual.Length
            && expected.Zip(actual).All(p => Math.Abs(p.First - p.Second) <= 1e-6 * Math.Max(1, Math.Abs(p.First))),
            string.Create(CultureInfo.InvariantCulture,
                $"{where}: {text}\nextents {string.Join(", ", extents)}\nexpected {string.Join(" ", expected)}\nactual   {string.Join(" ", actual)}"));
    }

    /// <summary>All values of indices with these extents, the last the fastest.</summary>
    private static IEnumerable<int[]> All(int[] extents)
    {
        if (extents.Length == 0) return [[]];
        return All(extents[..^1]).SelectMany(i => Enumerable.Range(0, extents[^1]).Select(last => (int[])[.. i, last]));
    }
}
