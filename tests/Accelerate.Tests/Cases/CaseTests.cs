// Every program of tests/cases on every backend: the header says what comes out; the backends agree.
using Accelerate.Backends.Llvm;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.OpenCl;
using Accelerate.Cli.Cases;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cases;

public class CaseTests(ITestOutputHelper output)
{
    private static readonly string Folder = Path.Combine(Shared.Repository, "tests", "cases");

    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (var file in Directory.GetFiles(Folder, "*.acc", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal))
            data.Add(Path.GetRelativePath(Folder, file));
        return data;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryBackendGivesWhatTheHeaderSays(string file)
    {
        var report = new CaseRun(CaseFile.Read(Path.Combine(Folder, file))).Run(Backends(file));
        foreach (var (backend, construct) in report.Skipped) output.WriteLine($"skipped: {construct} on {backend}");
        Assert.Empty(report.Skipped); // every backend runs every case
        Assert.True(report.Failures.Count == 0, $"{file}: {string.Join("\n", report.Failures)}");
        Compared.Add(report.Elements);
    }

    /// <summary>The host target in full; the other targets, levels and thread counts as the matrix has them.</summary>
    private static List<CaseBackend> Backends(string file)
    {
        var backends = new List<CaseBackend>();
        if (LlvmLibrary.Available(out _))
        {
            backends.Add(new("llvm", new() { Threads = 1 }));
            backends.AddRange(TargetMatrix.Options(file).Select(o => new CaseBackend("llvm", o)));
        }
        if (OpenClExecutable.Available(out _)) backends.Add(new("opencl", new()));
        return backends;
    }
}
