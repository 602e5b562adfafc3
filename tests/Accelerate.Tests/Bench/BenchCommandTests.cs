// `accc bench` in this process: a table for each size, a record for each row, and answers to wrong command lines.
using Accelerate.Bench;
using Accelerate.Cli;
using Accelerate.Bench.Records;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench;

public class BenchCommandTests
{
    private const string Scale = """
        graph @scale {
          %0: f32[n] = input("x")
          %1: f32[3] = param("w")
          %2: f32[n,3] = broadcast(%0; [0])
          %3: f32[n,3] = broadcast(%1; [1])
          %4: f32[n,3] = mul(%2, %3)
          return(%4)
        }
        """;

    [Fact]
    public void ATableASizeAndARecordARow()
    {
        using var folder = new TemporaryFolder();
        var (code, output, error) =
            Bench(folder, "scale", "n=2,3", "--seconds", "0.001", "--backends", "interpreter,llvm");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("\nscale n=2\n", output, StringComparison.Ordinal);
        Assert.Contains("\nscale n=3\n", output, StringComparison.Ordinal);
        Assert.Contains("command  accc bench ", output, StringComparison.Ordinal);
        var records = File.ReadAllLines(folder["log.jsonl"])
            .Select(ResultBatch.FromJson).SelectMany(b => b.Results).ToList();
        Assert.Equal(["n2 interpreter", "n2 llvm", "n3 interpreter", "n3 llvm"],
            records.Select(r => $"{r.CaseKey} {r.Backend}"));
        Assert.Single(records.Select(r => r.RunId).Distinct());
        Assert.All(records, r => Assert.Equal((folder["scale.graph"] + ":scale", "f32"), (r.Benchmark, r.Precision)));
        Assert.Equal([6.0, 6, 9, 9], records.Select(r => r.Flops!.Value));
        Assert.Equal(4 * (2 + 3 + 6), records[0].Bytes);
    }

    [Theory]
    [InlineData("needs a value for n", "scale")]
    [InlineData("has no size m", "scale", "n=1", "m=1")]
    [InlineData("is no size", "scale", "n")]
    [InlineData("no backend 'cuda'", "scale", "n=1", "--backends", "cuda")]
    [InlineData("number of workers", "scale", "n=1", "--threads", "0")]
    [InlineData("--seconds takes", "scale", "n=1", "--seconds", "0")]
    public void WrongCommandLinesAreUsageErrors(string message, params string[] args)
    {
        using var folder = new TemporaryFolder();
        var (code, output, error) = Bench(folder, args);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["log.jsonl"]));
    }

    private static (int Code, string Output, string Error) Bench(TemporaryFolder folder, params string[] args)
    {
        File.WriteAllText(folder["scale.graph"], Scale);
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = Accc.Run(["bench", folder["scale.graph"], .. args, "--database", folder["log.jsonl"]], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
