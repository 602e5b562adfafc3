// A report of a made-up run against figures worked out by hand, and its chart as files that others can read.
using System.Text.Json;
using System.Xml.Linq;
using Accelerate.Bench.Records;
using Accelerate.Bench.Reports;
using Accelerate.Bench.Statistics;
using Accelerate.Tests.Support;
using static Accelerate.Tests.Bench.Reports.MadeUpResults;

namespace Accelerate.Tests.Bench.Reports;

public class BenchReportTests
{
    private static readonly RunRecord Only = Run(1);

    private static Side TwoCases()
    {
        ResultRecord[] results =
        [
            .. Processes(Only, "a", "llvm", [90, 100, 110]), .. Processes(Only, "a", "onnxruntime", [200]),
            .. Processes(Only, "a", "onednn", [150]), .. Processes(Only, "a", "interpreter", [10_000]),
            .. Processes(Only, "b", "llvm", [100]), .. Processes(Only, "b", "onnxruntime", [600]),
            .. Processes(Only, "b", "opencl", [1],
                r => r with { Status = ResultStatus.Skipped, Median = null, Reason = "no device" }),
        ];
        return new(new Selection("a run"), [Only], results);
    }

    /// <summary>
    /// 2e6 operations in 100 µs are 20 GFLOP/s, a fifth of the peak of 100; 6e6 bytes 60 GB/s; oneDNN's 150 µs are 1.5
    /// of ours, the interpreter's 10 ms a hundred. The mean of 1.5 and 6 is 3.
    /// </summary>
    [Fact]
    public void LimitsPeersAndMeans()
    {
        var category = Assert.Single(BenchReport.Of(TwoCases(), 120).Categories);
        Assert.Equal("kernels", category.Category);
        var row = category.Rows.Single(r => r.Arm is { CaseKey: "a", Contender: "llvm" });
        Assert.Equal((3, 100.0, "onednn"), (row.Processes, row.Median, row.BestPeer));
        Assert.Equal([20, 20, 60, 50, 1.5, 100], new[] { row.Gflops, row.PeakPercent, row.Gbps, row.BandwidthPercent,
            row.OverPeer, row.OverInterpreter }.Select(v => Math.Round(v!.Value, 9)));
        var mean = category.Means.Single(m => m.Contender == "llvm");
        Assert.Equal((2, 1), (mean.PeerCases, mean.InterpreterCases));
        Assert.Equal(3, mean.OverPeer!.Value, 9);
        var missing = Assert.Single(category.Missing);
        Assert.Equal(("opencl", ResultStatus.Skipped, "no device"),
            (missing.Arm.Contender, missing.Status, missing.Reason));
    }

    [Fact]
    public void MarkdownAndJson()
    {
        var report = BenchReport.Of(TwoCases());
        var text = BenchReportText.Markdown(report);
        Assert.Contains("A processor, 2 cores, 8.0 GiB, Debian 12, .NET 10.0.0, LLVM 18.1, hardware m1, commit abc1234",
            text);
        Assert.Contains("| gemm a | llvm | 2 | 3 | 100 us | 20.0 | 20.0 | 60.0 | 1.50 (onednn) | 100 | interpreter |\n",
            text);
        Assert.Contains("| gemm b | opencl | 2 | skipped | no device |\n", text);
        Assert.Contains("| llvm | 2 | 3.00 | 2 | 100 | 1 |\n", text);
        var json = JsonDocument.Parse(BenchReportText.ToJson(report)).RootElement;
        var rows = json.GetProperty("categories")[0].GetProperty("rows").EnumerateArray().ToList();
        Assert.Equal(100, rows[0].GetProperty("median_us").GetDouble());
        Assert.Equal("m1", json.GetProperty("runs")[0].GetProperty("hardware").GetProperty("fingerprint").GetString());
    }

    /// <summary>The SVG has every case and the axis as text; the PNG is one, of the size it says.</summary>
    [Fact]
    public void AChartIsAnSvgOrAPng()
    {
        using var folder = new TemporaryFolder();
        ChartBar[] bars =
        [
            new("gemm a", 0.8, 0.75, 0.86, Verdict.Faster), new("gemm <b>", 1.3, 1.2, 1.4, Verdict.Slower),
            new("gemm c", 1.01, null, null, Verdict.Inconclusive),
        ];
        RatioChart.Write(folder["c.svg"], "B against A", "time of B over time of A", 0.05, bars);
        var texts = XDocument.Load(folder["c.svg"]).Descendants().Where(e => e.Name.LocalName == "text")
            .Select(e => e.Value.Trim()).ToList();
        foreach (var bar in bars) Assert.Contains(bar.Label, texts);
        Assert.Contains("B against A", texts);
        Assert.Contains("1", texts);
        RatioChart.Write(folder["c.png"], "B against A", "time of B over time of A", 0.05, bars);
        var png = File.ReadAllBytes(folder["c.png"]);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], png[..4]);
        // Big-endian numbers of the first chunk.
        Assert.Equal((1100, 220), (png[18] << 8 | png[19], png[22] << 8 | png[23]));
        Assert.Throws<HarnessException>(() => RatioChart.Write(folder["c.pdf"], "", "", 0.05, bars));
        Assert.Throws<HarnessException>(() => RatioChart.Write(folder["c.svg"], "", "", 0.05, []));
    }

    [Fact]
    public void BarsOfAReportAreOursAgainstTheBestPeer()
    {
        var bars = PeerBars.Of(TwoCases());
        Assert.Equal(["gemm a, llvm x2 / onednn", "gemm b, llvm x2 / onnxruntime"], bars.Select(b => b.Label));
        Assert.Equal(100.0 / 600, bars[1].Ratio, 9);
        Assert.All(bars, b => Assert.Equal(Verdict.Inconclusive, b.Verdict));
    }
}
