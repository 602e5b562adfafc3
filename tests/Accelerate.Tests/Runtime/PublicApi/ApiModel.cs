// In: nothing. Out: a small model whose functions fail in every way that a call can, and what each gives, in C#.
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

/// <summary>The state of a session of <see cref="ApiModel"/>; w is frozen.</summary>
internal sealed record ApiState(double[] V, double Seen)
{
    public static readonly double[] W = [2, 2, 2];

    public static ApiState Initial => new([1, 1, 1], 0);

    public bool Same(ApiState other) => V.SequenceEqual(other.V) && Seen == other.Seen;
}

/// <summary>What a call must give: results and the state behind it, or the code it fails with.</summary>
internal sealed record ApiAnswer(
    double[][] Results, ApiState State, ExecutionCode? Fails = null, double[]? Inout = null);

/// <summary>
/// An exported function. <paramref name="Inputs"/>: a type for each; -1 is an extent of the caller's choice, the same
/// in all inputs of one call unless <paramref name="FreeSecond"/>.
/// </summary>
internal sealed record ApiEntry(string Name, (DType Type, long[] Shape)[] Inputs, (DType Type, long[] Shape)[] Results,
    Func<ApiState, double[][], int, ApiAnswer> Call)
{
    /// <summary>Takes an `int` parameter k.</summary>
    public bool HasSize { get; init; }

    /// <summary>The second input's extent is its own.</summary>
    public bool FreeSecond { get; init; }

    /// <summary>The second input holds indices into the first.</summary>
    public bool Indexes { get; init; }

    /// <summary>Fails when the first input's sum is not positive.</summary>
    public bool Asserts { get; init; }

    public bool Prints { get; init; }

    public bool IsInout { get; init; }

    /// <summary>The greatest extent that its entry check lets pass.</summary>
    public long Most { get; init; } = long.MaxValue;
}

internal static class ApiModel
{
    public const string Source = """
        module Model {
            param w: f32[3] = 2
            param v: f32[3] = 1
            buffer seen: i32 = 0

            export fn scale(x: f32[n, 3]) -> f32[n, 3] = x * w
            export fn step(x: f32[3]) -> (y: f32[3], k: i32) {
                v += x
                seen += 1
                return v * w, seen
            }
            export fn pick(x: f32[n], at: i32[m]) -> f32[m] = x[at]
            export fn pick_first(x: f32[n], at: i32) -> f32 {
                let y = x[at]
                seen += 1
                return y + f32(seen)
            }
            export fn write_first(x: f32[3]) -> f32[3] {
                v = x
                print("wrote {}", v)
                assert(sum(x) > 0, "the sum is not positive")
                seen += 1
                return v * 2
            }
            export fn check_first(x: f32[3]) -> f32[3] {
                assert(sum(x) > 0, "the sum is not positive")
                v = x
                seen += 1
                return v * 2
            }
            export fn add(inout x: f32[n], y: f32[n]) -> f32[n] {
                x += y
                return x + y
            }
            export fn few(x: f32[n]) -> f32[n] where n <= 4 = x + 1
            export fn power(x: f32, k: int) -> f32[k] = [i < k] => x + f32(i)
            export fn say(x: f32[n]) -> f32[n] {
                print("say {}", x)
                seen += 1
                return x + f32(seen)
            }
            export fn slow(x: f32[n], k: int) -> f32[n] {
                let y = x
                for i in 0:k { y = y + 1 }
                return y
            }
        }
        """;

    private const DType F = DType.F32;
    private const DType I = DType.I32;

    private static readonly Lazy<CompiledModel> Compiled = new(() =>
    {
        var compilation = Compilation.FromSource(new SourceText("api.acc", Source));
        return compilation.Diagnostics is [var first, ..] ? throw new InvalidOperationException(first.Headline)
            : compilation.Model;
    });

    public static CompiledModel Model => Compiled.Value;

    public static IReadOnlyList<ApiEntry> Entries { get; } =
    [
        new("scale", [(F, [-1, 3])], [(F, [-1, 3])], (s, x, _) => new([[.. x[0].Select(v => v * 2)]], s)),
        new("step", [(F, [3])], [(F, [3]), (I, [])], (s, x, _) =>
        {
            var next = new ApiState(Sum(s.V, x[0]), s.Seen + 1);
            return new([[.. next.V.Select(v => v * 2)], [next.Seen]], next);
        }),
        new("pick", [(F, [-1]), (I, [-1])], [(F, [-1])], (s, x, _) => x[1].All(i => Inside(i, x[0].Length))
            ? new([[.. x[1].Select(i => x[0][(int)i])]], s) : new([], s, ExecutionCode.IndexOutOfRange))
        { FreeSecond = true, Indexes = true },
        new("pick_first", [(F, [-1]), (I, [])], [(F, [])], (s, x, _) => Inside(x[1][0], x[0].Length)
            ? new([[x[0][(int)x[1][0]] + s.Seen + 1]], s with { Seen = s.Seen + 1 })
            : new([], s, ExecutionCode.IndexOutOfRange))
        { FreeSecond = true, Indexes = true },
        new("write_first", [(F, [3])], [(F, [3])], Assigning) { Asserts = true, Prints = true },
        new("check_first", [(F, [3])], [(F, [3])], Assigning) { Asserts = true },
        new("add", [(F, [-1]), (F, [-1])], [(F, [-1])], (s, x, _) =>
            new([Sum(Sum(x[0], x[1]), x[1])], s, Inout: Sum(x[0], x[1]))) { IsInout = true },
        new("few", [(F, [-1])], [(F, [-1])], (s, x, _) => new([[.. x[0].Select(v => v + 1)]], s)) { Most = 4 },
        new("power", [(F, [])], [(F, [-1])], (s, x, k) =>
            new([[.. Enumerable.Range(0, k).Select(i => x[0][0] + i)]], s)) { HasSize = true },
        new("say", [(F, [-1])], [(F, [-1])], (s, x, _) =>
            new([[.. x[0].Select(v => v + s.Seen + 1)]], s with { Seen = s.Seen + 1 })) { Prints = true },
        new("slow", [(F, [-1])], [(F, [-1])], (s, x, k) => new([[.. x[0].Select(v => v + k)]], s)) { HasSize = true },
    ];

    public static ApiEntry Entry(string name) => Entries.Single(e => e.Name == name);

    private static ApiAnswer Assigning(ApiState s, double[][] x, int k) => x[0].Sum() > 0
        ? new([[.. x[0].Select(v => v * 2)]], new(x[0], s.Seen + 1))
        : new([], s, ExecutionCode.DriverCheck);

    private static bool Inside(double index, int length) => index >= 0 && index < length;

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
