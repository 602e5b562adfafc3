// In: a command line of accc. Out: how to start it as another process; a process's use of the machine.
using System.Diagnostics;

namespace Accelerate.Cli;

internal static class ChildProcess
{
    /// <summary>Starts `accc` with these words and redirected standard streams.</summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> words)
    {
        var own = Environment.ProcessPath!;
        // As `accc`, or through the host that runs this process: `dotnet accc.dll`, or the test host.
        string[] assembly = Path.GetFileNameWithoutExtension(own) == "accc" ? [] : [typeof(Accc).Assembly.Location];
        return new(own, [.. assembly, .. words])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }

    /// <summary>Processor time, resident memory and its peak; zeros once the process has ended.</summary>
    public static (TimeSpan Busy, long Bytes, long PeakBytes) Load(Process process)
    {
        try
        {
            process.Refresh();
            return (process.TotalProcessorTime, process.WorkingSet64, process.PeakWorkingSet64);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It ended before it was queried, or during the query.
            return default;
        }
    }
}
