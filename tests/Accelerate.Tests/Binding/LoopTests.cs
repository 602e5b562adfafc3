// What goes round a loop comes from its text and from what its callees change: programs where that is hard to see come
// in; what is carried, and how often a body was elaborated, goes out.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class LoopTests
{
    private const string Counter = """
        module Counter {
            buffer count: i32 = 0
            fn add(k: i32) { count += k }
            fn maybe(on: bool) { if on { count += 1 } }
            fn get() -> i32 = count
        }
        fn twice(f: fn) { f(1)  f(1) }
        fn bump(c: Counter) { c.add(1) }
        fn lend(inout t: i32) { t += 1 }

        """;

    /// <summary>The first scan, and the body of each scan in it.</summary>
    private static List<Scan> Nest(Function function)
    {
        var scans = new List<Scan>();
        for (var at = function; at.Nodes.OfType<Scan>().FirstOrDefault() is { } scan; at = scan.Body) scans.Add(scan);
        return scans;
    }

    /// <summary>What a statement in two loops does to the state is carried by both, and assigned behind them.</summary>
    [Theory]
    [InlineData("c.add(1)", 2)]
    [InlineData("twice(c.add)", 5)]
    [InlineData("bump(c)", 3)]
    [InlineData("c.count += 1", 1)]
    [InlineData("lend(inout c.count)", 2)]
    [InlineData("for d in layers { d.add(1) }", 3)]
    [InlineData("for d in layers { bump(d) }", 4)]
    [InlineData("layers[0].add(1)", 2)]
    [InlineData("own()", 3)]
    [InlineData("let z = [d.get() for d in layers]  if z[0] > x[0] { c.add(1) }", 4)]
    public void StateThatACalleeChangesGoesRound(string statement, int statements)
    {
        var text = Counter + $$"""
            module M {
                let c = Counter()
                let layers = [c]
                fn own() { c.add(2) }
                export fn f(x: i32[3]) -> i32[3] {
                    for i in 0:4 {
                        for j in 0:2 { {{statement}} }
                    }
                    return x
                }
            }
            """;
        var function = Bound.Function(text);
        Assert.Equal([1, 1], Nest(function).Select(s => s.Carried));
        Assert.Equal("c.count", Assert.Single(function.Effects.OfType<Assign>()).Name);
        // The two loops and the `return`, and the body with what it calls once.
        Assert.Equal(3 + statements, Binder.WorkOf(new SourceText("t.acc", text), new DiagnosticBag()).Statements);
    }

    /// <summary>A list of state, the state of a file's instance, and what another function of the module assigns.</summary>
    [Theory]
    [InlineData("params = [p * 2 for p in params]", 2)]
    [InlineData("net.params = [p + 1 for p in net.params]", 1)]
    [InlineData("shared.add(1)", 1)]
    [InlineData("a = a + 1  shared.add(1)", 2)]
    public void AllThatIsAssignedGoesRoundAndNothingElse(string statement, int carried)
    {
        var function = Bound.Function(Counter + $$"""
            module Net { param w: f32[2] = 0 }
            let shared = Counter()
            module M {
                let net = Net()
                param a: f32[2] = 0
                export fn f(x: i32[3]) -> i32[3] {
                    for i in 0:4 { for j in 0:2 { {{statement}} } }
                    return x
                }
            }
            """);
        Assert.Equal([carried, carried], Nest(function).Select(s => s.Carried));
    }

    [Fact]
    public void AFilesInstanceThatALoopMentionsFirstCounts()
    {
        var function = Bound.Function(Counter + """
            let shared = Counter()
            export fn f(x: i32[1]) -> i32[1] {
                let y = x
                for i in 0:3 {
                    for j in 0:2 {
                        y += shared.get()
                        shared.add(1)
                    }
                }
                return y
            }
            """);
        var result = GraphInterpreter.Run(function, [Bound.Integers(0)],
            _ => ReferenceValue.Of(DType.I32, [], [0L]), new Dictionary<string, long>())[0];
        Assert.Equal([15], result.Integers);
    }

    [Fact]
    public void WhatNoRoundChangesIsNotCarried()
    {
        var function = Bound.Function(Counter + """
            module M {
                let c = Counter()
                export fn f(x: i32[3]) -> i32[3] {
                    let y = x
                    let z = x
                    for i in 0:4 {
                        c.maybe(false)
                        if false { z = y }
                        y = y + z * c.get()
                    }
                    return y
                }
            }
            """);
        var scan = Assert.Single(function.Nodes.OfType<Scan>());
        Assert.Equal(1, scan.Carried);
        Assert.Equal(3, scan.Operands.Length);
        Assert.Empty(function.Effects);
    }

    /// <summary>A place and a choice that are known stay known where the only assignment is not taken.</summary>
    [Fact]
    public void WhatIsKnownAndNoRoundChangesStaysKnown()
    {
        var function = Bound.Function("""
            export fn f(x: f32[8]) -> f32[8] {
                let at: i32 = 3
                let wide = false
                let s = x
                for i in 0:4 {
                    for j in 0:4 {
                        if false {
                            at += 1
                            wide = true
                        }
                        if wide { s = s[0:3] }
                        s = s + x[at]
                    }
                }
                return s
            }
            """);
        IsKnown(function);
    }

    /// <summary>The same where a condition in the round, or in a function that is called, decides.</summary>
    [Theory]
    [InlineData("if not wide and one == 1 { } else { at += 1  wide = true }")]
    [InlineData("if wide { wide = not wide }")]
    [InlineData("let never = 1 > 2  if never { at += 1  wide = true }")]
    [InlineData("change(inout at, false)  for never in [false, false] { if never { wide = true } }")]
    public void SoItDoesWhereARoundDecides(string statement) => IsKnown(Bound.Function($$"""
        fn change(inout at: i32, really: bool) { if really { at += 1 } }
        export fn f(x: f32[8]) -> f32[8] {
            let at: i32 = 3  let wide = false  let one = 1
            let s = x
            for i in 0:4 {
                for j in 0:4 {
                    {{statement}}
                    if wide { s = s[0:3] }
                    s = s + x[at]
                }
            }
            return s
        }
        """));

    private static void IsKnown(Function function)
    {
        var nest = Nest(function);
        Assert.Equal([1, 1], nest.Select(s => s.Carried));
        Assert.DoesNotContain(nest[1].Body.Nodes, n => n is DynamicSlice or If);
        Assert.Empty(function.Checks);
    }

    /// <summary>The numbers are those that writing the rounds out gives.</summary>
    [Fact]
    public void ValuesThatTakeEachOthersPlacesGoRound()
    {
        var result = Bound.Run("""
            export fn f(x: f32[2], y: f32[2]) -> f32[2] {
                let a = x  let b = y  let l = [x, y]  let odd = false  let s: f32[2] = 0
                for i in 0:3 {
                    let t = a
                    a = b
                    b = t + l[0]
                    for j in 0:2 {
                        if odd { s += a } else { s += 10 * b }
                        odd = not odd
                        l[1] = l[0] + s
                    }
                    l[0] = l[1]
                }
                return s
            }
            """, Bound.Count(2), Bound.Count(2));
        var (a, b, l, odd, s) = (1.0, 1.0, new[] { 1.0, 1.0 }, false, 0.0);
        for (var i = 0; i < 3; i++)
        {
            (a, b) = (b, a + l[0]);
            for (var j = 0; j < 2; j++)
            {
                s += odd ? a : 10 * b;
                odd = !odd;
                l[1] = l[0] + s;
            }
            l[0] = l[1];
        }
        Assert.Equal([0, s], result.Values);
    }

    /// <summary>What a number that the loop changes leads to says nothing; what follows is told still.</summary>
    [Theory]
    [InlineData("for i in 0:n { k += 1  y = nope(y) }", "ACC2041 3:14")]
    [InlineData("for i in 0:n { for j in 0:n { k += 1  y = y[k + 9:2] } }", "ACC2041 3:14")]
    [InlineData("for i in 0:n { k += 1  y = torch.relu(y) }  y = torch.tanh(y)", "ACC2041 3:14", "ACC2001 3:")]
    [InlineData("for i in 0:n { y = nope(y)  for j in 0:n { return y } }", "ACC4001 3:48")]
    [InlineData("for i in 0:n { for j in 0:n { y = nope(y) } }", "ACC2001 3:39")]
    [InlineData("while nope(y) { y += 1 }", "ACC2001 3:11")]
    public void AMistakeInALoopIsReportedOnce(string statement, params string[] expected)
    {
        var errors = Bound.Errors($$"""
            export fn f(x: f32[n]) -> f32[n] {
                let y = x  let k = 1
                {{statement}}
                return y
            }
            """);
        Assert.Equal(expected.Length, errors.Count);
        foreach (var (e, error) in expected.Zip(errors)) Assert.StartsWith(e, error);
    }

    /// <summary>No loop is tried to see what it assigns.</summary>
    [Fact]
    public void ABodyIsElaboratedOnce()
    {
        var bag = new DiagnosticBag();
        var (_, statements) = Binder.WorkOf(new SourceText("t.acc", """
            fn put(inout cache: f32[n], x: f32, at: i32) { cache[at] = x }
            export fn f(x: f32[n], k: i32) -> f32[n] {
                let y: f32[n] = 0
                let at: i32 = 0
                let any = false
                while at < k {
                    for i in 0:k {
                        put(inout y, x[at], at)
                        any = true
                    }
                    if any { at += 1 } else { at += 2 }
                }
                return y
            }
            """), bag);
        Assert.Equal(0, bag.Count);
        Assert.Equal(11, statements);
    }
}
