// Every alternative of the grammar's expressions, as printed trees; spans where a diagnostic would point.
using Accelerate.Compiler.Syntax;

namespace Accelerate.Tests.Syntax;

public sealed class ExpressionTests
{
    // Children are indented by two spaces; `~` stands for a new line in these short forms.
    [Theory]
    [InlineData("a.b", "member b~  name a")]
    [InlineData("f()", "apply~  name f")]
    [InlineData("f(a, axis: 1,)", "apply~  name f~  argument~    name a~  argument axis~    1")]
    [InlineData("f(inout a.b[0], c: inout d)",
        "apply~  name f~  argument inout~    select~      member b~        name a~      at~        0"
        + "~  argument c inout~    name d")]
    [InlineData("x[i]", "select~  name x~  at~    name i")]
    [InlineData("x[.., ..s]", "select~  name x~  group~  group s")]
    [InlineData("x[:]", "select~  name x~  slice")]
    [InlineData("x[1:, :2, ::3, a:b:c]",
        "select~  name x~  slice~    from 1~  slice~    to 2~  slice~    step 3"
        + "~  slice~    from name a~    to name b~    step name c")]
    [InlineData("2 ** 3 ** 4", "**~  2~  **~    3~    4")]
    [InlineData("-2 ** -1", "negate~  **~    2~    negate~      1")]
    [InlineData("a @ b * c", "*~  @~    name a~    name b~  name c")]
    [InlineData("a / b // c % d", "%~  //~    /~      name a~      name b~    name c~  name d")]
    [InlineData("a - b - c", "-~  -~    name a~    name b~  name c")]
    [InlineData("a + b * c", "+~  name a~  *~    name b~    name c")]
    [InlineData("a == 1", "==~  name a~  1")]
    [InlineData("a != 1", "!=~  name a~  1")]
    [InlineData("a < 1", "<~  name a~  1")]
    [InlineData("a <= 1", "<=~  name a~  1")]
    [InlineData("a > 1", ">~  name a~  1")]
    [InlineData("a >= 1 + 2", ">=~  name a~  +~    1~    2")]
    [InlineData("not a and b or c", "or~  and~    not~      name a~    name b~  name c")]
    [InlineData("a or b |> f |> g(1)",
        "|>~  |>~    or~      name a~      name b~    name f~  apply~    name g~    argument~      1")]
    [InlineData("[i, j < n, .., ..s] => i |> f",
        "map~  index i~  index j~    name n~  group~  group s~  |>~    name i~    name f")]
    [InlineData("1 + [i] => i + 2", "+~  1~  map~    index i~    +~      name i~      2")]
    [InlineData("[a for a in b]", "comprehension a~  name a~  over~    name b")]
    [InlineData("[a for a, b in 0:n:2 if a > 1]",
        "comprehension a, b~  name a~  range~    from 0~    to name n~    step 2~  if >~    name a~    1")]
    [InlineData("[]", "list")]
    [InlineData("[a, ..b, ..,]", "list~  element~    name a~  splice~    name b~  splice")]
    [InlineData("if a { 1 } else if b { 2 } else { 3 }",
        "if value~  name a~  then 1~  else if value~    name b~    then 2~    else 3")]
    [InlineData("(a + b) * c", "*~  +~    name a~    name b~  name c")]
    [InlineData("1_000", "1000")]
    [InlineData("0x1f", "31")]
    [InlineData("1.5", "1.5")]
    [InlineData("1e-12", "1E-12")]
    [InlineData("2.0", "2.0")]
    [InlineData("\"a\\n\\t\\\\\\\"\\u0041\"", "\"a\\n\\t\\\\\\\"A\"")]
    [InlineData("true", "true")]
    [InlineData("false", "false")]
    [InlineData("weights", "name weights")]
    [InlineData("training", "name training")]
    [InlineData("where", "name where")]
    [InlineData("_", "name _")]
    public void EveryAlternative(string text, string tree) =>
        Assert.Equal(tree.Replace('~', '\n'), Source.Expression(text));

    [Fact]
    public void ReductionsReadTheirSubscriptsAsIndices()
    {
        var file = Source.Parse("let s = sum[i, j < n, ..s](x[i])  let t = y[1]");
        var apply = (ApplyExpression)((ConstantSyntax)file.Items[0]).Value;
        var indices = ((SelectExpression)apply.Callee).AsIndices()!.Value;
        Assert.Equal("i", ((NamedIndex)indices[0]).Name.Text);
        Assert.Null(((NamedIndex)indices[0]).Extent);
        Assert.Equal("n", ((NameExpression)((NamedIndex)indices[1]).Extent!).Name);
        Assert.Equal("s", ((GroupIndex)indices[2]).Name!.Text);
        Assert.Null(((SelectExpression)((ConstantSyntax)file.Items[1]).Value).AsIndices());
    }

    [Fact]
    public void SpansCoverWhatIsWritten()
    {
        var file = Source.Parse("let s = (a + b) @ f(c, k: d)[0]");
        var product = (BinaryExpression)((ConstantSyntax)file.Items[0]).Value;
        Assert.Equal("(a + b) @ f(c, k: d)[0]", product.Span.Text);
        Assert.Equal("@", product.OperatorSpan.Text);
        Assert.Equal("(a + b)", product.Left.Span.Text);
        var select = (SelectExpression)product.Right;
        Assert.Equal("f(c, k: d)[0]", select.Span.Text);
        Assert.Equal("f(c, k: d)", select.Target.Span.Text);
        Assert.Equal("k", ((ApplyExpression)select.Target).Arguments[1].Name!.Span.Text);
        Assert.Equal("0", select.Subscripts[0].Span.Text);
    }

    // Offsets count UTF-16 units, also behind characters of two.
    [Fact]
    public void SpansBehindWideCharacters()
    {
        var file = Source.Parse("let s = \"\U0001F600\"  let t = abc");
        Assert.Equal("abc", ((ConstantSyntax)file.Items[1]).Value.Span.Text);
    }
}
