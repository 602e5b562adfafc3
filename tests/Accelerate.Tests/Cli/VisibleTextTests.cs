// What a terminal obeys, wherever it comes from: no command writes it as it is.
using Accelerate.Compiler.Diagnostics;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class VisibleTextTests : CommandLine
{
    // C0, C1, delete, and what turns the direction of writing or breaks lines.
    private static readonly char[] Acting =
        [.. Enumerable.Range(0, 0x20).Where(c => c is not ('\n' or '\t' or '\r')).Select(c => (char)c), '\x7f',
            .. Enumerable.Range(0x80, 0x20).Select(c => (char)c), '\u061c', '\u200e', '\u200f', '\u2028', '\u2029',
            '\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'];

    private static void IsVisible(string text)
    {
        var at = text.IndexOfAny([.. Acting, '\r']);
        Assert.True(at < 0, $"{(at < 0 ? 0 : (int)text[at]):x4} in {text}");
    }

    [Theory]
    [InlineData("pretty")]
    [InlineData("msbuild")]
    [InlineData("json")]
    public void DiagnosticsOfEveryCharacter(string format)
    {
        foreach (var c in Acting)
        {
            Write("a.acc", $"export fn f(x: f32[n]) -> f32[n] = x + {c}y \"{c}\" # {c}\n");
            var (code, output, error) = Run("check", "a.acc", "--diagnostics", format);
            Assert.Equal(1, code);
            IsVisible(output + error);
        }
    }

    [Fact]
    public void ColumnsStayUnderWhatTheyMark()
    {
        Write("a.acc", "export fn f(x: f32[n]) -> f32[n] = \u001b\u202e\tx + y\n");
        var lines = Error(1, "check", "a.acc").Split('\n');
        var source = lines.First(l => l.StartsWith("1 |", StringComparison.Ordinal));
        Assert.Contains("= \ufffd\ufffd x + y", source);
        Assert.Equal(source.IndexOf('\ufffd'), lines.First(l => l.Contains('^')).IndexOf('^'));
    }

    [Fact]
    public void PrintedTexts()
    {
        Write("p.acc", """
            export fn f(x: f32[n]) -> f32[n] {
                print("\u001b[31mred\u001b[0m\r \u202e {}\tdone\n", x)
                return x
            }
            export fn g(x: f32[n]) -> f32[n] {
                assert(sum(x) < 0, "no\u0007")
                return x
            }

            """);
        var output = Output("run", "p.acc", "f", "x=[1]", "--backend", "interpreter");
        IsVisible(output);
        Assert.Contains("\\u001b[31mred\\u001b[0m\\u000d \\u202e [1.]\tdone\n", output);
        Assert.Contains("no\\u0007", Error(1, "run", "p.acc", "g", "x=[1]", "--backend", "interpreter"));
    }

    [Theory]
    [InlineData("syntax")]
    [InlineData("graph")]
    [InlineData("opt")]
    [InlineData("program")]
    public void Dumps(string stage)
    {
        Write("p.acc", "export fn f(x: f32[n]) -> f32[n] {\n    print(\"\\u001b\\u009b\\u202e\")\n    return x\n}\n"
            + "# \u001b\n");
        IsVisible(Output("dump", "p.acc", "--stage", stage));
    }

    [Fact]
    public void NamesOfFilesCommandsAndOptions()
    {
        Write("esc\u001b[2J.acc", "export  fn f(x:f32[n])->f32[n]=x\n");
        IsVisible(Run("fmt", "--check", this["esc\u001b[2J.acc"]).Output);
        foreach (var line in (string[][])[["\u001b"], ["check", "\u001b"], ["run", "net.acc", "\u001b"],
            ["check", "net.acc", "--\u001b"], ["run", "net.acc", "scale", "\u001b=1"],
            ["run", "net.acc", "scale", "x=\u001b", "k=1"], ["explain", "\u001b"],
            ["dump", "net.acc", "--stage", "\u001b"], ["check", "net.acc", "--set", "\u001b=1"],
            ["check", "net.acc", "--dim", "n=\u001b"],
            ["run", "net.acc", "scale", "x=[1]", "k=1", "--backend", "\u001b"], ["check", "new\nline"],
            ["run", "net.acc", "scale", "x=[1]", "k=1", "--out", "\u001b=a"]])
        {
            var (code, output, error) = Run(line);
            Assert.NotEqual(0, code);
            Assert.NotEqual(70, code);
            IsVisible(output + error);
        }
    }

    [Fact]
    public void APlainTextStaysAsItIs()
    {
        const string Text = "plain, ünï, 😀, a\tb\n";
        Assert.Same(Text, VisibleText.Lines(Text));
        Assert.Equal("a\\u000ab", VisibleText.Word("a\nb"));
    }
}
