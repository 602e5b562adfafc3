// OPS.md and the code held together: sections, constraint ids, and examples that parse, verify, run and print back.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Graph;

public sealed class OpsDocumentTests
{
    public static TheoryData<string> Examples => [.. Ops.All];

    [Fact]
    public void EveryOperationHasASectionInOrder() => Assert.Equal(Ops.All, OpsDocument.Sections.Select(s => s.Op));

    [Fact]
    public void EverySectionHasTheFourParts()
    {
        foreach (var section in OpsDocument.Sections)
        {
            string[] parts = ["**Semantics.**", "**Inputs.**", "**Constraints.**", "```"];
            var places = parts.Select(p => section.Text.IndexOf(p, StringComparison.Ordinal)).ToList();
            Assert.True(places.All(p => p >= 0) && places.Order().SequenceEqual(places),
                $"{section.Op}: {string.Join(' ', places)}");
        }
    }

    [Fact]
    public void EveryConstraintThatIsThrownIsDocumented()
    {
        Assert.True(OpsDocument.ThrownConstraints.Count > 40);
        foreach (var id in OpsDocument.ThrownConstraints)
            Assert.True(Regex.IsMatch(OpsDocument.Text, $@"^(- |\| ){id}(:| \|)", RegexOptions.Multiline),
                $"{id} is not in OPS.md");
        foreach (Match match in Regex.Matches(OpsDocument.Text, @"^(?:- |\| )([a-z0-9_]+ C[0-9]+)",
            RegexOptions.Multiline))
            Assert.Contains(match.Groups[1].Value, OpsDocument.ThrownConstraints);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void ExampleRuns(string op)
    {
        var function = GraphReader.Read(OpsDocument.Sections.Single(s => s.Op == op).Example);
        Verifier.Verify(function);
        Assert.Contains(function.Nodes, n => n.Op == op);
        Assert.Equal(GraphPrinter.Print(function),
            GraphPrinter.Print(GraphReader.Read(RoundTripTests.Strip(GraphPrinter.Print(function)))));

        var sizes = new Dictionary<string, long> { ["n"] = 3 };
        ReferenceValue Filled(TensorType type)
        {
            long[] shape = [.. type.Shape.Select(s => s.Evaluate(sizes))];
            var count = shape.Aggregate(1L, (p, s) => p * s);
            return type.DType.IsFloat
                ? ReferenceValue.Of(type.DType, shape, [.. Enumerable.Range(0, (int)count).Select(i => i * 0.25 - 1)])
                : ReferenceValue.Of(type.DType, shape, [.. Enumerable.Range(0, (int)count).Select(i => (long)i - 1)]);
        }
        var states = function.Nodes.OfType<State>().ToDictionary(s => s.Name, s => Filled(s.Type));
        foreach (var rounded in (bool[])[false, true])
        {
            var results =
                GraphInterpreter.Run(function, [.. function.Inputs.Select(i => Filled(i.Type))], n => states[n], sizes,
                new InterpreterOptions { RoundToDType = rounded });
            foreach (var (result, type) in results.Zip(function.Results.Select(r => r.Type)))
            {
                Assert.Equal(type.Shape.Select(s => s.Evaluate(sizes)), result.Shape);
                Assert.Equal(type.DType, result.DType);
            }
        }
    }
}
