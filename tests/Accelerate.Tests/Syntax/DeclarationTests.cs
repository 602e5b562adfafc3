// Every alternative of declarations, types and statements, as printed trees; documentation comments.
using Accelerate.Compiler.Syntax;

namespace Accelerate.Tests.Syntax;

public sealed class DeclarationTests
{
    [Theory]
    [InlineData("use nn use a.b", "use nn~use a.b")]
    [InlineData("module M { }", "module M")]
    [InlineData("module M(i, o: float = 1, inout p) { let a = 1 }",
        "module M~  parameter i~  parameter o~    type float~    default 1~  parameter inout p~  let a~    1")]
    [InlineData("fn f() = 1", "fn f =~  block~    return~      1")]
    [InlineData("export fn f() -> f32 { }", "export fn f~  result~    field~      type f32~  block")]
    [InlineData("fn f() -> (a: f32[], [int]) where n == m, k < 1 { }",
        "fn f~  result~    field a~      type f32[]~    field~      list type~        type int"
        + "~  where ==~    name n~    name m~  where <~    name k~    1~  block")]
    [InlineData("fn f(x: T[.., ..s, _, n, 2 * n], g: fn) = x",
        "fn f =~  parameter x~    type T[]~      group~      group s~      any~      size~        name n~      size"
        + "~        *~          2~          name n~  parameter g~    type fn~  block~    return~      name x")]
    [InlineData("param w: f32 = 0 buffer b = 1", "param w~  type f32~  0~buffer b~  1")]
    [InlineData("let a, b: [int] = c", "let a, b~  list type~    type int~  name c")]
    [InlineData("if c { let a = 1 } else { let b = 2 }",
        "if item~  name c~  then let a~    1~  else let b~    2")]
    [InlineData("weights { \"a\" -> \"b\", \"c\" \"d\" -> \"e\" optional }",
        "weights~  rename \"a\" -> \"b\", \"c\"~  rename \"d\" -> \"e\" optional")]
    [InlineData("weights { \"a.*\" -> \"$1\" \"b\" -> _ }", "weights~  rename \"a.*\" -> \"$1\"~  rename \"b\" -> _")]
    [InlineData("assert(c, \"x\")",
        "check~  apply~    name assert~    argument~      name c~    argument~      \"x\"")]
    public void Items(string text, string tree)
    {
        var expected = "file\n" + string.Join('\n', tree.Split('~').Select(l => "  " + l));
        Assert.Equal(expected, Source.File(text));
    }

    [Theory]
    [InlineData("let a, b: f32 = 1", "let a, b~  type f32~  1")]
    [InlineData("x = 1", "assign =~  place name x~  1")]
    [InlineData("x.a[0], y += 1",
        "assign +=~  place select~    member a~      name x~    at~      0~  place name y~  1")]
    [InlineData("x -= 1 x *= 2 x /= 3",
        "assign -=~  place name x~  1~assign *=~  place name x~  2~assign /=~  place name x~  3")]
    [InlineData("if a { x = 1 } else if b { } else { }",
        "if~  name a~  then block~    assign =~      place name x~      1~  else block~    if~      name b"
        + "~      then block~      else block")]
    [InlineData("for i in 0:n { }", "for i~  range~    from 0~    to name n~  block")]
    [InlineData("for i, x in xs { }", "for i, x~  over~    name xs~  block")]
    [InlineData("while a < 1 { }", "while~  <~    name a~    1~  block")]
    [InlineData("return a, b", "return~  name a~  name b")]
    [InlineData("opt.step(g)", "effect~  apply~    member step~      name opt~    argument~      name g")]
    public void Statements(string text, string tree) => Assert.Equal(
        "block\n" + string.Join('\n', tree.Split('~').Select(l => "  " + l)), Source.Statements(text));

    [Fact]
    public void DocumentationIsTheCommentDirectlyAbove()
    {
        var file = Source.Parse("""
            # The file.

            use nn

            # Not for f: an empty line follows.

            fn f() = 1  # behind
            # For M,
            # in two lines.
            module M {
                #For w.
                param w: f32 = 0
            }
            """);
        Assert.Equal("The file.", file.Documentation);
        Assert.Null(file.Items[0].Documentation);
        Assert.Equal("For M,\nin two lines.", file.Items[1].Documentation);
        Assert.Equal("For w.", ((ModuleSyntax)file.Items[1]).Items[0].Documentation);
    }

    [Fact]
    public void SpansOfDeclarations()
    {
        var file = Source.Parse("export fn f(x: f32[n, 2 * n]) = x");
        var f = (FunctionSyntax)file.Items[0];
        Assert.Equal("f", f.Name.Span.Text);
        Assert.Equal("x: f32[n, 2 * n]", f.Parameters[0].Span.Text);
        Assert.Equal("2 * n", ((NamedType)f.Parameters[0].Type!).Dims[1].Span.Text);
    }
}
