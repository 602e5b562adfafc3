// D17 and D22: which declaration a name means, what a misspelt or foreign name is answered with, and where brackets
// stand.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class NameTests
{
    private static string Help(string text)
    {
        var bag = new DiagnosticBag();
        Binder.Bind(new SourceText("t.acc", text), new BindOptions(), bag);
        return Assert.Single(bag.All).Help ?? "";
    }

    [Theory]
    [InlineData("where(x > 0, x, 0)", "`where` of arrays is `select(condition, a, b)`; how many places hold is data, "
        + "and no size: keep the mask")]
    [InlineData("cat([x, x])", "`cat` is `concat([a, b], axis: 0)`")]
    [InlineData("astype(x, f32)", "a dtype is the cast: `f32(x)`")]
    [InlineData("softmax(x)", "`use nn` declares `softmax`")]
    [InlineData("transpos(x)", "did you mean `transpose`?")]
    public void AForeignNameIsTranslated(string e, string help) =>
        Assert.Equal(help, Help($"export fn f(x: f32[n]) = {e}"));

    [Theory]
    [InlineData("x.T", "write `transpose(x)`")]
    [InlineData("x.view(4)", "write `reshape(x, [4])`")]
    [InlineData("x.to(f16)", "a dtype is the cast: `f16(x)`")]
    [InlineData("x.double()", "a dtype is the cast: `f64(x)`")]
    [InlineData("x.sum(axis: 0)", "write `sum(x, axis: 0)`")]
    [InlineData("x.add_(x)", "values are not changed in place: `x = x + x`")]
    [InlineData("pq", "")]
    [InlineData("x.softmax(0)", "`use nn` declares `softmax`")]
    [InlineData("x.zork(0)", "")]
    [InlineData("int64(x)", "did you mean `i64`?")]
    [InlineData("q", "")]
    public void OnlyWhatExistsIsSuggested(string e, string help) =>
        Assert.Equal(help, Help($"export fn f(x: f32[n, m]) = {e}"));

    [Theory]
    [InlineData("x / sum(x, axis: 1)",
        "axes meet from the last: reduce with `keep: true`, or write `reshape(sum(x, axis: 1), [n, 1, k])`")]
    [InlineData("x[0] + b", "axes meet from the last: write `reshape(b, [m, 1])`")]
    [InlineData("x - mean(x * x * x + x * x * x + x * x, axis: 2)",
        "axes meet from the last: reduce with `keep: true`, or write `reshape(…, [n, m, 1])`")]
    [InlineData("select(b > 0, x[0], 0)", "axes meet from the last: write `reshape(…, [m, 1])`")]
    [InlineData("x + c", "these sizes are equal for some calls only; if callers guarantee it, declare it: "
        + "`where k == p`")]
    public void AxesThatAreMissingBehindAreNamed(string e, string help) =>
        Assert.Equal(help, Help($"export fn f(x: f32[n, m, k], b: f32[m], c: f32[p]) = {e}"));

    [Theory]
    [InlineData("f32[n, h, w, 3]", "axis 3 is 3: `transpose(x, [0, 3, 1, 2])`")]
    [InlineData("f32[n, c, h, w]", "if c is always 3, write 3 for it in the parameter's type")]
    [InlineData("f32[n, h, w, c]", "channels come before the places: `transpose(x, [0, 3, 1, 2])`; "
        + "if h is always 3, write 3 for it in the parameter's type")]
    public void ALayersConstantIsNoConditionOfTheCaller(string type, string more)
    {
        var made = "conv was made with Conv2d(3, 8, 3) at t.acc:3:16";
        Assert.Equal($"{made}; {more}", Help($$"""
            use nn
            module Net {
                let conv = Conv2d(3, 8, 3)
                export fn f(x: {{type}}) = conv(x)
            }
            """));
    }

    [Fact]
    public void WhatAConditionMeansIsSaidAndNotPutOnTheCaller() => Assert.Equal("here ci is h, per is 3, groups is 1",
        Help("use nn\nexport fn f(x: f32[n, h, w, 3], weight: f32[8, 3, 3, 3]) = conv2d(x, weight)"));

    [Theory]
    [InlineData("let m = Layer\n    return m(x)", "make the layer first: `let layer = Layer()`, then `layer(x)`")]
    [InlineData("let m = Net2()\n    return m(x)", "call `m.forward(…)`, or name `forward` `apply`")]
    [InlineData("return Layer(3)", "it has no parameters")]
    public void AModuleIsNoLayer(string body, string help) => Assert.Equal(help, Help($$"""
        module Layer {
            fn apply(x: f32[n]) = x
        }
        module Net2 {
            fn forward(x: f32[n]) = x
        }
        export fn f(x: f32[n]) {
            {{body}}
        }
        """));

    [Theory]
    [InlineData("x: float32[n]", "did you mean `f32`?")]
    [InlineData("x: double", "did you mean `f64`?")]
    [InlineData("x: float[n]", "did you mean `f32`?")]
    [InlineData("x: uint8[n]", "did you mean `u8`?")]
    [InlineData("x: bfloat16[n]", "did you mean `bf16`?")]
    [InlineData("x: Tensor", "the type of a tensor is its dtype with its sizes: `f32[n, d]`")]
    [InlineData("x: float", "a number of the call is a scalar tensor: `x: f32`")]
    public void AForeignTypeIsTranslated(string parameter, string help) =>
        Assert.Equal(help, Help($"export fn f({parameter}) = 1"));

    [Theory]
    [InlineData("a, 0:2, b", "[i] => x[a[i], b[i]]")]
    [InlineData("a, :, b", "[i, j] => x[a[i], j, b[i]]")]
    public void TensorsAsSubscriptsApartAreWrittenAsAnIndexForm(string subscripts, string form)
    {
        Assert.Equal($"write an index form: `{form}`",
            Help($"export fn f(x: f32[n, m, c], a: i32[t], b: i32[t]) = x[{subscripts}]"));
        // What is suggested compiles where it names every axis.
        var bag = new DiagnosticBag();
        var source = $"export fn f(x: f32[n, m, c], a: i32[t], b: i32[t]) = {form}";
        if (form.Contains('j', StringComparison.Ordinal))
            Binder.Bind(new SourceText("names.acc", source), new BindOptions(), bag);
        Assert.Empty(bag.All);
    }

    [Fact]
    public void ARunTimeScalarForAnIntIsDeclaredAsOne() => Assert.Equal(
        "in the exported function declare the parameter `best: int`; the caller gives it by name",
        Help("use nn\nexport fn f(x: f32[n], best: i32) = topk(x, best)[0]"));

    [Fact]
    public void InsideOut() => Assert.Equal(new double[] { 1, 2, 3, 4 }, Bound.Program("""
        let a = 10
        fn max(x: f32[n]) -> f32[n] = x * 4
        module M(a = 2, b = 3) {
            let b = b
            fn local(x: f32[n]) -> f32[n] {
                let a = 1
                return x * a
            }
            export fn f(x: f32[n]) -> (f32[n], f32[n], f32[n], f32[n]) { return local(x), x * a, x * b, max(x) }
        }
        """).Entries[0].Results.Select(r => r.Operands.OfType<Compiler.Graph.Const>().FirstOrDefault()?.FloatAt(0) ?? 1));

    [Fact]
    public void FewWordsAreReserved() => Assert.Equal("f32[n]", Bound.Function("""
        module M {
            let layer = 1
            let self = 2
            let key = 3
            let type = 5
            export fn f(weights: f32[n]) -> f32[n] = weights * (layer + self + key + type)
        }
        """).Results[0].Type.Text);

    [Fact]
    public void ATopLevelFunctionSeesNoState() => Assert.StartsWith("ACC2001", Assert.Single(Bound.Errors("""
        module M {
            param weight: f32[2] = 1
            export fn f(x: f32[2]) -> f32[2] = scale(x)
        }
        fn scale(x: f32[2]) -> f32[2] = x * weight
        """)));

    [Fact]
    public void NamesOfOtherFilesDoNotCountAsSizes() =>
        Assert.Equal("f32[relu]",
            Bound.Function("use nn\nexport fn f(x: f32[relu]) -> f32[relu] = x").Results[0].Type.Text);

    [Fact]
    public void AFunctionOfTheModuleIsNoSize() => Assert.StartsWith("ACC2003", Assert.Single(Bound.Errors("""
        module M {
            fn g(x: f32) -> f32 = x
            export fn f(x: f32[g]) -> f32[g] = x
        }
        """)));

    [Fact]
    public void FilesAndFoldersAreUsedAndClashesAreQualified()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Root, "blocks"));
        File.WriteAllText(Path.Combine(folder.Root, "blocks", "attention.acc"),
            "fn scale(x: f32[..]) -> f32[..] = 2 * x");
        File.WriteAllText(Path.Combine(folder.Root, "other.acc"),
            "fn scale(x: f32[..]) -> f32[..] = 3 * x\nfn id(x: f32[..]) -> f32[..] = x");
        string[] Errors(string text)
        {
            var bag = new DiagnosticBag();
            Binder.Bind(new SourceText("t.acc",
                "use blocks.attention\nuse other\nexport fn f(x: f32[n]) -> f32[n] = " + text),
                new BindOptions { Folder = folder.Root }, bag);
            return [.. bag.All.Select(d => $"{d.Code.Id} {d.Message} | {d.Help}")];
        }
        Assert.Empty(Errors("attention.scale(x) + other.scale(x) + id(x)"));
        Assert.Equal(["ACC2033 `scale` is declared by attention and by other | write `attention.scale`"],
            Errors("scale(x)"));
        Assert.Equal(["ACC2001 other declares no `scal` | did you mean `other.scale`?"], Errors("other.scal(x)"));
    }

    // D22: newlines mean nothing, but for a bracket that would continue the line above.
    [Theory]
    [InlineData("export fn f(x: f32[n]) -> f32[n] =\n  x\n  + x |>\n exp")]
    [InlineData("export fn f(x: f32[n]) -> f32[n] { let y = x let z = y return z }")]
    [InlineData("export fn f(\n x: f32[n]\n) -> f32[n] = max(\n x, 0\n)")]
    public void NewlinesMeanNothing(string text) => Assert.Empty(Bound.Errors(text));

    [Fact]
    public void ABracketContinuesOnItsLine() => Assert.StartsWith("ACC1006", Bound.Errors(
        "export fn f(x: f32[n]) -> f32[n] {\n let y = x\n [0]\n return y }")[0]);
}
