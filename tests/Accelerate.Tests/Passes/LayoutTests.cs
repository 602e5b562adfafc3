// Networks of convolutions keep their channels last from the first layer to the last: nothing is turned between two
// layers.
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Types;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public class LayoutTests
{
    /// <summary>
    /// Transposes of values in the optimised network; those of weights, which no input changes, are not counted.
    /// </summary>
    [Theory]
    // The image, turned once.
    [InlineData("resnet50", "classify", 1)]
    [InlineData("mobilenetv2", "classify", 1)]
    // And the features, which are a result.
    [InlineData("resnet50", "hidden", 2)]
    public void NothingIsTurnedBetweenTwoLayers(string model, string entry, int transposes)
    {
        var function = Optimised(model, entry);
        var fixedNodes = new HashSet<Node>(ReferenceEqualityComparer.Instance);
        foreach (var node in function.Nodes)
            if (node is State or Const || (!node.Operands.IsEmpty && node.Operands.All(fixedNodes.Contains)))
                fixedNodes.Add(node);
        Assert.Equal(transposes, function.Nodes.Count(n => n is Transpose && !fixedNodes.Contains(n)));
    }

    /// <summary>One filter a channel is no contraction: the taps are summed with the channels side by side.</summary>
    [Fact]
    public void DepthwiseConvolutionsSumTheirTaps()
    {
        var function = Optimised("mobilenetv2", "classify");
        Assert.Equal(17, function.Nodes.OfType<Reduce>()
            .Count(r => r.Kind == ReduceOp.Add && r.Operands[0] is Binary { Kind: BinaryOp.Mul } m
                && m.Operands[0] is Window));
        Assert.DoesNotContain(function.Nodes.OfType<Dot>(), d => !d.BatchA.IsEmpty);
    }

    /// <summary>Every contraction of windows takes its taps in the order in which they lie: kh, kw, channels.</summary>
    [Fact]
    public void TapsAreContractedInTheOrderOfMemory()
    {
        var function = Optimised("resnet50", "classify");
        foreach (var dot in function.Nodes.OfType<Dot>())
        {
            Assert.Equal(dot.ContractA.Order(), dot.ContractA);
            Assert.Equal(dot.OperandType(0).Rank - 1, dot.ContractA[^1]);
            Assert.Equal(Enumerable.Range(0, dot.ContractB.Length), dot.ContractB);
        }
    }

    /// <summary>The transposes of convolutions in strides, which lay products apart, do so along their channels.</summary>
    [Fact]
    public void WhatIsLaidApartHasItsChannelsLast()
    {
        var step = Optimised("train_resnet50", "step");
        var folds = step.Nodes.OfType<Fold>().Select(n => n.Type).ToList();
        var strided = step.Nodes.OfType<UpdateSlice>().Where(u => u.Steps.Any(s => s > 1)).Select(n => n.Type).ToList();
        // Along two axes each: three convolutions of 3 x 3 and the pool; three of 1 x 1.
        Assert.Equal((8, 6), (folds.Count, strided.Count));
        // Between its two folds a product has its taps behind the channels.
        Assert.All(folds.Concat(strided), type => Assert.Contains(type.Shape[^1].Is(3) ? type.Shape[^2] : type.Shape[^1],
            (Size[])[64, 128, 256, 512, 1024]));
    }

    [Fact]
    public void AFunctionWithoutWindowsStaysAsItIs()
    {
        var function = GraphReader.Read("""
            graph @f {
              %0: f32[n,4,5] = input("x")
              %1: f32[6,4] = param("w")
              %2: f32[n,5,6] = dot(%0, %1; contract [1]x[1],batch []x[])
              %3: f32[n,6,5] = transpose(%2; [0,2,1])
              return(%3)
            }
            """);
        Assert.Same(function, Layout.Run(function));
    }

    private static Function Optimised(string model, string entry)
    {
        var compilation = Compilation.FromFile(Path.Combine(Shared.Repository, "examples", "models", $"{model}.acc"),
            new CompilationOptions { Entries = [entry], Last = CompilationStage.Optimised });
        Assert.Empty(compilation.Diagnostics);
        return compilation.Entries.Single().Optimised!;
    }
}
