// Programs that are small as text and large to walk, or to elaborate, come in; a program, or one diagnostic that says
// which limit was met, goes out. Work is counted, not timed: it is in proportion to the text, or is refused.
using System.Text;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;

namespace Accelerate.Tests.Binding;

public sealed class LimitTests
{
    private const string Export = "export fn f(x: f32[n], k: i32) -> f32[n]";

    private static string Repeat(string text, int count) => new StringBuilder().Insert(0, text, count).ToString();

    private static string Join(int count, Func<int, string> text) =>
        string.Concat(Enumerable.Range(0, count).Select(text));

    private static DiagnosticBag Bind(string text, out BoundProgram? program)
    {
        var bag = new DiagnosticBag();
        program = Binder.Bind(new SourceText("t.acc", text), new BindOptions(), bag);
        return bag;
    }

    /// <summary>What is long, and no deeper than anybody would write.</summary>
    public static TheoryData<string, string> Right => new()
    {
        { "10,000 terms", $"{Export} = x{Repeat(" + x", 9_999)}" },
        { "10,000 pipes", $"use nn\n{Export} = x{Repeat(" |> relu", 10_000)}" },
        { "else if of 1,000", $"{Export} {{ let y = x if k == 0 {{ y = x }}"
            + Join(1000, i => $" else if k == {i} {{ y = {i} * x }}") + " return y }" },
        { "a value of 1,000 branches", $"{Export} = if k == 0 {{ x }}"
            + Join(1000, i => $" else if k == {i} {{ {i} * x }}") + " else { x }" },
        { "if in if, 240 deep", $"{Export} {{ let y = x" + Join(240, i => $" if k > {i} {{ y = {i} * x")
            + Repeat("}", 240) + " return y }" },
        { "500 returns", $"{Export} {{" + Join(500, i => $" if k > {i} {{ return {i} * x }}") + " return x }" },
        { "a loop in a loop, 60 deep", $"{Export} {{ let y = x" + Join(60, i => $" for i{i} in 0:n {{ y = y + {i}")
            + Repeat("}", 60) + " return y }" },
        { "a `while` in a `while`, 30 deep", $"{Export} {{ let y = x let c: i32 = 0"
            + Join(30, i => $" while c < k {{ y = y + {i} c += 1") + Repeat("}", 30) + " return y }" },
        { "a chain of 1,000 functions", "fn g0(x: f32[n]) -> f32[n] = x + 1\n"
            + Join(1000, i => $"fn g{i + 1}(x: f32[n]) -> f32[n] = g{i}(x)\n") + $"{Export} = g1000(x)" },
        { "a chain of 500 modules", "module M0 { param w: f32[1] = 0 fn apply(x: f32[n]) -> f32[n] = w * x }\n"
            + Join(500, i => $"module M{i + 1} {{ let c = M{i}() fn apply(x: f32[n]) -> f32[n] = c(x) }}\n")
            + $"module Top {{ let m = M500() {Export} = m(x) }}" },
        { "a module of its own kind, 200 levels", "module T(d: int) { if d > 0 { let c = T(d - 1) } "
            + "fn apply(x: f32[n]) -> f32[n] = x }\n" + $"module Top {{ let t = T(200) {Export} = t(x) }}" },
        { "conditions within conditions", $"{Export} {{ let y = x if " + Join(30, i => $"x[k - {i}] > {i} and (")
            + "k > 1" + Repeat(")", 30) + " { y = 2 * x } return y }" },
        { "an index form of 3,000 terms", $"{Export} = [i < n] => x[i]{Repeat(" + x[i]", 2999)}" },
    };

    [Theory]
    [MemberData(nameof(Right))]
    public void WhatIsLongIsElaborated(string name, string text)
    {
        var bag = Bind(text, out var program);
        Assert.True(program is not null, $"{name}: {PrettyRenderer.Render(bag.Sorted())}");
    }

    /// <summary>What is endless, or is so when written out: the code, and words of the message.</summary>
    public static TheoryData<string, string, string> Refused => new()
    {
        { "ACC2021", "holds itself", "module M { let a = M() let b = M() export fn f(x: f32) -> f32 = x }" },
        { "ACC2021", "holds itself", "module A { let a = B() let b = B() } module B { let a = A() let b = A() }\n"
            + "module T { let a = A() export fn f(x: f32) -> f32 = x }" },
        { "ACC2021", "levels deep", "module A(d = 0) { let a = A(d + 1) let b = A(d + 1) }\n"
            + "module T { let a = A() export fn f(x: f32) -> f32 = x }" },
        { "ACC2021", "calls itself", Join(20, i => $"fn g{i}(x: f32) -> f32 = g0(x)"
            + Join(19, j => $" + g{j + 1}(x)") + "\n") + "export fn f(x: f32) -> f32 = g0(x)" },
        { "ACC4001", "more than 1000000 operations", "fn g0(x: f32) -> f32 = x + 1\n"
            + Join(40, i => $"fn g{i + 1}(x: f32) -> f32 = g{i}(g{i}(x))\n") + "export fn f(x: f32) -> f32 = g40(x)" },
        { "ACC4001", "more than 1000000 operations",
            "module T(d: int) { if d > 0 { let l = T(d - 1) let r = T(d - 1) } }"
            + "module M { let t = T(40) export fn f(x: f32) -> f32 = x }" },
        { "ACC4001", "more than 1000000 operations", $"{Export} = x * len([[0 for i in 0:10000] for j in 0:10000])" },
        { "ACC4001", "more than 1000000 operations",
            $"{Export} {{ let a = [1, 2] {Repeat("a = [..a, ..a] ", 60)} return x * len(a) }}" },
        { "ACC4001", "more than 1000000 operations", $"{Export} {{"
            + Join(30, i => $" if k > {i} {{ if k > {i + 1} {{ return {i} * x }} }}") + " return x }" },
        { "ACC4001", "a list of more than 1000000 elements",
            $"{Export} {{ let a = [1, 2] {Repeat("a = [a, a] ", 60)} return x * len(a) }}" },
        { "ACC4001", "a size of more than", "export fn f(x: f32[n], a: int, b: int, c: int, d: int) -> f32[n] = "
            + "x * (a + b + c + d + n) ** 60" },
        { "ACC4001", "a size whose formula", "export fn f(x: f32[n], m: int) -> f32[n] { let a = n "
            + Repeat("a = max(a, m + 1) // 2 * a ", 40) + "return x * a }" },
        { "ACC4050", "64 bits", "export fn f(x: i64[n]) -> i64[n] { let s = -9223372036854775808 return x * -s }" },
        { "ACC4003", "deeper than 12000", "fn g0(x: f32[n]) -> f32[n] = x + 1\n"
            + Join(10_000, i => $"fn g{i + 1}(x: f32[n]) -> f32[n] = g{i}(x)\n") + $"{Export} = g10000(x)" },
        { "ACC4003", "rules of the grammar", $"{Export} = {Repeat("- ", 10_000)}x" },
        { "ACC4003", "rules of the grammar", $"export fn f(x: bool) -> bool = {Repeat("not ", 10_000)}x" },
        { "ACC4003", "rules of the grammar", $"{Export} = x{Repeat(" ** x", 10_000)}" },
        { "ACC4003", "rules of the grammar", $"{Export} = {Repeat("[i] => ", 10_000)}x" },
        { "ACC4003", "rules of the grammar", $"{Export} = if k == 0 {{ x }}"
            + Repeat(" else if k == 1 { x }", 10_000) + " else { x }" },
        { "ACC4003", "more than 12000 operators", $"{Export} = x{Repeat(" + x", 20_000)}" },
        { "ACC4003", "more than 12000 operators", $"{Export} = x{Repeat(".a", 20_000)}" },
        { "ACC4003", "more than 12000 operators", $"{Export} = x{Repeat("(x)", 20_000)}" },
        { "ACC4003", "more than 12000 operators", $"{Export} = x{Repeat("[0]", 20_000)}" },
        { "ACC4003", "deeper than 256", $"{Export} = {Repeat("(", 10_000)}x{Repeat(")", 10_000)}" },
        { "ACC1013", "zero byte", Repeat("\0", 100_000) },
        { "ACC1014", "600000", $"{Export} = x * len([1{Repeat(", 1", 400_000)}])" },
        { "ACC1001", "unexpected", Repeat("$", 300_000) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void WhatIsEndlessIsRefused(string code, string words, string text)
    {
        var bag = Bind(text, out var program);
        Assert.Null(program?.Entries.FirstOrDefault());
        var only = Assert.Single(bag.All);
        Assert.Equal(code, only.Code.Id);
        Assert.Contains(words, only.Headline);
        Assert.InRange(only.Headline.Length, 1, 300);
        Assert.InRange(only.Calls.Length, 0, 21);
    }

    /// <summary>
    /// A level more is a body more: the work grows with the depth, and with its square where what each level assigns is
    /// carried by all around it.
    /// </summary>
    [Theory]
    [InlineData("for i{0} in 0:n {{ y = y + {0}", 2.5)]
    [InlineData("while c < k {{ y = y + {0} c += 1", 2.5)]
    [InlineData("if c > {0} {{ y = y + {0}", 2.5)]
    [InlineData("for i{0} in 0:n {{ if g{0} {{ y = y + {0} }} g{0} = true", 4)]
    public void AnotherLevelIsOneMoreBody(string level, double most)
    {
        long Work(int depth)
        {
            var bag = new DiagnosticBag();
            var text = $"{Export} {{ let y = x let c: i32 = 0" + Join(depth, i => $" let g{i} = false")
                + Join(depth, i => " " + string.Format(System.Globalization.CultureInfo.InvariantCulture, level, i))
                + Repeat("}", depth) + " return y }";
            var (work, statements) = Binder.WorkOf(new SourceText("t.acc", text), bag);
            Assert.Equal(0, bag.Count);
            Assert.Equal(Statements(text), statements);
            return work;
        }

        Assert.InRange((double)Work(24) / Work(12), 1, most);
        Assert.InRange((double)Work(96) / Work(48), 1, most);
    }

    /// <summary>Each arm of a long chain is elaborated once too.</summary>
    [Fact]
    public void AnotherElseIfIsOneMoreBranch()
    {
        long Work(int arms)
        {
            var bag = new DiagnosticBag();
            var text = $"{Export} {{ let y = x if k == 0 {{ y = x }}"
                + Join(arms, i => $" else if k == {i} {{ y = {i} * x }}") + " return y }";
            var (work, statements) = Binder.WorkOf(new SourceText("t.acc", text), bag);
            Assert.Equal(0, bag.Count);
            Assert.Equal(Statements(text), statements);
            return work;
        }

        Assert.InRange((double)Work(800) / Work(400), 1, 2.5);
    }

    /// <summary>The statements of a text, an `if` not counted.</summary>
    private static long Statements(string text)
    {
        long Count(SyntaxNode? node) => node is null ? 0 : (node is StatementSyntax and not IfStatement ? 1 : 0)
            + SyntaxPrinter.Children(node).Sum(c => Count(c.Node));
        var bag = new DiagnosticBag();
        return Nesting.Deeply(() => Count(Parser.Parse(new SourceText("t.acc", text), bag)));
    }

    [Fact]
    public void GreatNumbersAreComparedExactly() => Bound.Program("""
        assert(9223372036854775807 > 9223372036854775806)
        assert(9007199254740993 != 9007199254740992)
        assert(-9223372036854775808 < -9223372036854775807)
        export fn f(x: f32) -> f32 = if 9007199254740993 == 9007199254740992 { x[0] } else { x }
        """);

    [Fact]
    public void MistakesEndAtAHundred()
    {
        var bag = Bind($"{Export} {{ {Join(5000, i => $"let y{i} = nope{i}(x)\n")} return x }}", out _);
        Assert.Equal(100, bag.Count);
        bag = Bind($"{Export} {{ {Repeat("let = 3\n", 5000)} return x }}", out _);
        Assert.Equal(100, bag.Count);
        bag = Bind(Join(900, i => $"$ {i}\n"), out _);
        Assert.Equal(100, bag.Count);
    }
}
