// Every command with every kind of name a file can have, in the file's own folder: an answer, never a hang or a bug.
using System.Diagnostics;
using Accelerate.Cli;
using Accelerate.Cli.Hostile;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class FileNameTests
{
    /// <summary>The current folder is the process's, which tests share: this one has its own.</summary>
    [Fact]
    public async Task CommandsAnswerForEveryKindOfName()
    {
        using var folder = new TemporaryFolder();
        var start = StartupHook.Start(StartupHook.FileNames);
        start.WorkingDirectory = folder.Root;
        start.Environment["ACC_CACHE_DIR"] = Path.Combine(folder.Root, "cache");
        using var process = Process.Start(start)!;
        // At the same time: a child that fills one pipe waits for its reader.
        var errors = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd() + await errors;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 && said.Contains("names tried", StringComparison.Ordinal), said);
    }

    private static readonly HostileFile[] Files =
    [
        new RegularFile("hello.acc",
            "# --- adds\n# run: add x=[1, 2] == [2, 3]\n\nexport fn add(x: f32[n]) -> f32[n] = x + 1\n"),
        new FolderFile("folder"),
        new FolderFile("folder.acc"),
        new PipeFile("pipe"),
        new PipeFile("pipe.acc"),
        new LinkFile("link.acc", "hello.acc"),
        new LinkFile("dangling.acc", "nowhere"),
        new LinkFile("loop.acc", "loop.acc"),
        new DeviceFile("null", 3),
        new DeviceFile("zero.acc", 5),
    ];

    private static readonly string[] Good =
    [
        "hello.acc", "./hello.acc", "link.acc", "a b.acc", "ünï😀.acc", "new\nline.acc", "esc\u001b[31m.acc",
        "./-dash.acc", "@.acc", "=.acc", "'\".acc", "\\.acc", ".acc",
    ];

    private static readonly (string Name, string Message)[] Bad =
    [
        ("", "'': an empty name is no file's"), (" ", " : no such file"), ("@", "@: no such file"),
        ("@hello.acc", "no such file"), ("missing.acc", "missing.acc: no such file"),
        ("hello.acc/x.acc", "hello.acc/x.acc: "), (".", "is a folder, not a file"), ("..", "is a folder, not a file"),
        ("/", "is a folder, not a file"), ("folder.acc", "folder.acc: is a folder, not a file"),
        ("pipe", "pipe: is a pipe that nobody writes to"), ("dangling.acc", "dangling.acc: no such file"),
        ("loop.acc", "loop.acc: "), ("zero.acc", "zero.acc: is longer than 16 MiB"),
        (new string('a', 300) + ".acc", "too long"),
        ("missing\n.acc", "missing\\u000a.acc: no such file"),
    ];

    /// <summary>In the child: all commands that take a file, on all names.</summary>
    internal static int Child()
    {
        var folder = Directory.GetCurrentDirectory();
        HostileWorker.Keep(new("names", Files, []), Path.Combine(folder, "in"));
        foreach (var name in Good)
            if (!File.Exists(name)) File.Copy("hello.acc", name);
        var wrong = new List<string>();
        void Try(string name, int code, string message, params string[] command)
        {
            var (output, error) = (new StringWriter(), new StringWriter());
            var watch = Stopwatch.StartNew();
            var ended = Accc.Run(command, output, error);
            var said = output.ToString() + error;
            if (ended != code || !said.Contains(message, StringComparison.Ordinal) || said.Contains('\u001b'))
                wrong.Add($"{command[0]} {name}: exit code {ended}, not {code} with '{message}': {said}");
            if (watch.Elapsed.TotalSeconds > 60) wrong.Add($"{command[0]} {name} takes {watch.Elapsed.TotalSeconds} s");
        }
        var tried = 0;
        var all = Good.Select(n => (n, 0, "")).Concat(Bad.Select(b => (b.Name, 1, b.Message)));
        foreach (var (name, code, message) in all)
        {
            tried++;
            Try(name, code, message, "check", name);
            Try(name, code, message, "run", name, "add", "x=[1, 2]", "--backend", "interpreter");
            Try(name, code, message, "dump", name, "--stage", "graph");
            Try(name, code, message, "fmt", "--check", name);
            // A folder is all the cases in it.
            if (!Directory.Exists(name)) Try(name, code, message, "test", "--backends", "interpreter", name);
            if (code == 0) continue;
            Try(name, code, message, "bisect", name, "add", "x=[1, 2]");
            Try(name, code, message, "bench", name, "add", "n=2", "--database", "none");
            Try(name, code, message, "time", name, "add", "x=[1, 2]");
            // Data and weights: the same answers, a pipe and a device are no regular files.
            var data = name is "pipe" or "zero.acc" ? ", not a file" : message;
            Try(name, code, data, "run", "hello.acc", "add", $"x=@{name}", "--backend", "interpreter");
        }
        Try("null", 1, "nothing is exported", "check", "null");
        Try("-dash.acc", 0, "", "check", "-dash.acc");
        Try("-dash.acc", 0, "", "check", "--", "-dash.acc");
        Try("folder", 1, "0 passed", "test", "folder");
        Console.WriteLine($"{tried} names tried");
        foreach (var line in wrong) Console.WriteLine(line);
        return wrong.Count == 0 ? 0 : 1;
    }
}
