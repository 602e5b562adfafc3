// Calls of primitives and of the library's random functions come in; their types, and the operations they become, go
// out.
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class BuiltinTests
{
    private const string Inputs = "x: f32[n, m], i: i32[n, m], u: u32[n], b: bool[n, m], h: bf16[n, m], k: i64, s: i32";

    [Theory]
    [InlineData("sort(x)", "f32[n,m]", "sort result")]
    [InlineData("argsort(x, axis: 0, descending: true)", "i32[n,m]", "sort result")]
    [InlineData("cumsum(i, axis: 0)", "i32[n,m]", "cumulate")]
    [InlineData("cumprod(x, reversed: true)", "f32[n,m]", "cumulate")]
    [InlineData("cummax(h)", "bf16[n,m]", "cumulate")]
    [InlineData("cumsum(h)", "bf16[n,m]", "convert cumulate convert")]
    [InlineData("reverse(x, axis: [1, 0])", "f32[n,m]", "reverse")]
    [InlineData("pad(x, axis: 1, before: 1, after: 0, between: 2)", "f32[n,3*m-1]", "pad")]
    [InlineData("overlap_add(x, axis: 0, stride: 3)", "f32[m+3*n-3]", "fold")]
    [InlineData("scatter_max(x, argmax(x), x)", "f32[n,m]", "arg_reduce scatter")]
    [InlineData("overlap_add(x, axis: 0, stride: 3, size: 3 * n + m)", "f32[m+3*n]", "fold")]
    [InlineData("broadcast(s, [n, 2])", "i32[n,2]", "broadcast")]
    [InlineData("broadcast(x, [4, n, m])", "f32[4,n,m]", "broadcast")]
    [InlineData("broadcast(0, [n])", "i32[n]", "")]
    [InlineData("bit_and(u, 255)", "u32[n]", "and")]
    [InlineData("bit_xor(b, b)", "bool[n,m]", "xor")]
    [InlineData("shift_left(i, 3)", "i32[n,m]", "shl")]
    [InlineData("shift_right(u, u)", "u32[n]", "shr")]
    [InlineData("bit_not(i)", "i32[n,m]", "not")]
    [InlineData("bitcast(x, i32)", "i32[n,m]", "bitcast")]
    [InlineData("bitcast(h, u16)", "u16[n,m]", "bitcast")]
    [InlineData("atan2(x, 2)", "f32[n,m]", "atan2")]
    [InlineData("pow(x, 2.5)", "f32[n,m]", "pow")]
    [InlineData("x ** 0.5", "f32[n,m]", "sqrt")]
    [InlineData("x ** -0.5", "f32[n,m]", "rsqrt")]
    [InlineData("x ** -1", "f32[n,m]", "div")]
    [InlineData("i ** 5", "i32[n,m]", "mul mul mul")]
    [InlineData("i ** 0", "i32[n,m]", "")]
    [InlineData("sum(h, axis: 0)", "bf16[m]", "convert reduce convert")]
    [InlineData("max(h, axis: 0)", "bf16[m]", "reduce")]
    [InlineData("h @ transpose(h)", "bf16[n,n]", "transpose dot convert")]
    [InlineData("[r, c] => sum[j](h[r, j] * h[c, j])", "bf16[n,n]", "dot convert")]
    [InlineData("i @ transpose(i)", "i32[n,n]", "transpose dot")]
    [InlineData("random_bits(k, [2, m])", "u32[2,m]", "random")]
    [InlineData("x[i, i]", "f32[n,m]", "iota gather iota gather broadcast mul add reshape gather")]
    public void APrimitiveIsThisOperation(string expression, string type, string ops)
    {
        var f = Bound.Function($"export fn f({Inputs}) = {expression}");
        Assert.Equal(type, f.Results[0].Type.Text);
        Assert.Equal(ops,
            string.Join(' ', f.Nodes.Where(n => n is not (Input or SizeValue or Const)).Select(n => n.Op)));
    }

    [Fact]
    public void SortAndArgsortOfOneTensorSortOnce() =>
        Assert.Single(Bound.Function("""
            use nn
            export fn f(x: f32[n, 9]) -> (v: f32[n, 3], i: i32[n, 3]) { return topk(x, 3) }
            """).Nodes.OfType<Sort>());

    [Theory]
    [InlineData("bf16", "bf16[3,4]")]
    [InlineData("f64", "f64[3,4]")]
    [InlineData(null, "f32[3,4]")]
    public void RandomFunctionsTakeAShapeAndADtype(string? dtype, string type)
    {
        foreach (var name in new[] { "uniform", "normal", "gumbel", "exponential", "kaiming", "xavier" })
        {
            var call = dtype is null ? $"{name}(7, [3, 4])" : $"{name}(7, [3, 4], {dtype})";
            Assert.Equal(type, Bound.Function($"use nn\nexport fn f(x: f32) = {call}").Results[0].Type.Text);
        }
    }

    [Theory]
    [InlineData("bernoulli(7, [n], 0.25)", "bool[n]")]
    [InlineData("integers(7, [n], 10)", "i32[n]")]
    [InlineData("integers(7, [n], 10, low: -10, T: i8)", "i8[n]")]
    [InlineData("permutation(7, n)", "i32[n]")]
    [InlineData("categorical(7, x)", "i32")]
    public void OtherDistributions(string call, string type) =>
        Assert.Equal(type, Bound.Function($"use nn\nexport fn f(x: f32[n]) = {call}").Results[0].Type.Text);

    // A part at a place that the call computes: its length is a size all the same.
    [Theory]
    [InlineData("x[s : s + 3]", "f32[3,m]", "dynamic_slice")]
    [InlineData("x[s + 1 : s + 1 + n // 2]", "f32[floor(n,2),m]", "dynamic_slice")]
    [InlineData("x[s]", "f32[m]", "dynamic_slice reshape")]
    [InlineData("x[.., s]", "f32[n]", "dynamic_slice reshape")]
    [InlineData("x[:, k : k + 5 : 2]", "f32[n,3]", "dynamic_slice slice")]
    [InlineData("x[s : s + 2, i[0]]", "f32[2,m]", "slice reshape dynamic_slice gather")]
    [InlineData("x[2 * s - s : s + 1]", "f32[1,m]", "dynamic_slice")]
    public void RunTimeScalarsMayCancel(string expression, string type, string ops)
    {
        var f = Bound.Function($"export fn f({Inputs}) = {expression}");
        Assert.Equal(type, f.Results[0].Type.Text);
        Assert.Equal(ops, string.Join(' ', f.Nodes.Where(n => n is not (Input or Const or Binary or SizeValue))
            .Select(n => n.Op)));
    }

    [Theory]
    [InlineData("x[s : s + i[0, 0]]", "ACC2019")]
    [InlineData("x[s : 3]", "ACC2019")]
    [InlineData("x[s : s - 1]", "ACC2029")]
    [InlineData("x[::0]", "ACC2029")]
    [InlineData("x[b]", "ACC2003")]
    [InlineData("x[i, u]", "ACC2005")]
    [InlineData("sort(x, axis: 2)", "ACC2022")]
    [InlineData("sort(x, axis: [0, 1])", "ACC2022")]
    [InlineData("sort(x, descending: s > 0)", "ACC2019")]
    [InlineData("sort(s)", "ACC2023")]
    [InlineData("cumsum(b)", "ACC2003")]
    [InlineData("bitcast(x, f64)", "ACC2003")]
    [InlineData("bit_and(x, x)", "ACC2003")]
    [InlineData("atan2(i, i)", "ACC2003")]
    [InlineData("pad(x, axis: 0, before: 0, after: 0, between: n)", "ACC2019")]
    [InlineData("overlap_add(x, axis: 1)", "ACC2022")]
    [InlineData("overlap_add(x, axis: 0, stride: 0)", "ACC2003")]
    [InlineData("scatter_min(x, x, x)", "ACC2003")]
    [InlineData("scatter_min(x, u, u)", "ACC2003")]
    [InlineData("scatter_min(s, i, s)", "ACC2003")]
    [InlineData("broadcast(x, [n])", "ACC2005")]
    [InlineData("reverse(x, axis: 5)", "ACC2022")]
    [InlineData("shift_left(1, 64)", "ACC2043")]
    [InlineData("sum(inout x)", "ACC2012")]
    public void WhatAPrimitiveRefuses(string expression, string code) =>
        Assert.StartsWith(code, Assert.Single(Bound.Errors($"export fn f({Inputs}) = {expression}")));

    [Theory]
    [InlineData("bit_and(12, 10)", 8)]
    [InlineData("bit_or(12, 10)", 14)]
    [InlineData("bit_xor(12, 10)", 6)]
    [InlineData("shift_left(3, 4)", 48)]
    [InlineData("shift_right(-16, 2) + 8", 4)]
    [InlineData("bit_not(-6)", 5)]
    [InlineData("pow(2, 5)", 32)]
    public void KnownBitsAreComputed(string expression, long value) =>
        Assert.Equal($"f32[{value}]",
            Bound.Function($"export fn f(x: f32) = broadcast(x, [{expression}])").Results[0].Type.Text);
}
