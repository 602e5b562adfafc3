// The decisions of the language (D1 to D24), those that are built: an example each.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class DecisionTests
{
    private static string Type(string text) => Bound.Function(text).Results[0].Type.Text;

    private static IEnumerable<string> Paths(string text) => Bound.Program(text).State.Select(s => s.Path);

    // D1, D16: known values are computed, also by functions.
    [Fact]
    public void KnownValuesAreComputed() => Assert.Equal("f32[n,24]", Type("""
        fn divisible(v: float) -> int {
            let down = max(8, int(v + 4) // 8 * 8)
            return if down < 0.9 * v { down + 8 } else { down }
        }
        export fn f(x: f32[n]) -> f32[n, divisible(24.0)] = [i, j < divisible(24.0)] => x[i]
        """));

    // D2: a weak expression takes the dtype it meets, whole.
    [Fact]
    public void NumbersTakeTheDtypeTheyMeet()
    {
        var f = Bound.Function("export fn f(n) -> f64[n] = [i < n] => f64(i) * 10000 ** (-2 * i / 7)");
        Assert.All(f.Nodes.Where(n => n.Type.DType.IsFloat), n => Assert.Equal(DType.F64, n.Type.DType));
        Assert.Equal("i32[n]", Type("export fn f(n) = [i < n] => 2 * i"));
        Assert.Equal("f32[n]", Type("export fn f(n) = [i < n] => i / 2"));
        Assert.Equal("bf16[n]", Type("export fn f(x: bf16[n]) = 0.5 * x + 1"));
    }

    // D3
    [Theory]
    [InlineData("x // 2", new[] { -2L, -1, 0, 1 })]
    [InlineData("x % 2", new[] { 1L, 0, 1, 0 })]
    [InlineData("x // -2", new[] { 1L, 1, -1, -1 })]
    [InlineData("x % -2", new[] { -1L, 0, -1, 0 })]
    public void DivisionFloors(string expression, long[] expected) =>
        Assert.Equal(expected, Bound.Run($"export fn f(x: i32[n]) -> i32[n] = {expression}",
            Bound.Integers(-3, -2, 1, 2)).Integers);

    [Fact]
    public void AReciprocalOfASizeIsReal() =>
        Assert.Equal([0, 0.25, 0.5, 0.75], Bound.Run("export fn f(x: f32[n]) -> f32[n] = x * (1 / n)", Bound.Count(4))
            .Values);

    // D4
    [Fact]
    public void ListsSplicesComprehensionsAndSlices() => Assert.Equal("f32[n,59]", Type("""
        fn total(parts: [int]) -> int {
            let all = [..parts, 4, ..[2 * p for p in parts if p > 1]]
            let sum = 0
            for i, p in enumerate(all[1:]) { sum += i * p }
            return sum + len(all) + all[-1]
        }
        export fn f(x: f32[n]) -> f32[n, total([1, 2, 3])] = [i, j < total([1, 2, 3])] => x[i]
        """));

    // D5, D6: paths.
    [Fact]
    public void TheFirstHolderNames() => Assert.Equal(
        ["body.0.weight", "body.2.weight", "shared.weight", "wrap.body.weight"], Paths("""
        use nn
        module Residual(body: fn) { fn apply(x: f32[.., i]) -> f32[.., i] = x + body(x) }
        module Net {
            let body = [Linear(4, 4, biased: false), relu, Linear(4, 4, biased: false)]
            let shared = Linear(4, 4, biased: false)
            let again = shared
            let same = Residual(again)
            let wrap = Residual(Linear(4, 4, biased: false))
            export fn f(x: f32[n, 4]) -> f32[n, 4] = x |> body |> shared |> same |> wrap
        }
        """));

    [Fact]
    public void AnEmptyListIsTheIdentity() =>
        Assert.Equal("", Bound.Ops("module M { let none = []\n export fn f(x: f32[n]) -> f32[n] = none(x) }"));

    // D10
    [Fact]
    public void AConstantIfTakesOneBranch() => Assert.Equal(["weight"], Paths("""
        module M(biased: bool = false) {
            param weight: f32[4] = 1
            if biased { param bias: f32[4] = 0 }
            fn apply(x: f32[.., 4]) -> f32[.., 4] = if biased { x * weight + bias } else { x * weight }
            export fn f(x: f32[n, 4]) -> f32[n, 4] = apply(x)
        }
        """));

    [Fact]
    public void ALoopOverAListIsUnrolled() => Assert.Equal("f32[n,16]", Type("""
        use nn
        module M {
            let layers = [Linear(4, 8), Linear(8, 16)]
            export fn f(x: f32[n, 4]) -> f32[n, 16] {
                for l in layers { x = l(x) }
                return x
            }
        }
        """));

    // D11
    [Fact]
    public void AMemberMayHideAHyperParameter() => Assert.Equal(["layers.0.weight", "layers.1.weight"], Paths("""
        use nn
        module M(layers = 2) {
            let layers = [Linear(4, 4, biased: false) for i in 0:layers]
            export fn f(x: f32[n, 4]) -> f32[n, 4] = layers(x)
        }
        """));

    // D13, D14
    [Theory]
    [InlineData("sum(x, axis: -1)", "f32[n,4]")]
    [InlineData("mean(x, axis: [0, 2], keep: true)", "f32[1,4,1]")]
    [InlineData("argmax(x, axis: 1)", "i32[n,6]")]
    [InlineData("x[.., -1]", "f32[n,4]")]
    [InlineData("x[:, 1:, ::2]", "f32[n,3,3]")]
    [InlineData("x[:, :, 1:6:3]", "f32[n,4,2]")]
    [InlineData("concat([x, x[:, :1]], axis: 1)", "f32[n,5,6]")]
    [InlineData("transpose(x, [2, 0, 1])", "f32[6,n,4]")]
    [InlineData("reshape(x, [2 * n, 12])", "f32[2*n,12]")]
    [InlineData("split(x, 3)[1]", "f32[n,4,2]")]
    [InlineData("pad(x, axis: [1, 2], before: [0, 1], after: 2)", "f32[n,6,9]")]
    public void AxesAndSubscripts(string expression, string type) =>
        Assert.Equal(type, Type($"export fn f(x: f32[n, 4, 6]) = {expression}"));

    // D15, D16
    [Fact]
    public void SizeGroupAndDtypeVariablesBind() => Assert.Equal("f64[n,3,4]", Type("""
        fn scaled(x: T[..s, d], by: T = 1, k: float = 1 / sqrt(d)) -> T[..s, d] = x * (by * k)
        export fn f(x: f64[n, 3, 4]) -> f64[n, 3, 4] = scaled(scaled(x), by: 2)
        """));

    [Fact]
    public void AScalarFillsADeclaredType() =>
        Assert.Equal([2.0, 2, 2, 2], Bound.Run("export fn f(x: f32[n]) -> f32[n] {\n let y: f32[n] = 2\n return y }",
            Bound.Count(4)).Values);

    // Sizes: equal by their form, by a check at entry, or declared.
    [Fact]
    public void AFloorMakesAnEntryCheck()
    {
        var f = Bound.Function("export fn f(x: f32[n]) -> f32[n] = [i < 2 * (n // 2)] => x[i]");
        Assert.Contains(f.Checks, c => c.Kind == CheckKind.Equal);
        Assert.Contains(f.Nodes, n => n is Reshape { IsChecked: true });
    }

    [Fact]
    public void WhereMakesTwoSizesOne() =>
        Assert.Equal("f32[n]", Type("export fn f(x: f32[n], y: f32[m]) -> f32[n] where n == m = x + y"));

    [Fact]
    public void DimsPinSizes() => Assert.Equal("f32[1,784]",
        Bound.Function("export fn f(x: f32[n, 784]) -> f32[n, 784] = x",
            new BindOptions { Dims = new Dictionary<string, long> { ["n"] = 1 } }).Results[0].Type.Text);

    // D17
    [Fact]
    public void NamesOfAUsedFileMayBeQualified() =>
        Assert.Equal("const max", Bound.Ops("use nn\nexport fn f(x: f32[n]) -> f32[n] = nn.relu(x)"));

    // D18
    [Fact]
    public void PipesAndNamedArguments() => Assert.Equal("f32[n]",
        Type("""
            fn total(x: f32[n, m], axis: int) = sum(x, axis: axis)
            export fn f(x: f32[n, m]) -> f32[n] = x |> total(axis: 1) |> exp
            """));

    // D20
    [Fact]
    public void SetOverridesHyperParameters()
    {
        var options = new BindOptions { Set = new Dictionary<string, string> { ["k"] = "3", ["rows"] = "[1, 2]" } };
        var program = Bound.Program(
            """
            module M(k = 1, rows: [int] = []) {
                param w: f32[k, len(rows)] = 0
                export fn f(x: f32[n]) -> f32[n] = x
            }
            """, options);
        Assert.Equal("f32[3,2]", program.State[0].Type.Text);
    }

    // D24: initialisers depend on the path only.
    [Fact]
    public void InitialisersAreFunctionsOfThePath()
    {
        const string text = """
            use nn
            module M {
                let a = Linear(64, 64)
                let b = Linear(64, 64)
                export fn f(x: f32[n, 64]) -> f32[n, 64] = x |> a |> b
            }
            """;
        var program = Bound.Program(text);
        Assert.Equal(["a.weight", "a.bias", "b.weight", "b.bias"], program.State.Select(s => s.Path));
        var values = program.State.Select(s =>
            GraphInterpreter.Run(s.Initializer, [], _ => null!, new Dictionary<string, long>())[0].Values).ToList();
        Assert.NotEqual(values[0], values[2]);
        Assert.All(values[1], v => Assert.Equal(0, v));
        // kaiming: uniform in ±sqrt(3 / 64)
        Assert.All(values[0], v => Assert.InRange(Math.Abs(v), 0, Math.Sqrt(3.0 / 64) + 1e-7));
        Assert.InRange(values[0].Average(v => v * v), 0.9 / 64, 1.1 / 64);
    }

    [Fact]
    public void NormalHasMeanZeroAndVarianceOne()
    {
        var values = Bound.Run("use nn\nexport fn f(x: f32[4]) -> f32[100, 100] = normal(7, [100, 100])",
            Bound.Count(4)).Values;
        Assert.InRange(values.Average(), -0.05, 0.05);
        Assert.InRange(values.Average(v => v * v), 0.95, 1.05);
    }

    [Fact]
    public void ConstantAssertsAreDecided()
    {
        Assert.Equal("",
            Bound.Ops("module M(k = 4) { assert(k % 2 == 0)\n export fn f(x: f32[n]) -> f32[n] = x }"));
        Assert.Equal(["ACC2034 1:19 assert failed: 3 is odd"],
            Bound.Errors(
                "module M(k = 3) { assert(k % 2 == 0, \"{} is odd\", k)\n export fn f(x: f32[n]) -> f32[n] = x }"));
    }
}
