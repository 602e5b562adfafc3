// Hand-written graphs. Out: how many kernels of which kind each becomes: what is fused, and what is not.
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public class FusionTests
{
    [Theory]
    [InlineData("softmax over rows", "row", """
        graph @f {
          %0: f32[n,c] = input("x")
          %1: f32[n] = reduce(%0; max,[1])
          %2: f32[n,c] = broadcast(%1; [0])
          %3: f32[n,c] = sub(%0, %2)
          %4: f32[n,c] = exp(%3)
          %5: f32[n] = reduce(%4; add,[1])
          %6: f32[n,c] = broadcast(%5; [0])
          %7: f32[n,c] = div(%4, %6)
          return(%7)
        }
        """)]
    [InlineData("layer norm with kept axes, scale and shift", "row", """
        graph @f {
          %0: f32[n,c] = input("x")
          %1: f32[c] = input("w")
          %2: f32[n] = reduce(%0; add,[1])
          %3: f32[n,1] = reshape(%2)
          %4: f32 = size(c)
          %5: f32[n,1] = broadcast(%4; [])
          %6: f32[n,1] = div(%3, %5)
          %7: f32[n] = reshape(%6)
          %8: f32[n,c] = broadcast(%7; [0])
          %9: f32[n,c] = sub(%0, %8)
          %10: f32[n,c] = mul(%9, %9)
          %11: f32[n] = reduce(%10; add,[1])
          %12: f32[n] = broadcast(%4; [])
          %13: f32[n] = div(%11, %12)
          %14: f32[n] = rsqrt(%13)
          %15: f32[n,c] = broadcast(%14; [0])
          %16: f32[n,c] = mul(%9, %15)
          %17: f32[n,c] = broadcast(%1; [1])
          %18: f32[n,c] = mul(%16, %17)
          return(%18)
        }
        """)]
    [InlineData("a dot with bias and silu: the accumulator is used twice in its epilogue", "contraction", """
        graph @f {
          %0: f32[n,k] = input("x")
          %1: f32[m,k] = input("w")
          %2: f32[m] = input("b")
          %3: f32[n,m] = dot(%0, %1; contract [1]x[1],batch []x[])
          %4: f32[n,m] = broadcast(%2; [1])
          %5: f32[n,m] = add(%3, %4)
          %6: f32[n,m] = neg(%5)
          %7: f32[n,m] = exp(%6)
          %8: f32[n,m] = const([1.0])
          %9: f32[n,m] = add(%8, %7)
          %10: f32[n,m] = div(%5, %9)
          return(%10)
        }
        """)]
    [InlineData("a sum of two dots: one adds the other's buffer in its epilogue", "contraction contraction", """
        graph @f {
          %0: f32[n,k] = input("x")
          %1: f32[m,k] = input("v")
          %2: f32[m,k] = input("w")
          %3: f32[n,m] = dot(%0, %1; contract [1]x[1],batch []x[])
          %4: f32[n,m] = dot(%0, %2; contract [1]x[1],batch []x[])
          %5: f32[n,m] = add(%3, %4)
          return(%5)
        }
        """)]
    [InlineData("max pooling: reduced in order, vectorised over the output", "map", """
        graph @f {
          %0: f32[n,h] = input("x")
          %1: f32[n,floor(h-3,2)+1,3] = window(%0; 1,[floor(h-3,2)+1,3],[2,1])
          %2: f32[n,floor(h-3,2)+1] = reduce(%1; max,[2])
          %3: f32[n,floor(h-3,2)+1] = neg(%2)
          return(%3)
        }
        """)]
    [InlineData("an elementwise chain with cheap shared parts", "map", """
        graph @f {
          %0: f32[n] = input("x")
          %1: f32[n] = mul(%0, %0)
          %2: f32[n] = add(%1, %0)
          %3: f32[n] = mul(%2, %1)
          return(%3)
        }
        """)]
    [InlineData("a shared exponential is computed once", "map map map", """
        graph @f {
          %0: f32[n] = input("x")
          %1: f32[n] = exp(%0)
          %2: f32[n] = neg(%1)
          %3: f32[n] = abs(%1)
          return(%2, %3)
        }
        """)]
    [InlineData("a concat: its parts write into slices", "map map", """
        graph @f {
          %0: f32[n,2] = input("x")
          %1: f32[n,3] = input("y")
          %2: f32[n,2] = neg(%0)
          %3: f32[n,5] = concat(%2, %1; 1)
          return(%3)
        }
        """)]
    [InlineData("a concat of two layers, a softmax and a column sum: each is stored in its place",
        "contraction contraction row map", """
        graph @f {
          %0: f32[n,k] = input("x")
          %1: f32[m,k] = input("v")
          %2: f32[m,k] = input("w")
          %3: f32[n,m] = dot(%0, %1; contract [1]x[1],batch []x[])
          %4: f32[n,m] = dot(%0, %2; contract [1]x[1],batch []x[])
          %5: f32[n,m] = neg(%4)
          %6: f32[n,c] = input("y")
          %7: f32[n] = reduce(%6; max,[1])
          %8: f32[n,c] = broadcast(%7; [0])
          %9: f32[n,c] = sub(%6, %8)
          %10: f32[3,n,c] = input("z")
          %11: f32[n,c] = reduce(%10; add,[0])
          %12: f32[n,2*m+2*c] = concat(%3, %5, %9, %11; 1)
          return(%12)
        }
        """)]
    [InlineData("a concat of two parts that one chain reads: a choice", "map", """
        graph @f {
          %0: f32[n,2] = input("x")
          %1: f32[n,3] = input("y")
          %2: f32[n,2] = neg(%0)
          %3: f32[n,5] = concat(%2, %1; 1)
          %4: f32[n,5] = exp(%3)
          return(%4)
        }
        """)]
    [InlineData("a running sum with work before and behind it", "row", """
        graph @f {
          %0: f32[n,c] = input("x")
          %1: f32[n,c] = exp(%0)
          %2: f32[n,c] = cumulate(%1; add,0)
          %3: f32[n,c] = log(%2)
          return(%3)
        }
        """)]
    [InlineData("a sort with both its results", "row", """
        graph @f {
          %0: f32[n,c] = input("x")
          %1: f32[n,c] = neg(%0)
          %2: f32[n,c] = sort(%1; descending,1,i32)
          %3: f32[n,c] = result(%2; 0)
          %4: i32[n,c] = result(%2; 1)
          return(%3, %4)
        }
        """)]
    [InlineData("an embedding, scaled, with positions", "map", """
        graph @f {
          %0: f32[v,d] = input("table")
          %1: f32[n,d] = input("positions")
          %2: i32[n] = input("ids")
          %3: f32[n,d] = gather(%0, %2; 0)
          %4: f32[n,d] = const([8.0])
          %5: f32[n,d] = mul(%4, %3)
          %6: f32[n,d] = add(%5, %1)
          return(%6)
        }
        """)]
    [InlineData("a sum under a condition, over places that are read only there", "map", """
        graph @f {
          %0: f32[v,d] = input("table")
          %1: i32[n] = input("ids")
          %2: i32[n] = const([0])
          %3: bool[n] = compare(%1, %2; ge)
          %4: f32[n,d] = gather(%0, %1; 0)
          %5: f32[n] = reduce(%4; add,[1])
          %6: f32[n] = const([0.0])
          %7: f32[n] = select(%3, %5, %6)
          return(%7)
        }
        """)]
    public void Kernels(string what, string kinds, string graph)
    {
        var function = Pipeline.Run(GraphReader.Read(graph), verify: true);
        var program = Compiler.Kernels.Lowering.Lowering.Lower(function);
        var actual =
            string.Join(' ', program.Steps.OfType<CallStep>()
                .Select(s => program.Kernels[s.Kernel].Kind.ToString().ToLowerInvariant()));
        Assert.True(kinds == actual, $"{what}: {kinds} expected, {actual}\n{ProgramPrinter.Print(program)}");
    }
}
