// The log: its columns are those of bench/README.md, a record reads back equal, and appending never leaves half a line.
using System.Text.Json;
using System.Text.RegularExpressions;
using Accelerate.Bench;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench;

public class BenchRecordTests
{
    private static readonly BenchRecord Full = new(
        Guid.Parse("11111111-2222-3333-4444-555555555555"), new DateTime(2025, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            "abc123-dirty",
        "CPU, 2 cores, 8.0 GiB", "0123456789abcdef", "10.0.0", "19.1.7", "a \"b\".acc", "f", "n=1", "f32", "llvm",
            "host", 3, 2,
        1.5, "off", 12, 0.25, 0.125, 0.5, 0.0625, 1e6, 4.0, 100.0, 4.0, 4096, 0.016, 2.5, "bits", 0, null);

    [Fact]
    public void TheColumnsAreTheDocumentedOnes()
    {
        var readme = File.ReadAllText(Path.Combine(Shared.Repository, "bench", "README.md"));
        var section = readme[readme.IndexOf("## The record", StringComparison.Ordinal)..];
        var documented = Regex.Matches(section, @"^\| `(\w+)` \|", RegexOptions.Multiline)
            .Select(m => m.Groups[1].Value);
        using var json = JsonDocument.Parse(Full.ToJson());
        Assert.Equal(documented, json.RootElement.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void ARecordReadsBackEqual()
    {
        Assert.Equal(Full, BenchRecord.FromJson(Full.ToJson()));
        var skipped =
            Full with { Threads = null, MedianMs = null, CompileMs = null, SkippedReason = "not supported: x" };
        Assert.Equal(skipped, BenchRecord.FromJson(skipped.ToJson()));
        Assert.DoesNotContain('\n', Full.ToJson());
    }

    [Fact]
    public void ManyWritersLeaveWholeLines()
    {
        using var folder = new TemporaryFolder();
        var path = folder["deep/er/log.jsonl"];
        Parallel.For(0, 8,
            i => BenchLog.Append(path, Enumerable.Range(0, 5).Select(j => Full with { Samples = 5 * i + j })));
        var lines = File.ReadAllText(path).TrimEnd('\n').Split('\n');
        Assert.Equal(Enumerable.Range(0, 40), lines.Select(l => BenchRecord.FromJson(l).Samples).Order());
    }

    [Fact]
    public void HalfALineOfSomebodyElseDoesNotSwallowOurs()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["log"], "{\"cut");
        BenchLog.Append(folder["log"], [Full]);
        Assert.Equal(["{\"cut", Full.ToJson(), ""], File.ReadAllText(folder["log"]).Split('\n'));
    }

    [Fact]
    public void TheFingerprintIsOfThisMachineAlone()
    {
        Assert.Matches("^[0-9a-f]{16}$", Machine.This.Fingerprint);
        Assert.True(Machine.This.Cores > 0 && Machine.This.RamBytes > 0);
    }
}
