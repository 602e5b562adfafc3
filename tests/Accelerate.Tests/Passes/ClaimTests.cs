// Every attention of the networks is one kernel, and a composite is one call until it is decomposed.
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public sealed class ClaimTests
{
    /// <param name="model">Under examples/models.</param>
    /// <param name="entry">An exported function.</param>
    /// <param name="layers">As the model's paper, or its config, has it.</param>
    [Theory]
    [InlineData("bert", 12)]
    [InlineData("gpt2", 12)]
    [InlineData("vit", 12)]
    [InlineData("t5", 18)]
    public void EveryLayersAttentionIsTakenWhole(string model, int layers)
    {
        var path = Path.Combine(Shared.Repository, "examples", "models", $"{model}.acc");
        var compiled = Compilation.FromFile(path, new() { Last = CompilationStage.Optimised });
        Assert.Empty(compiled.Diagnostics);
        Assert.Equal(layers, compiled.Entries.SelectMany(e => GraphPrinter.Closure(e.Bound))
            .Max(f => f.Nodes.Count(n => n is Call { Callee.Composite: "attention" })));
        Assert.All(compiled.Entries, e => Assert.Empty(e.FindDissolved()));
    }

    [Fact]
    public void EqualCallsOfACompositeShareOneFunction()
    {
        var compiled = Compilation.FromSource(new("twice.acc", """
            use nn
            export fn f(x: f32[n, 8], w: f32[8], b: f32[8]) -> f32[n, 8] {
                let y = layer_norm(x, w, b)
                return layer_norm(softmax(y) + softmax(x), w, b)
            }
            """), new() { Last = CompilationStage.Optimised });
        var entry = compiled.Entries.Single();
        Assert.Equal(["layer_norm", "softmax", "softmax", "layer_norm"],
            entry.Bound.Nodes.OfType<Call>().Select(c => c.Callee.Composite));
        Assert.Equal(["layer_norm.1", "softmax.1", "f"], GraphPrinter.Closure(entry.Bound).Select(f => f.Name));
        // What a composite computes says where it was called, whichever call made its function.
        var places = entry.Optimised!.Nodes.Where(n => n is Unary { Kind: UnaryOp.Exp })
            .Select(n => entry.Optimised.OriginOf(n));
        Assert.Equal(["twice.acc:4:23 softmax", "twice.acc:4:36 softmax"],
            places.Select(o => $"{o.Place} {string.Join(' ', o.Composites)}"));
    }

    [Theory]
    [InlineData("composite fn f(x: f32[n]) -> f32[n] = x\nexport fn g(x: f32[n]) -> f32[n] = f(x)",
        "computes nothing")]
    [InlineData("composite fn f(x: f32[n]) -> f32[n] { print(\"{}\", x)\n return x + 1 }\n"
        + "export fn g(x: f32[n]) -> f32[n] = f(x)", "prints")]
    [InlineData("composite fn f(x: f32) -> f32 = x * x\nexport fn g(x: f32[n]) -> f32[n] = [i] => f(x[i])", "in an index form")]
    public void WhatIsNoWholeDissolvesAtOnce(string text, string why)
    {
        var compiled = Compilation.FromSource(new("g.acc", text), new() { Last = CompilationStage.Bound });
        Assert.True(compiled.Diagnostics.IsEmpty, string.Join('\n', compiled.Diagnostics));
        Assert.False(compiled.Entries.Single().Bound.Nodes.Any(n => n is Call), why);
    }
}
