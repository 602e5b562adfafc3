// In: a program and the ways to run it. Out: its report, or what the process that ran it died of.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// How much processor time a program may take, and how much memory its process. One that waits is given up after
/// <see cref="Patience"/> times as long: the machine may be busy with others.
/// </summary>
internal sealed record FuzzLimits(TimeSpan Time, long Bytes)
{
    public const int Patience = 10;
}

/// <summary>
/// A child process that outlives its programs until one of them kills it; then the next has a new one.
/// </summary>
internal sealed class WorkerProcess(FuzzLimits limits) : IDisposable
{
    // How often the memory of a busy child is looked at.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    // Lines and characters of the error stream that a find tells: an assertion is in the first of them.
    private const int MostErrors = 12;
    private const int MostErrorText = 400;

    private Process? process;
    private BlockingCollection<string> lines = [];
    private ConcurrentQueue<string> errors = new();
    private Thread? errorReader;
    private string stage = "";
    private TimeSpan spent;
    private TimeSpan current;

    /// <summary>What all processes have taken of the processors.</summary>
    public TimeSpan ProcessorTime => spent + current;

    public FuzzReport Run(string source, IReadOnlyList<FuzzConfig> configs)
    {
        if (process is null || process.HasExited) Start();
        stage = "";
        // A warning about an earlier program is not what this one dies of.
        errors.Clear();
        try
        {
            process!.StandardInput.WriteLine(Worker.Job(source, configs));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            return Dead("crash", Ending());
        }
        var (clock, begun) = (Stopwatch.StartNew(), ChildProcess.Load(process).Busy);
        while (true)
        {
            var hasLine = lines.TryTake(out var line, Look);
            if (!hasLine && lines.IsCompleted) return Dead("crash", Ending());
            // An answer that comes too late, or after too much was taken, is no answer.
            var load = ChildProcess.Load(process);
            if (load.Busy - begun > limits.Time)
                return Dead("hang", $"no end after {limits.Time.TotalSeconds:F0} s of processors");
            if (clock.Elapsed > FuzzLimits.Patience * limits.Time)
                return Dead("hang", $"no end after {clock.Elapsed.TotalSeconds:F0} s");
            if (load.PeakBytes > limits.Bytes)
                return Dead("memory", $"more than {limits.Bytes >> 20} MB");
            if (!hasLine || Worker.Read(line!) is not var (what, text)) continue;
            if (what == "end")
            {
                // Taken now, since a process that is dead no longer says.
                current = load.Busy;
                return JsonSerializer.Deserialize<FuzzReport>(text)!;
            }
            // Each way of running it has its time: all of them together may compile a program for dozens of targets.
            (stage, begun) = (text, load.Busy);
            clock.Restart();
        }
    }

    public void Dispose() => Stop();

    private void Start()
    {
        Stop();
        var start = ChildProcess.StartInfo(["fuzz", "--worker"]);
        // A worker that dies is expected; what it leaves on the disk is not wanted.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        process = Process.Start(start)!;
        (lines, errors) = (new(), new());
        // Each process has queues of its own: what a dead one still says is not the next one's.
        var (output, error, said, complaints) = (process.StandardOutput, process.StandardError, lines, errors);
        new Thread(() =>
        {
            while (output.ReadLine() is { } line) said.Add(line);
            said.CompleteAdding();
        })
        { IsBackground = true }.Start();
        errorReader = new Thread(() =>
        {
            while (error.ReadLine() is { } line)
                if (line.Trim() != "" && complaints.Count < MostErrors) complaints.Enqueue(line);
        })
        { IsBackground = true };
        errorReader.Start();
    }

    private string Ending()
    {
        process!.WaitForExit(5000);
        errorReader!.Join(1000);
        // The runtime's own text says little, LLVM's names its assertion.
        var said = string.Join(" / ", errors);
        if (said.Length > MostErrorText) said = said[..MostErrorText];
        return process.HasExited ? $"the process ended with {Signal(process.ExitCode)}; {said}" : said;
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
