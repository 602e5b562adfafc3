// In: a program and the ways to run it. Out: its report, or what killed the process that ran it.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// The limits of a program's processor time and of its process's memory. A waiting process is given up after
/// <see cref="Patience"/> times as long, because the machine may be busy.
/// </summary>
internal sealed record FuzzLimits(TimeSpan Time, long Bytes)
{
    public const int Patience = 10;
}

/// <summary>
/// A child process that runs programs until one of them kills it; then the next program gets a new one.
/// </summary>
internal sealed class WorkerProcess(FuzzLimits limits) : IDisposable
{
    // How often to check the memory of a busy child.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    // The number of lines and characters of the error stream in a find: an assertion is among the first of them.
    private const int MostErrors = 12;
    private const int MostErrorText = 400;

    private Process? process;
    private BlockingCollection<string> lines = [];
    private ConcurrentQueue<string> errors = new();
    private Thread? errorReader;
    private string stage = "";
    private TimeSpan spent;
    private TimeSpan current;

    /// <summary>The processor time of all processes.</summary>
    public TimeSpan ProcessorTime => spent + current;

    public FuzzReport Run(string source, IReadOnlyList<FuzzConfig> configs)
    {
        if (process is null || process.HasExited) Start();
        stage = "";
        // Warnings about an earlier program do not explain this one's death.
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
            // An answer that is too late, or took too much memory, does not count.
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
                // Recorded now, since a dead process can no longer be queried.
                current = load.Busy;
                return JsonSerializer.Deserialize<FuzzReport>(text)!;
            }
            // Each way of running has its own time limit: together they may compile a program for dozens of targets.
            (stage, begun) = (text, load.Busy);
            clock.Restart();
        }
    }

    public void Dispose() => Stop();

    private void Start()
    {
        Stop();
        var start = ChildProcess.StartInfo(["fuzz", "--worker"]);
        // Workers are expected to die; core dumps are not wanted.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        process = Process.Start(start)!;
        (lines, errors) = (new(), new());
        // Each process has its own queues, so that late output of a dead one is not taken for the next one's.
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
        // The runtime's own text says little, but LLVM's names its assertion.
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
            // It has ended by itself meanwhile.
        }
        spent += current;
        current = default;
        process.Dispose();
        process = null;
    }
}
