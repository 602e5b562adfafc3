// Texts of step functions: which tokens come, and what the time to the first and to each further one is made of.
using System.Text.Json;
using Accelerate.Bench;
using Accelerate.Bench.Registry;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench;

public sealed class GenerationTests : CommandLine
{
    /// <summary>The next token is the sum of all tokens so far, by 7: it needs every one of them, in its place.</summary>
    private const string Sum = """
        export fn last(ids: i64[b, t], pos: i32, inout cache: f32[b, cap]) -> f32[b, 7] {
            cache[:, pos : pos + t] = f32(ids)
            let total = [i < b] => sum[j < cap](cache[i, j])
            return [i < b, v < 7] => if f32(v) == total[i] % 7 { 1.0 } else { 0.0 }
        }
        export fn positions(ids: i64[b, t], pos: i32, inout cache: f32[b, cap]) -> f32[b, t, 7] {
            cache[:, pos : pos + t] = f32(ids)
            let upto = [i < b, k < t] => sum[j < cap](if j <= pos + k { cache[i, j] } else { 0.0 })
            return [i < b, k < t, v < 7] => if f32(v) == upto[i, k] % 7 { 1.0 } else { 0.0 }
        }
        export fn pure(ids: i64[b, t], pos: i32) -> f32[b, 7] = [i < b, v < 7] => 0.0
        """;

    private static readonly long[][] Prompts = [[1, 2, 3], [6, 6, 5]];

    [Theory]
    [InlineData("last")]
    [InlineData("positions")]
    public void ATextFollowsFromAllTokensBeforeIt(string function)
    {
        Write("sum.acc", Sum);
        var line = JsonDocument.Parse(Output("time", "sum.acc", function, "ids=[[1, 2, 3], [6, 6, 5]]", "--prompt", "3",
            "--tokens", "5", "--backend", "interpreter", "--seconds", "0.01", "--out", this["results"])).RootElement;
        using var text = Npy.Read(Path.Combine(this["results"], "0.npy"));
        Assert.Equal([2, 5], text.Shape.ToArray());
        Assert.Equal(Prompts.SelectMany(p => Expected(p, 5)), text.ToArray<long>());
        Assert.Equal(10, line.GetProperty("tokens").GetInt32());
        double Of(string name) => line.GetProperty(name).GetDouble();
        Assert.True(Of("first_token_us") > 0 && Of("next_token_us") > 0);
        // A text is its first token and the further ones; the slowest text is slower than any of its parts.
        Assert.True(Of("max_us") > Math.Max(Of("first_token_us"), Of("next_token_us")));
    }

    /// <summary>The language's own loop, with its own cache and its own choice of tokens.</summary>
    [Fact]
    public void ATextIsTheOneThatTheModelsOwnLoopWrites()
    {
        string[] model =
        [
            Path.Combine(Shared.Repository, "examples/models/llama.acc"),
        ];
        string[] sets =
        [
            .. "depth=1 width=16 heads=2 groups=1 inner=16 vocab=64".Split(' ').SelectMany(s => new[] { "--set", s }),
            "--backend", "interpreter",
        ];
        const string Prompt = "[[3, 1, 4, 1, 5], [9, 2, 6, 5, 3], [58, 9, 7, 9, 3]]";
        Output(["time", .. model, "last", $"ids={Prompt}", .. sets, "--prompt", "5", "--tokens", "4", "--seconds",
            "0.01", "--out", this["a"]]);
        Output(["run", .. model, "greedy_text", $"prompt={Prompt}", "count=4", .. sets, "-o", this["b.npy"]]);
        using var a = Npy.Read(Path.Combine(this["a"], "0.npy"));
        using var b = Npy.Read(this["b.npy"]);
        Assert.True(b.SameBits(a));
        // Not one token all over: that would agree with anything.
        Assert.True(a.ToArray<long>().Distinct().Count() > 1);
    }

    [Fact]
    public void TheFirstTokenTakesThePromptsCallAndEachOtherOneItsOwn()
    {
        var model = Compiled("last");
        using var prompt = Tensor.From(Prompts.SelectMany(p => p).ToArray(), 2, 3);
        using var position = Tensor.Scalar(0);
        using var cache = Tensor.Zeros(DType.F32, 2, 7);
        var calls = new List<string>();
        var text = new Generation(model).Run((inputs, sizes) =>
        {
            var tokens = string.Join(' ', inputs[0].ToDoubles());
            calls.Add($"{inputs[1].ToDoubles()[0]}: {tokens}, {inputs[0].Shape[1]} is {sizes["t"]}");
            Assert.NotSame(cache, inputs[2]);
            Thread.Sleep(inputs[0].Shape[1] == 3 ? 60 : 5);
            // Row 0 wants the number of the call, row 1 the last of equal ones must not win.
            var logits = new float[14];
            logits[calls.Count] = 1;
            logits[7 + 2] = logits[7 + 6] = 3;
            return [Tensor.From(logits, 2, 7)];
        }, [prompt, position, cache], new Dictionary<string, long> { ["t"] = 3 }, 4);
        Assert.Equal(["0: 1 2 3 6 6 5, 3 is 3", "3: 1 2, 1 is 1", "4: 2 2, 1 is 1", "5: 3 2, 1 is 1"], calls);
        Assert.Equal([1, 2, 3, 4, 2, 2, 2, 2], text.Tokens.Cast<long>());
        Assert.InRange(text.First, 0.06, 10);
        Assert.Equal(3, text.Next.Count);
        Assert.All(text.Next, t => Assert.InRange(t, 0.005, 10));
        // The prompt's time is no part of a further token's; a busy machine may delay one of them.
        Assert.True(text.Next.Min() < 0.05);
    }

    [Theory]
    [InlineData("belong together", "last", "--prompt", "3")]
    [InlineData("a text has 2 tokens or more", "last", "--prompt", "3", "--tokens", "1")]
    [InlineData("a prompt has 1 token or more", "last", "--prompt", "0", "--tokens", "2")]
    [InlineData("inout caches: 'pure' has (ids: i64[b,t], pos: i32)", "pure", "--prompt", "3", "--tokens", "2")]
    [InlineData("must stay open", "last", "--prompt", "3", "--tokens", "2", "--dim", "t=3")]
    [InlineData("a measurement of its own", "last", "--prompt", "3", "--tokens", "2", "--kernels")]
    public void WhatIsNoTextIsRefused(string message, string function, params string[] options)
    {
        Write("sum.acc", Sum);
        var error = Error(2, ["time", "sum.acc", function, "ids=[[1, 2, 3]]", .. options]);
        Assert.Contains(message, error);
        Assert.Contains("  = help: ", error);
    }

    /// <summary>From a suite's values through processes into the view: first, next, tokens a second.</summary>
    [LlvmFact]
    public void TheHarnessKeepsWhatTokensTake()
    {
        Write("sum.acc", Sum);
        var (code, output, error) = Run("bench", "run", "--benchmark", this["sum.acc"] + ":last", "--params",
            """{"b": 1, "ids": "random:high=6", "generate.prompt": 3, "generate.tokens": 4}""", "--processes", "1",
            "--seconds", "0.01", "--backends", "llvm,interpreter", "--database", this["b.duckdb"]);
        Assert.True(code == 0, output + error);
        var rows = JsonDocument.Parse(Output("db", "query", "--database", this["b.duckdb"], "--format", "json", "--sql",
            "SELECT contender, status, checked, latency_ms AS t, first_token_latency_ms AS f, "
            + "next_token_latency_ms AS n, throughput_items_per_second AS r FROM benchmark_results ORDER BY contender"))
            .RootElement;
        Assert.Equal(["interpreter", "llvm"],
            rows.EnumerateArray().Select(r => r.GetProperty("contender").GetString()));
        foreach (var row in rows.EnumerateArray())
        {
            Assert.Equal(("measured", "interpreter"),
                (row.GetProperty("status").GetString(), row.GetProperty("checked").GetString()));
            double Of(string name) => row.GetProperty(name).GetDouble();
            Assert.True(Of("f") > 0 && Of("n") > 0);
            Assert.Equal(4 / (Of("t") / 1e3), Of("r"), 4 / (Of("t") / 1e3) * 1e-6);
        }
        Assert.Contains("tokens/s", output);
        Assert.Contains("first", output);
    }

    [Fact]
    public void BenchmarksThatGenerateAreListed()
    {
        var list = Output("bench", "list");
        foreach (var name in (string[])["gpt2", "llama", "qwen"])
            Assert.Contains($"a text of examples/models/{name}.acc: first token and next tokens", list);
        var c = new BenchmarkRegistry().Find("gpt2_generate")
            .Case([new("prompt", "9"), new("tokens", "4"), new("batch", "2")]);
        Assert.Equal("b2_p9_t4_real_f32", c.Key);
        Assert.Equal(8, c.Definition.Items);
        string[] words = [.. c.Definition.Ours.Single().Arguments];
        Assert.Equal(["--prompt", "9", "--tokens", "4"], words[^4..]);
    }

    private static Program Compiled(string function) =>
        Compilation.FromSource(new SourceText("sum.acc", Sum)).Entries.Single(e => e.Name == function).Program!;

    private static IEnumerable<long> Expected(long[] prompt, int count)
    {
        var sum = prompt.Sum();
        for (var i = 0; i < count; i++)
        {
            yield return sum % 7;
            sum += sum % 7;
        }
    }
}
