// Every constraint of OPS.md broken once: the exception names it.
using System.Collections.Immutable;
using System.Reflection;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Assert = Xunit.Assert;
using Convert = Accelerate.Compiler.Graph.Convert;
using Random = Accelerate.Compiler.Graph.Random;
using Tuple = Accelerate.Compiler.Graph.Tuple;

namespace Accelerate.Tests.Graph;

public sealed class ConstraintTests
{
    private static readonly Dictionary<string, Action> Broken = new()
    {
        ["unary C1"] = () => _ = new Unary(UnaryOp.Exp, X("i32[2]")),
        ["binary C1"] = () => _ = new Binary(BinaryOp.Add, X("f32[2]"), X("f32[3]")),
        ["binary C2"] = () => _ = new Binary(BinaryOp.Shl, X("f32[2]"), X("f32[2]")),
        ["compare C1"] = () => _ = new Compare(CompareOp.Lt, X("f32[2]"), X("i32[2]")),
        ["select C1"] = () => _ = new Select(X("i8[2]"), X("f32[2]"), X("f32[2]")),
        ["select C2"] = () => _ = new Select(X("bool[2]"), X("f32[2]"), X("f16[2]")),
        ["select C3"] = () => _ = new Select(X("bool"), X("f32[2]"), X("f32[2]")),
        ["bitcast C1"] = () => _ = new Bitcast(X("f32[2]"), DType.F64),
        ["const C1"] = () => _ = Const.Of(Type("f32[n]"), [1.0, 2.0]),
        ["iota C1"] = () => _ = new Iota(Type("i32[2]"), 1),
        ["iota C2"] = () => _ = new Iota(Type("bool[2]"), 0),
        ["random C1"] = () => _ = new Random(X("i32"), [4]),
        ["reshape C1"] = () => _ = new Reshape(X("f32[n,2]"), [Size.Variable("n"), 3]),
        ["transpose C1"] = () => _ = new Transpose(X("f32[n,2]"), [0, 0]),
        ["broadcast C1"] = () => _ = new Broadcast(X("f32[2,3]"), [3, 2], [1, 0]),
        ["broadcast C2"] = () => _ = new Broadcast(X("f32[1]"), [3], [0]),
        ["slice C1"] = () => _ = new Slice(X("f32[4]"), [0, 0], [2], [1]),
        ["slice C2"] = () => _ = new Slice(X("f32[4]"), [0], [2], [0]),
        ["slice C3"] = () => Verify(f => f.Add(new Slice(f.Add(new Input("x", Type("f32[4]"))), [2], [3], [1]))),
        ["dynamic_slice C3"] = () => Verify(f => f.Add(new DynamicSlice(f.Add(new Input("x", Type("f32[4,3]"))),
            [f.Add(new Input("i", Type("i32")))], [0], [0, 1], [1, 3]))),
        ["update_slice C4"] = () => Verify(f => f.Add(new UpdateSlice(f.Add(new Input("x", Type("f32[n]"))),
            f.Add(new Input("y", Type("f32[3]"))), [], [], [Size.Variable("n") - 2], [1]))),
        ["graph C10"] = () => Verify(f => f.Add(new Pad(f.Add(new Input("x", Type("f32[4]"))),
            f.Add(new Input("v", Type("f32"))), [-3], [-3], [0]))),
        ["pad C1"] = () => _ = new Pad(X("f32[4]"), X("f32"), [], [1], [0]),
        ["pad C2"] = () => _ = new Pad(X("f32[4]"), X("f64"), [1], [1], [0]),
        ["pad C3"] = () => _ = new Pad(X("f32[4]"), X("f32"), [1], [1], [-1]),
        ["reverse C1"] = () => _ = new Reverse(X("f32[4]"), [0, 0]),
        ["concat C1"] = () => _ = new Concat([X("f32[4]")], 1),
        ["concat C2"] = () => _ = new Concat([X("f32[4,2]"), X("f32[4,3]")], 0),
        ["window C1"] = () => _ = new Window(X("f32[4]"), 1, 1, 1, 1, 1),
        ["window C2"] = () => _ = new Window(X("f32[4]"), 0, 1, 1, 0, 1),
        ["window C3"] = () => _ = new Window(X("f32[n]"), 0, Size.Variable("n"), 2, 1, 1),
        ["gather C1"] = () => _ = new Gather(X("f32[4]"), X("i32"), 1),
        ["gather C2"] = () => _ = new Gather(X("f32[4]"), X("f32"), 0),
        ["fold C1"] = () => _ = new Fold(X("f32[4]"), 0, 4, 1, 1),
        ["fold C2"] = () => _ = new Fold(X("f32[4,2]"), 0, 4, 0, 1),
        ["fold C3"] = () => _ = new Fold(X("bool[4,2]"), 0, 5, 1, 1),
        ["scatter C1"] = () => _ = new Scatter(ScatterOp.Set, X("f32[4]"), X("i32[2]"), X("f32[2]"), 1),
        ["scatter C2"] = () => _ = new Scatter(ScatterOp.Set, X("f32[4]"), X("f32[2]"), X("f32[2]"), 0),
        ["scatter C3"] = () => _ = new Scatter(ScatterOp.Add, X("bool[4]"), X("i32[2]"), X("bool[2]"), 0),
        ["scatter C4"] = () => _ = new Scatter(ScatterOp.Set, X("f32[4,3]"), X("i32[2]"), X("f32[3,2]"), 0),
        ["dynamic_slice C1"] = () => _ = new DynamicSlice(X("f32[4]"), [], [], [0, 0], [1]),
        ["dynamic_slice C2"] = () => _ = new DynamicSlice(X("f32[4]"), [X("i32[1]")], [0], [0], [1]),
        ["update_slice C1"] = () => _ = new UpdateSlice(X("f32[4]"), X("f32[2]"), [], [], [0], [0]),
        ["update_slice C2"] = () => _ = new UpdateSlice(X("f32[4]"), X("f64[2]"), [], [], [0], [1]),
        ["update_slice C3"] = () =>
            _ = new UpdateSlice(X("f32[4]"), X("f32[2]"), [X("i32"), X("i32")], [0, 0], [0], [1]),
        ["sort C1"] = () => _ = new Sort(X("f32"), 0, false, DType.I32),
        ["sort C2"] = () => _ = new Sort(X("f32[4]"), 0, false, DType.U8),
        ["cumulate C1"] = () => _ = new Cumulate(ReduceOp.Add, X("f32[4]"), 1, false),
        ["cumulate C2"] = () => _ = new Cumulate(ReduceOp.Mul, X("bool[4]"), 0, false),
        ["if C1"] = () => _ = new If(Negation("f32"), Negation("f32"), [X("i32"), X("f32")]),
        ["if C2"] = () => _ = new If(Negation("f32"), Negation("f64"), [X("bool"), X("f32")]),
        ["if C3"] = () =>
        {
            var twice = Negation("f32");
            twice.Results = [twice.Results[0], twice.Results[0]];
            _ = new If(Negation("f32"), twice, [X("bool"), X("f32")]);
        },
        ["scan C1"] = () =>
        {
            var body = Negation("f32");
            body.Add(new Assign(StorageClass.Buffer, "b", body.Results[0]));
            _ = new Scan(body, "i.1", 3, 1, [X("f32")]);
        },
        ["scan C2"] = () => _ = new Scan(Negation("f32"), "i.1", 3, 2, [X("f32")]),
        ["scan C3"] = () =>
        {
            var body = new Function("body");
            body.Results = [body.Add(new Iota(Type("i32[i.1]"), 0))];
            _ = new Scan(body, "i.1", 3, 0, []);
        },
        ["scan C4"] = () =>
        {
            var f = new Function("f");
            f.Results =
                [f.Add(new Scan(Negation("f32"), "n", 3, 1, [f.Add(X("f32"))])), f.Add(new Input("y", Type("f32[n]")))];
            Verifier.Verify(f);
        },
        ["while C1"] = () => _ = new While(Negation("bool[2]"), Negation("f32"), 1, [X("f32")]),
        ["while C2"] = () => _ = new While(Negation("f32"), Negation("f32"), 1, [X("f32")]),
        ["while C3"] = () => _ = new While(Test("f32"), Test("f32"), 1, [X("f32")]),
        ["extent C1"] = () => _ = new Extent(X("f32"), "m.1", 1, 8),
        ["extent C2"] = () => _ = new Extent(X("i32"), "m.1", 1, 0),
        ["extent C3"] = () => VerifyWith(f =>
        {
            f.Add(new Input("y", Type("f32[m.1]")));
            f.Add(new Extent(f.Add(new Input("limit", Type("i32"))), "m.1", 1, 8));
        }),
        ["extent C4"] = () => Reads("""
            graph @f {
              %0: f32[n] = input(; "x")
              %1: i32 = input(; "last")
              %2: bool = extent(%1; m.1,1,n)
              %3: f32[m.1] = slice(%0; [0],[1])
              return(%3)
            }
            """),
        ["barrier C1"] = () => _ = new Accelerate.Compiler.Graph.Barrier(X("f32"), BarrierKind.Materialise, 1),
        ["setup C1"] = () => VerifyWith(f => f.Setup = Negation("f32")),
        ["setup C2"] = () => VerifyWith(f => f.Add(Const.Folded(Type("f32"), 0))),
        ["setup C3"] = () => Reads("""
            graph @s {
              %0: f32 = buffer(; "b")
              %1: f32 = exp(%0)
              return(%1)
            }
            graph @f; setup @s {
              %0: f32 = const(; folded 0)
              %1: f32 = assign(%0; buffer "b")
              return(%0)
            }
            """),
        ["dot C4"] = () => _ = new Dot(X("f32[4]"), X("f32[4]"), [], [], [0], [0], DType.F16),
        ["assign C1"] = () => VerifyWith(f => f.Add(new Assign(StorageClass.Inout, "x", f.Results[0]))),
        ["assign C2"] = () => VerifyWith(f => f.Add(new Assign(StorageClass.Inout, "y",
            f.Add(new Convert(f.Add(new Input("y", Type("f32"), true)), DType.F64))))),
        ["assign C3"] = () => VerifyWith(f =>
        {
            f.Add(new Assign(StorageClass.Buffer, "b", f.Results[0]));
            f.Add(new Assign(StorageClass.Param, "b", f.Results[0]));
        }),
        ["reduce C1"] = () => _ = new Reduce(ReduceOp.Add, X("f32[4,2]"), [1, 0]),
        ["reduce C2"] = () => _ = new Reduce(ReduceOp.And, X("f32[4]"), [0]),
        ["arg_reduce C1"] = () => _ = new ArgReduce(true, X("f32[4]"), -1, DType.I32),
        ["arg_reduce C2"] = () => _ = new ArgReduce(true, X("f32[4]"), 0, DType.U32),
        ["dot C1"] = () => _ = new Dot(X("f32[4]"), X("f64[4]"), [], [], [0], [0]),
        ["dot C2"] = () => _ = new Dot(X("f32[4,4]"), X("f32[4,4]"), [0], [0], [0], [1]),
        ["dot C3"] = () => _ = new Dot(X("f32[n]"), X("f32[m]"), [], [], [0], [0]),
        ["call C1"] = () => _ = new Call(Negation("f32[2]"), [X("f32[3]")]),
        ["call C2"] = () =>
        {
            var callee = Negation("f32[2]");
            callee.Add(new Print("{}", [callee.Results[0]]));
            _ = new Call(callee, [X("f32[2]")]);
        },
        ["call C3"] = () => _ = new Call(new Function("empty"), []),
        ["tuple C1"] = () => _ = new Tuple([]),
        ["result C1"] = () => _ = new Result(X("f32"), 0),
        ["result C2"] = () => _ = new Result(new Tuple([X("f32")]), 1),
        ["assert C1"] = () => _ = new Accelerate.Compiler.Graph.Assert("no", X("bool[2]"), []),
        ["graph C1"] = () => new Function("f").Add(new Unary(UnaryOp.Neg, X("f32"))),
        ["graph C2"] = () =>
        {
            var (f, g) = (Negation("f32"), new Function("g"));
            g.Add(new Input("other", Type("f32")));
            g.Add(f.Nodes[0]); // now says that it stands second
            Verifier.Verify(f);
        },
        ["graph C3"] = () =>
        {
            var f = Negation("f32");
            var nodes = (List<Node>)typeof(Function).GetField("nodes",
                BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(f)!;
            nodes.Reverse();
            for (var id = 0; id < nodes.Count; id++) nodes[id].Id = id;
            Verifier.Verify(f);
        },
        ["graph C4"] = () =>
        {
            var callee = Negation("f32");
            var f = new Function("caller");
            f.Results = [f.Add(new Call(callee, [f.Add(new Input("x", Type("f32")))]))];
            callee.Results = [callee.Add(new Convert(callee.Nodes[0], DType.F64))];
            Verifier.Verify(f);
        },
        ["graph C5"] = () => Verifier.Verify(new Function("f")),
        ["graph C6"] = () =>
        {
            var f = Negation("f32");
            f.Results = [X("f32")];
            Verifier.Verify(f);
        },
        ["graph C7"] = () =>
        {
            var f = Negation("f32");
            f.Add(new Input("x", Type("f64")));
            Verifier.Verify(f);
        },
        ["graph C9"] = () => GraphReader.Read("""
            graph @body { %0: f32 = input("x") return(%0) }
            graph @f { %0: f32 = input("x") %1: f32 = scan(%0; @body,i.1<3,1) %2: f32 = neg(%1) return(%2) }
            """),
        ["graph C8"] = () =>
        {
            var f = new Function("negation");
            f.Results = [f.Add(new Call(Negation("f32"), [f.Add(new Input("x", Type("f32")))]))];
            Verifier.Verify(f);
        },
    };

    private static void Verify(Func<Function, Node> last)
    {
        var f = new Function("f");
        f.Results = [last(f)];
        Verifier.Verify(f);
    }

    public static TheoryData<string> Ids => [.. OpsDocument.ThrownConstraints];

    [Theory]
    [MemberData(nameof(Ids))]
    public void BrokenConstraintIsNamed(string id)
    {
        Assert.True(Broken.ContainsKey(id), $"no test breaks {id}");
        Assert.Equal(id, Assert.Throws<GraphException>(Broken[id]).Constraint);
    }

    [Fact]
    public void WindowsThatFitAreTaken()
    {
        Assert.Equal("f32[n,3]", new Window(X("f32[n+2]"), 0, Size.Variable("n"), 3, 1, 1).Type.Text);
        Assert.Equal("f32[0,3]", new Window(X("f32[2]"), 0, 0, 3, 1, 1).Type.Text);
        // Size variables of any name, those of the rule's derivation included.
        Assert.Equal("f32[i,r]",
            new Window(X("f32[i+r-1]"), 0, Size.Variable("i"), Size.Variable("r"), 1, 1).Type.Text);
    }

    private static TensorType Type(string text) => GraphReader.ReadType(new TextCursor(text));

    private static Input X(string type) => new("x", Type(type));

    /// <summary>A region that gives whether x is x.</summary>
    private static Function Test(string type)
    {
        var f = new Function("test");
        var x = f.Add(X(type));
        f.Results = [f.Add(new Compare(CompareOp.Eq, x, x))];
        return f;
    }

    private static void Reads(string text) => Verifier.Verify(GraphReader.Read(text));

    private static void VerifyWith(Action<Function> add)
    {
        var f = Negation("f32");
        add(f);
        Verifier.Verify(f);
    }

    private static Function Negation(string type)
    {
        var f = new Function("negation");
        f.Results =
            [f.Add(new Unary(type.StartsWith("bool", StringComparison.Ordinal) ? UnaryOp.Not
                : UnaryOp.Neg, f.Add(X(type))))];
        return f;
    }
}
