// Weights in panels: where in memory a contraction finds them, that the bits are those of weights in place, in loops
// and branches too, and which are left as they are.
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;
using Comparison = Accelerate.Compiler.Graph.Interpreter.Comparison;

namespace Accelerate.Tests.Passes;

public class PackWeightsTests
{
    /// <summary>
    /// The types of a weight and of what it multiplies, the contracted axes of both, and the columns.
    /// </summary>
    [Theory]
    [InlineData("512,784", "m,784", "[1]x[1]", 512, "784")]
    [InlineData("1000,512", "m,512", "[1]x[1]", 1000, "512")]
    [InlineData("10,1000", "m,1000", "[1]x[1]", 10, "1000")]
    [InlineData("32,5", "m,5", "[1]x[1]", 32, "5")]
    [InlineData("768,2304", "b,t,768", "[2]x[0]", 2304, "768")]
    [InlineData("3,3,64,96", "n,h,w,3,3,64", "[3,4,5]x[0,1,2]", 96, "3,3,64")]
    [InlineData("3,3,5,100", "n,h,w,3,3,5", "[3,4,5]x[0,1,2]", 100, "3,3,5")]
    [InlineData("100,6,2", "m,2,6", "[1,2]x[2,1]", 100, "2,6")]
    [InlineData("64,4,12", "m,64", "[1]x[0]", 48, "64")]
    public void AKernelReadsPanelsInPlace(string weight, string x, string contract, long columns, string contracted)
    {
        var rank = contract.Split('x')[0].Trim('[', ']').Split(',').Length;
        var free = x.Split(',').SkipLast(rank);
        var ofWeight = contract.Split('x')[1].Trim('[', ']').Split(',').Select(int.Parse).ToList();
        var result = string.Join(',', free.Concat(weight.Split(',').Where((_, d) => !ofWeight.Contains(d))));
        var kernel = Assert.Single(Lowered($$"""
            graph @f {
              %0: f32[{{x}}] = input("x")
              %1: f32[{{weight}}] = param("w")
              %2: f32[{{result}}] = dot(%0, %1; contract {{contract}},batch []x[])
              return(%2)
            }
            """).Kernels);
        var contraction = Assert.Single(Kernel.Statements(kernel.Body).OfType<Contract>());
        var load = Assert.IsType<Load>(Assert.Single(contraction.Right.Statements));
        Assert.Empty(load.Guards);
        // P[n / 32, k.., n % 32], row-major.
        long[] extents = [.. contracted.Split(',').Select(long.Parse)];
        Assert.Equal(extents, contraction.K.Select(k => k.Extent.Value));
        var depth = extents.Aggregate((a, b) => a * b);
        var flat = contraction.K.Aggregate(Size.Zero, (offset, k) => offset * k.Extent + Size.Variable(k.Variable));
        Assert.Equal(columns, contraction.N.Extent.Value);
        foreach (var n in Enumerable.Range(0, (int)columns))
        {
            var at = load.Offset.Substitute(v => v == contraction.N.Variable ? n : null);
            Assert.Equal((n / 32 * 32 * depth + flat * 32 + n % 32).Text, at.Text);
        }
    }

    /// <summary>
    /// Heads taken apart behind a projection, [b, t, heads * size] as [b, heads, t, size]: columns are those of one
    /// head, and each store is of neighbours. Panels are those of the whole where a head is whole panels, else a head's
    /// own.
    /// </summary>
    [Theory]
    [InlineData(12, 64, "f32[24,50,32]")]
    [InlineData(3, 80, "f32[3,3,50,32]")]
    public void HeadsAreTakenApartInPlace(int heads, int size, string panels)
    {
        string Text(string kind) => $$"""
            graph @f {
              %0: f32[b,t,50] = input("x")
              %1: f32[{{heads * size}},50] = {{kind}}("w")
              %2: f32[{{heads * size}}] = {{kind}}("bias")
              %3: f32[b,t,{{heads * size}}] = dot(%0, %1; contract [2]x[1],batch []x[])
              %4: f32[b,t,{{heads * size}}] = broadcast(%2; [2])
              %5: f32[b,t,{{heads * size}}] = add(%3, %4)
              %6: f32[b,t,{{heads}},{{size}}] = reshape(%5)
              %7: f32[b,{{heads}},t,{{size}}] = transpose(%6; [0,2,1,3])
              return(%7)
            }
            """;
        var program = Lowered(Text("param"));
        Assert.Equal(panels, program.Setup!.Of(BufferKind.Output).Single().Type.Text);
        var kernel = Assert.Single(program.Kernels);
        KernelVerifier.Verify(kernel);
        Assert.Empty(KernelBounds.Unproved(kernel));
        var contraction = Assert.Single(Kernel.Statements(kernel.Body).OfType<Contract>());
        Assert.Equal(size, contraction.N.Extent.Value);
        var store = Assert.Single(contraction.Epilogue.Statements.OfType<Store>());
        Assert.True(store.Offset.AffineIn(contraction.N.Variable)?.Coefficient.Is(1));
        Assert.Empty(Assert.IsType<Load>(Assert.Single(contraction.Right.Statements)).Guards);
        var random = new System.Random(3);
        var (x, w, bias) =
            (Uniform(random, DType.F32, 2, 5, 50), Uniform(random, DType.F32, heads * size, 50),
                Uniform(random, DType.F32, heads * size));
        foreach (var backend in new[] { "interpreter", "llvm" })
        {
            var packed = Run(backend, program, new() { ["w"] = w, ["bias"] = bias }, x);
            Assert.True(packed.SameBits(Run(backend, Lowered(Text("input")), [], x, w, bias)));
        }
        // The graph's meaning, by another way: f64 and no kernels.
        var expected =
            GraphInterpreter.Run(GraphReader.Read(Text("input")),
                [ReferenceValue.Of(x), ReferenceValue.Of(w), ReferenceValue.Of(bias)],
            _ => null!, new Dictionary<string, long> { ["b"] = 2, ["t"] = 5 });
        Assert.True(
            Comparison.Compare(Run("llvm", program, new() { ["w"] = w, ["bias"] = bias }, x), expected[0]).Agrees);
    }

    /// <summary>Groups of channels: each has panels of its own.</summary>
    [Fact]
    public void GroupsHavePanelsEach()
    {
        string Text(string kind) => $$"""
            graph @f {
              %0: f32[m,3,20] = input("x")
              %1: f32[3,20,48] = {{kind}}("w")
              %2: f32[3,m,48] = dot(%0, %1; contract [2]x[1],batch [1]x[0])
              %3: f32[m,3,48] = transpose(%2; [1,0,2])
              return(%3)
            }
            """;
        var program = Lowered(Text("param"));
        Assert.Equal("f32[3,2,20,32]", program.Setup!.Of(BufferKind.Output).Single().Type.Text);
        Assert.Empty(KernelBounds.Unproved(Assert.Single(program.Kernels)));
        var random = new System.Random(5);
        var (x, w) = (Uniform(random, DType.F32, 4, 3, 20), Uniform(random, DType.F32, 3, 20, 48));
        foreach (var backend in new[] { "interpreter", "llvm" })
            Assert.True(
                Run(backend, program, new() { ["w"] = w }, x).SameBits(Run(backend, Lowered(Text("input")), [], x, w)));
    }

    /// <summary>The result's contiguous axis decides the side, wherever the epilogue puts it.</summary>
    [Fact]
    public void TheVectorSideIsPackedOnWhicheverSideItStands()
    {
        const string Text = """
            graph @f {
              %0: f32[m,64] = input("x")
              %1: f32[96,64] = param("w")
              %2: f32[96,m] = dot(%1, %0; contract [1]x[1],batch []x[])
              RESULT
            }
            """;
        var left = Optimised(Text.Replace("RESULT", "%3: f32[m,96] = transpose(%2; [1,0])\n return(%3)"));
        Assert.Single(left.Nodes.OfType<Compiler.Graph.Barrier>());
        // Here m is contiguous, and w the side of the rows, which is read in place.
        Assert.Empty(Optimised(Text.Replace("RESULT", "return(%2)")).Nodes.OfType<Compiler.Graph.Barrier>());
    }

    [Theory]
    [InlineData("%1: f32[7,64] = param(\"w\")", "7", "fewer columns than a quarter of a panel")]
    [InlineData("%1: f32[96,64] = input(\"w\")", "96", "an argument of the call")]
    [InlineData("%2: f32 = const([1.0])\n %1: f32[96,64] = broadcast(%2; [])", "96", "made from nothing in the kernel")]
    public void WhatIsLeftInPlace(string weight, string columns, string why)
    {
        var optimised = Optimised($$"""
            graph @f {
              %0: f32[m,64] = input("x")
              {{weight}}
              %3: f32[m,{{columns}}] = dot(%0, %1; contract [1]x[1],batch []x[])
              return(%3)
            }
            """);
        Assert.True(!optimised.Nodes.Any(n => n is Compiler.Graph.Barrier), why);
    }

    [Fact]
    public void AWeightThatTheFunctionAssignsIsLeftInPlace() => Assert.Empty(Optimised("""
        graph @f {
          %0: f32[m,64] = input("x")
          %1: f32[64,64] = param("w")
          %2: f32[m,64] = dot(%0, %1; contract [1]x[0],batch []x[])
          %3: f32[64,64] = neg(%1)
          %4: f32[64,64] = assign(%3; param "w")
          return(%2)
        }
        """).Nodes.OfType<Compiler.Graph.Barrier>());

    [Fact]
    public void RewritesAreCountedAndPackingTwiceChangesNothing()
    {
        var rewrites = new Rewrites();
        var packed = Optimised(Loop("param"), rewrites);
        Assert.Equal(2, rewrites.Count);
        Assert.Equal(GraphPrinter.Print(packed), GraphPrinter.Print(Optimised(GraphPrinter.Print(packed))));
        var one = Optimised(Loop("param"), new Rewrites(1));
        Assert.Single(GraphPrinter.Closure(one).SelectMany(f => f.Nodes).OfType<Compiler.Graph.Barrier>());
    }

    // A cell with two weights in a loop, one of them in a branch.
    private static string Loop(string kind) => $$"""
        graph @then {
          %0: f32[m,40] = input("h")
          %1: f32[72,40] = input("v")
          %2: f32[m,72] = dot(%0, %1; contract [1]x[1],batch []x[])
          %3: f32[m,40] = slice(%2; [0,32],[1,1])
          return(%3)
        }
        graph @else {
          %0: f32[m,40] = input("h")
          %1: f32[72,40] = input("v")
          return(%0)
        }
        graph @body {
          %0: f32[m,40] = input("h")
          %1: bool = input("b")
          %2: f32[40,40] = input("w")
          %3: f32[72,40] = input("v")
          %4: f32[m,40] = dot(%0, %2; contract [1]x[0],batch []x[])
          %5: f32[m,40] = tanh(%4)
          %6: f32[m,40] = if(%1, %5, %3; @then,@else)
          %7: f32[m,40] = result(%6; 0)
          return(%7)
        }
        graph @f {
          %0: f32[m,40] = input("h")
          %1: bool = input("b")
          %2: f32[40,40] = {{kind}}("w")
          %3: f32[72,40] = {{kind}}("v")
          %4: f32[m,40] = scan(%0, %1, %2, %3; @body,i.1<3,1)
          %5: f32[m,40] = result(%4; 0)
          return(%5)
        }
        """;

    [Fact]
    public void WeightsLeaveLoopsAndBranches()
    {
        var optimised = Optimised(Loop("param"));
        Assert.Equal(2, optimised.Nodes.OfType<Compiler.Graph.Barrier>().Count());
        Assert.Equal(2, GraphPrinter.Closure(optimised).SelectMany(f => f.Nodes).OfType<Compiler.Graph.Barrier>()
            .Count());
        var program = Lowered(Loop("param"));
        Assert.Equal(["f32[2,40,32]", "f32[3,40,32]"], program.Setup!.Of(BufferKind.Output).Select(b => b.Type.Text)
            .Order());
        // The weights themselves are for the setup only.
        Assert.DoesNotContain(program.Buffers, b => b.Kind == BufferKind.Param);
    }

    public static TheoryData<string> Backends() => ["interpreter", "llvm"];

    [Theory]
    [MemberData(nameof(Backends))]
    public void LoopsGiveTheSameBits(string backend)
    {
        var random = new System.Random(7);
        var (h, w, v) =
            (Uniform(random, DType.F32, 5, 40), Uniform(random, DType.F32, 40, 40), Uniform(random, DType.F32, 72, 40));
        foreach (var taken in new[] { true, false })
        {
            var flag = Tensor.Scalar(taken);
            var packed = Run(backend, Lowered(Loop("param")), new() { ["w"] = w, ["v"] = v }, h, flag);
            var plain = Run(backend, Lowered(Loop("input")), [], h, flag, w, v);
            Assert.True(packed.SameBits(plain));
        }
    }

    /// <summary>
    /// Every dtype, one row and several, whole panels and cut ones, a computed weight, rows of which a NaN is one.
    /// </summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void TheBitsAreThoseOfAWeightInPlace(string backend)
    {
        var random = new System.Random(11);
        foreach (var type in new[] { DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.U8 })
        {
            foreach (var (rows, columns, depth) in new[] { (1, 512, 33), (1, 33, 7), (19, 10, 64), (19, 100, 17),
                (3, 64, 1), (2, 8, 300) })
            {
                string Text(string kind) => $$"""
                    graph @f {
                      %0: T[m,{{depth}}] = input("x")
                      %1: T[{{columns}},{{depth}}] = {{kind}}("w")
                      %2: T[{{columns}},{{depth}}] = add(%1, %1)
                      %3: T[m,{{columns}}] = dot(%0, %2; contract [1]x[1],batch []x[])
                      %4: T[m,{{columns}}] = add(%3, %3)
                      return(%4)
                    }
                    """.Replace("T[", $"{type.Name()}[");
                var (x, w) = (Uniform(random, type, rows, depth), Uniform(random, type, columns, depth));
                var program = Lowered(Text("param"));
                Assert.Equal($"{type.Name()}[{(columns + 31) / 32},{depth},32]", program.Setup!.Of(BufferKind.Output)
                    .Single().Type.Text);
                var packed = Run(backend, program, new() { ["w"] = w }, x);
                Assert.True(packed.SameBits(Run(backend, Lowered(Text("input")), [], x, w)),
                    $"{type} {rows} {columns} {depth}");
            }
        }
    }

    private static Tensor Uniform(System.Random random, DType type, params long[] shape)
    {
        var count = shape.Aggregate(1L, (a, b) => a * b);
        double[] values =
            [.. Enumerable.Range(0, (int)count)
                .Select(_ => type.IsFloat ? random.NextDouble() * 2 - 1 : random.Next(7))];
        if (type.IsFloat) (values[0], values[count / 2]) = (double.NaN, -0.0);
        return Tensor.FromDoubles(type, values, shape);
    }

    /// <summary>The passes as far as packing: what is known is still in the function.</summary>
    private static readonly IReadOnlyList<Pass> Packing = [.. Pipeline.Passes.TakeWhile(p => p.Name != "setup")];

    private static Function Optimised(string text, Rewrites? rewrites = null) =>
        Pipeline.Run(GraphReader.Read(text), verify: true, rewrites: rewrites, passes: Packing);

    private static Program Lowered(string text) =>
        Compiler.Kernels.Lowering.Lowering.Lower(Pipeline.Run(GraphReader.Read(text), verify: true));

    private static Tensor Run(string backend, Program program, Dictionary<string, Tensor> state, params Tensor[] inputs)
    {
        using var executable = Executables.Create(backend, [program], null, state);
        using var session = executable.CreateSession();
        return session.Run(program.Name, inputs)[0];
    }
}
