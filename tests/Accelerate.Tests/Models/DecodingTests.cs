// In: GPT-2 and Llama with their caches. Out: tokens one by one give what all at once do, and PyTorch's text, on every
// executor.
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class DecodingTests(ITestOutputHelper output)
{
    private const int Prompt = 8, Text = 24, More = 16;

    public static TheoryData<string> Names => [.. Network.All.Where(n => n.Decoding.Length > 0).Select(n => n.Name)];

    private static Network Find(string name) => Network.All.Single(n => n.Name == name);

    private static IEnumerable<(string Name, Executable Executable, bool IsExact)> Executors(Network network)
    {
        var (programs, state) = (network.Model.Compilation.Programs, network.Model.State);
        yield return ("interpreter", Executables.Create("interpreter", network.Model.Compilation, null, state), true);
        foreach (var target in new[] { "host", "x86-64-v4", "x86-64-v3", "x86-64" })
        {
            if (target != "host" && !LlvmExecutable.CanRun(target)) continue;
            yield return ($"llvm {target}", new LlvmExecutable(programs, new(target, Threads: 3), state), true);
        }
        if (OpenClExecutable.Available(out _)) yield return ("opencl", new OpenClExecutable(programs, state), false);
    }

    /// <summary>Columns [from, to) of a [rows, columns] tensor of token ids.</summary>
    private static Tensor Columns(Tensor ids, int from, int to)
    {
        var rows = ids.ToArray<long>().Chunk((int)ids.Shape[1]).ToArray();
        return Tensor.From([.. rows.SelectMany(r => r[from..to])], rows.Length, to - from);
    }

    /// <summary>Eight tokens in one call, then one a call, each behind the cache of those before.</summary>
    [SharedTheory("data/models")]
    [MemberData(nameof(Names))]
    public void ACacheGivesTheLogitsOfTheWholeText(string name)
    {
        var network = Find(name);
        using var ids = network.Read("input_ids");
        using var wanted = network.Read("output_logits_cached");
        using var wantedCache = network.Read("output_kv_cache");
        (Tensor Logits, Tensor Cache)? exact = null;
        foreach (var (executor, executable, isExact) in Executors(network))
        {
            using (executable)
            {
                using var session = executable.CreateSession();
                var cache = Tensor.Zeros(DType.F32, wantedCache.Shape);
                var (rows, vocab) = ((int)wanted.Shape[0], (int)wanted.Shape[2]);
                var logits = new float[rows * Text * vocab];
                for (var (from, to) = (0, Prompt); from < Text; (from, to) = (to, to + 1))
                {
                    var step =
                        session.Run(network.Decoding[0], Columns(ids, from, to), Tensor.Scalar(from),
                            cache)[0].ToArray<float>();
                    for (var r = 0; r < rows; r++)
                        step.AsSpan(r * (to - from) * vocab, (to - from) * vocab)
                            .CopyTo(logits.AsSpan((r * Text + from) * vocab));
                }
                var all = Tensor.From(logits, rows, Text, vocab);
                Near($"{executor}: logits", all, wanted);
                Near($"{executor}: cache", cache, wantedCache);
                if (!isExact) continue;
                exact ??= (all, cache);
                Assert.True(all.SameBits(exact.Value.Logits), $"{executor}: the logits are not the interpreter's");
                Assert.True(cache.SameBits(exact.Value.Cache), $"{executor}: the cache is not the interpreter's");
                Compared.Add(all.Count + cache.Count);
            }
        }
    }

    /// <summary>
    /// The sixteen most probable tokens; for GPT-2 also drawn ones, which a seed repeats on every executor.
    /// </summary>
    [SharedTheory("data/models")]
    [MemberData(nameof(Names))]
    public void TheTextIsPyTorchs(string name)
    {
        var network = Find(name);
        using var ids = network.Read("input_ids");
        using var prompt = Columns(ids, 0, Prompt);
        var expected = network.Read("output_greedy").ToArray<long>();
        var sizes = new Dictionary<string, long> { ["count"] = More };
        long[]? drawn = null;
        foreach (var (executor, executable, isExact) in Executors(network))
        {
            using (executable)
            {
                using var session = executable.CreateSession();
                long[] Write(float temperature, long seed) => (name == "gpt2"
                    ? session.Run("generate", [prompt, Tensor.Scalar(temperature), Tensor.Scalar(seed)], sizes)
                    : session.Run("greedy_text", [prompt], sizes))[0].ToArray<long>();
                Assert.Equal(expected, Write(0, 1));
                output.WriteLine($"{executor}: {string.Join(' ', expected)}");
                if (name != "gpt2" || !isExact) continue;
                var text = Write(0.8f, 1);
                drawn ??= text;
                Assert.Equal(drawn, text);
                Assert.Equal(text, Write(0.8f, 1));
                Assert.NotEqual(text, Write(0.8f, 2));
                Assert.NotEqual(text, expected);
                output.WriteLine($"{executor}, drawn: {string.Join(' ', text)}");
            }
        }
    }

    /// <summary>The cache is written in place: a decoding step copies nothing.</summary>
    [SharedTheory("data/models")]
    [MemberData(nameof(Names))]
    public void ADecodingStepCopiesNothing(string name)
    {
        var network = Find(name);
        var program = network.Model.Compilation.Programs.Single(p => p.Name == network.Decoding[0]);
        Assert.Empty(program.Steps.OfType<CopyStep>());
    }

    private void Near(string who, Tensor actual, Tensor expected)
    {
        Assert.Equal(expected.Shape.ToArray(), actual.Shape.ToArray());
        var (a, e) = (actual.ToDoubles(), expected.ToDoubles());
        var largest = e.Max(Math.Abs);
        var worst = a.Zip(e).Max(p => Math.Abs(p.First - p.Second));
        output.WriteLine($"{who}: max|d| {worst:G3} = {worst / largest:G2} of max|y| {largest:G4}");
        Assert.True(worst <= 1e-4 * largest, $"{who}: {worst} is more than 1e-4 of {largest}");
    }
}
