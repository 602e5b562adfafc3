// Peers that hand their results over, those that this machine cannot run, and the references that are made for them.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Accelerate.Bench.Records;
using Accelerate.Bench.Registry;
using Accelerate.Bench.Running;
using Accelerate.Cli;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench.Harness;

[UnsupportedOSPlatform("windows")] // peers are shell scripts here
public sealed class PeerTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1.00005, "y", ResultStatus.Measured, null)]
    [InlineData(1.0002, "y", ResultStatus.Wrong, "y has an error of 0.0002 where 0.0001 is allowed; nothing was timed")]
    [InlineData(double.NaN, "y", ResultStatus.Wrong, "has an error of NaN")]
    [InlineData(1, "z", ResultStatus.Wrong, "wrong result: there is no y")]
    internal void APeerIsHeldToTheCasesResults(double value, string name, ResultStatus status, string? reason)
    {
        Expect("b", 1);
        Write("own", value);
        // The result is written where the harness says, and only where it does; each call leaves a line.
        Script("peer", $$"""
            echo "$RESULTS" >> {{folder["calls"]}}
            if [ -n "$RESULTS" ]; then cp {{folder["own"]}}/y.npy "$RESULTS/{{name}}.npy"; fi
            """);
        var records = Run(new PeerCall("peer", "peer", []) { Results = new Dictionary<string, string> { ["y"] = "y" } });
        Assert.All(records, r => Assert.Equal(status, r.Status));
        var first = records[0];
        if (reason is null)
        {
            // Checked once: the second process only times.
            Assert.Equal(["numpy", "numpy"], records.Select(r => r.Checked));
            Assert.Equal(5e-5, first.MaxError!.Value, 1e-6);
            var calls = File.ReadAllLines(folder["calls"]);
            Assert.Equal((2, ""), (calls.Length, calls[1]));
        }
        else
        {
            Assert.Contains(reason, Assert.Single(records).Reason);
            Assert.Null(first.Median);
        }
    }

    [Theory]
    [InlineData("y z", 1, null)]
    [InlineData("y z", 1.5, "z has an error of 0.5 where 0.0001 is allowed")]
    [InlineData("y", 1, "there is no z")]
    public void APeerIsHeldToEveryExpectedResult(string names, double second, string? reason)
    {
        Expect("b", 1);
        Write("data/b/expected", 1, "z");
        Write("own", 1);
        Write("own", second, "z");
        Script("peer", $$"""for name in {{names}}; do cp {{folder["own"]}}/$name.npy "$RESULTS/"; done""");
        var record = Run(new PeerCall("peer", "peer", []) { Results = PeerCall.Every }, processes: 1).Single();
        Assert.Equal(reason is null ? ResultStatus.Measured : ResultStatus.Wrong, record.Status);
        if (reason is not null) Assert.Contains(reason, record.Reason);
    }

    [Fact]
    public void APeerReadsTheCaseThatItNames()
    {
        Expect("another", 2);
        Script("peer", """cp "$1/expected/y.npy" "$RESULTS/y.npy" """);
        var call = new PeerCall("peer", "peer", ["{data}"])
        { Results = new Dictionary<string, string> { ["y"] = "y" }, Data = "another" };
        Assert.Equal(ResultStatus.Measured, Run(call, processes: 1).Single().Status);
        Assert.Equal("its inputs are not made: bench/peers/build",
            Run(call with { Data = "absent" }).Single().Reason);
    }

    [Theory]
    [InlineData("avx2", ResultStatus.Measured)]
    [InlineData("avx512_bf16", ResultStatus.Skipped)]
    internal void APeerThatNeedsAbsentInstructionsIsARowWithAReason(string needs, ResultStatus status)
    {
        Expect("b", 1);
        Script("peer", "");
        var record = Run(new PeerCall("peer", "peer", []) { Needs = needs }, processes: 1).Single();
        Assert.Equal(status, record.Status);
        if (status == ResultStatus.Skipped)
            Assert.Equal("not supported: peer needs avx512_bf16, which this processor lacks", record.Reason);
    }

    /// <summary>Where ours cannot, the peers' figures stand all the same, and ours says why it has none.</summary>
    [Theory]
    [InlineData("train_mlp", "{}", null, "libtorch_train")]
    [InlineData("train_mlp_adamw", "{}", null, "libtorch_train")]
    [InlineData("train_cnn", "{}", null, "libtorch_train_last")]
    [InlineData("train_resnet50", "{}", null, "libtorch_train_last")]
    [InlineData("train_bert_block", "{}", null, "libtorch_train")]
    [InlineData("train_gpt2_block", """{"sequence": 64}""", null, "libtorch_train")]
    [InlineData("train_lstm", "{}", null, "libtorch_train")]
    [InlineData("llama_decode", """{"weights": "q8_0"}""", "not supported: weights in q8_0", "llama.cpp")]
    [InlineData("llama_prompt", """{"weights": "bf16"}""", "not supported: weights in bf16", "llama.cpp")]
    [InlineData("llama_prompt", """{"weights": "f32"}""", null, "llama.cpp")]
    [InlineData("gemm", """{"precision": "bf16"}""", null, "libtorch_bf16")]
    [InlineData("gemm", "{}", null, "libtorch_matmul")]
    [InlineData("conv", "{}", null, "onednn3_blocked")]
    [InlineData("mlp", "{}", null, "libtorch")]
    public void NewPeersAreRows(string benchmark, string parameters, string? ours, string peer)
    {
        var suite = Suite.Parse($$"""
            { "name": "s", "description": "d", "benchmarks": [{ "name": "{{benchmark}}", "params": {{parameters}} }] }
            """);
        var c = Arms.Cases(suite, new BenchmarkRegistry()).Single();
        var arms = Arms.Of(c, suite, withPeers: true, allPeers: false).ToList();
        Assert.Equal(ours, arms.First(a => a.Peer is null).Impossible);
        var arm = Assert.Single(arms, a => a.Contender == peer);
        Assert.NotEmpty(arm.Peer!.Results);
        Assert.Contains(c.Definition.Lines, l => l.Peers.Contains(peer));
        var runner = new ProcessRunner(new(folder.Root, folder.Root), _ => throw new InvalidOperationException());
        Assert.Equal($"{arm.Peer.Program} is not built: bench/peers/build", runner.Unavailable(arm));
    }

    /// <summary>A suite whose work only a peer can do is measured all the same; without the peer nothing is.</summary>
    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 2)]
    public async Task WhatOnlyAPeerCanDoIsMeasured(bool isBuilt, int code)
    {
        Directory.CreateDirectory(folder["data/llama_decode_l22_c128_q8_0/expected"]);
        using (var logits = Tensor.FromDoubles(DType.F32, [1.0, -2], 1, 2))
            Npy.Write(folder["data/llama_decode_l22_c128_q8_0/expected/logits.npy"], logits);
        using (var logits = Tensor.FromDoubles(DType.F32, [1.0, -1.9], 1, 2)) Npy.Write(folder["logits.npy"], logits);
        if (isBuilt)
        {
            Script("llamacpp", $"""
                [ "$3" = {folder["models/llama_l22_q8_0.gguf"]} -a "$4 $5" = "decode 128" ] || exit 3
                cp {folder["logits.npy"]} "$RESULTS/"
                """);
        }
        var start = ChildProcess.StartInfo(["bench", "run", "--benchmark", "llama_decode", "--params",
            """{"weights": "q8_0"}""", "--peers", "--processes", "1", "--seconds", "0.01", "--database",
            folder["b.jsonl"]]);
        start.Environment["PEERS_HOME"] = folder.Root;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        var error = await errors;
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == code, output + error);
        using var store = JsonLinesStore.Open(folder["b.jsonl"]);
        var rows = store.Results(new());
        var ours = Assert.Single(rows, r => r.Backend == "llvm");
        Assert.Equal((ResultStatus.Skipped, "not supported: weights in q8_0", "q8_0"),
            (ours.Status, ours.Reason, ours.Precision));
        var peer = Assert.Single(rows, r => r.Contender == "llama.cpp");
        if (isBuilt)
        {
            Assert.Equal((ResultStatus.Measured, "numpy"), (peer.Status, peer.Checked));
            Assert.Equal(0.05, peer.MaxError!.Value, 1e-6);
            Assert.Contains("not supported: weights in q8_0; peers: llama.cpp 2 µs", output);
        }
        else
        {
            Assert.Equal("llamacpp is not built: bench/peers/build", peer.Reason);
            Assert.Contains("error: nothing of ours was measured: not supported: weights in q8_0\n  = help: ", error);
        }
    }

    [Fact]
    public void AFormatOfWeightsThatThereIsNotIsRefused()
    {
        var decode = new BenchmarkRegistry().Find("llama_decode");
        Assert.Contains("f32, f16, bf16, q8_0, q4_0",
            Assert.Throws<FormatException>(() => decode.Case([new("weights", "q3")])).Message);
    }

    /// <summary>The bytes of a file's matrix mean what the reference computes with, by the formats' definitions.</summary>
    [NumPyTheory]
    [InlineData("f32", 4, 1)]
    [InlineData("f16", 2, 1)]
    [InlineData("bf16", 2, 1)]
    [InlineData("q8_0", 34, 32)]
    [InlineData("q4_0", 18, 32)]
    public void QuantisedBytesAreTheReferencesValues(string format, int bytes, int block)
    {
        NumPy.Run("""
            import os
            sys.path.insert(0, sys.argv[2]); sys.dont_write_bytecode = True
            os.environ['PEERS_HOME'] = ''
            import make_llama as m
            w = np.random.default_rng(3).standard_normal((4, 64)).astype(np.float32)
            w[1, :32] = 0
            data, values = m.quantise(sys.argv[1], w)
            data.tofile(sys.argv[3]); values.astype(np.float32).tofile(sys.argv[4]); w.tofile(sys.argv[5])
            """, format, Scripts, folder["data"], folder["values"], folder["w"]);
        var data = File.ReadAllBytes(folder["data"]);
        var values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder["values"])).ToArray();
        var weights = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(folder["w"])).ToArray();
        Assert.Equal(256 / block * bytes, data.Length);
        for (var i = 0; i < 256; i++)
        {
            var own = data.AsSpan(i / block * bytes, bytes);
            var scale = bytes > 4 ? (float)MemoryMarshal.Read<Half>(own) : 0;
            var within = i % block;
            var meant = format switch
            {
                "f32" => MemoryMarshal.Read<float>(own),
                "f16" => (float)MemoryMarshal.Read<Half>(own),
                "bf16" => BitConverter.Int32BitsToSingle(MemoryMarshal.Read<ushort>(own) << 16),
                "q8_0" => scale * (sbyte)own[2 + within],
                // The low halves of 16 bytes are the first 16 values.
                _ => scale * ((within < 16 ? own[2 + within] & 15 : own[2 + within - 16] >> 4) - 8),
            };
            Assert.Equal(meant, values[i]);
            // Near what was rounded: half a step of the block's scale, or of the format's last bit. At its upper end
            // q4_0 has a step less than below.
            var step = format switch
            {
                "f32" => 0,
                "f16" => 0.001,
                "bf16" => 0.01,
                "q8_0" => 0.51 * Math.Abs(scale) + 0.002,
                _ => 1.01 * Math.Abs(scale),
            };
            Assert.InRange(Math.Abs(meant - weights[i]), 0, step);
        }
    }

    private static string Scripts => Path.Combine(Shared.Repository, "bench", "peers");

    private void Expect(string name, double value) => Write($"data/{name}/expected", value);

    private void Write(string place, double value, string name = "y")
    {
        Directory.CreateDirectory(folder[place]);
        using var tensor = Tensor.FromDoubles(DType.F32, [value], 1);
        Npy.Write(Path.Combine(folder[place], name + ".npy"), tensor);
    }

    private void Script(string name, string body)
    {
        Directory.CreateDirectory(folder["bin"]);
        var path = Path.Combine(folder["bin"], name);
        File.WriteAllText(path, $$"""
            #!/bin/sh
            {{body}}
            echo '{"peer":"{{name}}","threads":1,"min_us":1,"med_us":2,"p90_us":3,"cpu_us":1,"n":1}'
            """);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private List<ResultRecord> Run(PeerCall peer, int processes = 2)
    {
        var definition = new BenchmarkDefinition("b", "kernels", "", [], _ => new("b", [])
        {
            Peers = [peer],
            Reference = "numpy",
            Lines = [new("b", "", [peer.Name], "part")],
            HasData = peer.Data is null,
        });
        var suite = Suite.Parse("""{ "name": "s", "description": "d", "benchmarks": [{ "name": "b" }] }""");
        var places = new HarnessPlaces(folder.Root, folder.Root);
        var runner = new ProcessRunner(places, _ => throw new InvalidOperationException("nothing of ours runs"),
            ["avx2"]);
        using var check = new ResultCheck(places, runner);
        var run = new RunRecord(Guid.NewGuid(), DateTime.UtcNow, "test", "s", 1,
            new("machine", "cpu", "a machine", 2, 1, [], new Dictionary<string, long>()),
            new("os", "10", null, null, "b"));
        var harness = new Accelerate.Bench.Running.Harness(new(0.1, 1, true), JsonLinesStore.Of([]), runner, check, run,
            new Silent());
        harness.Execute([.. Arms.Of(definition.Case([]), suite, withPeers: true, allPeers: true)], processes);
        return harness.Records.Values.Single();
    }

    private sealed class Silent : IHarnessObserver
    {
        public void Plan(int processes) => Assert.True(processes > 0);

        public void Starts(Arm arm, int block) => Assert.NotNull(arm.Peer);

        public void Ends(ResultRecord record) => Assert.Equal("peer", record.Backend);

        public void Skips(Arm arm, int block) => Assert.NotNull(arm.Peer);
    }
}
