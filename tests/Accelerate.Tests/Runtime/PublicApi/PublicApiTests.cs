// The public API under random sequences: no crash, and every outcome the one that its documentation promises.
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime.PublicApi;

public sealed class PublicApiTests
{
    /// <summary>
    /// A few thousand sequences, the same in every run, others with --matrix. The long run, from a first seed:
    /// ACC_LONG=1 ./test PublicApiTests.Long
    /// </summary>
    [Fact]
    public void Sequences_end_as_the_model_says()
    {
        var seed = TargetMatrix.Full ? TargetMatrix.Seed : 1;
        Assert.Null(ApiSequences.Run(seed * 1500, 1500));
    }

    /// <summary>10^5 sequences, in parts that share nothing.</summary>
    [LongTheory]
    [MemberData(nameof(Parts))]
    public void Long_runs_end_as_the_model_says(int first) => Assert.Null(ApiSequences.Run(first, 5000));

    public static TheoryData<int> Parts => [.. Enumerable.Range(0, 20).Select(i => 1_000_000 + i * 5000)];
}
