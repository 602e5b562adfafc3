// Every operation that has a rule, in the language's words: gradients, tangents and second derivatives against central
// differences in f64, and the same bits on the kernel interpreter and LLVM.
using System.Text.RegularExpressions;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Autodiff;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Autodiff;

public sealed partial class OperationGradientTests
{
    /// <summary>Parameters with constant shapes, and an expression of them or the statements of a body.</summary>
    public static TheoryData<string, string> Cases => new()
    {
        // Elementwise.
        { "x: f32[5]", "-x" }, { "x: f32[5]", "abs(x)" }, { "x: f32[5]", "exp(x)" }, { "x: f32[5]", "log(x + 2)" },
        { "x: f32[5]", "expm1(x)" }, { "x: f32[5]", "log1p(x)" }, { "x: f32[5]", "sin(3 * x)" },
        { "x: f32[5]", "cos(3 * x)" }, { "x: f32[5]", "tanh(2 * x)" }, { "x: f32[5]", "erf(x)" },
        { "x: f32[5]", "sqrt(x + 2)" }, { "x: f32[5]", "rsqrt(x + 2)" },
        { "x: f32[5]", "x * floor(3 * x) + sign(x) * x + round(x) + ceil(x) + trunc(x)" },
        { "x: f32[4], y: f32[4]", "x + y * x - y" }, { "x: f32[4], y: f32[4]", "x / (y + 2)" },
        { "x: f32[4], y: f32[4]", "atan2(x, y + 2)" }, { "x: f32[4], y: f32[4]", "(x + 2) ** y" },
        { "x: f32[4]", "x ** 2" }, { "x: f32[4]", "x ** 3 + (x + 2) ** -1.5" }, { "x: f32[4]", "2 ** x" },
        { "x: f32[4], y: f32[4]", "max(x, y) * min(x, y + 0.1)" }, { "x: f32[4]", "max(x, 0.1) + min(0.2, x)" },
        { "x: f32[4], y: f32[4]", "(5 * x) % (y + 2)" }, { "x: f32[4], y: f32[4]", "(5 * x) // (y + 2) * x" },
        { "x: f32[4], y: f32[4]", "select(x > y, x * y, y * y)" },
        { "x: f32[4], b: bool[4]", "select(b, sin(x), x)" },
        { "x: f32", "x * x" }, { "x: f32[3, 4], y: f32[4], z: f32", "(x * y + z) * x" },

        // Movement.
        { "x: f32[2, 6]", "reshape(x, [3, 4]) ** 2" }, { "x: f32[2, 3, 4]", "transpose(x, [2, 0, 1]) ** 2" },
        { "x: f32[3]", "broadcast(x, [4, 3]) ** 2" }, { "x: f32[7, 3]", "x[1:6:2] ** 2" },
        { "x: f32[7, 3]", "x[2:, 1] ** 2" }, { "x: f32[11]", "x[1:10:3] ** 2" }, { "x: f32[3, 2]", "pad(x, 0, 2, 1) ** 2 + 1" },
        { "x: f32[3, 2], v: f32", "pad(x, 0, 2, 1, value: v, between: 2) ** 2" },
        { "x: f32[6, 2]", "pad(x, 0, -1, -2) ** 2" }, { "x: f32[6, 2], v: f32", "pad(x, 0, -1, 2, value: v) ** 2" },
        { "x: f32[3, 2]", "reverse(x, [0, 1]) ** 2 * x" }, { "x: f32[3, 2], y: f32[2, 2]", "concat([x, y, x], axis: 0) ** 2" },
        { "x: f32[9]", "[i < 4, r < 3] => x[2 * i + r] ** 2" }, { "x: f32[9]", "[i < 3, r < 2] => x[i + 3 * r] ** 2" },
        { "x: f32[3, 4]", "overlap_add(x, axis: 0, stride: 2) ** 2" },
        { "x: f32[3, 4]", "overlap_add(x, axis: 0, stride: 2, dilation: 2, size: 12) ** 2" },

        // Places that are values.
        { "x: f32[4, 2], at: i32[5]", "x[at] ** 2" }, { "x: f32[2, 4], at: i32[5]", "x[:, at] ** 2" },
        { "x: f32[3, 4], at: i32[3]", "[i] => x[i, at[i]] ** 2" },
        { "x: f32[4, 2], at: i32[5], u: f32[5, 2]", "{ let y = x\n y[at] += u\n return y ** 2 }" },
        { "x: f32[4, 2], at: i32[5], u: f32[5, 2]", "{ let y = x\n y[at] = u\n return y ** 2 }" },
        { "x: f32[3], at: i32[5], u: f32[5]", "scatter_max(x, at, u) ** 2" },
        { "x: f32[3], at: i32[5], u: f32[5]", "scatter_min(x, at, u) ** 2" },
        { "x: f32[6], k: i32", "x[k : k + 3] ** 2" },
        { "x: f32[6], k: i32, u: f32[3]", "{ let y = x\n y[k : k + 3] = u\n return y ** 2 }" },
        { "x: f32[8], k: i32, u: f32[3]", "{ let y = x\n y[k : k + 5 : 2] = u\n return y ** 2 }" },
        { "x: f32[7], u: f32[3]", "{ let y = x\n y[1:6:2] = u\n return y ** 2 }" },
        { "x: f32[2, 5]", "sort(x, axis: 1) ** 2" }, { "x: f32[5, 2]", "sort(x, axis: 0, descending: true) ** 2" },

        // Along axes.
        { "x: f32[2, 3, 4]", "sum(x, axis: [0, 2]) ** 2" }, { "x: f32[2, 3]", "mean(x) * x" },
        { "x: f32[2, 3, 4]", "max(x, axis: 1) ** 2" }, { "x: f32[2, 3, 4]", "min(x, axis: [0, 2]) ** 2" },
        { "x: f32[2, 4]", "prod(x, axis: 1)" }, { "x: f32[2, 3, 2]", "prod(x, axis: [0, 2])" },
        { "x: f32[2, 4]", "cumsum(x, axis: 1) ** 2" }, { "x: f32[4, 2]", "cumsum(x, axis: 0, reversed: true) ** 2" },
        { "x: f32[2, 4]", "cumprod(x, axis: 1)" }, { "x: f32[4, 2]", "cumprod(x, axis: 0, reversed: true)" },
        { "x: f32[2, 5]", "cummax(x, axis: 1) ** 2" }, { "x: f32[5, 2]", "cummin(x, axis: 0, reversed: true) ** 2" },
        { "x: f32[3, 4], w: f32[4, 2]", "(x @ w) ** 2" }, { "x: f32[2, 3, 4], w: f32[2, 4, 3]", "(x @ w) ** 2" },
        { "x: f32[3, 4], w: f32[2, 4]", "(x @ transpose(w)) ** 2" },
        { "x: f32[2, 3, 4], y: f32[4, 5, 3]", "[b, s] => sum[i, j](x[b, i, j] * y[j, s, i]) ** 2" },

        // Control flow.
        { "x: f32[3], n: i32", "{ let y = x\n if n > 0 { y = y * x } else { y = sin(y) }\n return y ** 2 }" },
        { "x: f32[3], n: i32", "{ let y = x\n if n < 0 { y = y * x }\n return y ** 2 }" },
        { "x: f32[3]", "{ let y = x\n for i in 0:4 { y = sin(y) * x }\n return y }" },
        { "x: f32[5, 2], w: f32[2]", "{ let h = w\n for i in 0:5 { h = tanh(h * w + x[i]) }\n return h }" },
        { "x: f32[5, 2]", "{ let y: f32[5, 2] = 0\n let h: f32[2] = 0\n for i in 0:5 { h = sin(h + x[i])\n y[i] = h }\n return y ** 2 }" },
        { "x: f32[5, 2]", "{ let h: f32[2] = 1\n for i in 0:5 { if i > 1 { h = h * x[i] + x[i - 1] } }\n return h }" },
        { "x: f32[3, 2]", "{ let h: f32[2] = 1\n for i in 0:3 { for j in 0:2 { h = h * x[i] + sin(x[j]) } }\n return h }" },
        // Products of what is carried are kept, and the gradients of what they are with are one product of all rounds.
        { "x: f32[3, 2, 2], w: f32[4, 2], u: f32[4, 2]", "{ let h: f32[2, 2] = 1\n for i in 0:3 { let a, b = split(x[i] @ transpose(w) + h @ transpose(u), 2)\n h = tanh(a) * h + sin(b) }\n return h }" },
        { "x: f32[2, 3], u: f32[3, 3]", "{ let h = x\n for i in 0:3 { h = sin(h @ u + (h @ u) @ u) + u[i] }\n return h }" },
        { "x: f32[2, 2]", "{ let h = x\n for i in 0:3 { h = h @ transpose(h) / 4 }\n return h }" },
        { "x: f32[3, 2, 2], w: f32[2, 2]", "{ let l: f32[2, 2] = 0\n for i in 0:3 { l += sin(x[i] @ w) }\n return l }" },
        { "x: f32[3], n: i32", "{ let y = x\n for i in 0:3 { if n > i { y = y * x + i } }\n return y ** 2 }" },
        { "x: f32[4]", "[i] => if i > 0 { x[i] * x[i - 1] } else { x[0] }" },
        { "x: f32[4]", "[i < 4] => sum[k < 3](if i + k >= 1 and i + k < 5 { x[i + k - 1] ** 2 } else { 0 })" },
        { "x: f32[3, 4]", "softmax(x, axis: -1) ** 2" }, { "x: f32[3, 4]", "checkpoint(twice)(x) ** 2" },
        { "x: f32[3, 4]", "sin(train(twice)(x))" },
    };

    private const string Prelude = """
        use nn
        fn twice(x: f32[n, m]) -> f32[n, m] = tanh(x @ transpose(x) @ x)

        """;

    [GeneratedRegex(@"(?<name>\w+): (?<dtype>\w+)(\[(?<shape>[\d, ]*)\])?")]
    private static partial Regex Parameter();

    /// <summary>`l` is a weighted sum of the value, `s` one of the gradient by the first parameter.</summary>
    private static string Program(string parameters, string body)
    {
        var all = Parameter().Matches(parameters).ToList();
        var floats = all.Where(m => m.Groups["dtype"].Value is "f32" or "bf16").ToList();
        var names = string.Join(", ", all.Select(m => m.Groups["name"].Value));
        var wanted = string.Join(", ", floats.Select(m => m.Groups["name"].Value));
        string Type(Match m) => m.Value[(m.Value.IndexOf(':') + 2)..];
        var results = floats.Count == 1 ? Type(floats[0])
            : $"({string.Join(", ", floats.Select(m => $"d{m.Groups["name"].Value}: {Type(m)}"))})";
        var tangents = string.Concat(floats.Select(m => $", t{m.Groups["name"].Value}: {Type(m)}"));
        var along = string.Concat(floats.Select(m => $", t{m.Groups["name"].Value}"));
        var value = body.StartsWith('{') ? $"fn value({parameters}) {body}" : $"fn value({parameters}) = {body}";
        return $$"""
            {{Prelude}}
            {{value}}
            fn digest(y: T[..]) -> f32 {
                let flat = f32(reshape(y, [size(y)]))
                return sum[i](flat[i] * cos(1 + 3 * f32(i)))
            }
            fn loss({{parameters}}) -> f32 = digest(value({{names}}))
            export fn l({{parameters}}) -> f32 = loss({{names}})
            export fn g({{parameters}}) -> {{results}} = grad(loss, wrt: {{(floats.Count == 1 ? wanted : $"[{wanted}]")}})({{names}})
            export fn t({{parameters}}{{tangents}}) -> f32 = jvp(loss, wrt: [{{wanted}}])({{names}}{{along}})
            fn slope({{parameters}}) -> f32 = digest(grad(loss)({{names}}))
            export fn s({{parameters}}) -> f32 = slope({{names}})
            export fn h({{parameters}}) -> {{Type(floats[0])}} = grad(slope)({{names}})
            """;
    }

    private static ReferenceValue[] Inputs(string parameters) => [.. Parameter().Matches(parameters).Select((m, salt) =>
    {
        long[] shape = [.. m.Groups["shape"].Value.Split(',', StringSplitOptions.TrimEntries
            | StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
        var dtype = Enum.GetValues<DType>().Single(d => d.Name() == m.Groups["dtype"].Value);
        return GradientCheck.Varied(dtype, shape, salt + 1, -0.9, 0.9);
    })];

    [Theory]
    [MemberData(nameof(Cases))]
    public void CentralDifferencesAgree(string parameters, string body)
    {
        var check = new GradientCheck(Program(parameters, body));
        Assert.True(check.Errors.Count == 0, PrettyRenderer.Render([.. check.Errors]));
        var inputs = Inputs(parameters);
        List<string> wrong = [.. check.Gradient(inputs), .. check.Tangent(inputs), .. check.Second(inputs)];
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>What differences cannot see: they are of functions with steps, or say what is not to be seen.</summary>
    public static TheoryData<string, string> Rounded => new()
    {
        { "x: bf16[3, 4], w: bf16[4, 2]", "f32(x @ w) ** 2" }, { "x: f32[5]", "f32(f16(x) * 2) + f32(f64(x) ** 2)" },
        { "x: f32[5]", "x * stop_gradient(x)" },
    };

    [Fact]
    public void StopGradientIsConstant()
    {
        var check = new GradientCheck("export fn g(x: f32[3]) -> f32[3] = grad(f)(x)\n"
            + "fn f(x: f32[3]) -> f32 = sum(x * stop_gradient(x * x))");
        var x = GradientCheck.Exact(DType.F32, [3], [1, 2, -3]);
        Assert.Equal([1, 4, 9], check.Run("g", [x])[0].Values);
    }

    /// <summary>What is optimised and lowered is the same, to the bit on both backends.</summary>
    [LlvmTheory]
    [MemberData(nameof(Cases))]
    [MemberData(nameof(Rounded))]
    public void BackendsAgree(string parameters, string body)
    {
        var compilation = Compilation.FromSource(new SourceText("t.acc", Program(parameters, body)));
        Assert.True(compilation.Diagnostics.IsEmpty, PrettyRenderer.Render(compilation.Diagnostics));
        using var interpreter = Executables.Create("interpreter", compilation);
        using var llvm = Executables.Create("llvm", compilation);
        var inputs = Inputs(parameters);
        var tensors = inputs.Select(Tensors.Of).ToArray();
        var none = new Dictionary<string, long>();
        foreach (var entry in (string[])["l", "g", "h"])
        {
            using var a = interpreter.CreateSession();
            using var b = llvm.CreateSession();
            var expected = GraphInterpreter.Run(compilation.Entries.Single(e => e.Name == entry).Bound,
                [.. tensors.Select(ReferenceValue.Of)], _ => throw new InvalidOperationException(), none);
            var (slow, fast) = (a.Run(entry, tensors, none), b.Run(entry, tensors, none));
            for (var k = 0; k < expected.Count; k++)
            {
                Assert.Equal(slow[k].ReadOnlyBytes.ToArray(), fast[k].ReadOnlyBytes.ToArray());
                var report = Comparison.Compare(slow[k], expected[k]);
                Assert.True(report.Agrees, $"{entry} {k}: {report.Text}");
            }
        }
    }

    /// <summary>An operation without a rule says what becomes of a cotangent.</summary>
    [Fact]
    public void EveryOperationIsInTheTable()
    {
        var kinds = Ops.All.ToDictionary(op => op, VjpTable.KindOf);
        Assert.Equal(["bitcast", "while"], kinds.Where(k => k.Value == VjpKind.None).Select(k => k.Key).Order());
        Assert.Equal(46, kinds.Count(k => k.Value == VjpKind.Rule));
    }
}
