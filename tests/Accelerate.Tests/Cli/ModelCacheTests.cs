// Models kept on disk: what comes back is what was put there, and only while nothing that decided it has changed.
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Cli;

public sealed class ModelCacheTests : CommandLine
{
    private const string Lookup = """
        use helper

        module Table() {
            param rows: f32[5, 3] = 1
            buffer calls: i32 = 0
            weights { "t.*" -> "$1"  "old" -> _ }

            export fn read(i: i32[n], x: f32[3]) -> f32[n, 3] {
                calls += 1
                assert(calls < 9, "too many calls")
                return [k < n, j < 3] => helped(rows[i[k], j] * x[j])
            }
        }
        """;

    private DiskCache Disk => new(this["cache"]);

    private ModelCache Cache => new(Disk);

    private static CompilationOptions Options(params string[] entries) => new() { Entries = entries };

    private SourceText Source(string text = Lookup, string helper = "fn helped(x: f32) = x + 1")
    {
        Write("helper.acc", helper);
        return SourceText.Read(Write("lookup.acc", text));
    }

    private CompiledModel Put(SourceText source, CompilationOptions options)
    {
        var compilation = Compilation.FromSource(source, options);
        Assert.Empty(compilation.Diagnostics);
        return Cache.Put(compilation, options);
    }

    private static string Text(CompiledModel model) => string.Join('\n', model.Programs.Select(ProgramPrinter.Print));

    [Fact]
    public void WhatComesBackIsWhatWasPut()
    {
        var source = Source();
        Assert.Null(Cache.TryGet(source, Options("read")));
        var put = Put(source, Options("read"));
        var got = Cache.TryGet(source, Options("read"));
        Assert.NotNull(got);
        Assert.Equal(Text(put), Text(got));
        Assert.Equal(put.State.Select(s => (s.Path, s.Storage, $"{s.Type}")),
            got.State.Select(s => (s.Path, s.Storage, $"{s.Type}")));
        Assert.Equal(["t.*", "old"], got.Rules.Whole.Select(r => r.Source));
        Assert.Equal(["$1", ""], got.Rules.Whole.Select(r => string.Join(' ', r.Targets)));
        // The places that a failure names are part of the text.
        Assert.All(got.Programs[0].AllSteps.OfType<AssertStep>(), a => Assert.Contains("lookup.acc:10:", a.Place));
        var places = put.Programs[0].AllSteps.OfType<CallStep>().Select(c => c.Place).ToList();
        Assert.Contains(places, p => p.Contains("helper.acc:1:"));
        Assert.Equal(places, got.Programs[0].AllSteps.OfType<CallStep>().Select(c => c.Place));
    }

    [Fact]
    public void InitialValuesAreTheSame()
    {
        var source = Source();
        var put = Put(source, Options("read"));
        var first = Executables.InitialState("interpreter", put);
        for (var again = 0; again < 2; again++)
        {
            // The first time the initialisers are compiled, the second time they are read.
            var state = Executables.InitialState("interpreter", Cache.TryGet(source, Options("read"))!);
            Assert.Equal(first["rows"].ToArray<float>(), state["rows"].ToArray<float>());
        }
        Assert.All(first["rows"].ToArray<float>(), v => Assert.Equal(1f, v));
    }

    [Fact]
    public void WhatDecidesAModelDecidesWhetherItIsFound()
    {
        var source = Source();
        Put(source, Options("read"));
        Assert.NotNull(Cache.TryGet(source, Options("read")));
        Assert.Null(Cache.TryGet(Source(Lookup + "\n"), Options("read")));
        Assert.Null(Cache.TryGet(source, Options()));
        Assert.Null(Cache.TryGet(source, Options("read") with { DirectConvolutions = true }));
        Assert.Null(Cache.TryGet(source, Options("read") with { Compute = DType.BF16 }));
        Assert.Null(
            Cache.TryGet(source,
                Options("read") with
                {
                    Binding =
                    new BindOptions { Dims = new Dictionary<string, long> { ["n"] = 1 } }
                }));
        Assert.Null(
            Cache.TryGet(source,
                Options("read") with
                {
                    Binding =
                    new BindOptions { Set = new Dictionary<string, string> { ["n"] = "1" } }
                }));
    }

    [Fact]
    public void AFileUsedDecidesToo()
    {
        var source = Source();
        Put(source, Options("read"));
        Assert.Null(Cache.TryGet(Source(helper: "fn helped(x: f32) = x + 2"), Options("read")));
        Assert.NotNull(Cache.TryGet(Source(), Options("read")));
        File.Delete(this["helper.acc"]);
        Assert.Null(Cache.TryGet(source, Options("read")));
    }

    [Fact]
    public void AFileThatHidesOneOfTheLibraryDecidesToo()
    {
        var source = SourceText.Read(this["net.acc"]);
        Put(source, Options("apply"));
        Assert.NotNull(Cache.TryGet(source, Options("apply")));
        Write("nn.acc", "fn relu(x: f32[n]) = x");
        Assert.Null(Cache.TryGet(source, Options("apply")));
    }

    [LlvmFact]
    public void ProgramsReadBackCompileToTheSameCode()
    {
        var files =
            Directory.GetFiles(Path.Combine(Shared.Repository, "tests", "cases"), "*.acc", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Path.Combine(Shared.Repository, "examples"), "*.acc"))
            .Order(StringComparer.Ordinal);
        var programs = 0;
        foreach (var program in files.SelectMany(f => Compilation.FromFile(f).Programs))
        {
            programs++;
            var read = ProgramReader.Read(ProgramPrinter.Print(program));
            Assert.Equal(LlvmExecutable.Modules([program], "host"), LlvmExecutable.Modules([read], "host"));
            Assert.Equal(program.AllSteps.OfType<CallStep>().Select(s => (s.Place, s.Layer)),
                read.AllSteps.OfType<CallStep>().Select(s => (s.Place, s.Layer)));
        }
        Assert.True(programs > 100, $"only {programs} programs");
    }

    [LlvmFact]
    public void CodeIsMadeAgainWhenAnObjectIsGone()
    {
        var programs = Compilation.FromFile(this["net.acc"]).Programs;
        NativeCode Make() =>
            NativeCode.Make(programs, LlvmTarget.Host, new LlvmOptions(), new DiskCache(this["objects"]));
        var made = Make();
        var files = Directory.GetFiles(this["objects"]);
        Assert.Equal(made.Objects.Length + 1, files.Length);
        foreach (var gone in files)
        {
            File.Delete(gone);
            var again = Make();
            Assert.Equal(made.Objects.ToArray(), again.Objects.ToArray());
            Assert.Equal(made.Drivers.ToArray(), again.Drivers.ToArray());
            Assert.Equal(made.Scratch.SelectMany(s => s), again.Scratch.SelectMany(s => s));
            Assert.True(File.Exists(gone));
        }
    }

    [Fact]
    public void AWeightsFileThatDoesNotFitIsReportedAtThePlacesOfTheSource()
    {
        Source();
        // With weights of its own, the model gets into the cache.
        Output("run", "lookup.acc", "read", "i=[0]", "x=[1, 1, 1]", "--backend", "interpreter");
        Safetensors.Write(this["w.safetensors"],
            new Dictionary<string, Tensor> { ["t.rows"] = Tensor.Zeros(DType.F32, 5, 4) });
        string[] call =
            ["run", "lookup.acc", "read", "i=[0]", "x=[1, 1, 1]", "--backend", "interpreter", "--weights",
                this["w.safetensors"]];
        var error = Error(1, call);
        Assert.Contains("lookup.acc:4:", error);
        Assert.Contains("t.rows is f32[5,4] in the weights file, rows is f32[5,3]", error);
    }
}
