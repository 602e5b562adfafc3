// In: numbers. Out: batches whose every field has a value of its own, for tests of stores.
using Accelerate.Bench.Records;

namespace Accelerate.Tests.Bench;

internal static class StoreRecords
{
    private static readonly DateTime Noon = new(2026, 3, 4, 12, 0, 0, DateTimeKind.Utc);

    public static RunRecord Run(int number = 1, bool simulated = false) => new(Id(1, number), Noon.AddMinutes(number),
        $"accc bench run suites/\"quick\".json --seed {number}", number == 2 ? null : "quick", 1000 + number,
        new("f00d", "cpu", "A CPU, with 'quotes'", 4, 17L << 30, ["avx2", "a b", "fma"],
            new Dictionary<string, long> { ["L1"] = 32768, ["L2"] = 1 << 20 }, number == 2 ? "driver 5" : null),
        new("Linux 6", "10.0.1", number == 2 ? null : "19.1.7", $"c0ffee{number}", "b1d"), simulated);

    /// <summary>Times are whole microseconds: that is what the database keeps.</summary>
    public static ResultRecord Full(RunRecord run, int number) => new()
    {
        Id = Id(2 + run.Seed, number),
        RunId = run.Id,
        MeasuredAt = Noon.AddTicks(10 * (number + 1)),
        Benchmark = "gemm",
        Category = "kernels",
        CaseKey = $"m{number}_f32",
        Params = """{"m": 512, "name": "ü\n"}""",
        Contender = "llvm direct",
        Backend = "llvm",
        Device = "cpu0",
        Precision = "bf16",
        Threads = 2,
        OptLevel = 3,
        Target = "x86-64-v4",
        BatchSize = 8,
        SequenceLength = 128,
        Scenario = "offline",
        Block = 7,
        Model = new("resnet50", "cnn", 25_557_032),
        Status = ResultStatus.Measured,
        Checked = "interpreter",
        MaxError = 1.25e-7,
        Rechecked = 11,
        Min = 100.1,
        Median = 200.2 + number,
        P90 = 300.3 + number,
        P99 = 400.4 + number,
        Max = 500.5 + number,
        Cpu = 199.9,
        CallsPerSecond = 4995.004995,
        ItemsPerSecond = 39960.03996,
        FirstToken = 12000.5,
        NextToken = 800.25,
        CompileMs = 321.5,
        FirstResultMs = 654.5,
        ArenaBytes = 5_000_000_000,
        MemoryMb = 123.5,
        PeakMemoryMb = 234.5,
        AllocatedBytes = 96.5,
        Flops = 8.2e9,
        Bytes = 1.02e8,
        PeakGflops = 131.5,
        Joules = 0.75,
        Ops = 17,
        KernelCount = 5,
        Instructions = 6_000_000_000,
        DeviceMetrics = """{"temperature":[61.5,62]}""",
        Samples = [200.2, 100.1, 0.30000000000000004, 500.5],
        Kernels = [new("conv_1", "net.acc:12", 2, 150.5, 8e9, 1e8), new("softmax", null, 1, 0, 2e8, 2e6)],
    };

    /// <summary>Only what must be there.</summary>
    public static ResultRecord Bare(RunRecord run, int number, string contender = "onnxruntime",
        ResultStatus status = ResultStatus.Skipped, string? reason = "not supported: \"x\"") => new()
        {
            Id = Id(2 + run.Seed, number),
            RunId = run.Id,
            MeasuredAt = Noon.AddTicks(10 * (number + 1)),
            Benchmark = "softmax",
            Category = "own",
            CaseKey = "n8",
            Contender = contender,
            Backend = "peer",
            Status = status,
            Reason = reason,
        };

    public static ResultBatch Batch(RunRecord run, params int[] numbers) =>
        new(run, [.. numbers.Select(n => Full(run, n))]);

    public static Guid Id(long kind, int number) =>
        new((int)kind, 1, 2, [0, 0, 0, 0, .. BitConverter.GetBytes(number)]);
}
