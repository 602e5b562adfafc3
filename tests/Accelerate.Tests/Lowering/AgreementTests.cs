// Hand-written graphs, lowered, on the kernel interpreter and on LLVM at every target and level: the same bytes.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public class AgreementTests
{
    private const string Softmax = """
        graph @softmax {
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
        """;

    private const string Linear = """
        graph @linear {
          %0: f32[n,k] = input("x")
          %1: f32[m,k] = input("w")
          %2: f32[m] = input("b")
          %3: f32[n,m] = dot(%0, %1; contract [1]x[1],batch []x[])
          %4: f32[n,m] = broadcast(%2; [1])
          %5: f32[n,m] = add(%3, %4)
          %6: f32[n,m] = const([0.0])
          %7: f32[n,m] = max(%6, %5)
          return(%7)
        }
        """;

    private const string Conv = """
        graph @conv {
          %0: f32[n,c,h,w] = input("x")
          %1: f32[f,c,3,3] = input("k")
          %2: f32 = const([0.0])
          %3: f32[n,c,h+2,w+2] = pad(%0, %2; [0,0,1,1],[0,0,1,1],[0,0,0,0])
          %4: f32[n,c,h,3,w+2] = window(%3; 2,[h,3],[1,1])
          %5: f32[n,c,h,3,w,3] = window(%4; 4,[w,3],[1,1])
          %6: f32[n,h,w,f] = dot(%5, %1; contract [1,3,5]x[1,2,3],batch []x[])
          %7: f32[n,f,h,w] = transpose(%6; [0,3,1,2])
          return(%7)
        }
        """;

    /// <summary>bf16 operands, f32 sums; the same with a narrow result, and i8 operands with i32 sums.</summary>
    private const string Narrow = """
        graph @narrow {
          %0: f32[n,k] = input("x")
          %1: f32[m,k] = input("w")
          %2: f32[m] = input("b")
          %3: bf16[n,k] = convert(%0)
          %4: bf16[m,k] = convert(%1)
          %5: f32[n,m] = dot(%3, %4; contract [1]x[1],batch []x[],f32)
          %6: f32[n,m] = broadcast(%2; [1])
          %7: f32[n,m] = add(%5, %6)
          %8: bf16[n,m] = dot(%3, %4; contract [1]x[1],batch []x[])
          %9: i8[n,k] = convert(%0)
          %10: i8[m,k] = convert(%1)
          %11: i32[n,m] = dot(%9, %10; contract [1]x[1],batch []x[],i32)
          %12: f32[n,m] = convert(%11)
          %13: f32[n,m] = convert(%8)
          %14: f32[n,m] = mul(%12, %13)
          %15: f32[n,m] = add(%14, %7)
          return(%15)
        }
        """;

    public static TheoryData<string, string, int> Cases()
    {
        var cases = new TheoryData<string, string, int>();
        foreach (var target in new[] { "host", "x86-64-v3", "x86-64" })
            foreach (var level in new[] { 0, 3 })
                foreach (var name in new[] { nameof(Softmax), nameof(Linear), nameof(Conv), nameof(Narrow) })
                    cases.Add(name, target, level);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void SameBytes(string name, string target, int level)
    {
        var text =
            name switch { nameof(Softmax) => Softmax, nameof(Linear) => Linear, nameof(Narrow) => Narrow, _ => Conv };
        var program = Lowered.Plain(GraphReader.Read(text));
        foreach (var kernel in program.Kernels)
        {
            KernelVerifier.Verify(kernel);
            Assert.Empty(KernelBounds.Unproved(kernel));
        }
        var shapes = name switch
        {
            nameof(Softmax) => new long[][] { [7, 33] },
            nameof(Linear) or nameof(Narrow) => [[13, 37], [29, 37], [29]],
            _ => [[2, 3, 9, 11], [5, 3, 3, 3]],
        };
        var seed = 0;
        var inputs = shapes.Select(s => Random(s, seed++)).ToArray();
        using var reference = new InterpreterExecutable([program]);
        using var native = new LlvmExecutable([program], new LlvmOptions(target, level, UseCache: false, Threads: 3));
        var expected = reference.CreateSession().Run(program.Name, inputs);
        var actual = native.CreateSession().Run(program.Name, inputs);
        Assert.True(expected[0].SameBits(actual[0]), $"{ProgramPrinter.Print(program)}\n{expected[0]}\n{actual[0]}");
        Compared.Add(actual[0].Count);
    }

    private static Tensor Random(long[] shape, int seed)
    {
        var random = new System.Random(seed);
        var count = shape.Aggregate(1L, (a, b) => a * b);
        return Tensor.From(Enumerable.Range(0, (int)count).Select(_ => (float)(random.NextDouble() * 4 - 2))
            .ToArray(), shape);
    }
}
