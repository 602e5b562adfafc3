// Dynamic slices, updates, scatters, running values, sorts and folds, lowered: against loops written here.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public class IndexedTests
{
    private static readonly long[][] Shapes =
        [[1, 1, 1], [3, 5, 7], [2, 20, 300], [5, 0, 3], [0, 4, 3], [2, 3, 0], [1, 17, 1], [2, 300, 1]];

    private static void Equal(Grid expected, Tensor actual) =>
        Assert.True(expected.ToTensor().SameBits(actual), $"{expected.ToTensor()}\n{actual}");

    private static Tensor[] Run(Lowered lowered, params Grid[] inputs) =>
        lowered.Run([.. inputs.Select(i => i.ToTensor())]);

    private static void Fails(Lowered lowered, params Grid[] inputs) =>
        Assert.Equal(ExecutionCode.IndexOutOfRange, Assert.Throws<ExecutionException>(() => Run(lowered, inputs)).Code);

    private const string SliceGraph = """
        graph @f {
          %0: f32[a,n,b] = input("x")
          %1: i32 = input("at")
          %2: f32[a,2,b] = dynamic_slice(%0, %1; [1],[0,1,0])
          %3: f32[a,2,b] = neg(%2)
          return(%3)
        }
        """;

    [LlvmFact]
    public void DynamicSlice()
    {
        using var graph = new Lowered(SliceGraph);
        foreach (var (a, n, b, at) in (
            (long, long, long, long)[])[(3, 7, 5, 0), (3, 7, 5, 4), (2, 9, 300, -1), (1, 3, 1, 0)])
        {
            var x = Grid.Random(DType.F32, [a, n, b], 1);
            Equal(Grid.Of(DType.F32, [a, 2, b], i => -x[i[0], 1 + at + i[1], i[2]]),
                Run(graph, x, Grid.Scalar(DType.I32, at))[0]);
        }
    }

    [LlvmFact]
    public void APartOutsideIsAFailure()
    {
        using var graph = new Lowered(SliceGraph);
        var x = Grid.Random(DType.F32, [2, 5, 3], 1);
        foreach (var at in (long[])[-2, 3, 100, int.MinValue, int.MaxValue])
            Fails(graph, x, Grid.Scalar(DType.I32, at));
        // Not even room for the slice.
        Assert.Equal(ExecutionCode.EntryCheck, Assert.Throws<ExecutionException>(() =>
            Run(graph, Grid.Random(DType.F32, [2, 1, 3], 1), Grid.Scalar(DType.I32, 0))).Code);
    }

    [LlvmFact]
    public void UpdateSliceWithSteps()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: f32[a,2*n+3,b] = input("x")
              %1: f32[a,n,b] = input("u")
              %2: i64 = input("at")
              %3: f32[a,n,b] = mul(%1, %1)
              %4: f32[a,2*n+3,b] = update_slice(%0, %3, %2; [1],[0,1,0],[1,2,1])
              return(%4)
            }
            """);
        foreach (var (a, n, b) in Shapes.Select(s => (s[0], s[1], s[2])))
        {
            var (x, u) = (Grid.Random(DType.F32, [a, 2 * n + 3, b], 1), Grid.Random(DType.F32, [a, n, b], 2));
            foreach (var at in (long[])[-1, 0, 2])
            {
                var expected = x.Copy();
                foreach (var i in u.Indices()) expected[i[0], 1 + at + 2 * i[1], i[2]] = (float)(u[i] * u[i]);
                Equal(expected, Run(graph, x, u, Grid.Scalar(DType.I64, at))[0]);
            }
            if (u.Indices().Any()) Fails(graph, x, u, Grid.Scalar(DType.I64, 4));
        }
    }

    [LlvmFact]
    public void UpdatesOfWhatIsComputedAndInAChain()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: i32[n] = input("x")
              %1: i32[2] = input("u")
              %2: i32 = input("at")
              %3: i32[n] = neg(%0)
              %4: i32[n] = update_slice(%3, %1, %2; [0],[0],[1])
              %5: i32[2] = dynamic_slice(%4, %2; [0],[1])
              %6: i32[2] = add(%5, %5)
              %7: i32[n] = update_slice(%4, %6, %2; [0],[1],[1])
              return(%7, %3)
            }
            """);
        var x = Grid.Integers(1, 2, 3, 4, 5);
        var y = Run(graph, x, Grid.Integers(10, 20), Grid.Scalar(DType.I32, 1));
        Equal(Grid.Integers(-1, 10, 40, -8, -5), y[0]);
        Equal(Grid.Integers(-1, -2, -3, -4, -5), y[1]);
    }

    [LlvmTheory]
    [InlineData("set")]
    [InlineData("add")]
    [InlineData("mul")]
    [InlineData("max")]
    [InlineData("min")]
    public void Scatter(string kind)
    {
        using var graph = new Lowered($$"""
            graph @f {
              %0: f32[a,n,b] = input("x")
              %1: i32[p,2] = input("i")
              %2: f32[a,p,2,b] = input("u")
              %3: f32[a,n,b] = scatter(%0, %1, %2; {{kind}},1)
              return(%3)
            }
            """);
        foreach (var (a, n, b) in Shapes.Where(s => s[1] > 0).Select(s => (s[0], s[1], s[2])))
        {
            var (x, at, u) =
                (Grid.Random(DType.F32, [a, n, b], 1), Grid.Of(DType.I32, [6, 2], i => (i[0] * 3 + i[1] * 7) % n),
                Grid.Random(DType.F32, [a, 6, 2, b], 2));
            var expected = x.Copy();
            foreach (var i in u.Indices())
            {
                var (to, update) = (new[] { i[0], (long)at[i[1], i[2]], i[3] }, u[i]);
                expected[to] = kind switch
                {
                    "set" => update,
                    "add" => (float)expected[to] + (float)update,
                    "mul" => (float)expected[to] * (float)update,
                    "max" => Math.Max(expected[to], update),
                    _ => Math.Min(expected[to], update),
                };
            }
            Equal(expected, Run(graph, x, at, u)[0]);
            if (a * b == 0) continue;
            at[2, 1] = n;
            Fails(graph, x, at, u);
            at[2, 1] = -1;
            Fails(graph, x, at, u);
        }
    }

    [LlvmTheory]
    [InlineData(0, "add", false)]
    [InlineData(1, "add", true)]
    [InlineData(2, "add", false)]
    [InlineData(2, "mul", true)]
    [InlineData(0, "max", true)]
    [InlineData(1, "max", false)]
    public void CumulateAlongEveryAxis(int axis, string kind, bool reversed)
    {
        using var graph = new Lowered($$"""
            graph @f {
              %0: f32[a,n,b] = input("x")
              %1: f32[a,n,b] = abs(%0)
              %2: f32[a,n,b] = cumulate(%1; {{kind}},{{axis}}{{(reversed ? ",reversed" : "")}})
              %3: f32[a,n,b] = sub(%2, %0)
              return(%3)
            }
            """);
        foreach (var shape in Shapes)
        {
            var x = Grid.Random(DType.F32, shape, 3);
            var running = new Grid(DType.F32, shape);
            var indices = x.Indices();
            foreach (var i in reversed ? indices.Reverse() : indices)
            {
                long[] before = [.. i];
                before[axis] += reversed ? 1 : -1;
                var term = (float)Math.Abs(x[i]);
                if (before[axis] < 0 || before[axis] >= shape[axis]) running[i] = term;
                else
                {
                    var old = (float)running[before];
                    running[i] = kind switch { "add" => old + term, "mul" => old * term, _ => Math.Max(old, term) };
                }
            }
            Equal(Grid.Of(DType.F32, shape, i => (float)running[i] - (float)x[i]), Run(graph, x)[0]);
        }
    }

    [LlvmFact]
    public void ARunningSumKeepsTheZeroItStartsWith()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: f32[n] = input("x")
              %1: f32[n] = cumulate(%0; add,0)
              return(%1)
            }
            """);
        var y = Run(graph, Grid.Of(DType.F32, [3], i => i[0] == 2 ? 0.0 : -0.0));
        Assert.Equal([-0f, -0f, 0f], y[0].ToArray<float>());
        Assert.True(float.IsNegative(y[0].ToArray<float>()[1]));
    }

    [LlvmTheory]
    [InlineData(DType.F32)]
    [InlineData(DType.F64)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    [InlineData(DType.I8)]
    [InlineData(DType.U8)]
    [InlineData(DType.I32)]
    [InlineData(DType.U64)]
    [InlineData(DType.I64)]
    [InlineData(DType.Bool)]
    public void SortAlongEveryAxis(DType type)
    {
        foreach (var (axis, descending) in ((int, bool)[])[(0, false), (1, true), (2, false), (2, true)])
        {
            var index = descending ? DType.I64 : DType.I32;
            using var graph = new Lowered($$"""
                graph @f {
                  %0: {{type.Name()}}[a,n,b] = input("x")
                  %1: {{type.Name()}}[a,n,b] = sort(%0; {{(descending ? "descending" : "ascending")}},{{axis}},{{index.Name()}})
                  %2: {{type.Name()}}[a,n,b] = result(%1; 0)
                  %3: {{index.Name()}}[a,n,b] = result(%1; 1)
                  return(%2, %3)
                }
                """);
            foreach (var shape in Shapes)
            {
                var x = Grid.Random(type, shape, 4);
                // Few distinct values, so that ties are many; every kind of odd float among them.
                if (type.IsFloat)
                {
                    double[] odd =
                        [double.NaN, -0.0, 0.0, double.PositiveInfinity, double.NegativeInfinity, Math.ScaleB(1, -20),
                            -1.5, 2];
                    var random = new Random(7);
                    x = Grid.Of(type, shape, _ => odd[random.Next(odd.Length)]);
                }
                var (keys, places) = (new Grid(type, shape), new Grid(index, shape));
                foreach (var row in x.Indices().GroupBy(i => string.Join(',', i.Where((_, d) => d != axis))))
                {
                    var items = row.ToList();
                    // LINQ's sorts are stable.
                    var sorted = items.OrderBy(i => double.IsNaN(x[i]))
                        .ThenBy(i => double.IsNaN(x[i]) ? 0 : (descending ? -x[i] : x[i]) + 0.0).ToList();
                    for (var k = 0; k < items.Count; k++)
                    {
                        keys[items[k]] = x[sorted[k]];
                        places[items[k]] = sorted[k][axis];
                    }
                }
                var y = Run(graph, x);
                Equal(keys, y[0]);
                Equal(places, y[1]);
            }
        }
    }

    [LlvmTheory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    public void FoldIsTheSumOverTheWindowsThatHoldAPlace(long stride, long dilation)
    {
        var size = 4 * stride + 2 * dilation + 3;
        foreach (var computed in (bool[])[false, true])
        {
            using var graph = new Lowered($$"""
                    graph @f {
                      %0: f32[a,5,3,b] = input("x")
                      %1: f32[a,5,3,b] = {{(computed ? "mul(%0, %0)" : "reverse(%0; [0])")}}
                      %2: f32[a,{{size}},b] = fold(%1; 1,{{size}},[{{stride}},{{dilation}}])
                      return(%2)
                    }
                    """);
            foreach (var (a, b) in ((long, long)[])[(2, 3), (1, 1), (0, 2)])
            {
                var x = Grid.Random(DType.F32, [a, 5, 3, b], 5);
                var expected = new Grid(DType.F32, a, size, b);
                for (var r = 0; r < 3; r++)
                {
                    foreach (var i in x.Indices().Where(i => i[2] == r))
                    {
                        long[] to = [i[0], i[1] * stride + r * dilation, i[3]];
                        var term = computed ? (float)x[i] * (float)x[i] : (float)x[a - 1 - i[0], i[1], i[2], i[3]];
                        expected[to] = (float)expected[to] + term;
                    }
                }
                Equal(expected, Run(graph, x)[0]);
            }
        }
    }

    [LlvmFact]
    public void PadBetweenElementsAndBelowZero()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: f32[n,m] = input("x")
              %1: f32 = const([7.0])
              %2: f32[n-1,3*m] = pad(%0, %1; [-1,1],[0,1],[0,2])
              %3: f32[n,m] = exp(%0)
              %4: f32[n-1,3*m] = pad(%3, %1; [-1,1],[0,1],[0,2])
              %5: f32[n-1,3*m] = neg(%4)
              return(%2, %5)
            }
            """);
        var x = Grid.Random(DType.F32, [4, 5], 6);
        var y = Run(graph, x);
        Equal(Grid.Of(DType.F32, [3, 15], i => i[1] % 3 == 1 ? x[i[0] + 1, i[1] / 3] : 7), y[0]);
        Assert.Equal(-7f, y[1].ToArray<float>()[0]);
        Assert.Equal(-Math.Exp(x[1, 0]), y[1].ToArray<float>()[1], 1e-5);
    }

    [LlvmFact]
    public void AGatherThatIsNotTakenDoesNotFail()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: f32[n] = input("x")
              %1: i32[m] = input("i")
              %2: i32[m] = const([0])
              %3: bool[m] = compare(%2, %1; le)
              %4: f32[m] = gather(%0, %1; 0)
              %5: f32[m] = neg(%4)
              %6: f32[m] = const([9.0])
              %7: f32[m] = select(%3, %5, %6)
              return(%7)
            }
            """);
        Equal(Grid.Of(DType.F32, [4], i => new double[] { -2, 9, -1, 9 }[i[0]]),
            Run(graph, Grid.Of(DType.F32, [2], i => i[0] + 1), Grid.Integers(1, -1, 0, -5))[0]);
        Fails(graph, Grid.Of(DType.F32, [2], i => i[0] + 1), Grid.Integers(1, -1, 2, -5));
        // Nothing to read from, and nothing is read.
        Equal(Grid.Of(DType.F32, [2], _ => 9), Run(graph, new Grid(DType.F32, 0), Grid.Integers(-1, -7))[0]);
        Fails(graph, new Grid(DType.F32, 0), Grid.Integers(-1, 0));
    }

    [LlvmFact]
    public void ASumThatIsNotTakenDoesNotFail()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: f32[n,d] = input("x")
              %1: i32[m] = input("i")
              %2: i32[m] = const([0])
              %3: bool[m] = compare(%2, %1; le)
              %4: f32[m,d] = gather(%0, %1; 0)
              %5: f32[m] = reduce(%4; max,[1])
              %6: f32[m] = const([9.0])
              %7: f32[m] = select(%3, %5, %6)
              return(%7)
            }
            """);
        var x = Grid.Random(DType.F32, [3, 40], 1);
        double Greatest(int row) => Enumerable.Range(0, 40).Max(j => x[row, j]);
        Equal(Grid.Of(DType.F32, [3], i => i[0] == 0 ? Greatest(1) : i[0] == 1 ? 9 : Greatest(2)),
            Run(graph, x, Grid.Integers(1, -1, 2))[0]);
        Fails(graph, x, Grid.Integers(1, 3, -1));
    }

    [LlvmFact]
    public void PartsOfAConcatAreStoredInTheirPlaces()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: i32[n,k] = input("x")
              %1: i32[m,k] = input("w")
              %2: i32[n,m] = dot(%0, %1; contract [1]x[1],batch []x[])
              %3: i32[n,m] = neg(%2)
              %4: i32[n,k] = cumulate(%0; add,1)
              %5: i32[n] = reduce(%0; max,[1])
              %6: i32[n,k] = broadcast(%5; [0])
              %7: i32[n,k] = sub(%6, %0)
              %8: i32[n,m+2*k] = concat(%4, %3, %7; 1)
              return(%8)
            }
            """);
        foreach (var (n, m, k) in ((int, int, int)[])[(3, 5, 4), (1, 1, 1), (2, 40, 33), (2, 0, 3)])
        {
            var (x, w) = (Grid.Random(DType.I32, [n, k], 1), Grid.Random(DType.I32, [m, k], 2));
            Equal(Grid.Of(DType.I32, [n, m + 2 * k], i =>
            {
                double[] row = [.. Enumerable.Range(0, k).Select(j => x[i[0], j])];
                return i[1] < k ? row.Take((int)i[1] + 1).Sum()
                    : i[1] < k + m ? -row.Select((v, j) => v * w[i[1] - k, j]).Sum()
                    : row.Max() - row[i[1] - k - m];
            }), Run(graph, x, w)[0]);
        }
    }

    [LlvmFact]
    public void AGatherThroughAGather()
    {
        using var graph = new Lowered("""
            graph @f {
              %0: f32[n,d] = input("x")
              %1: i64[k] = input("j")
              %2: i32[m] = input("i")
              %3: i64[m] = gather(%1, %2; 0)
              %4: f32[m,d] = gather(%0, %3; 0)
              return(%4)
            }
            """);
        var x = Grid.Random(DType.F32, [5, 33], 1);
        var (j, i) = (Grid.Of(DType.I64, [4], p => new long[] { 4, 0, 2, 3 }[p[0]]), Grid.Integers(3, 1, 0, 0, 2));
        Equal(Grid.Of(DType.F32, [5, 33], p => x[(long)j[(long)i[p[0]]], p[1]]), Run(graph, x, j, i)[0]);
    }

    [LlvmFact]
    public void AnUpdateOfACacheIsOneKernelThatWritesThePartAlone()
    {
        var program = Lowered.Program("""
            graph @f {
              %0: f32[h,4096,64] = input("cache")
              %1: f32[h,t,64] = input("k")
              %2: i32 = input("at")
              %3: f32[h,4096,64] = update_slice(%0, %1, %2; [1],[0,0,0],[1,1,1])
              return(%3)
            }
            """);
        var update = program.Kernels[program.Steps.OfType<CallStep>().Last().Kernel];
        Assert.True(update.Buffers.Single(b => b.IsOutput).IsUpdated);
        var elements = Kernel.Statements(update.Body).OfType<Loop>()
            .Aggregate(1L, (n, l) => n * l.Extent.Evaluate(v => v is "t" or "h" ? 2 : 0));
        Assert.Equal(2 * 2 * 64, elements);
    }
}
