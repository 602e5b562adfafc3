// `accc test`: what it holds a case to, and what it says of one that is wrong.
using Accelerate.Cli;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class TestCommandTests : CommandLine
{
    private string Failures(string header, string program)
    {
        Write("case.acc", $"# --- a case\n{header}\n\n{program}\n");
        var (code, output, error) = Run("test", "case.acc", "--backends", "interpreter");
        Assert.True(code is 0 or 1, error);
        Assert.Equal(code == 1, output.Contains("0 passed, 1 failed", StringComparison.Ordinal));
        return code == 0 ? "" : output;
    }

    // Each decimal is near the middle of two values: rounded first to f64 it would be the middle, and go to the even
    // one.
    [Theory]
    [InlineData("bf16", "1.00390625", 1.0)] // 1 + 2^-8, the middle of 1 and 1 + 2^-7: 1 is even
    [InlineData("bf16", "1.00390625000000000000000000001", 1.0078125)]
    [InlineData("bf16", "1.00390624999999999999999999999", 1.0)]
    [InlineData("bf16", "1.01171875", 1.015625)] // 1 + 3 * 2^-8: 1 + 4 * 2^-8 is even
    [InlineData("bf16", "1.01171874999999999999999999999", 1.0078125)]
    [InlineData("bf16", "-1.01171874999999999999999999999", -1.0078125)]
    [InlineData("bf16", "101171874999999999999999999999e-29", 1.0078125)]
    [InlineData("bf16", "0.000101171874999999999999999999999e4", 1.0078125)]
    [InlineData("f16", "1.00048828125", 1.0)] // 1 + 2^-11
    [InlineData("f16", "1.00048828125000000000000000001", 1.0009765625)]
    [InlineData("f32", "1.000000059604644775390625", 1.0)] // 1 + 2^-24
    [InlineData("f32", "1.00000005960464477539062500001", 1.00000011920928955078125)]
    [InlineData("f32", "1e-45", 1.401298464324817e-45)]
    [InlineData("bf16", "9.2e-41", 9.183549615799121e-41)] // 2^-133, the smallest
    [InlineData("f16", "6e-8", 5.9604644775390625e-8)] // 2^-24
    public void DecimalsAreRoundedOnce(string type, string text, double expected) =>
        Assert.Equal(expected, DecimalText.Parse(text, DType.Parse(type)));

    [Theory]
    [InlineData("bf16", "4e38")]
    [InlineData("f16", "65520")]
    [InlineData("f32", "1e39")]
    [InlineData("f64", "1e400")]
    [InlineData("bf16", "1e")]
    public void WhatNoFiniteNumberIsNearIsRefused(string type, string text) =>
        Assert.Null(DecimalText.Parse(text, DType.Parse(type)));

    [Fact]
    public void IntegersBeyondDoublesAreTold() => Assert.Contains("is 9007199254740993, not 9007199254740992",
        Failures("# run: f x=[9007199254740993] == [9007199254740992]", "export fn f(x: i64[n]) -> i64[n] = x"));

    [Fact]
    public void AWrongValueBesideATieIsStillFound()
    {
        // 1 is neither what f64 has (2) nor what f32 has (2).
        Assert.Contains("element 0 is 2, not 1",
            Failures("# run: f x=[15] == [1]", "export fn f(x: f32[n]) -> f32[n] = round(x * 0.1)"));
        Assert.Contains("is 0, not -0", Failures("# run: f x=[0] == [-0]", "export fn f(x: f32[n]) -> f32[n] = x"));
    }

    [Fact]
    public void WhatACallPrintsIsCompared()
    {
        const string Program = "export fn f(x: f32[n]) -> f32[n] {\n    print(\"hi {}\", x)\n    return x\n}";
        Assert.Equal("", Failures("# run: f x=[1]\n# run: f x=[2]\n# prints: hi [1.]\n# prints: hi [2.]", Program));
        Assert.Contains("interpreter prints hi [1.], not ho [1.]", Failures("# run: f x=[1]\n# prints: ho [1.]", Program));
    }

    [Theory]
    [InlineData("# run: f x", "'x' is not name=VALUE")]
    [InlineData("# run: f x=@missing.npy", "no such file")]
    [InlineData("# run: f x=[1] n", "'n' is not name=VALUE")]
    [InlineData("# run: f x=[] == 1", "not of the shape of 1")]
    [InlineData("# run: f x=[1]\n# expect: g: kernels 1", "there is no exported function g")]
    [InlineData("# run: f x=[1] == [1]\n# fail: f x=[2] with nothing", "a header has no 'fail:'; did you mean `fails:`?")]
    [InlineData("# run: f x=zeros\n# dims: n in {1,2,3,4,5,6,7,8,9,10}; a in {1,2,3,4,5,6,7,8,9,10}; "
        + "b in {1,2,3,4,5,6,7,8,9,10,11}", "more than 1000")]
    public void AWrongHeaderIsAFailureOfItsFile(string header, string message)
    {
        Assert.Contains(message, Failures(header, "export fn f(x: f32[n]) -> f32[n] = x"));
        Write("good.acc", "# --- good\n# run: f x=[1] == [1]\n\nexport fn f(x: f32[n]) -> f32[n] = x\n");
        Assert.Contains("1 passed, 1 failed", Run("test", "--backends", "interpreter", "case.acc", "good.acc").Output);
    }

    [Fact]
    public void AFileIsNamedOnceAndWhatItPrintsIsLeftOut()
    {
        var wrong = Write("wrong.acc", "# --- wrong\n# ran: f x=[1]\n\nexport fn f(x: f32[n]) -> f32[n] = x\n");
        Assert.StartsWith($"{wrong}:2: a header has no 'ran:'", Run("test", "wrong.acc").Output);
        Directory.CreateDirectory(this["empty"]);
        Assert.Equal((1, "0 passed, 0 failed\n", "error: no .acc file in empty\n"), Run("test", this["empty"]));
        Write("prints.acc", """
            # --- prints
            # run: f x=[1] == [1]
            export fn f(x: f32[n]) -> f32[n] {
                print("here {}", x)
                return x
            }

            """);
        var (saved, console) = (Console.Out, new StringWriter());
        Console.SetOut(console);
        try
        {
            Assert.Equal("1 passed, 0 failed\n", Output("test", "prints.acc", "--backends", "interpreter"));
        }
        finally
        {
            Console.SetOut(saved);
        }
        Assert.DoesNotContain("here", console.ToString(), StringComparison.Ordinal);
    }

    [LlvmFact]
    public void BackendsAreNamed()
    {
        Assert.Contains("there is no backend 'lvm'", Error(2, "test", "net.acc", "--backends", "lvm"));
        Write("good.acc", "# --- good\n# run: f x=[1] == [1]\n\nexport fn f(x: f32[n]) -> f32[n] = x\n");
        foreach (var names in (string[])["interpreter", "llvm", "interpreter,llvm"])
            Assert.Contains("1 passed, 0 failed", Output("test", "good.acc", "--backends", names));
    }

    /// <summary>
    /// The dump of bf16's passes differs from that of f32's, and bisecting counts the same rewrites as it.
    /// </summary>
    [Theory]
    [InlineData()]
    [InlineData("--compute", "bf16")]
    [InlineData("--conv", "direct")]
    public void BisectHasThePassesOfTheOptions(params string[] options)
    {
        Write("conv.acc", """
            use nn
            module Net {
                let conv = Conv2d(8, 8, 3, padding: 1)
                let norm = BatchNorm(8)
                export fn apply(x: f32[1, 8, 6, 6]) -> f32[1, 8, 6, 6] = relu(norm(conv(x)))
            }

            """);
        var counted = Output(["bisect", "conv.acc", "apply", "x=random:seed=1", .. options]);
        Assert.StartsWith("the result is right with all ", counted);
        var number = long.Parse(counted.Split("all ")[1].Split(' ')[0]);
        string Dump(params string[] more) => Output(["dump", "conv.acc", "--stage", "opt", .. options, .. more]);
        Assert.Equal(Dump(), Dump("--stop-after-rewrite", $"{number}"));
        Assert.NotEqual(Dump(), Dump("--stop-after-rewrite", $"{number - 1}"));
    }
}
