// In: a command line of accc. Out: how another process of it is started; what a process takes of the machine.
using System.Diagnostics;

namespace Accelerate.Cli;

internal static class ChildProcess
{
    /// <summary>`accc` with these words, and nothing of this process's standard streams.</summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> words)
    {
        var own = Environment.ProcessPath!;
        // As `accc`, or by the host that runs this: `dotnet accc.dll`, or the one of the tests.
        string[] assembly = Path.GetFileNameWithoutExtension(own) == "accc" ? [] : [typeof(Accc).Assembly.Location];
        return new(own, [.. assembly, .. words])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }

    /// <summary>Processor time and resident memory, now and at most; zeros once it has ended.</summary>
    public static (TimeSpan Busy, long Bytes, long PeakBytes) Load(Process process)
    {
        try
        {
            process.Refresh();
            return (process.TotalProcessorTime, process.WorkingSet64, process.PeakWorkingSet64);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended: before it was asked, or between its being found and read.
            return default;
        }
    }
}
