// Mistakes and limits that end in a line of text: memory, sizes beyond 64 bits, pipelines that LLVM does not know.
using Accelerate.Cli;
using Accelerate.Cli.Hostile;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class LimitTests : CommandLine
{
    private const string Add = "export fn add(x: f32[n]) -> f32[n] = x + 1\n";

    // 99999999999 * 4 bytes are 372.5 times 2^30.
    [Theory]
    [InlineData("zeros")]
    [InlineData("ones")]
    [InlineData("random:seed=1")]
    public void WhatTakesHowMuchIsSaid(string fill)
    {
        Write("add.acc", Add);
        foreach (var backend in (string[])["interpreter", "llvm"])
            Assert.Contains("x: f32[99999999999] takes 373 GiB",
                Error(1, "run", "add.acc", "add", $"x={fill}", "n=99999999999", "--backend", backend));
    }

    [Fact]
    public void AMemoryLimitIsHeldBeforeAnythingIsMade()
    {
        Write("add.acc", Add);
        string[] call = ["run", "add.acc", "add", "x=ones", "--backend", "interpreter"];
        // 100 MB of input and as much of result.
        Assert.Contains("x: f32[25000000] takes 95.4 MiB", Error(1, [.. call, "n=25000000", "--memory", "150M"]));
        Assert.Contains("the limit is 150 MiB", Error(1, [.. call, "n=25000000", "--memory", "150M"]));
        Assert.Equal(0, Run([.. call, "n=1000", "--memory", "150M"]).Code);
        Assert.Contains("--memory 4X is not a number of bytes", Error(2, [.. call, "n=1", "--memory", "4X"]));
        // A file's tensor too, before it is read.
        Npy.Write(this["x.npy"], Tensor.Zeros(DType.F32, 1000));
        Assert.Contains("x.npy: f32[1000] takes 3.91 KiB",
            Error(1, "run", "add.acc", "add", "x=@x.npy", "--memory", "1000"));
    }

    [Theory]
    [InlineData("1", 1L)]
    [InlineData("1000000", 1000000L)]
    [InlineData("1K", 1024L)]
    [InlineData("4G", 4L << 30)]
    [InlineData("512m", 512L << 20)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("12B", 12L)]
    [InlineData("7E", 7L << 60)]
    [InlineData("8E", null)]
    [InlineData("", null)]
    [InlineData("G", null)]
    [InlineData("4 G", null)]
    [InlineData("-1", null)]
    [InlineData("1.5G", null)]
    [InlineData("4GG", null)]
    [InlineData("4IB", null)]
    [InlineData("4XiB", null)]
    [InlineData("99999999999999999999", null)]
    public void NumbersOfBytes(string text, long? bytes) => Assert.Equal(bytes, ByteCount.Parse(text));

    [LlvmTheory]
    [InlineData("nope")]
    [InlineData("")]
    [InlineData("default<O9>")]
    [InlineData("function(")]
    public void PassesThatLlvmDoesNotKnow(string passes)
    {
        Write("add.acc", Add);
        Assert.StartsWith("error: LLVM passes `",
            Error(1, "run", "add.acc", "add", "x=[1]", "--backend", "llvm", "--passes", passes));
        Assert.StartsWith("error: LLVM passes `", Error(1, "dump", "add.acc", "--stage", "asm", "--passes", passes));
    }

    [Theory]
    // A parameter, a sum of all state, a product of sizes, a literal, an attribute.
    [InlineData("param w: f32[9223372036854775807, 2]\nexport fn f(x: f32[n]) -> f32[n] = x + w[0, 0]\n")]
    [InlineData("param v: f32[9223372036854775807]\nparam w: f32[9223372036854775807]\n"
        + "export fn f(x: f32[n]) -> f32[n] = x + v[0] + w[0]\n")]
    [InlineData("export fn f(x: f32[n]) -> f32[n] = "
        + "sum(broadcast(x, [4611686018427387904, 4611686018427387904, n]))\n")]
    [InlineData("export fn f(x: f32[n * 9223372036854775807 * 3]) -> f32[n] = x[:n]\n")]
    [InlineData("export fn f(x: f32[n]) -> f32[n + 9223372036854775807 + 1] = x\n")]
    [InlineData("export fn f(x: f32[9223372036854775807, 9223372036854775807]) -> f32 = sum(x)\n")]
    [InlineData("export fn f(x: f32[n]) -> f32[9223372036854775807 * n] = pad(x, [[0, 9223372036854775807]])\n")]
    public void SizesBeyond64Bits(string program)
    {
        Write("big.acc", program);
        foreach (var command in (string[][])[["check", "big.acc"], ["dump", "big.acc", "--stage", "program"],
            ["run", "big.acc", "f", "x=zeros", "n=3", "--backend", "interpreter"],
            ["run", "big.acc", "f", "x=zeros", "n=9223372036854775807", "--backend", "interpreter"]])
        {
            var (code, _, error) = Run(command);
            Assert.True(code != ExitCodes.Bug, $"{string.Join(' ', command)}: {error}");
        }
    }

    /// <summary>A step that is 0 in 32 bits, and one that goes beyond 64.</summary>
    [Theory]
    [InlineData("4294967296")]
    [InlineData("9223372036854775807")]
    public void StepsOfAListBeyond32Bits(string step)
    {
        Write("list.acc",
            $"export fn f(x: f32[2]) -> f32[2] {{ let a = [x, x + 1, x + 2] let b = a[1::{step}] return b[0] }}\n");
        Assert.Equal("f32[2]\n[1. 1.]\n", Output("run", "list.acc", "f", "x=[0, 0]", "--backend", "interpreter"));
    }

    [LinuxFact]
    public void UsedFilesAreRegularOnes()
    {
        Write("a.acc", "use b\nexport fn f(x: f32[n]) -> f32[n] = x\n");
        Directory.CreateDirectory(this["b.acc"]);
        Assert.Contains("there is no file for `use b`", Error(1, "check", "a.acc"));
        Directory.Delete(this["b.acc"]);
        HostileWorker.Make(new PipeFile(this["b.acc"]));
        Assert.Contains("is a pipe, not a file", Error(1, "check", "a.acc"));
        File.Delete(this["b.acc"]);
        HostileWorker.Make(new DeviceFile(this["b.acc"], 5));
        if (File.Exists(this["b.acc"])) Assert.Contains("is a device, not a file", Error(1, "check", "a.acc"));
    }
}
