// In: kinds, a seed, a range of numbers. Out: a line when each input begins and ends, for the watching process.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Accelerate.Runtime;

namespace Accelerate.Cli.Hostile;

/// <summary>An input, its command, and its forbidden effect.</summary>
internal sealed record HostileFinding(long Number, string Command, string Problem)
{
    /// <summary>True if the input ended but exceeded the time limit.</summary>
    public bool IsSlow => Problem.StartsWith(HostileWorker.Slow, StringComparison.Ordinal)
        && Problem.EndsWith(" s", StringComparison.Ordinal);
}

/// <summary>
/// Runs inputs one after the other in this process, each in its own folder, and checks the files it leaves.
/// <see cref="HostileWatch"/> handles inputs that kill the process or do not end.
/// </summary>
internal sealed partial class HostileWorker
{
    public const double Seconds = 2;
    public const long Bytes = 1L << 30;
    public const string Slow = "takes";

    private readonly string root;
    private readonly IReadOnlyList<string> kinds;
    private readonly long seed;
    private readonly Corpus corpus;
    private readonly string folder;
    private readonly string temporary;

    /// <param name="root">The worker's own folder.</param>
    /// <param name="kinds">The kinds of input, used in turn.</param>
    /// <param name="seed">The seed of all inputs.</param>
    /// <param name="corpus">The texts that mutants are made from.</param>
    public HostileWorker(string root, IReadOnlyList<string> kinds, long seed, Corpus corpus)
    {
        (this.root, this.kinds, this.seed, this.corpus) = (root, kinds, seed, corpus);
        folder = Path.Combine(root, "in");
        temporary = Path.Combine(root, "tmp");
        Directory.CreateDirectory(temporary);
    }

    public void Run(long first, long count, TextWriter report)
    {
        WarmUp();
        report.Write("ready\n");
        for (var number = first; number < first + count; number++)
        {
            var input = HostileInputs.Make(kinds, seed, number, corpus);
            report.Write($"begin {number} {input.ToString().Replace('\n', ' ')}\n");
            report.Flush();
            var (code, found) = Try(input);
            // The first input to reach a place in the compiler waits for the JIT, so it is tried again with compiled
            // code.
            if (found is [var only] && only.StartsWith(Slow, StringComparison.Ordinal)) (code, found) = Try(input);
            report.Write($"end {number} {input.Kind} {code}\n");
            foreach (var problem in found) report.Write($"bad {number} {problem.Replace('\n', ' ')}\n");
            report.Flush();
        }
    }

    /// <summary>Saves the files of an input and its command in a permanent folder.</summary>
    public static void Keep(HostileInput input, string folder)
    {
        Directory.CreateDirectory(folder);
        Directory.SetCurrentDirectory(folder);
        foreach (var file in input.Files) Make(file);
    }

    public (int Code, List<string> Found) Try(HostileInput input)
    {
        Remove(folder);
        Keep(input, folder);
        var before = State();
        var (output, error) = (new StringWriter(), new StringWriter());
        ResetPeak();
        var (resting, busy) = (Memory("VmRSS:"), Environment.CpuUsage.TotalTime);
        var watch = Stopwatch.StartNew();
        int code;
        try
        {
            code = input.Call is { } call ? call() : Accc.Run(input.Command, output, error);
        }
        catch (Exception e)
        {
            code = ExitCodes.Bug;
            error.Write($"{e.GetType().Name}: {e.Message} {Place(e.StackTrace)}");
        }
        // The smaller of both: waiting for a processor is not the input's fault, and using two does not count double.
        var seconds = Math.Min(watch.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - busy).TotalSeconds);
        var grown = Memory("VmHWM:") - resting;
        Directory.SetCurrentDirectory(root);
        var found = new List<string>();
        var said = error.ToString();
        if (!input.Allows(code)) found.Add($"exit code {code}: {FirstLine(said)} {Stack()}");
        if (code is not (ExitCodes.Ok or ExitCodes.Bug) && input.Call is null
            && said.Length + output.ToString().Length == 0)
            found.Add($"exit code {code} without a word");
        if (seconds > Seconds) found.Add(string.Create(CultureInfo.InvariantCulture, $"{Slow} {seconds:0.0} s"));
        if (grown > Bytes) found.Add($"takes {grown >> 20} MiB");
        if (Raw(output.ToString() + said) is { } raw)
            found.Add($"writes the control character U+{(int)raw:X4} as it is");
        // A bug leaves a reproducer.
        if (code != ExitCodes.Bug) found.AddRange(Left(input, before));
        Clean(temporary);
        return (code, found);
    }

    /// <summary>Compiles the command's own code, whose time would otherwise count for the first input.</summary>
    private void WarmUp()
    {
        foreach (var stage in (string[])["syntax", "llvm"])
            Try(new("acc", [new RegularFile("a.acc", Corpus.BuiltIn[5])], ["dump", "a.acc", "--stage", stage]));
        foreach (var backend in (string[])["llvm", "interpreter"])
            Try(new("acc", [new RegularFile("a.acc", Corpus.BuiltIn[0])],
                ["run", "./a.acc", "add", "x=zeros", "y=ones", "n=2", "m=3", "--backend", backend]));
        foreach (var kind in kinds) HostileInputs.Make([kind], seed, 0, corpus);
    }

    /// <summary>Files that were created, changed or removed although the input does not allow it.</summary>
    private IEnumerable<string> Left(HostileInput input, Dictionary<string, string> before)
    {
        var after = State();
        foreach (var (name, what) in after)
        {
            var first = name.Split('/')[0];
            if (input.Written.Contains(first) || IsOutput(input, name)) continue;
            if (!before.TryGetValue(name, out var was)) yield return $"leaves {Reproducer.Quoted(name)}";
            else if (was != what) yield return $"changes {Reproducer.Quoted(name)} from {was} to {what}";
        }
        foreach (var name in before.Keys.Where(n => !after.ContainsKey(n)))
            yield return $"removes {Reproducer.Quoted(name)}";
        foreach (var path in Directory.GetFileSystemEntries(temporary))
            yield return $"leaves {Path.GetFileName(path).Split('-')[0]} in the temporary folder";
    }

    /// <summary>
    /// Whether the command names that file as an output: then it may change, if it is a regular file that the command
    /// does not read.
    /// </summary>
    private static bool IsOutput(HostileInput input, string name)
    {
        var option = "";
        foreach (var word in input.Command)
        {
            if (option is "-o" or "--save-state" or "--database" or "--save-temps" && Names(word)) return true;
            if (option == "--out" && (Names(word) || Names(word[(word.IndexOf('=') + 1)..]))) return true;
            if (word.IndexOf('=') is > 0 and var at && word.StartsWith('-')
                && (Names(word[(at + 1)..]) || Names(word[(word.LastIndexOf('=') + 1)..]))) return true;
            option = word;
        }
        // `fmt` writes its inputs.
        return input.Command.Contains("fmt") && input.Command.Any(Names);

        bool Names(string word)
        {
            var path = Path.GetRelativePath(".", word.Length == 0 || word.Contains('\0') ? "?" : word);
            return path == name || name.StartsWith(path + "/", StringComparison.Ordinal)
                || (name == "hello.acc" && path == "link.acc") || (name == "nowhere" && path == "dangling");
        }
    }

    /// <summary>Every name below the folder, with its kind, permissions and contents.</summary>
    private Dictionary<string, string> State() => Directory
        .GetFileSystemEntries(folder, "*",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .ToDictionary(path => Path.GetRelativePath(folder, path), path =>
        {
            if (FileStatus.Of(path, follow: false) is not { } status) return "nothing";
            var content = status.Kind == FileKind.Regular ? Content(path) : new FileInfo(path).LinkTarget ?? "";
            return $"{status.Kind} {(int)status.Mode:X} {status.Node} {content}";
        });

    private static string Content(string path)
    {
        try
        {
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))[..16];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unreadable";
        }
    }

    internal static void Make(HostileFile file)
    {
        switch (file)
        {
            case RegularFile regular:
                File.WriteAllBytes(file.Name, regular.Bytes);
                if (regular.Mode is { } mode && !OperatingSystem.IsWindows()) File.SetUnixFileMode(file.Name, mode);
                break;
            case FolderFile: Directory.CreateDirectory(file.Name); break;
            case LinkFile link: File.CreateSymbolicLink(file.Name, link.Target); break;
            case PipeFile when OperatingSystem.IsLinux(): _ = MakePipe(file.Name, ReadWriteAll); break;
            // The memory devices have the major number 1; only root can create them.
            case DeviceFile device when OperatingSystem.IsLinux():
                _ = MakeNode(file.Name, CharacterDevice | ReadWriteAll, (1 << 8) | (ulong)device.Minor);
                break;
        }
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    private static void Clean(string path)
    {
        foreach (var entry in Directory.GetFileSystemEntries(path))
            if (Directory.Exists(entry)) Directory.Delete(entry, recursive: true);
            else File.Delete(entry);
    }

    /// <summary>The exception in a bug's reproducer, with the first stack frame of ours.</summary>
    private string Stack()
    {
        if (Directory.GetFiles(temporary, "stack.txt", SearchOption.AllDirectories) is not [var path, ..]) return "";
        var text = File.ReadAllText(path);
        return $"{text.Split(':')[0]} {Place(text)}";
    }

    private static string Place(string? stack)
    {
        var line = stack?.Split('\n').FirstOrDefault(l => l.Contains(" at Accelerate.", StringComparison.Ordinal));
        return line is null ? "" : line.Trim().Split('(')[0];
    }

    private static string FirstLine(string text) =>
        text.Split('\n')[0] is var line && line.Length > 200 ? line[..200] : line;

    /// <summary>A character that controls a terminal or reverses the direction of text.</summary>
    private static char? Raw(string text)
    {
        foreach (var c in text)
        {
            var turns = c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
            if (turns || (char.IsControl(c) && c is not ('\n' or '\t'))) return c;
        }
        return null;
    }

    /// <summary>A figure of this process's memory, in bytes.</summary>
    private static long Memory(string name)
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status)) return 0;
        var line = File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0
            : 1024 * long.Parse(line[name.Length..^"kB".Length], CultureInfo.InvariantCulture);
    }

    private static void ResetPeak()
    {
        try
        {
            if (OperatingSystem.IsLinux()) File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without a reset, the peak covers all inputs so far, so an excessive one counts several times.
        }
    }

    private const uint ReadWriteAll = 0x1b6;
    private const uint CharacterDevice = 0x2000;

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mknod", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, ulong device);
}
