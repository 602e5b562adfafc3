// Every operation in every dtype that OPS.md allows against NumPy, with zero- and one-sized axes, on values mixed with
// zeros, subnormals, infinities, NaN and extremes; then larger shapes.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Graph;

public sealed class NumPyTests
{
    private static readonly DType[] Floats = [DType.F16, DType.BF16, DType.F32, DType.F64];

    private static readonly DType[] Integers =
        [DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64];

    [Fact]
    public void EveryOperationHasRows() => Assert.Equal(Ops.All.Order(), OpCases.DTypes.Keys.Order());

    /// <summary>The rows' dtypes are those that the rules of OPS.md allow: in any other the graph is refused.</summary>
    [Fact]
    public void NoRowIsMissingForADType()
    {
        foreach (var row in OpCases.All.DistinctBy(r => (r.Op, r.Variant)))
        {
            foreach (var dtype in OpCases.Every.Except(
                OpCases.All.Where(r => (r.Op, r.Variant) == (row.Op, row.Variant)).Select(r => r.DType)))
            {
                if (OpCases.DTypes[row.Op].Contains(dtype) && row.Variant.Length > 0) continue; // a variant may be about fewer
                var e = Record.Exception(() => GraphReader.Read(row.Typed(dtype)));
                // Constants of floats and of integers are rows of their own: the literals differ.
                if (row.Op is "const" or "size" or "iota" && OpCases.DTypes[row.Op].Contains(dtype)) continue;
                Assert.True(e is GraphException or FormatException,
                    $"{row.Op} allows {dtype.Name()}, and has no row for it");
            }
        }
    }

    [NumPyFact]
    public void EveryOperationInEveryDTypeAgrees()
    {
        var batch = new NumPyBatch();
        foreach (var row in OpCases.All)
        {
            Verifier.Verify(row.Function);
            foreach (var run in row.Runs) batch.Add(row, run);
        }
        Agree(batch, 2500);
    }

    [NumPyFact]
    public void LargerMovementsReductionsAndDotsAgree()
    {
        var batch = new NumPyBatch();
        Movement(batch);
        Reductions(batch);
        Dots(batch);
        Agree(batch, 300);
    }

    private static void Agree(NumPyBatch batch, int least)
    {
        Assert.True(batch.Count > least, $"{batch.Count} cases");
        var differences = batch.Differences();
        Assert.True(differences.Count == 0,
            $"{differences.Count} of {batch.Count} differ:\n{string.Join('\n', differences.Take(12))}");
    }

    private static void Movement(NumPyBatch batch)
    {
        foreach (var dtype in (DType[])[DType.F32, DType.I8, DType.U64, DType.Bool])
        {
            var d = dtype.Name();
            void Case(string result, string operation, string expression, params ReferenceValue[] x) =>
                batch.Add($"{Inputs(x)}\n%{x.Length}: {d}{result} = {operation}", expression, x);
            var x = Filled(dtype, 3, 4, 2);
            Case("[6,4]", "reshape(%0)", "a.reshape(6,4)", x);
            Case("[2,3,4]", "transpose(%0; [2,0,1])", "a.transpose(2,0,1)", x);
            Case("[5,3,4,1,2]", "broadcast(%0; [1,2,4])", "np.broadcast_to(a[None,:,:,None,:],(5,3,4,1,2))", x);
            Case("[2,2,1]", "slice(%0; [1,0,1],[1,3,1])", "a[1:3,0:4:3,1:2]", x);
            Case("[0,4,2]", "slice(%0; [3,0,0],[1,1,1])", "a[3:3]", x);
            Case("[3,4,2]", "reverse(%0; [0,2])", "a[::-1,:,::-1]", x);
            Case("[8,4,3]", "pad(%0, %1; [1,0,0],[2,0,1],[1,0,0])", "pad(a,b,[1,0,0],[2,0,1],[1,0,0])", x,
                Filled(dtype));
            Case("[3,2,2]", "pad(%0, %1; [0,-1,0],[0,-1,0],[0,0,0])", "a[:,1:3]", x, Filled(dtype));
            Case("[3,9,2]", "concat(%0, %1, %2; 1)", "np.concatenate([a,b,c],1)", x, Filled(dtype, 3, 0, 2),
                Filled(dtype, 3, 5, 2));
            Case("[3,2,2,2]", "window(%0; 1,[2,2],[1,2])", "window(a,1,2,2,1,2)", x);
            Case("[3,2,2,2]", "window(%0; 1,[2,2],[2,1])", "window(a,1,2,2,2,1)", x);
            var table = ReferenceValue.Of(DType.I32, [2, 3], 0L, 3, -5, 9, 1, 1);
            Case("[3,2,3,2]", "gather(%0, %1; 1)", "np.take(a,b,axis=1,mode='clip')", x, table);
            Case("[3,0,2]", "gather(%0, %1; 1)", "np.take(a,b,axis=1,mode='clip')", x, Filled(DType.U8, 0));
            Case("[3,4]", "gather(%0, %1; 2)", "np.take(a,b,axis=2,mode='clip')", x, Filled(DType.I64));
            Case("[0,3]", "reshape(%0)", "a.reshape(0,3)", Filled(dtype, 3, 0));
            Case("[0,3]", "transpose(%0; [1,0])", "a.T", Filled(dtype, 3, 0));
            Case("[3,2]", "broadcast(%0; [])", "np.broadcast_to(a,(3,2))", Filled(dtype));
            Case("[1,1]", "reverse(%0; [0,1])", "a", Filled(dtype, 1, 1));
            // Views of views, where strides meet.
            batch.Add($"{Inputs(x)}\n%1: {d}[2,3,4] = transpose(%0; [2,0,1])\n"
                + $"%2: {d}[2,2,4] = slice(%1; [0,0,0],[1,2,1])\n%3: {d}[2,2,2,3] = window(%2; 2,[2,3],[1,1])\n"
                + $"%4: {d}[2,2,2,3] = reverse(%3; [1,3])\n%5: {d}[4,6] = reshape(%4)\n"
                + $"%6: {d}[6,2,2] = reshape(%5)\n%7: {d}[2,6,2] = transpose(%6; [1,0,2])",
                "window(a.transpose(2,0,1)[:,::2],2,2,3,1,1)[:,::-1,:,::-1].reshape(6,2,2).transpose(1,0,2)", x);
        }
        batch.Add("%0: i32[3,4] = iota(; 1)", "np.broadcast_to(np.arange(4,dtype='int32'),(3,4))");
        batch.Add("%0: f32[3,4] = iota(; 0)", "np.broadcast_to(np.arange(3.0)[:,None],(3,4))");
        batch.Add("%0: u8[300] = iota(; 0)", "np.arange(300).astype('uint8')");
        batch.Add("%0: f64[2,2] = const(; [1.5,-0.0,nan,inf])", "np.array([[1.5,0],[np.nan,np.inf]])");
        batch.Add("%0: i64[3,0] = const(; [7])", "np.full((3,0),7)");
    }

    private static void Reductions(NumPyBatch batch)
    {
        foreach (var dtype in Floats.Concat(Integers).Append(DType.Bool))
        {
            foreach (var (shape, axes) in new (long[], int[])[]
            {
                ([3, 4, 2], [1]), ([3, 4, 2], [0, 2]), ([3, 4, 2], []), ([5, 0], [1]), ([0, 5], [1]), ([1, 7], [0]),
                    ([1, 1], [0, 1]), ([999], [0]),
            })
            {
                var x = Filled(dtype, shape);
                var result =
                    $"{dtype.Name()}[{string.Join(',', shape.Where((_, d) => !axes.Contains(d)))}]".Replace("[]", "");
                var all = $"({string.Concat(axes.Select(a => a + ","))})";
                var (least, greatest) = dtype.IsFloat ? ("-np.inf", "np.inf")
                    : dtype == DType.Bool ? ("False", "True") : ("np.iinfo(a.dtype).min", "np.iinfo(a.dtype).max");
                void Case(string op, string expression) =>
                    batch.Add($"{Inputs(x)}\n%1: {result} = reduce(%0; {op},[{string.Join(',', axes)}])", expression,
                        x);
                Case("max", $"np.max(a,axis={all},initial={least})");
                Case("min", $"np.min(a,axis={all},initial={greatest})");
                if (dtype != DType.Bool)
                {
                    Case("add", $"np.sum(a,axis={all},dtype=a.dtype)");
                    Case("mul", $"np.prod(a,axis={all},dtype=a.dtype)");
                }
                if (!dtype.IsFloat)
                {
                    Case("or", $"np.bitwise_or.reduce(a,axis={all})");
                    Case("and", $"~np.bitwise_or.reduce(~a,axis={all})");
                }
                if (axes is not [var axis] || shape[axis] == 0) continue;
                foreach (var extreme in (string[])["max", "min"])
                    batch.Add($"{Inputs(x)}\n%1: i32{result[dtype.Name().Length..]} = arg_reduce(%0; {extreme},{axis})",
                        $"np.asarray(np.arg{extreme}(a,axis={axis})).astype('int32')", x);
            }
        }
    }

    private static void Dots(NumPyBatch batch)
    {
        foreach (var dtype in (DType[])[DType.F16, DType.F32, DType.F64, DType.I8, DType.I32, DType.U64])
        {
            var d = dtype.Name();
            foreach (var (n, k) in new (long, long)[] { (3, 4), (1, 1), (0, 4), (3, 0), (70, 131) })
            {
                var (a, b) = (Filled(dtype, n, k), Filled(dtype, 5, k));
                batch.Add($"{Inputs(a, b)}\n%2: {d}[{n},5] = dot(%0, %1; contract [1]x[1],batch []x[])",
                    "np.einsum('ik,jk->ij',a,b)", a, b);
            }
            var (x, w) = (Filled(dtype, 2, 3, 4, 5), Filled(dtype, 4, 6, 2, 3));
            batch.Add($"{Inputs(x, w)}\n%2: {d}[2,4,5,6] = dot(%0, %1; contract [1]x[3],batch [0,2]x[2,0])",
                "np.einsum('bkcf,cgbk->bcfg',a,b)", x, w);
            batch.Add($"{Inputs(x, w)}\n%2: {d}[3,5,6,3] = dot(%0, %1; contract [2,0]x[0,2],batch []x[])",
                "np.einsum('bkcf,cgbj->kfgj',a,b)", x, w);
            batch.Add($"{Inputs(x, x)}\n%2: {d} = dot(%0, %1; contract [0,1,2,3]x[0,1,2,3],batch []x[])",
                "np.einsum('abcd,abcd->',a,b)", x, x);
            var (image, filter) = (Filled(dtype, 2, 6, 7, 3), Filled(dtype, 4, 3, 2, 3));
            batch.Add($"{Inputs(image, filter)}\n%2: {d}[2,2,3,7,3] = window(%0; 1,[2,3],[3,1])\n"
                + $"%3: {d}[2,2,3,5,2,3] = window(%2; 3,[5,2],[1,2])\n"
                + $"%4: {d}[2,2,5,4] = dot(%3, %1; contract [2,4,5]x[1,2,3],batch []x[])",
                "np.einsum('nyrxsc,orsc->nyxo',window(window(a,1,2,3,3,1),3,5,2,1,2),b)", image, filter);
        }
    }

    private static string Type(ReferenceValue v) => $"{v.DType.Name()}[{string.Join(',', v.Shape)}]".Replace("[]", "");

    private static string Inputs(params ReferenceValue[] x) =>
        string.Join('\n', x.Select((v, i) => $"%{i}: {Type(v)} = input(; \"{"abc"[i]}\")"));

    /// <summary>Ordinary values, and a special one now and then; the same for the same shape.</summary>
    private static ReferenceValue Filled(DType dtype, params long[] shape)
    {
        var count = (int)shape.Aggregate(1L, (p, s) => p * s);
        var random = new System.Random(count * 31 + (int)dtype);
        var special = SpecialValues.Of(dtype);
        return dtype.IsFloat
            ? ReferenceValue.Of(dtype, shape, [.. Enumerable.Range(0, count).Select(_ => random.Next(40) == 0
                ? special.Values[random.Next(special.Values.Length)] : random.NextDouble() * 4 - 2)])
            : ReferenceValue.Of(dtype, shape, [.. Enumerable.Range(0, count).Select(_ => random.Next(4) == 0
                ? special.Integers[random.Next(special.Integers.Length)] : random.NextInt64(-9, 10))]);
    }
}
