// Work that is the same in every iteration leaves the loop, and nothing else does; the values stay.
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Assert = Xunit.Assert;
using Comparison = Accelerate.Compiler.Graph.Interpreter.Comparison;

namespace Accelerate.Tests.Passes;

public class HoistTests
{
    /// <summary>A loop over %t &lt; 3 that carries x and captures w; the body's nodes come between.</summary>
    private static string Loop(string body, string result) => $$"""
        graph @body {
          %0: f32[4] = input("x")
          %1: f32[4] = input("w")
          {{body}}
          return(%{{result}})
        }
        graph @f {
          %0: f32[4] = input("x")
          %1: f32[4] = input("w")
          %2: f32[4] = scan(%0, %1; @body,t.1<3,1)
          %3: f32[4] = result(%2; 0)
          return(%3)
        }
        """;

    [Fact]
    public void WhatDependsOnCapturedValuesOnlyLeavesTheLoop()
    {
        var text = Loop("""
            %2: f32[4] = exp(%1)
            %3: f32[4] = mul(%0, %2)
            %4: f32[4] = add(%3, %2)
            """, "4");
        var hoisted = Check(text);
        Assert.DoesNotContain(Body(hoisted).Nodes, n => n is Unary);
        Assert.Single(hoisted.Nodes.OfType<Unary>(), u => u.Kind == UnaryOp.Exp);
    }

    [Theory]
    // Depends on what is carried.
    [InlineData("%2: f32[4] = exp(%0)\n %3: f32[4] = mul(%2, %1)", "3")]
    // Cheap: a multiplication costs less than keeping its result.
    [InlineData("%2: f32[4] = mul(%1, %1)\n %3: f32[4] = add(%0, %2)", "3")]
    // Depends on the loop's variable.
    [InlineData("%2: f32 = size(; t.1)\n %3: f32[4] = broadcast(%2; [])\n %4: f32[4] = mul(%1, %3)\n %5: f32[4] = exp(%4)\n %6: f32[4] = add(%0, %5)", "6")]
    // May fail: the loop may never run.
    [InlineData("%2: i32 = const([1])\n %3: f32 = gather(%1, %2; 0)\n %4: f32[4] = broadcast(%3; [])\n %5: f32[4] = add(%0, %4)", "5")]
    public void TheRestStays(string body, string result)
    {
        var before = GraphReader.Read(Loop(body, result));
        var hoisted = Check(Loop(body, result));
        Assert.Equal(Body(before).Nodes.Count, Body(hoisted).Nodes.Count);
        Assert.Equal(2, hoisted.Nodes.OfType<Scan>().Single().Operands.Length);
    }

    [Fact]
    public void OutOfTwoLoops()
    {
        var text = """
            graph @inner {
              %0: f32[4] = input("x")
              %1: f32[4] = input("w")
              %2: f32[4] = tanh(%1)
              %3: f32[4] = mul(%0, %2)
              return(%3)
            }
            graph @outer {
              %0: f32[4] = input("x")
              %1: f32[4] = input("w")
              %2: f32[4] = scan(%0, %1; @inner,j.2<2,1)
              %3: f32[4] = result(%2; 0)
              return(%3)
            }
            graph @f {
              %0: f32[4] = input("x")
              %1: f32[4] = input("w")
              %2: f32[4] = scan(%0, %1; @outer,i.1<3,1)
              %3: f32[4] = result(%2; 0)
              return(%3)
            }
            """;
        var hoisted = Check(text);
        Assert.Single(hoisted.Nodes.OfType<Unary>());
        Assert.DoesNotContain(GraphPrinter.Closure(hoisted).Where(f => f != hoisted)
            .SelectMany(f => f.Nodes), n => n is Unary);
    }

    [Fact]
    public void OutOfAWhileLoopAndItsCondition()
    {
        var text = """
            graph @condition {
              %0: f32 = input("x")
              %1: f32 = input("w")
              %2: f32 = exp(%1)
              %3: bool = compare(%0, %2; lt)
              return(%3)
            }
            graph @body {
              %0: f32 = input("x")
              %1: f32 = input("w")
              %2: f32 = sqrt(%1)
              %3: f32 = add(%0, %2)
              return(%3)
            }
            graph @f {
              %0: f32[4] = input("x")
              %1: f32[4] = input("w")
              %2: f32 = reduce(%0; add,[0])
              %3: f32 = reduce(%1; max,[0])
              %4: f32 = abs(%3)
              %5: f32 = while(%2, %4; @condition,@body,1)
              %6: f32 = result(%5; 0)
              return(%6)
            }
            """;
        var hoisted = Check(text);
        Assert.Equal([UnaryOp.Abs, UnaryOp.Exp, UnaryOp.Sqrt], hoisted.Nodes.OfType<Unary>().Select(u => u.Kind)
            .Order());
    }

    private static Function Body(Function f) => f.Nodes.OfType<Scan>().Single().Body;

    /// <summary>The hoisted function, which verifies, and gives what the original gives.</summary>
    private static Function Check(string text)
    {
        var function = GraphReader.Read(text);
        var hoisted = DeadCode.Run(Hoist.Run(function, new Rewrites()));
        Verifier.Verify(hoisted);
        ReferenceValue[] inputs =
        [
            ReferenceValue.Of(DType.F32, [4], -0.5, 1, 2, 0.25),
                ReferenceValue.Of(DType.F32, [4], 0.75, -1.5, 0.5, 1.25),
        ];
        var (before, after) = (Run(function, inputs), Run(hoisted, inputs));
        Assert.Equal(before.Values, after.Values);
        return hoisted;
    }

    private static ReferenceValue Run(Function function, ReferenceValue[] inputs) =>
        GraphInterpreter.Run(function, inputs, _ =>
            throw new InvalidOperationException(), new Dictionary<string, long>())[0];
}
