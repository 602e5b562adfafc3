// Loops, branches, places and state as graphs: what is captured and carried, what is checked where, what is refused.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class ControlFlowTests
{
    [Fact]
    public void ARangeOfConstantsIsOneLoop()
    {
        var scan =
            Assert.Single(Bound.Function(
                "export fn f(x: f32) -> f32 {\n let s = x\n for i in 0:100 { s = s * 2 }\n return s\n}")
            .Nodes.OfType<Scan>());
        Assert.Equal(100, scan.Count.Value);
        Assert.Equal(1, scan.Carried);
    }

    [Fact]
    public void WhatIsUsedTwiceIsCapturedOnce()
    {
        var scan = Assert.Single(Bound.Function("""
            export fn f(x: f32[n], y: f32[n], z: f32[n]) -> f32[n] {
                let s: f32[n] = 0
                for i in 0:n { s = s * x + x - y }
                return s + z
            }
            """).Nodes.OfType<Scan>());
        Assert.Equal(3, scan.Operands.Length);
    }

    [Fact]
    public void ASliceAtTheRunTimeScalarOfAnOuterFunctionHasItsLength()
    {
        var result = Bound.Run("""
            fn put(inout cache: f32[n], x: f32[t], pos: i32) { cache[pos : pos + t] = x }
            export fn f(c: bool, pos: i32, x: f32[t]) -> f32[8] {
                let cache: f32[8] = 0
                for i in 0:2 {
                    if c { put(inout cache, x + i, pos + i) }
                }
                return cache
            }
            """, ReferenceValue.Of(DType.Bool, [], [1L]), ReferenceValue.Of(DType.I32, [], [3L]), Bound.Count(2));
        Assert.Equal([0, 0, 0, 0, 1, 2, 0, 0], result.Values);
    }

    [Fact]
    public void WhatTheFirstRoundKnowsSaysNothingAboutTheOthers()
    {
        // In the first round the place is 7, out of the range of x: the loop has none, and no check may say so.
        var function = Bound.Function("""
            export fn f(x: f32[4], k: i32) -> f32 {
                let at: i32 = 7
                let s: f32 = 0
                while at < k {
                    s += x[at]
                    at -= 1
                }
                return s
            }
            """);
        Assert.Empty(function.Checks);
        Assert.Equal(0, GraphInterpreter.Run(function, [Bound.Count(4), ReferenceValue.Of(DType.I32, [], [0L])],
            _ => throw new InvalidOperationException("no state"), new Dictionary<string, long>())[0].Values[0]);
    }

    [Fact]
    public void ALoopsPlaceIsProvedOrCheckedForItsLastRound()
    {
        Assert.Empty(
            Bound.Function(
                "export fn f(x: f32[n]) -> f32 {\n let s: f32 = 0\n for i in 0:n { s += x[n - 1 - i] }\n return s\n}").Checks);
        var check = Assert.Single(Bound.Function("""
            export fn f(x: f32[n], y: f32[m]) -> f32 where n >= 1 {
                let s: f32 = 0
                for i in 0:n { s += y[i] }
                return s
            }
            """).Checks, c => c.Kind == CheckKind.AtMost && c.Right.Variables().Concat(c.Left.Variables()).Contains("m"));
        Assert.True(check.Holds(v => v == "n" ? 3 : 3));
        Assert.False(check.Holds(v => v == "n" ? 4 : 3));
        Assert.True(check.Holds(v => 0)); // no round asks for nothing
    }

    [Fact]
    public void ACheckInABranchIsMadeWhereItIsTaken()
    {
        var function = Bound.Function("""
            export fn f(c: bool, x: f32[n]) -> f32 {
                let s: f32 = 0
                if c { s = x[2] }
                return s
            }
            """);
        Assert.Empty(function.Checks);
        Assert.Contains(Assert.Single(function.Nodes.OfType<If>()).Then.Effects, e => e is Compiler.Graph.Assert);
    }

    [Fact]
    public void StateIsAssignedOnceAtTheEnd()
    {
        var function = Bound.Function("""
            module M {
                buffer a: f32[2] = 0
                buffer b: i32 = 0
                export fn f(inout x: f32[2]) -> f32[2] {
                    a += x
                    for i in 0:3 {
                        b += 1
                        x *= 2
                    }
                    a = a * 2
                    return a
                }
            }
            """);
        Assert.Equal(["a", "b", "x"], function.Effects.OfType<Assign>().Select(a => a.Name));
        Assert.Equal(StorageClass.Inout, function.Effects.OfType<Assign>().Last().Storage);
        Assert.Single(function.Results);
    }

    [Fact]
    public void StateThatKeepsItsValueIsNotAssigned() => Assert.Empty(Bound.Function("""
        module M {
            buffer a: f32[2] = 0
            export fn f(x: f32[2]) -> f32[2] {
                if false { a = x }
                return a + x
            }
        }
        """).Effects);

    [Fact]
    public void PrintAndAssertAreInOrderInsideAndOutside()
    {
        var function = Bound.Function("""
            export fn f(x: f32[n]) -> f32[n] {
                print("begin {} {}", n, "text {}")
                for i in 0:n { print("{} {:.3}", i, x[i]) }
                assert(all(x > 0), "not all: {}", min(x))
                return x
            }
            """);
        Assert.Equal(["print", "scan", "assert"], function.Effects.Select(e => e.Op));
        using var seven = Tensor.Scalar(7L);
        Assert.Equal("begin 7 text {}", PrintFormat.Format(((Print)function.Effects[0]).Format, [seven]));
    }

    [Fact]
    public void AnIfOfIndexFormsReadsOnlyWhereItIsTaken()
    {
        var result = Bound.Run("""
            fn at(x: f32[n], i: i32) -> f32 {
                let y: f32 = -1
                if i >= 0 and i < n { y = x[i] }
                return y
            }
            export fn f(x: f32[n], ids: i32[m]) -> f32[m] = [i] => at(x, ids[i])
            """, Bound.Count(3), Bound.Integers(2, -5, 7, 0));
        Assert.Equal([2, -1, -1, 0], result.Values);
    }

    [Fact]
    public void AReturnInABranchOfAnIndexFormIsASelect()
    {
        var result = Bound.Run("""
            fn sign(x: f32) -> f32 {
                if x > 0 { return 1.0 }
                if x < 0 { return -1.0 }
                return x
            }
            export fn f(x: f32[n]) -> f32[n] = [i] => sign(x[i] - 1)
            """, Bound.Count(3));
        Assert.Equal([-1, 0, 1], result.Values);
    }

    [Fact]
    public void ALoopOfConstantsInAnIndexFormIsUnrolled()
    {
        var result = Bound.Run("""
            fn horner(x: f32) -> f32 {
                let y: f32 = 0
                for k in 0:3 { y = y * x + 1 }
                return y
            }
            export fn f(x: f32[n]) -> f32[n] = [i] => horner(x[i])
            """, Bound.Count(4));
        Assert.Equal([1, 3, 7, 13], result.Values);
    }

    [Theory]
    [InlineData("if c { y = x[0] } else { y = f64(x[0]) }", "ACC2035 4:8")]
    [InlineData("if c { y = x }", "ACC2035 4:8")]
    [InlineData("for i in 0:n { y = x }", "ACC2041 4:14")]
    [InlineData("for i in 0:n { k += 1 }", "ACC2041 4:14")]
    [InlineData("for i in 0:n { y = f64(y) }", "ACC2041 4:14")]
    [InlineData("for i in 0:n { l = [..l, y] }", "ACC2041 4:14")]
    [InlineData("for i in 0:n { y += l[i] }", "ACC2019 4:27")]
    [InlineData("while x > 0 { y += 1 }", "ACC2010 4:11")]
    [InlineData("while y { y += 1 }", "ACC2003 4:11")]
    [InlineData("while y > 0 { k += 1 }", "ACC2041 4:11")]
    [InlineData("x[0:2] = [1, 2]", "ACC2003 4:14")]
    [InlineData("x[0] = x", "ACC2003 4:12")]
    [InlineData("swap(inout x, inout x)", "ACC2040 4:25")]
    [InlineData("swap(inout x, inout x[0:2])", "ACC2040 4:25")]
    [InlineData("swap(x, inout y)", "ACC2012 4:10")]
    [InlineData("let z = [i < n] => if c { print(\"\") } else { 0.0 }", "ACC2039 4:31")]
    [InlineData("print(\"{} {}\", y)", "ACC2006 4:5")]
    [InlineData("print(\"{:d}\", y)", "ACC2003 4:5")]
    [InlineData("for i in 0:n:0 { y += 1 }", "ACC2003 4:14")]
    [InlineData("for i in x { y += i }", "ACC2003 4:14")]
    [InlineData("for i, j in 0:n { y += 1 }", "ACC2030 4:17")]
    [InlineData("y = key", "ACC2001 4:9")]
    public void MistakesAreNamedOnceAndDoNotCascade(string statement, string expected)
    {
        var errors = Bound.Errors($$"""
            fn swap(inout a: f32[..], inout b: f32[..]) { a = a }
            export fn f(c: bool, x: f32[n]) -> f32 {
                let y: f32 = 0  let k = 1  let l = [y]
                {{statement}}
                return y + k
            }
            """);
        Assert.StartsWith(expected + " ", Assert.Single(errors));
    }

    [Fact]
    public void MutatedProgramsNeverBreakTheBinder()
    {
        string[] programs =
            [.. Directory.EnumerateFiles(Path.Combine(Support.Shared.Repository, "tests", "cases"), "*.acc",
                SearchOption.AllDirectories)
            .Where(p => p.Contains("control", StringComparison.Ordinal)
                || p.Contains("state", StringComparison.Ordinal)).Order().Select(File.ReadAllText)];
        var seed = Environment.TickCount;
        var random = new System.Random(seed);
        for (var round = 0; round < 400; round++)
        {
            var text = Mutated(programs[random.Next(programs.Length)], random);
            var bag = new DiagnosticBag();
            BoundProgram? program = null;
            var failure = Record.Exception(
                () => program = Binder.Bind(new SourceText("t.acc", text), new BindOptions(), bag));
            Assert.True(failure is null, $"seed {seed}, round {round}: {failure}\n{text}");
            Assert.True(bag.All.All(d => d.Class != DiagnosticClass.CompilerBug),
                $"seed {seed}, round {round}\n{PrettyRenderer.Render(bag.Sorted())}\n{text}");
            foreach (var entry in program?.Entries ?? [])
            {
                failure = Record.Exception(() => Verifier.Verify(entry));
                Assert.True(failure is null, $"seed {seed}, round {round}: @{entry.Name}: {failure?.Message}\n{text}");
            }
        }
    }

    /// <summary>One or two words of a program replaced by others of it, dropped, or repeated.</summary>
    private static string Mutated(string text, System.Random random)
    {
        for (var k = random.Next(1, 3); k > 0; k--)
        {
            var words =
                System.Text.RegularExpressions.Regex.Matches(text, @"[A-Za-z_]\w*|[0-9.]+|[-+*/=<>!]+|[\[\](){},:]")
                .ToList();
            var (at, other) = (words[random.Next(words.Count)], words[random.Next(words.Count)]);
            text = text[..at.Index] + random.Next(4) switch
            {
                0 => "",
                1 => at.Value + " " + at.Value,
                _ => other.Value,
            } + text[(at.Index + at.Length)..];
        }
        return text;
    }
}
