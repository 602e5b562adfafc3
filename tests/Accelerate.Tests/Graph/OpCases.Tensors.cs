// The rows of the operations that move elements, take parts at run-time places, combine along axes, and hold others.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Tests.Graph;

internal static partial class OpCases
{
    private const string Planes = "n=3 m=4; n=0 m=4; n=3 m=0; n=1 m=1; n=5 m=37";

    private static void Movement(Table table)
    {
        table.Add("reshape", Every, "a: T[n,6]", "T[2*n,3] = reshape(%0)\nT[6*n] = reshape(%1)", "a.reshape(6*n)",
            "n=4; n=0; n=1");
        table.Add("transpose", Every, "a: T[n,m,3]", "T[3,n,m] = transpose(%0; [2,0,1])", "a.transpose(2,0,1)", Planes);
        table.Add("broadcast", Every, "a: T[m]", "T[n,m,2] = broadcast(%0; [1])",
            "np.broadcast_to(a[None,:,None],(n,m,2))", Planes);
        table.Add("slice", Every, "a: T[n+3,m+2]", "T[n,m] = slice(%0; [2,1],[1,1])", "a[2:2+n,1:1+m]", Planes);
        table.Add("slice", Every, "a: T[2*n+1,m]", "T[n,m] = slice(%0; [1,0],[2,1])", "a[1::2]", Planes, "steps");
        table.Add("pad", Every, "a: T[n,m]; b: T", "T[n+3,m+1] = pad(%0, %1; [1,0],[2,1],[0,0])",
            "pad(a,b,[1,0],[2,1],[0,0])", Planes);
        table.Add("pad", Every, "a: T[n,m]; b: T", "T[2*n,m] = pad(%0, %1; [1,0],[0,0],[1,0])",
            "pad(a,b,[1,0],[0,0],[1,0])", Planes, "between");
        table.Add("pad", Every, "a: T[n,m+3]; b: T", "T[n,m] = pad(%0, %1; [0,-1],[0,-2],[0,0])", "a[:,1:1+m]", Planes,
            "negative");
        table.Add("reverse", Every, "a: T[n,m,2]", "T[n,m,2] = reverse(%0; [0,2])", "a[::-1,:,::-1]", Planes);
        table.Add("concat", Every, "a: T[n,m]; b: T[2,m]; c: T[0,m]", "T[n+2,m] = concat(%0, %2, %1; 0)",
            "np.concatenate([a,b],0)", Planes);
        table.Add("window", Every, "a: T[n+2,m]", "T[n,3,m] = window(%0; 0,[n,3],[1,1])", "window(a,0,n,3,1,1)",
            Planes);
        table.Add("window", Every, "a: T[m,2*n+3]", "T[m,n,2] = window(%0; 1,[n,2],[2,3])", "window(a,1,n,2,2,3)",
            Planes, "strided");
        table.Add("fold", Numbers, "a: T[n,3,m]", "T[n+2,m] = fold(%0; 0,n+2,[1,1])", "fold(a,0,n+2,1,1)", Planes);
        table.Add("fold", Numbers, "a: T[m,n,2]", "T[m,2*n+3] = fold(%0; 1,2*n+3,[2,3])", "fold(a,1,2*n+3,2,3)", Planes,
            "strided");
    }

    private static void Parts(Table table)
    {
        const string Runs = "n=5 m=3 k=7; n=5 m=3 k=0; n=1 m=1 k=1; n=4 m=0 k=3; n=90 m=2 k=33";
        table.Add("gather", Every, "a: T[n,m]; i<n: i32[k]", "T[k,m] = gather(%0, %1; 0)",
            "np.take(a,i.astype('int64'),axis=0)", Runs);
        table.Add("gather", Integers, "a: f32[m,n]; i<n: T[k,2]", "f32[m,k,2] = gather(%0, %1; 1)",
            "np.take(a,i.astype('int64'),axis=1)", Runs, "indices");
        foreach (var kind in Enum.GetValues<ScatterOp>())
        {
            var name = kind.ToString().ToLowerInvariant();
            table.Add("scatter", kind is ScatterOp.Add or ScatterOp.Mul ? Numbers : Every, "a: T[n,m]; i<n: i64[k]; b: T[k,m]",
                $"T[n,m] = scatter(%0, %1, %2; {name},0)", $"scatter('{name}',a,i,b,0)", Runs, name);
        }
        table.Add("scatter", Integers, "a: f32[m,n]; i<n: T[k,2]; b: f32[m,k,2]",
            "f32[m,n] = scatter(%0, %1, %2; add,1)",
            "scatter('add',a,i,b,1)", Runs, "indices");
        table.Add("dynamic_slice", Every, "a: T[n+2,m]; i<3: i64", "T[n,m] = dynamic_slice(%0, %1; [0],[0,0])",
            "a[int(i):int(i)+n]", Planes);
        table.Add("dynamic_slice", Every, "a: T[n,m+4]; i<n: i32; j<3: i32",
            "T[1,m] = dynamic_slice(%0, %1, %2; [0,1],[0,1])",
            "a[int(i):int(i)+1,1+int(j):1+int(j)+m]", "n=3 m=4; n=1 m=0; n=40 m=33", "two");
        table.Add("update_slice", Every, "a: T[n+2,m]; b: T[n,m]; i<3: i64",
            "T[n+2,m] = update_slice(%0, %1, %2; [0],[0,0],[1,1])",
            "replaced(a,b,[0,0],[(0,i)],[1,1])", Planes);
        table.Add("update_slice", Every, "a: T[2*n+3,m+1]; b: T[n,m]; i<3: i32",
            "T[2*n+3,m+1] = update_slice(%0, %1, %2; [0],[1,1],[2,1])",
            "replaced(a,b,[1,1],[(0,i)],[2,1])", Planes, "steps");
        foreach (var (order, index, dtype) in new[] { ("ascending", 0, "i32"), ("descending", 1, "i64") })
        {
            table.Add("sort", Every, "t: T[n,m]",
                $"T[n,m] = sort(%0; {order},{index},{dtype})\nT[n,m] = result(%1; 0)\n{dtype}[n,m] = result(%1; 1)",
                $"ordered(t,{index},{(order == "descending" ? "True" : "False")},'{dtype}')", Planes + "; n=67 m=70",
                    order, "%2, %3");
        }
    }

    private static void Reductions(Table table)
    {
        const string Runs = "n=3 m=4; n=0 m=4; n=3 m=0; n=1 m=1; n=2 m=70";
        foreach (var op in Enum.GetValues<ReduceOp>())
        {
            var name = Ops.Name(op);
            var dtypes = op switch
            {
                ReduceOp.And or ReduceOp.Or => Bits,
                ReduceOp.Max or ReduceOp.Min => Every,
                _ => Numbers,
            };
            // Products of many factors leave the range of f16: fewer are as good a test.
            var runs = op == ReduceOp.Mul ? Runs.Replace("m=70", "m=5") : Runs;
            foreach (var (axes, result, python) in new[] { ("[1]", "T[n,2]", "(1,)"), ("[0,2]", "T[m]", "(0,2)"),
                ("[0,1,2]", "T", "(0,1,2)") })
            {
                table.Add("reduce", dtypes, "a: T[n,m,2]", $"{result} = reduce(%0; {name},{axes})",
                    $"reduce('{name}',a,{python})", runs,
                    $"{name} {axes}");
            }
            table.Add("cumulate", dtypes, "a: T[n,m]",
                $"T[n,m] = cumulate(%0; {name},1)\nT[n,m] = cumulate(%0; {name},0,reversed)",
                $"(cumulate('{name}',a,1,False), cumulate('{name}',a,0,True))", runs, name, "%1, %2");
        }
        foreach (var op in (string[])["max", "min"])
        {
            table.Add("arg_reduce", Every, "t: T[n+1,m+1]",
                $"i32[m+1] = arg_reduce(%0; {op},0)\ni64[n+1] = arg_reduce(%0; {op},1)",
                $"(np.arg{op}(t,axis=0).astype('int32'), np.arg{op}(t,axis=1))", Runs, op, "%1, %2");
        }
        table.Add("dot", Numbers, "a: T[n,m]; b: T[3,m]", "T[n,3] = dot(%0, %1; contract [1]x[1],batch []x[])",
            "np.einsum('nk,mk->nm',a,b)", Runs + "; n=70 m=131");
        table.Add("dot", Numbers, "a: T[2,m,n]; b: T[m,2,5]", "T[2,n,5] = dot(%0, %1; contract [1]x[0],batch [0]x[1])",
            "np.einsum('bkn,kbm->bnm',a,b)", Runs, "batch");
        foreach (var (dtype, wide) in new[]
        {
            (DType.F16, "f32"), (DType.BF16, "f32"), (DType.F32, "f64"), (DType.I8, "i32"), (DType.U8, "i32"),
                (DType.I16, "i32"),
            (DType.U16, "i32"), (DType.I32, "i64"),
        })
        {
            var to = wide.StartsWith('i') ? $".astype(INTS['{wide}'])" : "";
            table.Add("dot", [dtype], "a: T[n,m]; b: T[m,3]",
                $"{wide}[n,3] = dot(%0, %1; contract [1]x[0],batch []x[],{wide})",
                $"np.einsum('nk,km->nm',a{to},b{to})", Runs + "; n=9 m=131", "accumulated in " + wide);
        }
    }

    private static void Structure(Table table)
    {
        const string Lines = "n=5; n=0; n=1";
        const string Largest = """
            graph @halves {
              %0: T[n] = input(; "x")
              %1: T[n] = reverse(%0; [0])
              %2: T[n] = max(%0, %1)
              return(%2, %1)
            }

            """;
        const string Same = """
            graph @same {
              %0: T[n] = input(; "x")
              return(%0, %0)
            }

            """;
        table.Add("call", Every, "a: T[n]", "T[n] = call(%0; @halves)\nT[n] = result(%1; 0)\nT[n] = result(%1; 1)",
            "(np.maximum(a,a[::-1]), a[::-1])", Lines, results: "%2, %3", regions: Largest);
        table.Add("if", Every, "a: T[n]; c: bool",
            "T[n] = if(%1, %0; @halves,@same)\nT[n] = result(%2; 0)\nT[n] = result(%2; 1)",
            "(np.maximum(a,a[::-1]), a[::-1]) if c else (a, a)", Lines, results: "%3, %4", regions: Largest + Same);
        table.Add("if", Every, "a: T[n]", "bool = const(; [0])\nT[n] = if(%1, %0; @halves,@same)\nT[n] = result(%2; 0)",
            "a", Lines, "constant",
            regions: Largest + Same);
        const string Step = """
            graph @step {
              %0: T[m] = input(; "best")
              %1: T[n,m] = input(; "rows")
              %2: i64 = size(; i.1)
              %3: T[1,m] = dynamic_slice(%1, %2; [0],[0,0])
              %4: T[m] = reshape(%3)
              %5: T[m] = max(%0, %4)
              return(%5, %4)
            }

            """;
        table.Add("scan", Every, "a: T[m]; b: T[n,m]",
            "T[m] = scan(%0, %1; @step,i.1<n,1)\nT[m] = result(%2; 0)\nT[n,m] = result(%2; 1)",
            "(np.maximum.reduce(np.concatenate([a[None],b]),axis=0), b)",
                "n=3 m=4; n=0 m=4; n=1 m=1; n=40 m=33; n=4 m=0",
            results: "%3, %4", regions: Step);
        const string Loop = """
            graph @below {
              %0: T[n] = input(; "x")
              %1: i32 = input(; "k")
              %2: i32 = input(; "limit")
              %3: bool = compare(%1, %2; lt)
              return(%3)
            }
            graph @turn {
              %0: T[n] = input(; "x")
              %1: i32 = input(; "k")
              %2: i32 = input(; "limit")
              %3: T[n] = reverse(%0; [0])
              %4: i32 = const(; [1])
              %5: i32 = add(%1, %4)
              return(%3, %5)
            }

            """;
        table.Add("while", Every, "a: T[n]; i<6: i32; j<9: i32",
            "T[n] = while(%0, %1, %2; @below,@turn,2)\nT[n] = result(%3; 0)\ni32 = result(%3; 1)",
            "(a if max(int(j)-int(i),0)%2==0 else a[::-1], np.int32(max(i,j)))", Lines, results: "%4, %5",
                regions: Loop);
        table.Add("tuple", Every, "a: T[n]", "T[n] = tuple(%0, %0)\nT[n] = result(%1; 1)", "a", Lines);
        table.Add("result", Every, "a: T[n]; c: bool[n]",
            "T[n] = tuple(%0, %1)\nbool[n] = result(%2; 1)\nT[n] = result(%2; 0)", "(c, a)", Lines,
            results: "%3, %4");
        table.Add("barrier", Every, "a: T[n]", "T[n] = barrier(%0; materialise)", "a", Lines);
        table.Add("extent", Every, "a: T[n]; i<9: i32",
            "bool = extent(%1; m.1,1,n)\nT[m.1] = slice(%0; [0],[1])\nT = reduce(%3; max,[0])",
            "np.maximum.reduce(a[:int(i)+1])", "n=5; n=1; n=40");
        table.Add("print", Every, "a: T[n]", "T[n] = print(%0; \"{}\")\nT[n] = barrier(%1; checkpoint,1)", "a", Lines);
        table.Add("assert", Every, "a: T[n]", "bool = const(; [1])\nbool = assert(%1, %0; \"no {}\")", "a", Lines,
            results: "%0");
        table.Add("assign", Every, "a: T[3]", "T[3] = buffer(; \"w\")\nT[3] = assign(%0; buffer \"w\")", "w", Lines,
            results: "%1");
    }
}
