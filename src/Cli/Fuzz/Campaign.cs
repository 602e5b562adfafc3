// In: seeds and limits. Out: lines on the terminal: each find with its shrunk program, and the coverage at the end.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// A series of programs. Finds of the same kind, judged by the steps of their shrunk program, are reported once.
/// </summary>
internal sealed class Campaign(Terminal terminal, FuzzMatrix matrix, FuzzLimits limits, string? folder)
{
    // Finds whose messages differ only in numbers mostly have one cause, and shrinking each takes seconds.
    private const int MostShrunk = 3;

    // Also the lock that threads hold while they update the counts below and write.
    private readonly Coverage coverage = new();
    private readonly Dictionary<string, int> seen = [];
    private readonly Dictionary<string, int> known = [];
    private readonly Dictionary<string, int> unsupported = [];
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private long elements;
    private int ran;
    private int failed;
    private int refused;
    private volatile int finds;
    private int numPyPrograms;
    private long numPyElements;

    /// <summary>Runs the programs of the seeds from <paramref name="first"/> on, in that many processes.</summary>
    /// <returns>The number of programs with a difference.</returns>
    public int Run(int first, int count, TimeSpan? time, IReadOnlyCollection<string> avoid, bool keepGoing, int jobs)
    {
        Say($"seed {first}; {string.Join(", ", matrix.Backends)}; {string.Join(", ", matrix.Targets)}");
        var (next, ended) = (-1, 0);
        var processor = TimeSpan.Zero;
        Exception? failure = null;
        void Work()
        {
            using var worker = new WorkerProcess(limits);
            while ((time is null || clock.Elapsed < time) && (keepGoing || finds == 0)
                && Volatile.Read(ref failure) is null)
            {
                var at = Interlocked.Increment(ref next);
                if (at >= count) break;
                var seed = first + at;
                var program = Generator.Make(seed, avoid);
                var report = worker.Run(program.Source(), matrix.Draw(new Random(seed ^ 0x5EED)));
                lock (coverage)
                {
                    ended++;
                    Count(report);
                }
                if (report.Finds is [var find, ..]) Found(program, find, worker);
            }
            lock (coverage) processor += worker.ProcessorTime;
        }
        // An exception on a thread, for example for a folder that cannot be written, ends the command.
        void Guarded()
        {
            try
            {
                Work();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }
        List<Thread> threads = [.. Enumerable.Range(0, jobs).Select(_ => new Thread(Guarded))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        Summary(first, ended, processor);
        return finds;
    }

    public int Replay(IEnumerable<string> files)
    {
        using var worker = new WorkerProcess(limits);
        foreach (var file in files)
        {
            var text = ModelLoader.ReadSource(file).Text;
            var header = FuzzHeader.Read(text);
            // First the configuration of the find, because another one may kill the process.
            var report = worker.Run(text, [.. header.On, .. matrix.All().Except(header.On)]);
            foreach (var find in report.Finds) Say($"{file}: {Line(find)}");
            if (report.Finds.Count > 0) finds++;
            else Say($"{file}: no difference");
        }
        return finds;
    }

    private void Count(FuzzReport report)
    {
        if (report.Refused is not null)
        {
            refused++;
            return;
        }
        ran++;
        if (report.Failed) failed++;
        elements += report.Elements;
        numPyPrograms += report.NumPyPrograms;
        numPyElements += report.NumPyElements;
        coverage.Add(report.Coverage);
        foreach (var limit in report.Limits.Select(Normal))
            unsupported[limit] = unsupported.GetValueOrDefault(limit) + 1;
    }

    private void Found(FuzzProgram program, FuzzFind find, WorkerProcess worker)
    {
        lock (coverage)
        {
            finds++;
            var message = $"{find.Kind} {find.Config.Split(' ')[0]} {Normal(find.Message)}";
            var times = seen[message] = seen.GetValueOrDefault(message) + 1;
            if (times > MostShrunk) return;
            Say($"{Seconds} seed {program.Seed}: {Line(find)}");
        }
        var small = Shrinker.Shrink(worker, find, program);
        lock (coverage)
        {
            var key = $"{find.Kind} {find.Config.Split(' ')[0]} {small.Ops}";
            var again = known[key] = known.GetValueOrDefault(key) + 1;
            Say($"    seed {program.Seed} {(again > 1 ? "has the same steps as one before" : "shrunk")}: {small.Ops}");
            if (again > 1) return;
            var source = small.Source(find.IsOfEveryRun ? "" : find.Config);
            source = source.Insert(source.IndexOf('\n') + 1, $"# {Line(find)}\n");
            foreach (var line in source.TrimEnd().Split('\n')) Say($"    {line}");
            if (folder is null) return;
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, $"{find.Kind.Replace(' ', '_')}-{program.Seed}.acc"), source);
        }
    }

    private void Summary(int first, int made, TimeSpan processor)
    {
        terminal.Output.Write(coverage.Table());
        foreach (var (what, count) in unsupported.OrderByDescending(u => u.Value))
            Say($"not supported: {count} x {what}");
        Say(string.Create(CultureInfo.InvariantCulture,
            $"{made} programs from seed {first}, {ran} ran ({failed} with a call that fails everywhere), "
            + $"{refused} refused, {elements} elements compared; {clock.Elapsed.TotalSeconds:F0} s, of processors "
            + $"{processor.TotalSeconds:F0} s, {made / Math.Max(processor.TotalSeconds, 1e-3):F1} programs a second "
            + $"of them"));
        if (matrix.NumPy) Say($"{numPyPrograms} programs, {numPyElements} elements compared with NumPy");
        foreach (var (message, count) in seen.OrderByDescending(s => s.Value)) Say($"{count} x {message}");
        Say($"{finds} programs with a difference, {known.Count} kinds");
    }

    private string Seconds => string.Create(CultureInfo.InvariantCulture, $"[{clock.Elapsed.TotalSeconds:F0} s]");

    private static string Line(FuzzFind find) => $"{find.Kind} on {find.Config}: {find.Message}".Replace('\n', ' ');

    /// <summary>The first line of a message, without its numbers.</summary>
    private static string Normal(string message)
    {
        var text = Regex.Replace(message.Split('\n')[0], "[-]?[0-9]+([.][0-9]+)?(E[-+][0-9]+)?", "#");
        return text.Length > 140 ? text[..140] : text;
    }

    private void Say(string line)
    {
        terminal.Output.Write(line + "\n");
        terminal.Output.Flush();
    }
}
