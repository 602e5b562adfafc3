// Hand-written graphs with control flow and effects, and what each gives, worked out by hand.
using Accelerate.Runtime;

namespace Accelerate.Tests.Control;

/// <summary>A graph, calls of it in one session, and the results that its meaning says.</summary>
/// <param name="Text">The graph.</param>
/// <param name="Calls">Inputs of each call, and its expected results, then the inout inputs.</param>
/// <param name="Copies">What the planner needs.</param>
public sealed record Sample(string Text, (Func<Tensor[]> Inputs, double[][] Expected)[] Calls, int Copies)
{
    public Dictionary<string, long>? Sizes { get; init; }

    /// <summary>What the calls print together.</summary>
    public string Printed { get; init; } = "";
}

public static class Programs
{
    private static Tensor F(params float[] values) => Tensor.From(values, values.Length);

    private static Tensor S(float value) => Tensor.Scalar(value);

    private static Tensor I(int value) => Tensor.Scalar(value);

    public static IReadOnlyDictionary<string, Sample> All { get; } = new Dictionary<string, Sample>
    {
        // h = h * 0.5 + x[i]; every h is kept. The carried value is elementwise: in place.
        ["running"] = new("""
            graph @step {
              %0: f32 = input("h")
              %1: f32[n] = input("x")
              %2: f32[1] = slice(%1; [i.1],[1])
              %3: f32 = reshape(%2; )
              %4: f32 = const([0.5])
              %5: f32 = mul(%0, %4)
              %6: f32 = add(%5, %3)
              return(%6, %6)
            }
            graph @running {
              %0: f32[n] = input("x")
              %1: f32 = const([0.0])
              %2: f32 = scan(%1, %0; @step,i.1<n,1)
              %3: f32 = result(%2; 0)
              %4: f32[n] = result(%2; 1)
              return(%3, %4)
            }
            """, [(() => [F(1, 2, 3, 4)], [[6.125], [1, 2.5, 4.25, 6.125]]), (() => [Tensor.Zeros(DType.F32, 0)], [[0], []])], 0),
        // (a, b) = (b, a + b): the two must change at once.
        ["fibonacci"] = new("""
            graph @next {
              %0: i64 = input("a")
              %1: i64 = input("b")
              %2: i64 = add(%0, %1)
              return(%1, %2)
            }
            graph @fibonacci {
              %0: i64[n] = input("x")
              %1: i64 = const([0])
              %2: i64 = const([1])
              %3: i64 = scan(%1, %2; @next,i.1<n,2)
              %4: i64 = result(%3; 0)
              return(%4)
            }
            """, [(() => [Tensor.Zeros(DType.I64, 10)], [[55]]), (() => [Tensor.Zeros(DType.I64, 0)], [[0]])], 2),
        ["swap"] = new("""
            graph @swap {
              %0: f32[2] = buffer("a")
              %1: f32[2] = buffer("b")
              %2: f32[2] = input("x")
              %3: f32[2] = add(%0, %2)
              %4: f32[2] = assign(%1; buffer "a")
              %5: f32[2] = assign(%0; buffer "b")
              return(%3)
            }
            """, [(() => [F(1, 2)], [[1, 2]])], 3),
        // Rows 2 and 4 of a cache change; the whole is a buffer, the old value has no later use.
        ["cache"] = new("""
            graph @cache {
              %0: f32[6,2] = buffer("cache")
              %1: f32[2] = input("k")
              %2: i32 = input("pos")
              %3: f32[1,2] = reshape(%1; )
              %4: f32[6,2] = update_slice(%0, %3, %2; [0],[0,0],[1,1])
              %5: f32 = reduce(%4; add,[0,1])
              %6: f32[6,2] = assign(%4; buffer "cache")
              %7: f32[2,2] = dynamic_slice(%4, %2; [0],[-1,0])
              return(%5, %7)
            }
            """, [(() => [F(1, 2), I(2)], [[3], [0, 0, 1, 2]]), (() => [F(3, 4), I(3)], [[10], [1, 2, 3, 4]])], 0),
        // The old value is a result too: one copy, or none of both would be right.
        ["keeps"] = new("""
            graph @keeps {
              %0: f32[3] = buffer("b")
              %1: f32[1] = input("v")
              %2: f32[3] = update_slice(%0, %1; [],[1],[1])
              %3: f32[3] = assign(%2; buffer "b")
              %4: f32[3] = add(%0, %0)
              return(%4, %2)
            }
            """, [(() => [F(5)], [[0, 0, 0], [0, 5, 0]]), (() => [F(7)], [[0, 10, 0], [0, 7, 0]])], 2),
        // p = p - g * 0.5 in the state's own memory, and the mean of squares from before.
        ["descent"] = new("""
            graph @descent {
              %0: f32[n] = input("g")
              %1: f32[4] = param("p")
              %2: f32[4] = input("rate")
              %3: f32[4] = mul(%1, %1)
              %4: f32 = reduce(%3; add,[0])
              %5: f32[4] = sub(%1, %2)
              %6: f32[4] = assign(%5; param "p")
              return(%4)
            }
            """, [(() => [F(1), F(1, 2, 3, 4)], [[0]]), (() => [F(1), F(0, 0, 0, 0)], [[30]])], 0),
        // x[1:] = x[:-1] and then x[0] = 9: the update reads what it changes.
        ["shift"] = new("""
            graph @shift {
              %0: f32[n] = input("x",inout)
              %1: f32[n-1] = slice(%0; [0],[1])
              %2: f32[n] = update_slice(%0, %1; [],[1],[1])
              %3: f32[1] = const([9.0])
              %4: f32[n] = update_slice(%2, %3; [],[0],[1])
              %5: f32[n] = assign(%4; inout "x")
              return()
            }
            """, [(() => [F(1, 2, 3, 4, 5)], [[9, 1, 2, 3, 4]])], 0),
        // x[::2] = x[::2] * 10: each element is read where it is written.
        ["strided"] = new("""
            graph @strided {
              %0: f32[7] = input("x",inout)
              %1: f32[4] = slice(%0; [0],[2])
              %2: f32[4] = const([10.0])
              %3: f32[4] = mul(%1, %2)
              %4: f32[7] = update_slice(%0, %3; [],[0],[2])
              %5: f32[7] = assign(%4; inout "x")
              return()
            }
            """, [(() => [F(1, 2, 3, 4, 5, 6, 7)], [[10, 2, 30, 4, 50, 6, 70]])], 0),
        // The number of steps of Collatz from k.
        ["collatz"] = new("""
            graph @more {
              %0: i64 = input("k")
              %1: i64 = input("steps")
              %2: i64 = const([1])
              %3: bool = compare(%0, %2; ne)
              return(%3)
            }
            graph @odd {
              %0: i64 = input("k")
              %1: i64 = const([3])
              %2: i64 = mul(%0, %1)
              %3: i64 = const([1])
              %4: i64 = add(%2, %3)
              return(%4)
            }
            graph @even {
              %0: i64 = input("k")
              %1: i64 = const([2])
              %2: i64 = div(%0, %1)
              return(%2)
            }
            graph @next {
              %0: i64 = input("k")
              %1: i64 = input("steps")
              %2: i64 = const([2])
              %3: i64 = rem(%0, %2)
              %4: i64 = const([1])
              %5: bool = compare(%3, %4; eq)
              %6: i64 = if(%5, %0; @odd,@even)
              %7: i64 = result(%6; 0)
              %8: i64 = add(%1, %4)
              return(%7, %8)
            }
            graph @collatz {
              %0: i64 = input("k")
              %1: i64 = const([0])
              %2: i64 = while(%0, %1; @more,@next,2)
              %3: i64 = result(%2; 1)
              return(%3)
            }
            """, [(() => [Tensor.Scalar(27L)], [[111]]), (() => [Tensor.Scalar(1L)], [[0]])], 1),
        // for i in range(n): for j in range(i): if x[j] < x[i] { rank[i] += 1 }
        ["ranks"] = new("""
            graph @add {
              %0: i32[n] = input("rank")
              %1: i32[1] = slice(%0; [i.1],[1])
              %2: i32[1] = const([1])
              %3: i32[1] = add(%1, %2)
              %4: i32[n] = update_slice(%0, %3; [],[i.1],[1])
              return(%4)
            }
            graph @keep {
              %0: i32[n] = input("rank")
              return(%0)
            }
            graph @inner {
              %0: i32[n] = input("rank")
              %1: f32[n] = input("x")
              %2: f32[1] = slice(%1; [i.2],[1])
              %3: f32[1] = slice(%1; [i.1],[1])
              %4: bool[1] = compare(%2, %3; lt)
              %5: bool = reshape(%4; )
              %6: i32[n] = if(%5, %0; @add,@keep)
              %7: i32[n] = result(%6; 0)
              return(%7)
            }
            graph @outer {
              %0: i32[n] = input("rank")
              %1: f32[n] = input("x")
              %2: i32[n] = scan(%0, %1; @inner,i.2<i.1,1)
              %3: i32[n] = result(%2; 0)
              return(%3)
            }
            graph @ranks {
              %0: f32[n] = input("x")
              %1: i32[n] = const([0])
              %2: i32[n] = scan(%1, %0; @outer,i.1<n,1)
              %3: i32[n] = result(%2; 0)
              return(%3)
            }
            """, [(() => [F(3, 1, 4, 1, 5)], [[0, 0, 2, 0, 4]])], 0),
        // A recurrence with a contraction: the next state cannot be computed where the old one is.
        ["recurrent"] = new("""
            graph @cell {
              %0: f32[b,h] = input("s")
              %1: f32[n,b,h] = input("x")
              %2: f32[h,h] = input("w")
              %3: f32[1,b,h] = slice(%1; [i.1,0,0],[1,1,1])
              %4: f32[b,h] = reshape(%3; )
              %5: f32[b,h] = dot(%0, %2; contract [1]x[0],batch []x[])
              %6: f32[b,h] = add(%4, %5)
              return(%6, %6)
            }
            graph @recurrent {
              %0: f32[n,b,h] = input("x")
              %1: f32[h,h] = input("w")
              %2: f32[b,h] = const([0.0])
              %3: f32[b,h] = scan(%2, %0, %1; @cell,i.1<n,1)
              %4: f32[b,h] = result(%3; 0)
              %5: f32[n,b,h] = result(%3; 1)
              return(%4, %5)
            }
            """, [(() => [Tensor.From([1f, 2, 3, 4, 5, 6], 3, 1, 2), Tensor.From([0f, 1, 1, 0], 2, 2)],
                [[5 + 4 + 1, 6 + 3 + 2], [1, 2, 3 + 2, 4 + 1, 10, 11]])], 1),
        ["speaks"] = new("""
            graph @loud {
              %0: f32 = input("x")
              %1: f32 = print(%0; "loud {:.3}")
              %2: f32 = add(%0, %0)
              return(%2)
            }
            graph @quiet {
              %0: f32 = input("x")
              return(%0)
            }
            graph @step {
              %0: f32[n] = input("x")
              %1: f32[1] = slice(%0; [i.1],[1])
              %2: f32 = reshape(%1; )
              %3: i32 = size(i.1)
              %4: i32 = print(%3, %2; "{}: {}")
              %5: f32 = const([2.0])
              %6: bool = compare(%2, %5; gt)
              %7: f32 = if(%6, %2; @loud,@quiet)
              return()
            }
            graph @speaks {
              %0: f32[n] = input("x")
              %1: bool = scan(%0; @step,i.1<n,0)
              %2: bool = print(; "done")
              %3: f32[n] = add(%0, %0)
              %4: f32[n] = print(%3; "{} twice")
              return()
            }
            """, [(() => [F(1, 2.5f)], [])], 0) { Printed = "0: 1.0\n1: 2.5\nloud 2.5\ndone\n[2. 5.] twice\n" },
    };
}
