// In: the names of stages as they end. Out: the time of each, by the clock and of the processors, since the process
// began.
using System.Diagnostics;
using System.Globalization;
using System.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// The time between two ends counts for the stage that ends second; for a stage that ends several times (once an entry)
/// it is summed. Processor time includes all threads: on a busy machine it is the figure to compare.
/// </summary>
internal sealed class StageTimes
{
    private readonly List<(string Name, TimeSpan Clock, TimeSpan Processor)> stages = [];
    private readonly DateTime start;
    private TimeSpan clock;
    private TimeSpan processor;

    public StageTimes()
    {
        using var process = Process.GetCurrentProcess();
        start = process.StartTime.ToUniversalTime();
        End("start");
    }

    public void End(string name)
    {
        var (now, used) = (DateTime.UtcNow - start, Environment.CpuUsage.TotalTime);
        var at = stages.FindIndex(s => s.Name == name);
        var known = at < 0 ? default : stages[at];
        var ended = (name, known.Clock + now - clock, known.Processor + used - processor);
        if (at < 0) stages.Add(ended);
        else stages[at] = ended;
        (clock, processor) = (now, used);
    }

    /// <summary>One line: `start 60 (50), parse …` and the sums, in milliseconds.</summary>
    public override string ToString()
    {
        string Line(string name, TimeSpan clock, TimeSpan processor) =>
            string.Create(CultureInfo.InvariantCulture,
                $"{name} {clock.TotalMilliseconds:0} ({processor.TotalMilliseconds:0})");
        return $"stages, ms (processor ms): {string.Join(", ", stages.Select(s => Line(s.Name, s.Clock, s.Processor)))}; "
            + $"{Line("from process start", clock, processor)}, {JitInfo.GetCompiledMethodCount()} methods by the JIT in "
            + string.Create(CultureInfo.InvariantCulture, $"{JitInfo.GetCompilationTime().TotalMilliseconds:0}");
    }
}
