// Every operation × representative dtypes × shapes against NumPy, on values mixed with zeros, subnormals, infinities,
// NaN, extremes.
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

    [NumPyFact]
    public void InterpreterAgreesWithNumPy()
    {
        var batch = new NumPyBatch();
        Unaries(batch);
        Binaries(batch);
        Conversions(batch);
        Movement(batch);
        Reductions(batch);
        Dots(batch);
        Assert.True(batch.Count > 500);
        var differences = batch.Differences();
        Assert.True(differences.Count == 0,
            $"{differences.Count} of {batch.Count} differ:\n{string.Join('\n', differences.Take(8))}");
    }

    private static void Unaries(NumPyBatch batch)
    {
        foreach (var dtype in Floats)
        {
            var x = Special(dtype);
            foreach (var op in Enum.GetValues<UnaryOp>().Where(o => o != UnaryOp.Not))
            {
                var expression = op switch
                {
                    UnaryOp.Neg => "-a",
                    UnaryOp.Round => "np.rint(a)",
                    UnaryOp.Erf => "erf(a)",
                    UnaryOp.Rsqrt => "1/np.sqrt(a)",
                    _ => $"np.{Ops.Name(op)}(a)",
                };
                batch.Add(Body(dtype, $"{Ops.Name(op)}(%0)", x), expression, x);
                var empty = ReferenceValue.Of(dtype, [0, 2], (double[])[]);
                batch.Add(Body(dtype, $"{Ops.Name(op)}(%0)", empty), expression, empty);
            }
        }
        foreach (var dtype in Integers)
        {
            var x = Special(dtype);
            foreach (var (op, expression) in new[] { ("neg", "-a"), ("abs", "np.abs(a)"), ("sign", "np.sign(a)"),
                ("not", "~a") })
                batch.Add(Body(dtype, $"{op}(%0)", x), expression, x);
        }
        batch.Add(Body(DType.Bool, "not(%0)", Special(DType.Bool)), "~a", Special(DType.Bool));
    }

    private static void Binaries(NumPyBatch batch)
    {
        foreach (var dtype in Floats.Concat(Integers).Append(DType.Bool))
        {
            var (a, b) = Pairs(dtype);
            foreach (var op in Enum.GetValues<BinaryOp>())
            {
                var expression = op switch
                {
                    BinaryOp.Add => "a+b",
                    BinaryOp.Sub => "a-b",
                    BinaryOp.Mul => "a*b",
                    BinaryOp.Div => dtype.IsFloat ? "a/b" : "idiv(a,b)",
                    BinaryOp.Rem => dtype.IsFloat ? "np.fmod(a,b)" : "irem(a,b)",
                    BinaryOp.Pow => "np.power(a,b)",
                    BinaryOp.Max => "np.maximum(a,b)",
                    BinaryOp.Min => "np.minimum(a,b)",
                    BinaryOp.Atan2 => "np.arctan2(a,b)",
                    BinaryOp.And => "a&b",
                    BinaryOp.Or => "a|b",
                    BinaryOp.Xor => "a^b",
                    BinaryOp.Shl => "shl(a,b)",
                    _ => "shr(a,b)",
                };
                try
                {
                    batch.Add(Body(dtype, $"{Ops.Name(op)}(%0, %1)", a, b), expression, a, b);
                }
                catch (GraphException e) when (e.Constraint == "binary C2")
                {
                    // not defined for the dtype
                }
            }
            foreach (var (op, sign) in new[] { ("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"),
                ("ge", ">=") })
                batch.Add(Body(DType.Bool, $"compare(%0, %1; {op})", a, b), $"a{sign}b", a, b);
            batch.Add($"{Inputs(a, b)}\n%2: bool[{a.Count}] = compare(%0, %1; lt)\n%3: {Type(a)} = select(%2, %1, %0)",
                "np.where(a<b,b,a)", a, b);
        }
    }

    private static void Conversions(NumPyBatch batch)
    {
        foreach (var from in Floats)
        {
            foreach (var to in Integers) batch.Add(Body(to, "convert(%0)", Special(from)),
                $"toint(a,names['{to.Name()}'])", Special(from));
            batch.Add(Body(DType.Bool, "convert(%0)", Special(from)), "a!=0", Special(from));
            batch.Add(Body(DType.F64, "convert(%0)", Special(from)), "a", Special(from));
        }
        foreach (var from in Integers.Append(DType.Bool))
        {
            foreach (var to in Integers) batch.Add(Body(to, "convert(%0)", Special(from)),
                $"a.astype(names['{to.Name()}'])", Special(from));
            batch.Add(Body(DType.F64, "convert(%0)", Special(from)), "a.astype('float64')", Special(from));
            batch.Add(Body(DType.F32, "convert(%0)", Special(from)), "a.astype('float32').astype('float64')",
                Special(from));
            batch.Add(Body(DType.Bool, "convert(%0)", Special(from)), "a!=0", Special(from));
        }
        foreach (var from in (DType[])[DType.F32, DType.F64])
        {
            batch.Add(Body(DType.F16, "convert(%0)", Special(from)), "a.astype('float16').astype('float64')",
                Special(from));
            batch.Add(Body(DType.F32, "convert(%0)", Special(from)), "a.astype('float32').astype('float64')",
                Special(from));
        }
        // The bits of a NaN are nobody's business.
        var numbers = ReferenceValue.Of(DType.F32, [Special(DType.F32).Values.Count(v => !double.IsNaN(v))],
            [.. Special(DType.F32).Values.Where(v => !double.IsNaN(v))]);
        batch.Add(Body(DType.U32, "bitcast(%0)", numbers), "a.astype('float32').view('uint32')", numbers);
        batch.Add(Body(DType.I32, "bitcast(%0)", numbers), "a.astype('float32').view('int32')", numbers);
        batch.Add(Body(DType.I64, "bitcast(%0)", Special(DType.U64)), "a.view('int64')", Special(DType.U64));
        batch.Add(Body(DType.F16, "bitcast(%0)", Special(DType.U16)), "a.view('float16').astype('float64')",
            Special(DType.U16));
        batch.Add(Body(DType.BF16, "bitcast(%0)", Special(DType.U16)),
            "(a.astype('uint32')<<16).view('float32').astype('float64')", Special(DType.U16));
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
            Case("[3,2,2,2]", "window(%0; 1,[2,2],[1,2])", "windows(a,1,2,2,1,2)", x);
            Case("[3,2,2,2]", "window(%0; 1,[2,2],[2,1])", "windows(a,1,2,2,2,1)", x);
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
                "windows(a.transpose(2,0,1)[:,::2],2,2,3,1,1)[:,::-1,:,::-1].reshape(6,2,2).transpose(1,0,2)", x);
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
                "np.einsum('nyrxsc,orsc->nyxo',windows(windows(a,1,2,3,3,1),3,5,2,1,2),b)", image, filter);
        }
    }

    private static string Type(ReferenceValue v) => $"{v.DType.Name()}[{string.Join(',', v.Shape)}]".Replace("[]", "");

    private static string Inputs(params ReferenceValue[] x) =>
        string.Join('\n', x.Select((v, i) => $"%{i}: {Type(v)} = input(; \"{"abc"[i]}\")"));

    /// <summary>One operation whose result has the inputs' shape.</summary>
    private static string Body(DType result, string operation, params ReferenceValue[] x) =>
        $"{Inputs(x)}\n%{x.Length}: {Type(x[0]).Replace(x[0].DType.Name(), result.Name())} = {operation}";

    private static ReferenceValue Special(DType dtype)
    {
        if (dtype == DType.Bool) return ReferenceValue.Of(dtype, [2], 0L, 1);
        if (!dtype.IsFloat)
        {
            var (least, most) = (IntegerMath.Least(dtype), IntegerMath.Greatest(dtype));
            return ReferenceValue.Of(dtype, [16], least, most, least + 1, most - 1,
                 0L, 1, -1, 2, 3, -3, 7, 8, 31, 63, 100, -77);
        }
        var (small, large) = (FloatMath.Smallest(dtype), FloatMath.Largest(dtype));
        double[] values =
            [0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, -7.25, 100, 1e-4, -1e-4, 0.99, -0.99, 12345, 300,
            small, -small, 1000 * small, large, -large, double.PositiveInfinity, double.NegativeInfinity, double.NaN];
        return ReferenceValue.Of(dtype, [values.Length], values);
    }

    /// <summary>Every special value against every other.</summary>
    private static (ReferenceValue, ReferenceValue) Pairs(DType dtype)
    {
        var x = Special(dtype);
        var n = (int)x.Count;
        var (i, j) = (Enumerable.Range(0, n * n).Select(k => k / n), Enumerable.Range(0, n * n).Select(k => k % n));
        return dtype.IsFloat
            ? (ReferenceValue.Of(dtype, [n * n], [.. i.Select(k => x.Values[k])]),
                ReferenceValue.Of(dtype, [n * n], [.. j.Select(k => x.Values[k])]))
            : (ReferenceValue.Of(dtype, [n * n], [.. i.Select(k => x.Integers[k])]),
                ReferenceValue.Of(dtype, [n * n], [.. j.Select(k => x.Integers[k])]));
    }

    /// <summary>Ordinary values, and a special one now and then; the same for the same shape.</summary>
    private static ReferenceValue Filled(DType dtype, params long[] shape)
    {
        var count = (int)shape.Aggregate(1L, (p, s) => p * s);
        var random = new System.Random(count * 31 + (int)dtype);
        var special = Special(dtype);
        return dtype.IsFloat
            ? ReferenceValue.Of(dtype, shape, [.. Enumerable.Range(0, count).Select(_ => random.Next(40) == 0
                ? special.Values[random.Next(special.Values.Length)] : random.NextDouble() * 4 - 2)])
            : ReferenceValue.Of(dtype, shape, [.. Enumerable.Range(0, count).Select(_ => random.Next(4) == 0
                ? special.Integers[random.Next(special.Integers.Length)] : random.NextInt64(-9, 10))]);
    }
}
