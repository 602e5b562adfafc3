// In: graphs with inputs and a NumPy expression each. Out: where the interpreter and NumPy differ; one Python process
// in all.
using System.Globalization;
using System.Runtime.InteropServices;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Graph;

/// <summary>
/// Floats travel as f64, integers as i64: NumPy computes floats in f64 and integers in their dtype. What it gives in
/// f64 is also rounded to the dtype, and held to the interpreter's rounding mode.
/// </summary>
internal sealed class NumPyBatch
{
    private readonly List<Case> cases = [];

    private sealed record Case(Function Graph, ReferenceValue[] Inputs, Dictionary<string, ReferenceValue> State,
        Dictionary<string, long> Sizes, string Expression)
    {
        /// <summary>Each value that NumPy sees, by the letter it has there.</summary>
        public IEnumerable<(string Name, ReferenceValue Value)> Values =>
            Graph.Inputs.Select(i => i.Name[..1]).Zip(Inputs).Concat(State.Select(s => (s.Key[..1], s.Value)));
    }

    public int Count => cases.Count;

    /// <summary>A graph as text, and the expression of its last node over the inputs a, b, c.</summary>
    public void Add(string body, string expression, params ReferenceValue[] inputs)
    {
        var last = body[(body.LastIndexOf("\n%", StringComparison.Ordinal) + 1)..];
        var graph = GraphReader.Read($"graph @f {{\n{body}\nreturn({last[..last.IndexOf(':')]})\n}}");
        Verifier.Verify(graph);
        cases.Add(new(graph, inputs, [], [], expression));
    }

    public void Add(OpCase row, string run)
    {
        var sizes = OpCase.Sizes(run);
        cases.Add(new(row.Function, row.Inputs(sizes), row.State(sizes), sizes, row.NumPy));
    }

    /// <summary>One text for each difference.</summary>
    public List<string> Differences()
    {
        var folder = Directory.CreateTempSubdirectory("accelerate-numpy").FullName;
        try
        {
            using (var bytes = File.Create(Path.Combine(folder, "in.bin")))
            {
                foreach (var (_, value) in cases.SelectMany(c => c.Values))
                {
                    bytes.Write(value.DType.IsFloat
                        ? MemoryMarshal.AsBytes(value.Values.AsSpan())
                        : MemoryMarshal.AsBytes(value.Integers.AsSpan()));
                }
            }
            File.WriteAllLines(Path.Combine(folder, "cases.txt"), cases.Select(c => string.Join('\t',
                [c.Expression,
                    .. c.Values.Select(v => string.Join(' ', [v.Name, v.Value.DType.Name(), .. v.Value.Shape])),
                    .. c.Sizes.Select(s => $"{s.Key} size {s.Value}")])));
            var lines = NumPy.Run(NumPyScript.Text, folder).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(cases.Count, lines.Length);
            return Compare(lines, File.ReadAllBytes(Path.Combine(folder, "out.bin")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private List<string> Compare(string[] lines, byte[] bytes)
    {
        var differences = new List<string>();
        var at = 0;
        foreach (var (test, line) in cases.Zip(lines))
        {
            var exact = Run(test, InterpreterOptions.Default);
            var rounded = Run(test, new InterpreterOptions { RoundToDType = true });
            var title = $"{GraphPrinter.Print(test.Graph)}{string.Join(' ', test.Sizes)} {test.Expression}: ";
            var results = line.Split('\t');
            if (results.Length != exact.Count) differences.Add($"{title}NumPy gives {results.Length} results");
            for (var k = 0; k < results.Length; k++)
            {
                var words = results[k].Split(' ');
                var shape = words[1..].Select(w => long.Parse(w, CultureInfo.InvariantCulture)).ToArray();
                var count = (int)shape.Aggregate(1L, (p, s) => p * s);
                var theirs = bytes.AsSpan(at, 8 * count);
                at += 8 * count;
                if (k < exact.Count && Difference(exact[k], rounded[k], words[0], shape, theirs) is { } difference)
                    differences.Add(title + difference);
            }
        }
        return differences;
    }

    private static IReadOnlyList<ReferenceValue> Run(Case test, InterpreterOptions options) =>
        GraphInterpreter.Run(test.Graph, test.Inputs, path => test.State[path], test.Sizes, options);

    private static string? Difference(ReferenceValue ours, ReferenceValue rounded, string kind, long[] shape,
        ReadOnlySpan<byte> theirs)
    {
        if (!ours.Shape.SequenceEqual(shape) || ours.DType.IsFloat != (kind == "f"))
            return $"NumPy gives {kind} [{string.Join(',', shape)}], the interpreter {ours.DType.Name()} [{string.Join(',', ours.Shape)}]";
        if (!ours.DType.IsFloat)
        {
            var integers = Comparison.Compare(MemoryMarshal.Cast<byte, long>(theirs), ours);
            return integers.Agrees ? null : integers.Text;
        }
        // Both compute in f64, so they are held to the bound of f64 whatever the dtype.
        var values = MemoryMarshal.Cast<byte, double>(theirs);
        var report = Comparison.Compare(values,
            new ReferenceValue(DType.F64, ours.Shape, ours.Values, ours.Magnitude, [], ours.Terms));
        if (!report.Agrees) return report.Text;
        for (var i = 0; i < values.Length && ours.DType != DType.F64; i++)
        {
            // A value of f64 near the middle of two numbers of the dtype may be rounded either way.
            var (a, b) = (rounded.Values[i], ConstText.Round(values[i], ours.DType));
            var step = FloatMath.Epsilon(ours.DType) * Math.Max(Math.Abs(a), Math.Abs(b))
                + FloatMath.Smallest(ours.DType);
            if (!a.Equals(b) && a != b && !(Math.Abs(a - b) <= step))
                return $"element {i} is rounded to {a:R}, NumPy's {b:R}";
        }
        return null;
    }
}
