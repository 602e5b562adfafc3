// Dead code in regions: what no result needs goes, what an effect or a later iteration needs stays, and values do not
// change.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Graph;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public sealed class DeadCodeTests
{
    private const string Body = """
        graph @body {
          %0: f32[n] = input(; "sum")
          %1: f32[n] = input(; "unused")
          %2: f32[n] = input(; "helper")
          %3: f32[n] = input(; "captured")
          %4: f32[n] = input(; "never")
          %5: f32[n] = add(%0, %2)
          %6: f32[n] = mul(%1, %4)
          %7: f32[n] = add(%2, %3)
          %8: f32[n] = neg(%5)
          %9: f32[n] = exp(%6)
          return(%5, %6, %7, %8, %9)
        }

        """;

    [Fact]
    public void CarriedVariablesOutputsAndCapturesThatNobodyReadsGo()
    {
        var scan = Only<Scan>(Run(Body + """
            graph @f {
              %0: f32[n] = input(; "x")
              %1: f32[n] = input(; "y")
              %2: f32[n] = scan(%0, %1, %0, %1, %0; @body,i.1<3,3)
              %3: f32[n] = result(%2; 0)
              %4: f32[3,n] = result(%2; 3)
              return(%3, %4)
            }
            """));
        // `helper` is read by no one outside, but by the next iteration's sum; `unused` only by itself.
        Assert.Equal(["sum", "helper", "captured"], scan.Body.Inputs.Select(i => i.Name));
        Assert.Equal((2, 3, 3), (scan.Carried, scan.Operands.Length, scan.ResultTypes.Length));
        Assert.DoesNotContain(scan.Body.Nodes, n => n.Op is "mul" or "exp");
    }

    [Fact]
    public void AnOutputAloneKeepsWhatItIsMadeOf()
    {
        var scan = Only<Scan>(Run(Body + """
            graph @f {
              %0: f32[n] = input(; "x")
              %1: f32[n] = input(; "y")
              %2: f32[n] = scan(%0, %1, %0, %1, %0; @body,i.1<3,3)
              %3: f32[3,n] = result(%2; 4)
              return(%3)
            }
            """));
        Assert.Equal(["unused", "never"], scan.Body.Inputs.Select(i => i.Name));
        Assert.Equal((1, 2), (scan.Carried, scan.ResultTypes.Length));
    }

    [Fact]
    public void ALoopThatNobodyReadsGoes() => Assert.Equal(["input", "input"], Run(Body + """
        graph @f {
          %0: f32[n] = input(; "x")
          %1: f32[n] = input(; "y")
          %2: f32[n] = scan(%0, %1, %0, %1, %0; @body,i.1<3,3)
          %3: f32[n] = result(%2; 0)
          %4: f32[n] = add(%3, %3)
          return(%1)
        }
        """).Nodes.Select(n => n.Op));

    [Fact]
    public void BranchesLoseTheResultsAndOperandsThatAreNotRead()
    {
        var branch = Only<If>(Run("""
            graph @then {
              %0: f32[n] = input(; "a")
              %1: f32[n] = input(; "b")
              %2: f32[n] = exp(%1)
              return(%0, %2)
            }
            graph @else {
              %0: f32[n] = input(; "a")
              %1: f32[n] = input(; "b")
              %2: f32[n] = neg(%0)
              return(%2, %1)
            }
            graph @f {
              %0: bool = input(; "c")
              %1: f32[n] = input(; "x")
              %2: f32[n] = input(; "y")
              %3: f32[n] = if(%0, %1, %2; @then,@else)
              %4: f32[n] = result(%3; 0)
              return(%4)
            }
            """));
        Assert.Equal(["a"], branch.Then.Inputs.Select(i => i.Name));
        Assert.Equal(["input"], branch.Then.Nodes.Select(n => n.Op));
        Assert.Equal((2, 1), (branch.Operands.Length, branch.ResultTypes.Length));
    }

    [Fact]
    public void WhatTheConditionOrAnEffectReadsStays()
    {
        var loop = Only<While>(Run("""
            graph @test {
              %0: i32 = input(; "k")
              %1: f32 = input(; "x")
              %2: f32 = input(; "dead")
              %3: i32 = const(; [3])
              %4: bool = compare(%0, %3; lt)
              return(%4)
            }
            graph @round {
              %0: i32 = input(; "k")
              %1: f32 = input(; "x")
              %2: f32 = input(; "dead")
              %3: i32 = const(; [1])
              %4: i32 = add(%0, %3)
              %5: f32 = print(%1; "{}")
              %6: f32 = neg(%1)
              %7: f32 = neg(%2)
              return(%4, %6, %7)
            }
            graph @f {
              %0: f32 = input(; "y")
              %1: i32 = const(; [0])
              %2: i32 = while(%1, %0, %0; @test,@round,3)
              return(%0)
            }
            """));
        Assert.Equal(["k", "x"], loop.Body.Inputs.Select(i => i.Name));
        Assert.Equal(2, loop.ResultTypes.Length);
        Assert.True(loop.IsEffect);
    }

    [Fact]
    public void RegionsInRegionsAreCleanedToo()
    {
        var scan = Only<Scan>(Run(Body + """
            graph @outer {
              %0: f32[n] = input(; "a")
              %1: f32[n] = input(; "b")
              %2: f32[n] = scan(%0, %1, %0, %0, %1; @body,i.1<3,3)
              %3: f32[n] = result(%2; 0)
              %4: f32[n] = result(%2; 1)
              return(%3, %4)
            }
            graph @f {
              %0: f32[n] = input(; "x")
              %1: f32[n] = input(; "y")
              %2: f32[n] = scan(%0, %1; @outer,i.2<2,2)
              %3: f32[n] = result(%2; 0)
              return(%3)
            }
            """));
        Assert.Equal(["a"], scan.Body.Inputs.Select(i => i.Name));
        Assert.Equal(3, Only<Scan>(scan.Body).Operands.Length);
    }

    [Fact]
    public void RegionsOfACalleeInlinedTwiceHaveTheirOwnNames()
    {
        var function = GraphReader.Read("""
            graph @once {
              %0: f32[n] = input(; "x")
              %1: f32[n] = neg(%0)
              return(%1)
            }
            graph @g {
              %0: f32[n] = input(; "x")
              %1: f32[n] = scan(%0; @once,i.1<3,1)
              %2: f32[n] = result(%1; 0)
              return(%2)
            }
            graph @f {
              %0: f32[n] = input(; "x")
              %1: f32[n] = call(%0; @g)
              %2: f32[n] = exp(%1)
              %3: f32[n] = call(%2; @g)
              return(%3)
            }
            """);
        var inlined = Decompose.Run(function);
        Verifier.Verify(inlined);
        Assert.Equal(["once", "once.2"], inlined.Nodes.OfType<Scan>().Select(s => s.Body.Name));
        Verifier.Verify(GraphReader.Read(GraphPrinter.Print(DeadCode.Run(inlined))));
    }

    /// <summary>The function without dead code, which gives the values that it gave.</summary>
    private static Function Run(string text)
    {
        var before = GraphReader.Read(text);
        Verifier.Verify(before);
        var after = DeadCode.Run(before);
        Verifier.Verify(after);
        Verifier.Verify(GraphReader.Read(RoundTripTests.Strip(GraphPrinter.Print(after))));
        var random = new System.Random(1);
        ReferenceValue[] inputs = [.. before.Inputs.Select(i => RandomGraphs.Value(i.Type, 4, random))];
        var (lines, linesAfter) = (new List<double>(), new List<double>());
        IReadOnlyList<ReferenceValue> Values(Function f, List<double> prints) => GraphInterpreter.Run(f, inputs,
            _ => throw new InvalidOperationException(), new Dictionary<string, long> { ["n"] = 4 },
                new() { Print = (_, v) => prints.AddRange(v[0].Values) });
        foreach (var (a, b) in Values(before, lines).Zip(Values(after, linesAfter))) Assert.Equal(a.Values, b.Values);
        Assert.Equal(lines, linesAfter);
        return after;
    }

    private static T Only<T>(Function function)
        where T : RegionNode => Assert.Single(function.Nodes.OfType<T>());
}
