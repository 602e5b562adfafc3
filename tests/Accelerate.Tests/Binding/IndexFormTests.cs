// Index forms come in; views, dots and gathers go out, and the numbers are those of the definition.
using Accelerate.Compiler.Graph;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class IndexFormTests
{
    [Theory]
    [InlineData("[i, j] => x[j, i]", "f32[m, n]", "transpose")]
    [InlineData("[i] => x[i, 0]", "f32[n]", "slice reshape")]
    [InlineData("[i, j < m] => x[i, m - 1 - j]", "f32[n, m]", "reverse")]
    [InlineData("[i, j] => sum[k](x[i, k] * x[j, k])", "f32[n, n]", "dot")]
    [InlineData("[i] => max[k](x[i, k])", "f32[n]", "reduce")]
    [InlineData("[i, j < 2 * m] => x[i, j // 2]", "f32[n, 2 * m]", "broadcast reshape")]
    [InlineData("[i < n * m] => x[i // m, i % m]", "f32[n * m]", "reshape")]
    [InlineData("[i, j < m, k < 1] => x[i, j + k]", "f32[n, m, 1]", "reshape")]
    public void SubscriptsAreViews(string form, string result, string ops) =>
        Assert.Equal(ops, Bound.Ops($"export fn f(x: f32[n, m]) -> {result} = {form}"));

    [Fact]
    public void AConvolutionIsADotOverWindows()
    {
        var f = Bound.Function(
            "use nn\nexport fn f(x: f32[n, 3, h, w], k: f32[8, 3, 3, 3]) = conv2d(x, k, padding: 1, stride: 2)");
        var dot = Assert.Single(f.Nodes.OfType<Dot>());
        Assert.Equal("contract [1,3,5]x[1,2,3],batch []x[]", dot.Attributes);
        Assert.Equal(2, f.Nodes.OfType<Window>().Count());
        Assert.Equal(["1 <= h", "1 <= w"], f.Checks.Select(c => $"{c.Left} <= {c.Right}"));
        Assert.Equal("f32[n,8,floor(h+1,2),floor(w+1,2)]", f.Results[0].Type.Text);
        Assert.Equal("conv2d", string.Join(" ", f.OriginOf(dot).Composites));
        Assert.StartsWith("t.acc:2:", f.OriginOf(dot).Place);
    }

    [Theory]
    [InlineData(1, "reshape dot transpose")]
    [InlineData(2, "slice slice reshape dot transpose")]
    public void AOneByOneConvolutionHasNoWindow(int stride, string ops) =>
        Assert.Equal(ops,
            Bound.Ops($"use nn\nexport fn f(x: f32[n, 4, h, w], k: f32[8, 4, 1, 1]) = conv2d(x, k, stride: {stride})"));

    [Fact]
    public void AGroupedConvolutionIsADotWithABatch()
    {
        var f = Bound.Function(
            "use nn\nexport fn f(x: f32[n, 8, h, w], k: f32[16, 2, 3, 3]) = conv2d(x, k, padding: 1, groups: 4)");
        Assert.Equal("contract [2,4,6]x[2,3,4],batch [1]x[0]", Assert.Single(f.Nodes.OfType<Dot>()).Attributes);
        Assert.DoesNotContain(f.Nodes, n => n is Gather);
    }

    [Fact]
    public void FactorsWithoutTheReducedIndexArePulledOut() =>
        Assert.Equal("dot broadcast mul", Bound.Ops(
            """
            export fn f(a: f32[n], x: f32[n, k], y: f32[k, m]) -> f32[n, m] =
                [i, j] => sum[c](a[i] * x[i, c] * y[c, j])
            """));

    [Fact]
    public void MeanCountsAllIndices() => Assert.Equal([2.5, 14.5],
        Bound.Run("export fn f(x: f32[n, 3, 4]) -> f32[n] = [n] => mean[i < 2, j < 4](x[n, i, j]) - 1",
            Bound.Count(2, 3, 4)).Values);

    [Fact]
    public void OnlyTheTakenBranchReads() => Assert.Equal([0.0, 0, 0, 1, 2],
        Bound.Run("export fn f(x: f32[n]) -> f32[n] = [i < n] => if i >= 2 { x[i - 2] } else { 0 }", Bound.Count(5))
            .Values);

    [Fact]
    public void AReadThatCannotBeProvedIsCheckedAtEntry()
    {
        var f = Bound.Function("export fn f(x: f32[n], y: f32[m]) -> f32[m] = [i < m] => x[i] + y[i]");
        var check = Assert.Single(f.Checks);
        Assert.Equal((CheckKind.AtMost, "m", "n"), (check.Kind, check.Left.Text, check.Right.Text));
    }

    [Fact]
    public void OneTensorSubscriptIsAGather() =>
        Assert.Equal("gather", Bound.Ops("export fn f(w: f32[v, h], ids: i32[b, t]) -> f32[b, t, h] = w[ids]"));

    [Fact]
    public void SeveralSubscriptsAreOneGatherOverJoinedAxes()
    {
        const string text = "export fn f(a: f32[n, m], i: i32[k], j: i32[k]) -> f32[k] = [t] => a[i[t], j[t]]";
        Assert.Equal([5.0, 0, 11], Bound.Run(text, Bound.Count(3, 4), Bound.Integers(1, 0, 2), Bound.Integers(1, 0, 3))
            .Values);
    }

    [Fact]
    public void TheChosenElementOfEachRow() => Assert.Equal([1.0, 6, 8],
        Bound.Run("export fn f(p: f32[n, c], y: i32[n]) -> f32[n] = [i] => p[i, y[i]]", Bound.Count(3, 4),
            Bound.Integers(1, 2, 0)).Values);

    [Fact]
    public void ADiagonal() =>
        Assert.Equal([0.0, 4, 8], Bound.Run("export fn f(x: f32[n, n]) -> f32[n] = [i] => x[i, i]", Bound.Count(3, 3))
        .Values);

    [Fact]
    public void IndicesCompareAsNumbers() => Assert.Equal([1.0, 0, 0, 1, 1, 0, 1, 1, 1],
        Bound.Run("export fn f(x: f32[n]) -> f32[n, n] = [i, j < n] => if j <= i { 1 } else { 0 * x[i] }",
            Bound.Count(3)).Values);

    [Fact]
    public void ACrossCorrelationWithDilationAndStride()
    {
        const string text = "export fn f(x: f32[9], k: f32[3]) -> f32[3] = [i < 3] => sum[r](x[2 * i + 2 * r] * k[r])";
        Assert.Equal([2 + 8.0, 4 + 12.0, 6 + 16.0], Bound.Run(text, Bound.Count(9), Bound.Count(3)).Values);
    }

    [Fact]
    public void ThreeIndicesInOneSubscript()
    {
        const string text = "export fn f(x: f32[12]) -> f32[3, 2, 2] = [i < 3, j < 2, k < 2] => x[3 * i + 2 * j + k]";
        var values = Bound.Run(text, Bound.Count(12)).Values;
        Assert.Equal(from i in Enumerable.Range(0, 3)
                     from j in Enumerable.Range(0, 2)
                     from k in Enumerable.Range(0,
            2)
                     select 3.0 * i + 2 * j + k, values);
    }
}
