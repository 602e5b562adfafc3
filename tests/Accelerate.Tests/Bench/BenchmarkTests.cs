// The benchmark over real and fake executables: wrong results stop it before the clock starts, skipped rows stay rows.
using Accelerate.Bench;
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;
using Accelerate.Tests.Lowering;

namespace Accelerate.Tests.Bench;

public class BenchmarkTests
{
    private const string Twice = """
        graph @twice {
          %0: f32[n] = input("x")
          %1: f32[n] = add(%0, %0)
          return(%1)
        }
        """;

    private static readonly BenchOptions Short = new(Seconds: 0, MaxSamples: 1);

    [Fact]
    public void AWrongResultIsCaughtBeforeTiming()
    {
        using var given = Case();
        using var fake = new FakeExecutable(given, x => x.Select((v, i) => i == 2 ? 2 * v + 1e-6f : 2 * v));
        var error = Assert.Throws<InternalErrorException>(() => Run(given, Fake(fake, Owes.Bits)));
        Assert.Contains("flat index 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, fake.Calls);
    }

    [Fact]
    public void TheBoundOfADeviceIsHeld()
    {
        using var given = Case();
        using var near = new FakeExecutable(given, x => x.Select(v => 2 * v * (1 + 1e-6f)));
        var row = Run(given, Fake(near, Owes.Bound)).Rows[1];
        Assert.Equal("bound", row.Checked);
        Assert.InRange(row.MaxError!.Value, 1e-7, 2e-6);
        Assert.True(near.Calls > 1);
        using var far = new FakeExecutable(given, x => x.Select(v => 2 * v * (1 + 1e-4f)));
        Assert.Throws<InternalErrorException>(() => Run(given, Fake(far, Owes.Bound)));
        Assert.Equal(1, far.Calls);
    }

    [Fact]
    public void IntegersAreExactWhateverIsOwed()
    {
        using var three = Tensor.From([1, 2, 3], 3);
        using var other = Tensor.From([1, 2, 4], 3);
        Assert.Throws<InternalErrorException>(
            () => Agreement.Check("fake", Owes.Bound, [("y", three)], [("y", other)]));
        Assert.Equal(0, Agreement.Check("fake", Owes.Bound, [("y", three)], [("y", three)]));
    }

    [Fact]
    public void ANaNNeedOnlyBeANaNButStandWhereItStands()
    {
        using var nan = Tensor.From([1, float.NaN], 2);
        using var negative = Tensor.From([1, -float.NaN], 2);
        using var number = Tensor.From([1, 1f], 2);
        Assert.Equal(0, Agreement.Check("fake", Owes.Bits, [("y", nan)], [("y", negative)]));
        Assert.Throws<InternalErrorException>(() => Agreement.Check("fake", Owes.Bound, [("y", nan)], [("y", number)]));
        Assert.Throws<InternalErrorException>(() => Agreement.Check("fake", Owes.Bound, [("y", number)], [("y", nan)]));
    }

    [Fact]
    public void WhatABackendLacksIsASkippedRow()
    {
        using var given = Case();
        var lacking = Named(
            "opencl") with
        { Create = () => throw new LimitationException("OpenCL", "row kernels", "k0") };
        var absent = Named("llvm") with { Unavailable = "libLLVM was not found" };
        var result = Run(given, absent, lacking);
        Assert.Equal(["reference", "none", "none"], result.Rows.Select(r => r.Checked));
        Assert.Equal([null, "libLLVM was not found", "not supported: row kernels on OpenCL (kernel @k0)"],
            result.Rows.Select(r => r.Skipped));
        var records = InProcessRecords.From(result, new(Guid.NewGuid(), DateTime.UtcNow, "", null, 1,
            Machine.This.Hardware(), Machine.This.Environment())).Results;
        Assert.Equal(3, records.Count);
        Assert.Equal("libLLVM was not found", records[1].Reason);
        Assert.Null(records[1].Median);
        Assert.Null(records[1].CompileMs);
        Assert.NotNull(records[0].Median);
        Assert.Contains("opencl: skipped: not supported: row kernels on OpenCL", BenchTable.Print(result),
            StringComparison.Ordinal);
    }

    [Fact]
    public void TheFingerprintIsOfThisMachineAlone()
    {
        Assert.Matches("^[0-9a-f]{16}$", Machine.This.Fingerprint);
        Assert.True(Machine.This.Cores > 0 && Machine.This.RamBytes > 0);
        Assert.Equal(Machine.This.Fingerprint, Machine.This.Hardware().Fingerprint);
        Assert.NotEmpty(Machine.This.Hardware().Features);
    }

    [LlvmFact]
    public void BackendsAreCheckedTimedAndBrokenDown()
    {
        using var given = Case();
        var result = Run(given, Contender.Llvm(given, new()), Contender.Llvm(given, new(OptLevel: 0, Threads: 2)));
        Assert.Equal(["reference", "bits", "bits"], result.Rows.Select(r => r.Checked));
        Assert.All(result.Rows, r => Assert.True(r.Times!.Median > 0));
        Assert.Equal([1, 2], result.Peaks.Keys.Order());
        Assert.Equal(1, result.Speedup(result.Rows[0]));
        Assert.Equal(5, result.Flops);

        // 40 bytes fit the first level: at 1 byte a second nothing else bounds it.
        var limits = new MachineLimits(1, 100, [new("L1", 1 << 10, 1e-9, 1e-9), new("DRAM", long.MaxValue, 1, 1)], 0);
        var breakdown = KernelBreakdown.Measure(given, new(), Short, limits);
        var kernel = Assert.Single(breakdown.Kernels);
        Assert.Equal(("L1", 40e3), (kernel.Bound, Math.Round(kernel.LeastMs, 6)));
        Assert.Equal(("f32[5]", 1, 5.0), (kernel.Writes, kernel.Calls, kernel.Flops));
        Assert.Contains("f32[5]", breakdown.Print(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnUntimedReferenceStillChecks()
    {
        using var given = Case();
        using var fake = new FakeExecutable(given, x => x.Select(v => 2 * v));
        var result =
            Benchmark.Run(given, Contender.Interpreter(given), [Fake(fake, Owes.Bits)],
                Short with { TimeReference = false });
        Assert.Equal("bits", Assert.Single(result.Rows).Checked);
        Assert.Null(result.Speedup(result.Rows[0]));
    }

    [Fact]
    public void TheSameSeedIsTheSameCase()
    {
        using var one = Case();
        using var two = Case();
        Assert.True(one.Inputs[0].SameBits(two.Inputs[0]));
        Assert.Equal("n=5", one.Text);
        Assert.Throws<ArgumentException>(() => BenchCase.Random("f", one.Program, new Dictionary<string, long>(), 1));
        Assert.Throws<ArgumentException>(
            () => BenchCase.Random("f", one.Program, new Dictionary<string, long> { ["n"] = 1, ["m"] = 1 }, 1));
    }

    [Fact]
    public void ColumnsAreAsWideAsTheirWidestCell() => Assert.Equal(
        "a      bb\nccc     1\nd    1000\n", BenchTable.Align(["a", "bb"], [["ccc", "1"], ["d", "1000"]]));

    private static BenchCase Case() =>
        BenchCase.Random("twice.graph", Lowered.Plain(GraphReader.Read(Twice)),
        new Dictionary<string, long> { ["n"] = 5 }, seed: 1);

    private static BenchResult Run(BenchCase given, params Contender[] others) =>
        Benchmark.Run(given, Contender.Interpreter(given), others, Short);

    private static Contender Named(string backend) =>
        new(backend, 1, null, null, "none", Owes.Bits, null, () => throw new InvalidOperationException());

    private static Contender Fake(FakeExecutable fake, Owes owes) =>
        Named("fake") with { Owes = owes, Create = () => fake };

    /// <summary>A backend that computes what it is told to, and counts its calls.</summary>
    private sealed class FakeExecutable(BenchCase given, Func<float[], IEnumerable<float>> compute) : Executable
    {
        private readonly InterpreterExecutable inner = new([given.Program]);

        public int Calls { get; private set; }

        public override IReadOnlyList<EntrySpec> Entries => inner.Entries;

        public override Backend Backend => Backend.Interpreter;

        internal override void Invoke(
            SessionState state, int entry, ReadOnlySpan<Tensor> inputs, CallSizes sizes, Span<Tensor> results)
        {
            Calls++;
            results[0] = Tensor.From(compute(inputs[0].ToArray<float>()).ToArray(), inputs[0].Shape);
        }

        internal override void Dispose(bool disposing) => inner.Dispose();
    }
}
