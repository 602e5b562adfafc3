// What the gradient of a loop keeps of each round, and what it carries from round to round.
using System.Collections.Immutable;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Autodiff;

public class LoopGradientTests
{
    private const string Recurrent = """
        fn loss(x: f32[t, n, 8], w: f32[8, 8]) -> f32 {
            let h: f32[n, 8] = 0
            for i in 0:t { h = tanh(x[i] + h @ w) }
            return sum(h * h)
        }
        export fn g(x: f32[t, n, 8], w: f32[8, 8]) -> f32[8, 8] = grad(loss, wrt: w)(x, w)
        """;

    /// <summary>The products are computed once, by the forward loop; that of the weight is one, behind the loops.</summary>
    [Fact]
    public void ProductsOfWhatIsCarriedAreKept()
    {
        var g = Optimised(Recurrent);
        List<Scan> loops = [.. g.Nodes.OfType<Scan>()];
        Assert.Equal(2, loops.Count);
        // h @ w forward; dh = d @ transpose(w) backward.
        Assert.All(loops, loop => Assert.Single(loop.Body.Nodes.OfType<Dot>()));
        var product = Assert.Single(g.Nodes.OfType<Dot>());
        Assert.Equal(2, product.ContractA.Length);
        // The gradient of the weight is no sum that is carried.
        Assert.DoesNotContain(loops[1].Operands.Take(loops[1].Carried), o => o.Type.Text == "f32[8,8]");
    }

    /// <summary>What is not carried takes no memory: a loop over batches would keep all that is computed of all.</summary>
    [Fact]
    public void NothingOfBatchesIsKept()
    {
        var g = Optimised("""
            fn loss(x: f32[t, n, 8], w: f32[8, 8]) -> f32 {
                let l: f32 = 0
                for i in 0:t { l += sum(tanh(x[i] @ w)) }
                return l
            }
            export fn g(x: f32[t, n, 8], w: f32[8, 8]) -> f32[8, 8] = grad(loss, wrt: w)(x, w)
            """);
        var loop = Assert.Single(g.Nodes.OfType<Scan>());
        Assert.Equal(loop.Carried, loop.ResultTypes.Length);
        Assert.Contains(loop.Operands.Take(loop.Carried), o => o.Type.Text == "f32[8,8]");
        Assert.Equal(2, loop.Body.Nodes.OfType<Dot>().Count());
    }

    /// <summary>A product that is larger than what it is of: keeping it would take more than computing it again saves.</summary>
    [Fact]
    public void WideProductsAreComputedAgain()
    {
        var g = Optimised("""
            fn loss(h: f32[n, 8], w: f32[8, 64]) -> f32 {
                for i in 0:5 { h = h + sum(reshape(tanh(h @ w), [n, 8, 8]), axis: 1) }
                return sum(h * h)
            }
            export fn g(h: f32[n, 8], w: f32[8, 64]) -> f32[n, 8] = grad(loss)(h, w)
            """);
        var forward = g.Nodes.OfType<Scan>().First();
        Assert.DoesNotContain(forward.ResultTypes, type => type.Text == "f32[5,n,64]");
    }

    /// <summary>The parts of a split come back beside each other: no sum of parts in zeros.</summary>
    [Fact]
    public void PartsOfASplitAreJoined()
    {
        var g = Optimised("""
            fn loss(x: f32[n, 12]) -> f32 {
                let a, b, c = split(x, 3)
                return sum(sin(a) * b + tanh(c))
            }
            export fn g(x: f32[n, 12]) -> f32[n, 12] = grad(loss)(x)
            """);
        Assert.Equal(3, Assert.Single(g.Nodes.OfType<Concat>()).Operands.Length);
        Assert.DoesNotContain(g.Nodes, n => n is Pad);
    }

    private static Function Optimised(string source)
    {
        var compilation = Compilation.FromSource(new("t.acc", source));
        Assert.Empty(compilation.Diagnostics);
        return Pipeline.Run(compilation.Entries.Single().Bound, verify: true);
    }
}
