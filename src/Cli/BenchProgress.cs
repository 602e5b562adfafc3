// In: the processes of a run. Out: on a terminal a bar with the remaining time; elsewhere a line now and then.
using System.Diagnostics;
using Accelerate.Bench.Records;
using Accelerate.Bench.Running;
using Accelerate.Compiler.Diagnostics;
using Spectre.Console;

namespace Accelerate.Cli;

/// <summary>Progress goes to standard error because standard output is for the table.</summary>
internal sealed class BenchProgress : IHarnessObserver, IDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly Terminal terminal;
    private readonly IAnsiConsole console;
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly TaskCompletionSource done = new();
    private Task? drawing;
    private ProgressTask? bar;
    private TimeSpan last;
    private int planned;
    private int ended;

    public BenchProgress(Terminal terminal)
    {
        this.terminal = terminal;
        // A bar needs terminal escapes, which the commands' own output filters out.
        console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    }

    public void Plan(int processes)
    {
        planned = ended + processes;
        if (bar is not null) bar.MaxValue = planned;
        if (bar is not null || Console.IsErrorRedirected) return;
        var started = new TaskCompletionSource();
        drawing = Task.Run(() => console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(),
                new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                bar = context.AddTask("measuring", maxValue: planned);
                started.SetResult();
                await done.Task;
            }));
        started.Task.Wait();
    }

    public void Starts(Arm arm, int block)
    {
        if (bar is not null)
            bar.Description = Markup.Escape(
                VisibleText.Word($"{block + 1}: {arm.Case.Name} {arm.Contender} {arm.Threads}t"));
    }

    public void Ends(ResultRecord record) => Step();

    public void Skips(Arm arm, int block) => Step();

    public void Dispose()
    {
        if (!done.TrySetResult()) return;
        drawing?.Wait();
        if (drawing is null && planned > 0) terminal.Error.Write($"{ended} of {planned} after {watch.Elapsed.TotalSeconds:0} s\n");
    }

    private void Step()
    {
        ended++;
        bar?.Increment(1);
        // Without a terminal, an occasional line shows that the run is alive.
        if (bar is not null || watch.Elapsed - last < Quiet) return;
        last = watch.Elapsed;
        terminal.Error.Write($"{ended} of {planned} after {watch.Elapsed.TotalSeconds:0} s\n");
    }
}
