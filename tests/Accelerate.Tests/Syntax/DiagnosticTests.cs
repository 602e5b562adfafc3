// Every syntax diagnostic, at its place; one mistake is one diagnostic.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Tests.Syntax;

public sealed class DiagnosticTests
{
    [Theory]
    [InlineData("let a = b;", "1:10+1 ACC1001 unexpected `;`")]
    [InlineData("let a = b && c", "1:11+2 ACC1001 unexpected `&&`")]
    [InlineData("fn f() = print(\"abc)\nlet a = 1", "1:16+5 ACC1002 the string is not closed on its line")]
    [InlineData("let a = 18446744073709551616", "1:9+20 ACC1003 18446744073709551616 does not fit 64 bits")]
    [InlineData("let a = 0x10000000000000000", "1:9+19 ACC1003 0x10000000000000000 does not fit 64 bits")]
    [InlineData("let a = 1e400", "1:9+5 ACC1003 1e400 is beyond the largest float")]
    [InlineData("fn f(x) {\n    y = 1 + * 3\n}", "2:13+1 ACC1004 unexpected `*`")]
    [InlineData("module M {\n    let a = 1\n", "1:10+1 ACC1005 `{` is not closed")]
    [InlineData("let a = f(1, [2)\n", "1:14+1 ACC1005 `[` is not closed")]
    [InlineData("fn f(x) {\n    let y = x\n    (y)\n}", "3:5+1 ACC1006 this `(` calls what ends the line above")]
    [InlineData("fn f(x) {\n    let y = x\n    [0]\n}", "3:5+1 ACC1006 this `[` indexes what ends the line above")]
    [InlineData("fn f(x) {\n    x = y\n    g\n    (y)\n}", "4:5+1 ACC1006 this `(` calls what ends the line above")]
    [InlineData("fn f() {\n    let for = 1\n}", "2:9+3 ACC1007 `for` is a reserved word")]
    [InlineData("let a = f(inout 1 + 2)", "1:17+5 ACC1008 `inout` takes a place to write back to")]
    [InlineData("fn f() {\n    return 1\n    print(2)\n}", "3:5+8 ACC1009 this statement is never reached")]
    [InlineData("let a = \"x\\q\"", "1:11+2 ACC1010 unknown escape `\\q`")]
    [InlineData("let a = 1 < b < 3", "1:15+1 ACC1011 comparisons do not chain")]
    [InlineData("fn f() {\n    let y = if a { 1 }\n    return y\n}",
        "2:22+1 ACC1012 an `if` that is a value needs an `else`")]
    [InlineData("fn f(x) {\n    for i in 0:3 { if i == 2 { break } }\n}", "2:32+5 ACC1004 there is no `break`")]
    [InlineData("fn f(x) {\n    for i in 0:3 {\n        continue\n        x = 1\n    }\n}",
        "3:9+8 ACC1004 there is no `continue`")]
    [InlineData("fn f(break) {\n    break = 1\n    return break\n}")]
    [InlineData("}", "1:1+1 ACC1004 unexpected `}`")]
    [InlineData("let a =", "1:8+0 ACC1004 unexpected end of file")]
    [InlineData("fn f(x) {\n    let y = 1.\n    return y\n}", "2:13+2 ACC1004 `1.` is no number")]
    [InlineData("fn f(x) {\n    let y = 2x\n    return y\n}", "2:13+2 ACC1004 `2x` is no number")]
    [InlineData("let a = [1e, 1.0f]", "1:10+2 ACC1004 `1e` is no number", "1:14+4 ACC1004 `1.0f` is no number")]
    [InlineData("let a = f(x).5", "1:14+1 ACC1004 unexpected `5`")]
    [InlineData("module M {\n    param w: f32[4]\n    buffer b: f32\n    let c = 1\n}",
        "2:11+1 ACC1004 `w` has no initial value", "3:12+1 ACC1004 `b` has no initial value")]
    public void EachAtItsPlace(string text, params string[] expected) => Assert.Equal(expected, Source.Mistakes(text));

    [Fact]
    public void DeepNestingIsALimitation() => Assert.Equal(
        ["1:265+1 ACC4003 brackets nested deeper than 256"],
        Source.Mistakes("let a = " + new string('(', 9999) + "1" + new string(')', 9999)));

    [Fact]
    public void SeveralInOneRun()
    {
        var text = """
            // not a comment
            fn f(x) {
                let y x
                let z = g(1 2)
                if x: y
                let ok = 1
            }
            def g(x) = x
            fn h(x) = x +
            fn k(x) = x
            """;
        Assert.Equal(
        [
            "1:1+2 ACC1004 unexpected `//`",
            "3:11+1 ACC1004 unexpected `x`",
            "4:17+1 ACC1004 unexpected `2`",
            "5:9+1 ACC1004 unexpected `:`",
            "8:1+3 ACC1004 there is no `def`",
            "10:1+2 ACC1004 unexpected `fn`",
        ], Source.Mistakes(text));
    }

    [Theory]
    [InlineData("// no comment", "comments begin with `#`")]
    [InlineData("def g(x) = x", "a function begins with `fn`")]
    [InlineData("let a = f(axis = 1)", "a named argument is written `axis: value`")]
    [InlineData("let a = !b", "negation is `not`")]
    [InlineData("fn f() {\n    fn g() = 1\n}", "functions stand in a file or a module, not inside a function")]
    [InlineData("fn f() {\n    if a: b\n}", "a block is written in braces")]
    [InlineData("fn f(x: f32[n]): f32[n] = x", "write `->` before the result's type")]
    [InlineData("module M {\n    param w: f32[4]\n}", "a param has one: `= 0`, or an initialiser")]
    [InlineData("let a = 1e", "an exponent needs digits: `1e-3`")]
    [InlineData("let a = 1.", "write `1.0`")]
    [InlineData("let a = .5", "write `0.5`")]
    [InlineData("let a = 2x", "write `2 * x`")]
    [InlineData("let a = 2f32", "write `f32(2)`")]
    [InlineData("let a = 1.0f", "numbers have no suffix `f`; `1.0` takes the dtype that it meets")]
    [InlineData("let a = 0b11", "other than decimal numbers are hexadecimal only: `0x1F`")]
    [InlineData("a = 1", "a declaration begins with `let`, `param` or `buffer`")]
    public void HelpSaysWhatToWrite(string text, string help)
    {
        var bag = new DiagnosticBag();
        Compiler.Syntax.Parser.Parse(new SourceText("t.acc", text), bag);
        Assert.Equal(help, bag.Sorted()[0].Help);
    }

    [Fact]
    public void LabelsSayWhatIsExpected()
    {
        Assert.Equal("expected an expression", Source.Mistake("fn f(x) {\n    y = 1 + * 3\n}").Label);
        Assert.Equal("expected a name", Source.Mistake("fn f() {\n    let for = 1\n}").Label);
    }

    // Whatever is cut off or left out of a program, the parser answers with diagnostics and a tree.
    [Fact]
    public void NoInputBreaksTheParser()
    {
        var text = Grammar.Everything;
        var tokens = Regex.Matches(text, @"\w+|\S").Select(m => (m.Index, m.Length)).ToList();
        foreach (var (index, length) in tokens)
        {
            foreach (var damaged in (string[])[text[..index], text.Remove(index, length), text.Insert(index, "} ")])
            {
                var bag = new DiagnosticBag();
                var file = Compiler.Syntax.Parser.Parse(new SourceText("t.acc", damaged), bag);
                Compiler.Syntax.SyntaxPrinter.Print(file);
                PrettyRenderer.Render(bag.Sorted());
            }
        }
    }
}
