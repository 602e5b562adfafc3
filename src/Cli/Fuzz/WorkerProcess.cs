// In: a program and the ways to run it. Out: its report, or what the process that ran it died of.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Accelerate.Cli.Fuzz;

/// <summary>How long a program may take, and how much memory its process.</summary>
internal sealed record FuzzLimits(TimeSpan Time, long Bytes);

/// <summary>
/// A child process that outlives its programs until one of them kills it; then the next has a new one.
/// </summary>
internal sealed class WorkerProcess(FuzzLimits limits) : IDisposable
{
    // How often the memory of a busy child is looked at.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private Process? process;
    private BlockingCollection<string> lines = [];
    private string lastErrors = "";
    private string stage = "";
    private TimeSpan spent;
    private TimeSpan current;

    /// <summary>What all processes have taken of the processors.</summary>
    public TimeSpan ProcessorTime => spent + current;

    public FuzzReport Run(string source, IReadOnlyList<FuzzConfig> configs)
    {
        if (process is null || process.HasExited) Start();
        stage = "";
        try
        {
            process!.StandardInput.WriteLine(Worker.Job(source, configs));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            return Dead("crash", Ending());
        }
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var hasLine = lines.TryTake(out var line, Look);
            if (!hasLine && lines.IsCompleted) return Dead("crash", Ending());
            // An answer that comes too late, or after too much was taken, is no answer.
            if (clock.Elapsed > limits.Time)
                return Dead("hang", $"no end after {limits.Time.TotalSeconds:F0} s");
            process.Refresh();
            if (!process.HasExited && process.PeakWorkingSet64 > limits.Bytes)
                return Dead("memory", $"more than {limits.Bytes >> 20} MB");
            if (!hasLine || Worker.Read(line!) is not var (what, text)) continue;
            if (what == "end")
            {
                // A process that is dead no longer says.
                current = process.TotalProcessorTime;
                return JsonSerializer.Deserialize<FuzzReport>(text)!;
            }
            stage = text;
        }
    }

    public void Dispose() => Stop();

    private void Start()
    {
        Stop();
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What runs this code: the program itself, or `dotnet accc.dll`, or a test host, which is no program of ours.
        var assembly = typeof(Accc).Assembly.Location;
        var own = Environment.ProcessPath;
        if (own is not null && Path.GetFileNameWithoutExtension(own) == "accc") start.FileName = own;
        else start.ArgumentList.Add(assembly);
        foreach (var word in (string[])["fuzz", "--worker"]) start.ArgumentList.Add(word);
        // A worker that dies is expected; what it leaves on the disk is not wanted.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        process = Process.Start(start)!;
        lines = [];
        var (into, errors) = (lines, process.StandardError);
        var output = process.StandardOutput;
        new Thread(() =>
        {
            while (output.ReadLine() is { } line) into.Add(line);
            into.CompleteAdding();
        })
        { IsBackground = true }.Start();
        lastErrors = "";
        new Thread(() =>
        {
            while (errors.ReadLine() is { } line)
                if (line.Trim() != "" && lastErrors.Length < 400) lastErrors += (lastErrors == "" ? "" : " / ") + line;
        })
        { IsBackground = true }.Start();
    }

    private string Ending()
    {
        process!.WaitForExit(5000);
        // The runtime's own text says little, LLVM's names its assertion.
        return process.HasExited ? $"the process ended with {Signal(process.ExitCode)}; {lastErrors}" : lastErrors;
    }

    private static string Signal(int code) => code switch
    {
        139 => "SIGSEGV",
        134 => "SIGABRT",
        137 => "SIGKILL",
        136 => "SIGFPE",
        132 => "SIGILL",
        _ => $"exit code {code}",
    };

    private FuzzReport Dead(string kind, string message)
    {
        Stop();
        return new() { Finds = [new(kind, stage == "" ? "start" : stage, message)] };
    }

    private void Stop()
    {
        if (process is null) return;
        try
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.WaitForExit(5000);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself meanwhile.
        }
        spent += current;
        current = default;
        process.Dispose();
        process = null;
    }
}
