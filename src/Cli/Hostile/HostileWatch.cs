// In: the number and kinds of inputs. Out: their forbidden effects; a process that dies or hangs is restarted.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Cli.Hostile;

/// <param name="Kinds">The kinds of input, used in turn.</param>
/// <param name="Seed">The seed of all inputs.</param>
/// <param name="First">The number of the first input.</param>
/// <param name="Count">The maximum number of inputs.</param>
/// <param name="Patience">The maximum time.</param>
/// <param name="Folders">The folders of programs to mutate.</param>
internal sealed record HostilePlan(IReadOnlyList<string> Kinds, long Seed, long First, long Count, TimeSpan Patience,
    IReadOnlyList<string> Folders);

/// <param name="Ran">The number of inputs run, by kind.</param>
/// <param name="Codes">Exit codes, by kind and code.</param>
/// <param name="Findings">The findings, in the order of input numbers.</param>
internal sealed record HostileReport(IReadOnlyDictionary<string, long> Ran, IReadOnlyDictionary<string, long> Codes,
    IReadOnlyList<HostileFinding> Findings);

/// <summary>The process that watches the worker.</summary>
internal sealed class HostileWatch(HostilePlan plan)
{
    // Inputs that end report exceeding the limit themselves; this detects inputs that hang or do not end.
    private const double BusySeconds = 5 * HostileWorker.Seconds;
    private const double WaitingSeconds = 20;

    // The share of processor time below which a process counts as waiting: on a busy machine, a computing process still
    // gets a little.
    private const double Idle = 0.05;

    private readonly Dictionary<string, long> ran = [];
    private readonly Dictionary<string, long> codes = [];
    private readonly List<HostileFinding> findings = [];

    // Measures only while inputs run, because a worker takes time to start.
    private readonly Stopwatch running = new();

    /// <param name="found">Called with each finding immediately.</param>
    public HostileReport Run(Action<HostileFinding> found)
    {
        var next = plan.First;
        while (next < plan.First + plan.Count && running.Elapsed < plan.Patience) next = Worker(next, found);
        return new(ran, codes, findings);
    }

    /// <summary>
    /// Runs a worker until it ends or is killed; returns the number of the first input that it did not run.
    /// </summary>
    private long Worker(long first, Action<HostileFinding> found)
    {
        var root = Directory.CreateTempSubdirectory("accc-hostile-").FullName;
        try
        {
            using var process = Start(root, first);
            var lines = new ConcurrentQueue<string>();
            process.OutputDataReceived += (_, e) =>
            {
                if (e.Data is { } line) lines.Enqueue(line);
            };
            var errors = new ConcurrentQueue<string>();
            process.ErrorDataReceived += (_, e) =>
            {
                if (e.Data is { Length: > 0 } line && errors.Count < 12) errors.Enqueue(line);
            };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var (number, command, begun, isRunning) = (first, "", ChildProcess.Load(process), false);
            var watch = Stopwatch.StartNew();
            void Read()
            {
                while (lines.TryDequeue(out var line))
                {
                    var words = line.Split(' ', line.StartsWith("begin ", StringComparison.Ordinal) ? 3 : 4);
                    if (words[0] == "ready") running.Start();
                    else if (words[0] == "begin")
                    {
                        (number, command, isRunning) = (Number(words[1]), words[2], true);
                        begun = ChildProcess.Load(process);
                        watch.Restart();
                    }
                    else if (words[0] == "end")
                    {
                        isRunning = false;
                        Count(ran, words[2]);
                        Count(codes, $"{words[2]} {words[3]}");
                        number++;
                    }
                    else if (words[0] == "bad")
                    {
                        Report(Number(words[1]), command, string.Join(' ', words[2..]), found);
                    }
                }
            }
            while (!process.WaitForExit(20))
            {
                Read();
                var now = ChildProcess.Load(process);
                if (isRunning && Over(begun, now, watch.Elapsed.TotalSeconds) is { } problem)
                {
                    process.Kill();
                    process.WaitForExit();
                    Report(number, command, problem, found);
                    return number + 1;
                }
                if (running.Elapsed > plan.Patience)
                {
                    process.Kill();
                    process.WaitForExit();
                    return plan.First + plan.Count;
                }
            }
            process.WaitForExit();
            Read();
            if (process.ExitCode == 0) return plan.First + plan.Count;
            var why = $"the process ends with {process.ExitCode}: {string.Join(" / ", errors)}";
            if (!isRunning) throw new CliException($"the worker did not begin input {number}: {why}");
            Report(number, command, why, found);
            return number + 1;
        }
        finally
        {
            running.Stop();
            Directory.Delete(root, recursive: true);
        }
    }

    private static string? Over((TimeSpan Busy, long Bytes, long) begun, (TimeSpan Busy, long Bytes, long) now, double seconds)
    {
        if (now.Bytes - begun.Bytes > HostileWorker.Bytes) return $"takes more than {HostileWorker.Bytes >> 20} MiB";
        var busy = (now.Busy - begun.Busy).TotalSeconds;
        if (busy > BusySeconds && seconds > BusySeconds) return $"not ended after {BusySeconds} s";
        return seconds > WaitingSeconds && busy < Idle ? $"waits for {WaitingSeconds} s" : null;
    }

    private void Report(long number, string command, string problem, Action<HostileFinding> found)
    {
        var finding = new HostileFinding(number, command, problem);
        findings.Add(finding);
        found(finding);
    }

    private Process Start(string root, long first)
    {
        var start = ChildProcess.StartInfo(["fuzz-input", "--worker", root, "--seed", Text(plan.Seed), "--first",
            Text(first), "--inputs", Text(plan.First + plan.Count - first), "--kinds", string.Join(',', plan.Kinds),
            .. plan.Folders.SelectMany(f => (string[])["--corpus", f])]);
        start.WorkingDirectory = root;
        start.Environment["TMPDIR"] = Path.Combine(root, "tmp");
        start.Environment["ACC_CACHE_DIR"] = Path.Combine(root, "cache");
        var process = Process.Start(start) ?? throw new CliException("the worker cannot be started");
        process.StandardInput.Close();
        return process;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Count(Dictionary<string, long> counts, string key) =>
        counts[key] = counts.GetValueOrDefault(key) + 1;
}
