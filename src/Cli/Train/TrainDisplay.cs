// In: reports of training. Out: a line an epoch; on a terminal a bar with the current metrics and the remaining time,
// elsewhere an occasional line.
using System.Diagnostics;
using System.Globalization;
using Accelerate.Training;
using Spectre.Console;

namespace Accelerate.Cli.Train;

/// <summary>Epochs go to standard output, progress to standard error.</summary>
internal sealed class TrainDisplay(Terminal terminal) : ITrainingObserver, IDisposable
{
    /// <summary>Without a terminal, an occasional line shows that the run is alive.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    /// <summary>The interval of updates: nobody reads faster, and a step may take less time than drawing.</summary>
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly TaskCompletionSource ended = new();
    private IAnsiConsole? console;
    private Task? drawing;
    private ProgressTask? bar;
    private TimeSpan last;
    private long begin;
    private long total;
    private (double Seconds, long Examples) epoch;
    private (double Seconds, long Examples) now;

    public void Starts(long done, long total, long epochSteps)
    {
        (begin, this.total) = (done, total);
        var from = done > 0 ? string.Create(CultureInfo.InvariantCulture, $", from step {done}") : "";
        terminal.Output.Write(string.Create(CultureInfo.InvariantCulture,
            $"{epochSteps} steps an epoch, {total} in all{from}\n"));
        if (Console.IsErrorRedirected) return;
        // Not through the terminal's writer, which would escape the drawing commands.
        console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var started = new TaskCompletionSource();
        drawing = Task.Run(() => console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(),
                new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                bar = context.AddTask("training", maxValue: total);
                bar.Increment(done);
                started.SetResult();
                await ended.Task;
            }));
        started.Task.Wait();
    }

    public void Steps(StepReport report)
    {
        now = (report.Seconds, now.Examples + report.Examples);
        if (report.IsSkipped) Line(string.Create(CultureInfo.InvariantCulture,
            $"step {report.Step} is skipped: {Text(report.Metrics)}"), terminal.Error);
        if (watch.Elapsed - last < (bar is null ? Quiet : Frame)) return;
        last = watch.Elapsed;
        if (bar is null)
        {
            var left = (total - report.Step) * report.Seconds / Math.Max(1, report.Step - begin);
            terminal.Error.Write(string.Create(CultureInfo.InvariantCulture,
                $"step {report.Step} of {total}: {Text(report.Metrics)}, {Rate(default)} examples/s, {left:0} s left")
                + "\n");
            return;
        }
        bar.Value = report.Step;
        bar.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture,
            $"epoch {report.Epoch} {Text(report.Metrics)} {Rate(default)}/s"));
    }

    public void Judges(EpochReport report)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{(report.EndsEpoch ? $"epoch {report.Epoch}" : $"step {report.Step}")}: {Text(report.Training)}");
        if (report.Validation.Count > 0) text += $"; valid {Text(report.Validation)}";
        if (report.IsBest) text += " (best)";
        Line($"{text}; {Rate(epoch)} examples/s", terminal.Output);
        if (report.EndsEpoch) epoch = now;
    }

    public void Dispose()
    {
        if (!ended.TrySetResult()) return;
        drawing?.Wait();
    }

    private static string Text(IReadOnlyList<Metric> metrics) => string.Join(' ', metrics.Select(m =>
        string.Create(CultureInfo.InvariantCulture, $"{m.Name} {m.Value:G4}")));

    private string Rate((double Seconds, long Examples) since) => now.Seconds <= since.Seconds ? "-"
        : ((now.Examples - since.Examples) / (now.Seconds - since.Seconds)).ToString("0", CultureInfo.InvariantCulture);

    /// <summary>Prints above the bar if both use one terminal.</summary>
    private void Line(string text, TextWriter writer)
    {
        if (console is not null && (writer == terminal.Error || !Console.IsOutputRedirected)) console.WriteLine(text);
        else writer.Write(text + "\n");
    }
}
