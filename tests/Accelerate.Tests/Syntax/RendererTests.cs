// The renderings of diagnostics, character by character.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Tests.Syntax;

public sealed class RendererTests
{
    private const string Mlp = """
        # mlp.acc
        use nn

        module Linear(i, o) {
            # [768, 128] for fc1
            param weight: f32[768, 128]
            fn a() = 1
        }

        module Mlp {
            let fc1 = Linear(768, 128)


            fn logits(x: f32[n, 784]) -> f32[n, 10] = x @ weight |> relu
        }
        """;

    private static readonly SourceText Text = new("mlp.acc", Mlp);

    private static Span At(string text, int from = 0) =>
        new(Text, Mlp.IndexOf(text, from, StringComparison.Ordinal), text.Length);

    private static Diagnostic Contract()
    {
        var body = Mlp.IndexOf("x @ weight", StringComparison.Ordinal);
        return new(Codes.ContractMismatch, "cannot contract 784 with 768", new(Text, body + 2, 1))
        {
            Secondary =
            [
                new(new(Text, Mlp.IndexOf("768, 128]\n    fn", StringComparison.Ordinal), 3), "this axis is 768"),
                new(new(Text, body, 1), "f32[n, 784]"),
                new(new(Text, body + 4, 6), "f32[768, 128]"),
            ],
            Help = "fc1 was made with Linear(768, 128) at mlp.acc:11:17",
        };
    }

    [Fact]
    public void PrettyIsTheLookOfTheLanguagePage() => Assert.Equal(
        """
        error[ACC2004]: cannot contract 784 with 768
          --> mlp.acc:14:49
           |
         6 |     param weight: f32[768, 128]
           |                       --- this axis is 768
           :
        14 |     fn logits(x: f32[n, 784]) -> f32[n, 10] = x @ weight |> relu
           |                                               - ^ ------ f32[768, 128]
           |                                               |
           |                                               f32[n, 784]
           = help: fc1 was made with Linear(768, 128) at mlp.acc:11:17

        """, PrettyRenderer.Render(Contract()));

    [Fact]
    public void PrettyWithThreeLabelsCallsAndAnotherFile()
    {
        var other = new SourceText("b.acc", "let k = 3\n");
        var body = Mlp.IndexOf("x @ weight", StringComparison.Ordinal);
        var d = new Diagnostic(Codes.NotSupported, "this product", new(Text, body + 2, 1))
        {
            Label = "here",
            Secondary =
            [
                new(new(Text, body, 1), "left"),
                new(new(Text, body + 4, 6), "right"),
                new(new(other, 4, 1), "k is 3"),
            ],
            Calls = [new("logits", At("fn a"))],
        };
        Assert.Equal(
            """
            error[ACC4001]: not supported: this product
              --> mlp.acc:14:49
               |
            14 |     fn logits(x: f32[n, 784]) -> f32[n, 10] = x @ weight |> relu
               |                                               - ^ ------ right
               |                                               | |
               |                                               | here
               |                                               left
              ::: b.acc:1:5
               |
             1 | let k = 3
               |     - k is 3
               = in logits, called at mlp.acc:7:5

            """, PrettyRenderer.Render(d));
    }

    [Fact]
    public void MsBuildIsOneLine() => Assert.Equal(
        "mlp.acc(14,49): error ACC2004: cannot contract 784 with 768", MsBuildRenderer.Render(Contract()));

    [Fact]
    public void JsonIsOneObjectALine() => Assert.Equal(
        """
        {"code":"ACC2001","class":"error","message":"unknown name `a`",
        "span":{"path":"mlp.acc","line":2,"column":5,"length":2},"label":"here",
        "secondary":[{"span":{"path":"mlp.acc","line":7,"column":8,"length":1},"label":"there"}],"help":"b",
        "calls":[{"function":"f","span":{"path":"mlp.acc","line":2,"column":5,"length":2}}]}
        """.ReplaceLineEndings(""),
        JsonRenderer.Render(new(Codes.UnknownName, "unknown name `a`", At("nn"))
        {
            Label = "here",
            Secondary = [new(At("a() = 1") with { Length = 1 }, "there")],
            Help = "b",
            Calls = [new("f", At("nn"))],
        }));

    [Fact]
    public void BagKeepsEachMistakeOnceAndKnowsTheExitCode()
    {
        var bag = new DiagnosticBag();
        Assert.Equal(0, bag.ExitCode);
        bag.Report(Codes.NotSupported, At("use"), "x");
        Assert.Equal(3, bag.ExitCode);
        bag.Report(Codes.UnknownName, At("nn"), "a");
        bag.Report(Codes.UnknownName, At("nn"), "a again");
        Assert.Equal(2, bag.Count);
        Assert.Equal(1, bag.ExitCode);
        bag.Report(Codes.CompilerBug, At("mlp"), "y");
        Assert.Equal(70, bag.ExitCode);
        Assert.Equal(["ACC9001", "ACC4001", "ACC2001"], bag.Sorted().Select(d => d.Code.Id));
    }

    [Fact]
    public void CodesAreDistinctAndExplained()
    {
        ImmutableArray<Code> all = Codes.All;
        Assert.Equal(all.Length, all.Select(c => c.Id).Distinct().Count());
        Assert.Equal(all.Select(c => c.Id).Order(StringComparer.Ordinal), all.Select(c => c.Id));
        Assert.All(all, c => Assert.Matches("^ACC[12349][0-9]{3}$", c.Id));
        Assert.All(all, c => Assert.EndsWith(".", c.Explanation));
        Assert.Same(Codes.ContractMismatch, Codes.Find("acc2004"));
        Assert.Null(Codes.Find("ACC0000"));
    }

    [Fact]
    public void LinesAndColumns()
    {
        var text = new SourceText("t", "ab\r\nc\rd\n");
        Assert.Equal(4, text.LineCount);
        Assert.Equal((1, 3), text.Position(2));
        Assert.Equal((2, 1), text.Position(4));
        Assert.Equal((3, 1), text.Position(6));
        Assert.Equal((4, 1), text.Position(8));
        Assert.Equal("ab", text.LineText(1));
        Assert.Equal("", text.LineText(4));
    }
}
