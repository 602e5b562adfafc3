// Programs over every dtype, dtype variables and dtype parameters come in; the types and values of D2, D15 and D24 go
// out.
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class DTypeTests
{
    private static string Type(string text) => Bound.Function(text).Results[0].Type.Text;

    public static TheoryData<string> Numbers =>
        [.. Enum.GetValues<DType>().Where(d => d != DType.Bool).Select(d => d.Name())];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void EveryDTypeHasArithmeticComparisonsCastsAndIndexForms(string d)
    {
        Assert.Equal($"{d}[n]",
            Type($"export fn f(x: {d}[n], y: {d}[n]) = (x + y) * 2 - x // 3 + y % 3 + max(x, y) + min(x, 1)"));
        Assert.Equal("bool[n]", Type($"export fn f(x: {d}[n], y: {d}[n]) = x < y or x == 3 and not (y >= x)"));
        Assert.Equal($"{d}[n]", Type($"export fn f(x: f32[n], b: bool[n]) = {d}(x) + {d}(b) + {d}(3)"));
        Assert.Equal($"{d}[n]", Type($"export fn f(x: {d}[n, m]) = [i] => sum[j](x[i, j]) + x[i, 0] + i"));
        Assert.Equal($"{d}[2]", Type($"export fn f(x: {d}) -> {d}[2] {{\n let y: {d}[2] = 1\n return y + x\n}}"));
        Assert.Equal($"{d}[n,k]", Type($"export fn f(x: {d}[n, m], y: {d}[m, k]) = x @ y"));
        Assert.Equal($"{d}[n]", Type($"export fn f(x: {d}[n], i: u8[n]) = x[i]"));
    }

    [Fact]
    public void TensorsNeverPromote() => Assert.StartsWith("ACC2008",
        Assert.Single(Bound.Errors("export fn f(x: f32[n], y: bf16[n]) = x + y")));

    [Theory]
    [InlineData("x + 0.5")]
    [InlineData("max(x, 0.5)")]
    [InlineData("x * (1 / 3)")]
    public void AFractionNeverBecomesAnInteger(string e) =>
        Assert.StartsWith("ACC2008", Assert.Single(Bound.Errors($"export fn f(x: i32[n]) = {e}")));

    // `1 / sqrt(d)` in bf16 is computed in f32 and rounded once: d itself, 300, is no bf16.
    [Fact]
    public void AWeakRealIsRoundedOnce() => Assert.Equal(ConstText(1 / Math.Sqrt(300)),
        Bound.Run("export fn f(x: bf16[n], y: bf16) -> bf16 = y * (1 / sqrt(n))",
            ReferenceValue.Of(DType.BF16, [300], new double[300]), ReferenceValue.Of(DType.BF16, [], 1.0)).Values[0]);

    private static double ConstText(double value) => Compiler.Graph.ConstText.Round(value, DType.BF16);

    [Fact]
    public void ADTypeVariableIsBoundByTheFirstTensor()
    {
        Assert.Equal("f64[n]",
            Type("fn f2(x: T[..], y: T[..]) -> T[..] = x + T(0.5) * y\nexport fn f(x: f64[n]) = f2(x, x)"));
        Assert.StartsWith("ACC2008", Assert.Single(Bound.Errors(
            "fn f2(x: T[..], y: T[..]) -> T[..] = x + y\nexport fn f(x: f64[n], y: f32[n]) = f2(x, y)")));
        Assert.Equal("bool",
            Type("fn same(x: T, y: U) = if T == U { true } else { false }\nexport fn f(x: f64, y: f32) = same(x, y)"));
    }

    [Fact]
    public void ADTypeIsAParameterOfFunctionsAndModules()
    {
        const string text = """
            fn cast(x: T[..], d: dtype = f16) -> d[..] = d(x)
            module Scale(c, d: dtype = bf16) {
                param weight: d[c] = 1
                param gain: d = 2
                fn apply(x: d[.., c]) -> d[.., c] = x * weight * gain
            }
            module M(D: dtype = f64) {
                let a = Scale(3)
                let b = Scale(3, d: f32)
                let c = Scale(3, D)
                export fn f(x: f32[n, 3]) -> (bf16[n, 3], f32[n, 3], D[n, 3], f16[n, 3]) {
                    return a(bf16(x)), b(x), c(D(x)), cast(x)
                }
            }
            """;
        var program = Bound.Program(text);
        Assert.Equal(["bf16[3]", "bf16", "f32[3]", "f32", "f64[3]", "f64"], program.State.Select(s => s.Type.Text));
        Assert.Equal(["bf16[n,3]", "f32[n,3]", "f64[n,3]", "f16[n,3]"],
            program.Entries[0].Results.Select(r => r.Type.Text));
        var set = Bound.Program(text.Replace("D: dtype = f64", "D: dtype"),
            new() { Set = new Dictionary<string, string> { ["D"] = "f32" } });
        Assert.Equal("f32[n,3]", set.Entries[0].Results[2].Type.Text);
    }

    [Theory]
    [InlineData("u8", "x + 256")]
    [InlineData("i8", "x * -129")]
    [InlineData("u64", "x + -1")]
    [InlineData("i16", "max(x, 40000)")]
    [InlineData("u32", "x + u32(-1)")]
    [InlineData("u16", "x + 70000.0")]
    public void ANumberFitsTheDTypeItMeets(string d, string e) =>
        Assert.StartsWith("ACC2043", Assert.Single(Bound.Errors($"export fn f(x: {d}[n]) = {e}")));

    // A number fills a group that is bound; a tensor does not.
    [Fact]
    public void AScalarFillsAGroup()
    {
        Assert.Equal([0.0, 0, 0, 0, 0, 0], Bound.Run("""
            fn zeros_like(x: T[..s]) -> T[..s] {
                let y: T[..s] = 0
                return y
            }
            export fn f(x: f32[n, m]) -> f32[n, m] = zeros_like(x)
            """, Bound.Count(2, 3)).Values);
        Assert.Equal("f32[n]", Type("fn z(x: T[..s]) -> T[..s] = 1\nexport fn f(x: f32[n]) = z(x)"));
        Assert.StartsWith("ACC2018", Assert.Single(Bound.Errors(
            "fn add(x: T[..], y: T[..]) -> T[..] = x + y\nexport fn f(x: f32[n], y: f32) = add(x, y)")));
    }
}
