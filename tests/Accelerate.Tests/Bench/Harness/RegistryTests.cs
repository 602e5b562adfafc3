// What the bundled benchmarks and suites name exists; what a suite may not say is refused, with its place.
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench.Harness;

public sealed class RegistryTests
{
    public static TheoryData<string> Suites => [.. Directory.EnumerateFiles(Folder, "*.json")
        .Select(f => Path.GetFileName(f)!).Where(f => f != "suite.schema.json").Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(Shared.Repository, "bench", "suites");

    [Theory, MemberData(nameof(Suites))]
    public void ASuitesCasesNameFilesAndContendersThatExist(string file)
    {
        var suite = Suite.Parse(File.ReadAllText(Path.Combine(Folder, file)));
        Assert.Equal(Path.GetFileNameWithoutExtension(file), suite.Name);
        var cases = Arms.Cases(suite, new BenchmarkRegistry());
        Assert.Equal(cases.Count, cases.Select(c => c.Name).Distinct().Count());
        foreach (var c in cases)
        {
            var ways = c.Definition.Ours.Select(o => o.Name).ToList();
            var peers = c.Definition.Peers.Select(p => p.Name).ToList();
            foreach (var way in c.Definition.Ours)
                Assert.True(File.Exists(Path.Combine(Shared.Repository, way.Arguments[0])), way.Arguments[0]);
            foreach (var line in c.Definition.Lines)
            {
                if (c.Definition.Unsupported is null) Assert.Contains(line.Way, ways);
                Assert.All(line.Peers, p => Assert.Contains(p, peers));
                Assert.True(line.Plain == "" || c.Definition.Lines.Any(l => l.Way == line.Plain), line.Title);
            }
            Assert.Equal(peers.Count, peers.Distinct().Count());
        }
    }

    [Fact]
    public void TheTableHasEveryRowThatItHad()
    {
        // 9 matrix products, 4 maps, 2 row kernels, 5 convolutions, 7 networks and 2 training steps.
        var cases = Arms.Cases(Suite.Parse(File.ReadAllText(Path.Combine(Folder, "table.json"))), new BenchmarkRegistry());
        Assert.Equal(29, cases.Count);
        // Matrix products have two lines, convolutions one a layout and one more for Winograd, ResNet-50 one without it.
        Assert.Equal(9 * 2 + 6 + 5 * 2 + 2 + 8 + 2, cases.Sum(c => c.Definition.Lines.Count));
    }

    [Fact]
    public void TheSchemaIsTheTypes()
    {
        var file = Path.Combine(Folder, "suite.schema.json");
        Assert.Equal(Suite.JsonSchema(), File.ReadAllText(file));
    }

    [Theory]
    [InlineData("""{"name": "s"}""", "description")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": []}""", "$.benchmarks is empty")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "treads": [1]}""", "treads")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "threads": [0]}""", "$.threads")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "backends": ["cuda"]}""", "'cuda'")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "levels": [4]}""", "$.levels")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "seconds": 0}""", "$.seconds")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "processes": "5"}""", "$.processes")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "scenario": {"name": "x"}}""", "$.scenario.name")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "scenario": {"name": "server"}}""", "needs qps")]
    [InlineData("""{"name": "s", "description": "d", "benchmarks": [{"name": "gemm"}], "scenario": {"name": "offline", "qps": 1, "latency_bound": 1}}""", "belong to server")]
    [InlineData("[]", "line 1")]
    public void WhatASuiteMayNotSayIsRefusedWithItsPlace(string text, string place) =>
        Assert.Contains(place, Assert.Throws<FormatException>(() => Suite.Parse(text)).Message);

    [Theory]
    [InlineData("""{"name": "gem"}""", "no benchmark 'gem'")]
    [InlineData("""{"name": "gemm", "params": {"q": 1}}""", "no parameter 'q': it has m, k, n, precision")]
    [InlineData("""{"name": "gemm", "params": {"m": "many"}}""", "m is 'many' where a whole number is needed")]
    [InlineData("""{"name": "gemm", "params": {"m": []}}""", "is an empty list")]
    [InlineData("""{"name": "gemm", "params": {"m": {"n": 1}}}""", "where one value stands")]
    [InlineData("""{"name": "mlp", "params": {"precision": "fp8"}}""", "no precision 'fp8': f32, bf16, f16")]
    [InlineData("""{"name": "bert", "params": {"variant": "huge"}}""", "no variant 'huge': real, small")]
    public void WhatABenchmarkDoesNotHaveIsRefused(string entry, string said)
    {
        var suite = Suite.Parse($$"""{"name": "s", "description": "d", "benchmarks": [{{entry}}]}""");
        Assert.Contains(said,
            Assert.Throws<FormatException>(() => Arms.Cases(suite, new BenchmarkRegistry())).Message);
    }

    [Fact]
    public void AListOfValuesIsACaseOfEachCombination()
    {
        var suite = Suite.Parse("""
            { "name": "s", "description": "d", "benchmarks": [
                { "name": "bert", "params": { "batch": [1, 8], "sequence": [16, 128], "variant": "small" } }] }
            """);
        Assert.Equal(["b1_s16_small_f32", "b1_s128_small_f32", "b8_s16_small_f32", "b8_s128_small_f32"],
            Arms.Cases(suite, new BenchmarkRegistry()).Select(c => c.Key));
    }

    [Fact]
    public void WhatCannotBeCombinedIsAnArmThatSaysWhy()
    {
        var suite = Suite.Parse("""
            { "name": "s", "description": "d", "threads": [1, 2], "backends": ["llvm", "interpreter"], "levels": [0, 3],
              "benchmarks": [{ "name": "softmax", "params": { "precision": "bf16" } }, { "name": "mlp" }] }
            """);
        var arms = Arms.Cases(suite, new BenchmarkRegistry()).SelectMany(c => Arms.Of(c, suite, true, false)).ToList();
        Assert.Equal(["not supported: only contractions are computed in bf16"],
            arms.Where(a => a.Case.Benchmark.Name == "softmax").Select(a => a.Impossible).Distinct());
        var mlp = arms.Where(a => a.Case.Benchmark.Name == "mlp").ToList();
        Assert.Equal(["llvm -O0 1", "llvm 1", "interpreter 1", "onnxruntime 1", "libtorch 1", "llvm -O0 2", "llvm 2",
            "interpreter 2", "onnxruntime 2", "libtorch 2"], mlp.Select(a => $"{a.Contender} {a.Threads}"));
        Assert.Equal(["interpreter 2"], mlp.Where(a => a.Impossible is not null).Select(a => $"{a.Contender} {a.Threads}"));
    }

    [Fact]
    public void AFunctionOfAFileIsABenchmark()
    {
        var c = new BenchmarkRegistry().Find("bench/gemm.acc:dynamic")
            .Case([new("m", "64"), new("a", "random"), new("set.k", "3")]);
        Assert.Equal("m64_arandom_set.k3", c.Key);
        Assert.Equal(["bench/gemm.acc", "dynamic", "--dim", "m=64", "a=random", "--set", "k=3"],
            c.Definition.Ours.Single().Arguments);
    }
}
