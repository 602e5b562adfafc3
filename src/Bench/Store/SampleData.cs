// In: a seed and an amount. Out: simulated results, flagged as such, for trying things out.
using System.Globalization;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Store;

/// <summary>Plausible in size and spread, but not measured: every run is <see cref="RunRecord.Simulated"/>.</summary>
internal static class SampleData
{
    private static readonly string[] Families = ["mlp", "cnn", "rnn", "transformer", "diffusion"];

    private static readonly (string Contender, string Backend, double Slowness)[] Contenders =
    [
        ("interpreter", "interpreter", 60), ("llvm", "llvm", 1), ("onnxruntime", "peer", 1.2), ("openblas", "peer", 2),
    ];

    private static readonly DateTime Begin = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <param name="runs">The number of batches, one a run.</param>
    /// <param name="resultsOfRun">The number of results in each run.</param>
    /// <param name="models">The number of models among the results.</param>
    /// <param name="machines">The number of machines among the runs.</param>
    /// <param name="seed">Equal seeds give equal results.</param>
    public static IEnumerable<ResultBatch> Batches(int runs, int resultsOfRun, int models, int machines, int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < runs; run++)
        {
            var record = Run(random, run, run % machines);
            var results = new ResultRecord[resultsOfRun];
            for (var i = 0; i < resultsOfRun; i++)
                results[i] = Result(random, record, i, Model((run + i) % models), run % machines);
            yield return new(record, results);
        }
    }

    private static RunRecord Run(Random random, int run, int machine) => new(Id(random), Begin.AddHours(run),
        "accc db init --sample-data", "sample", run,
        new($"simulated{machine:D7}", "cpu", $"simulated CPU {machine}", 2 << (machine % 4), 8L << (30 + machine % 3),
            ["avx2", "fma"], new Dictionary<string, long> { ["L1"] = 32768, ["L2"] = 1 << 20 }),
        new("simulated", "10.0.0", "19.1.7", $"{run / 10:x8}", $"build{run / 10}"), Simulated: true);

    private static ModelRecord Model(int number)
    {
        var family = Families[number % Families.Length];
        // The sizes span enough decades to include every size class.
        return new($"{family}-{number}", family, (long)(2e5 * Math.Pow(2.2, number % 16)));
    }

    private static ResultRecord Result(Random random, RunRecord run, int number, ModelRecord model, int machine)
    {
        var (contender, backend, slowness) = Contenders[number / 2 % Contenders.Length];
        long batch = 1 << (number % 4);
        var flops = 2.0 * model.Parameters * batch;
        // 20 GFLOP/s, and more depending on the machine.
        var typical = flops / (2e4 * (1 + machine % 4)) * slowness;
        var samples = Enumerable.Range(0, 10).Select(_ => typical * Math.Exp(0.05 * Normal(random))).ToArray();
        var sorted = samples.Order().ToArray();
        var median = (sorted[4] + sorted[5]) / 2;
        return new()
        {
            Id = Id(random),
            RunId = run.Id,
            MeasuredAt = run.StartedAt.AddSeconds(2 * number),
            Benchmark = model.Architecture,
            Category = "models",
            CaseKey = string.Create(CultureInfo.InvariantCulture, $"{model.Name}_b{batch}_f32"),
            Params = string.Create(CultureInfo.InvariantCulture, $$"""{"batch":{{batch}}}"""),
            Contender = contender,
            Backend = backend,
            Threads = 1,
            BatchSize = batch,
            Block = number / Contenders.Length,
            Model = model,
            Status = ResultStatus.Measured,
            Min = sorted[0],
            Median = median,
            P90 = sorted[8],
            Max = sorted[9],
            CallsPerSecond = 1e6 / median,
            ItemsPerSecond = batch * 1e6 / median,
            MemoryMb = 50 + model.Parameters * 4 / 1e6,
            PeakMemoryMb = 60 + model.Parameters * 4 / 1e6,
            Flops = flops,
            Bytes = 4.0 * model.Parameters,
            Samples = samples,
        };
    }

    private static Guid Id(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new(bytes);
    }

    /// <summary>A normal value by Box and Muller.</summary>
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
