// Interning: equal values are one node, effects and barriers are not; origins are joined; sizes come in binding order.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Assert = Xunit.Assert;
using Barrier = Accelerate.Compiler.Graph.Barrier;
using EntryCheck = Accelerate.Compiler.Graph.EntryCheck;

namespace Accelerate.Tests.Graph;

public sealed class FunctionTests
{
    private static readonly TensorType Vector = new(DType.F32, [Size.Variable("n")]);

    [Fact]
    public void EqualNodesAreOneObject()
    {
        var f = new Function("f");
        var x = f.Add(new Input("x", Vector));
        var a = f.Add(new Unary(UnaryOp.Exp, x));
        Assert.Same(a, f.Add(new Unary(UnaryOp.Exp, x)));
        Assert.NotSame(a, f.Add(new Unary(UnaryOp.Log, x)));
        Assert.Same(f.Add(Const.Of(Vector, 1.5)), f.Add(Const.Of(Vector, 1.5)));
        Assert.NotSame(f.Add(Const.Of(Vector, 0.0)), f.Add(Const.Of(Vector, -0.0)));
        Assert.Same(f.Add(Const.Of(Vector, double.NaN)), f.Add(Const.Of(Vector, double.NaN)));
        Assert.NotSame(f.Add(new Accelerate.Compiler.Graph.Convert(x, DType.F64)),
            f.Add(new Accelerate.Compiler.Graph.Convert(x, DType.F16)));
    }

    [Fact]
    public void EffectsAndBarriersAreNeverMerged()
    {
        var f = new Function("f");
        var x = f.Add(new Input("x", Vector));
        Assert.NotSame(f.Add(new Print("{}", [x])), f.Add(new Print("{}", [x])));
        Assert.NotSame(f.Add(new Barrier(x, BarrierKind.Checkpoint, 1)), f.Add(new Barrier(x, BarrierKind.Checkpoint, 2)));
        Assert.Same(f.Add(new Assign(StorageClass.Param, "w", x)), f.Effects[^1]);
        Assert.Equal(3, f.Effects.Count);
    }

    [Fact]
    public void OriginsAreNoPartOfEqualityAndAreJoined()
    {
        var f = new Function("f");
        var x = f.Add(new Input("x", Vector));
        var a = f.Add(new Unary(UnaryOp.Exp, x), new Origin("a.acc:1:1", ["softmax"]));
        Assert.Same(a, f.Add(new Unary(UnaryOp.Exp, x), new Origin("a.acc:2:1", ["gelu"])));
        Assert.Equal("a.acc:1:1", f.OriginOf(a).Place);
        Assert.Equal("softmax gelu", string.Join(' ', f.OriginOf(a).Composites));
    }

    [Fact]
    public void TwoCalleesOfOneNameAreAnError()
    {
        var f = new Function("f");
        var x = f.Add(new Input("x", Vector));
        Function Callee(UnaryOp op)
        {
            var g = new Function("g");
            g.Results = [g.Add(new Unary(op, g.Add(new Input("x", Vector))))];
            return g;
        }
        f.Add(new Call(Callee(UnaryOp.Exp), [x]));
        Assert.Equal("graph C8",
            Assert.Throws<GraphException>(() => f.Add(new Call(Callee(UnaryOp.Log), [x]))).Constraint);
    }

    [Fact]
    public void ChecksAreKeptOnceAndSizesStandInBindingOrder()
    {
        var f = new Function("f");
        f.Add(new Input("x", new TensorType(DType.F32, [Size.Variable("m"), SizeReader.Read("k+1")])));
        f.Add(new Input("y", new TensorType(DType.F32, [Size.Variable("a"), Size.Variable("m")])));
        f.Require(new EntryCheck(CheckKind.Equal, 1, 1, "one"));
        f.Require(new EntryCheck(CheckKind.Equal, 1, 1, "again"));
        Assert.Single(f.Checks);
        Assert.Equal(["m", "a", "k"], f.Sizes);
    }

    [Fact]
    public void SizesOfRegionsAreTheFunctionsButForTheVariableOfALoop()
    {
        var f = GraphReader.Read("""
            graph @body {
              %0: i64 = input(; "a")
              %1: i64 = size(; i.1+k)
              %2: i64 = add(%0, %1)
              return(%2)
            }
            graph @f {
              %0: i64 = input(; "x")
              %1: f32[m] = input(; "y")
              %2: i64 = scan(%0; @body,i.1<c,1)
              %3: i64 = result(%2; 0)
              %4: f32 = const(; [0.0])
              %5: f32[m+p+1] = pad(%1, %4; [p],[1],[0])
              %6: f32[q,r] = window(%1; 0,[q,r],[1,1])
              return(%3, %5, %6)
            }
            """);
        Assert.Equal("c k m p q r".Split(' '), f.Sizes.Order());
        Assert.Equal("m", f.Sizes[0]);
    }

    [Fact]
    public void DeepSharedGraphsAreCheap()
    {
        var f = new Function("f");
        Node x = f.Add(new Input("x", Vector));
        for (var i = 0; i < 20000; i++) x = f.Add(new Binary(BinaryOp.Add, x, x));
        f.Results = [x];
        Verifier.Verify(f);
        Assert.Equal(20001, f.Nodes.Count);
    }
}
