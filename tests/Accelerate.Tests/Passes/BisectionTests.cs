// Rules broken on purpose, hidden among right ones: bisecting finds the rewrite and names the rule.
using Accelerate.Cli;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Cli;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public class BisectionTests : CommandLine
{
    // Eight rewrites, of which the sixth is the only transpose of a transpose.
    private const string Graph = """
        graph @f {
          %0: f32[3,4] = input("x")
          %1: f32 = const([1.0])
          %2: f32[3,4] = broadcast(%1; [])
          %3: f32[3,4] = mul(%0, %2)
          %4: f32[3,4] = div(%3, %2)
          %5: f32[3,4] = neg(%4)
          %6: f32[3,4] = neg(%5)
          %7: f32[4,3] = transpose(%6; [1,0])
          %8: f32[3,4] = transpose(%7; [1,0])
          %9: f32[3,4] = neg(%8)
          %10: f32[3,4] = neg(%9)
          %11: f32[12] = reshape(%10)
          %12: f32[12] = exp(%11)
          return(%12)
        }
        """;

    [Theory]
    [InlineData("reference")]
    [InlineData("interpreter")]
    public void TheBrokenRuleIsNamed(string backend)
    {
        // Wrong: -(-x) => -x, but only behind a transpose of a transpose, so that the same rule is right elsewhere.
        var broken = new Pass("simplify", (f, rewrites) => new Rewriter((node, r) =>
            node is Unary { Kind: UnaryOp.Neg } && node.Operands[0] is Unary { Kind: UnaryOp.Neg } inner
                && inner.Operands[0] is Input
                ? r.By("-(-x), broken on purpose", r.Add(new Unary(UnaryOp.Abs, inner.Operands[0])))
                : Simplify.Rule(node, r), rewrites, "simplify").Run(f));
        var found =
            Find([new("decompose", (f, _) => Decompose.Run(f)), broken, new("dead-code", (f, _) => DeadCode.Run(f))],
                backend);
        Assert.Equal("-(-x), broken on purpose", found.Culprit?.Rule);
        Assert.StartsWith("neg(", found.Culprit!.Before, StringComparison.Ordinal);
        Assert.StartsWith("abs(", found.Culprit.After, StringComparison.Ordinal);
        Assert.InRange(found.Number, 1, found.Rewrites);
        Assert.Contains("broken on purpose", BisectCommand.Text(found), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reference")]
    [InlineData("interpreter")]
    public void RightRulesAreNotAccused(string backend)
    {
        var found = Find(Pipeline.Passes, backend);
        Assert.Null(found.Culprit);
        Assert.True(found.Rewrites >= 6, $"{found.Rewrites} rewrites");
    }

    /// <summary>
    /// Every number of rewrites gives a right graph: a rule may not count on another that comes later.
    /// </summary>
    [Fact]
    public void EveryPrefixOfTheRewritesIsRight()
    {
        var function = GraphReader.Read(Graph);
        var judge = MakeJudge(function);
        var all = new Rewrites();
        Pipeline.Run(function, rewrites: all);
        for (var n = 0; n <= all.Count; n++)
        {
            var graph = Pipeline.Run(function, verify: true, rewrites: new Rewrites(n));
            Assert.True(judge.IsRight(graph, "reference", new()), $"after {n} rewrites:\n{GraphPrinter.Print(graph)}");
        }
    }

    [Fact]
    public void TheCommandSaysThatAllIsRight()
    {
        var text = Output("bisect", "net.acc", "apply", "x=[[1, 2, 3, 4]]");
        Assert.Contains("the result is right with all", text, StringComparison.Ordinal);
    }

    [Fact]
    public void DumpStopsAfterARewrite()
    {
        Write("twice.acc", "export fn f(x: f32[n, m]) -> f32[n, m] = -(-x)");
        string Dump(params string[] more) => Output(["dump", "twice.acc", "--stage", "opt", .. more]);
        Assert.NotEqual(Dump("--stop-after-rewrite", "0"), Dump());
        Assert.Equal(Dump("--stop-after-rewrite", "1000000"), Dump());
    }

    private static BisectJudge MakeJudge(Function function)
    {
        double[] values = [.. Enumerable.Range(0, 12).Select(i => (i - 6) / 4.0)];
        return new(function, [Tensor.FromDoubles(DType.F32, values, [3, 4])], new Dictionary<string, long>(),
            new Dictionary<string, Tensor>());
    }

    private static BisectionResult Find(IReadOnlyList<Pass> passes, string backend)
    {
        var function = GraphReader.Read(Graph);
        var judge = MakeJudge(function);
        return Bisection.Find(function, passes, graph => judge.IsRight(graph, backend, new()));
    }
}
