// In: kinds, a seed, a range of numbers. Out: a line as each input begins and ends, for the process that watches.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Accelerate.Runtime;

namespace Accelerate.Cli.Hostile;

/// <summary>An input, what was run, and what it did that none may.</summary>
internal sealed record HostileFinding(long Number, string Command, string Problem)
{
    /// <summary>True for what ended, and took longer than an input may.</summary>
    public bool IsSlow => Problem.StartsWith(HostileWorker.Slow, StringComparison.Ordinal)
        && Problem.EndsWith(" s", StringComparison.Ordinal);
}

/// <summary>
/// Runs inputs one after the other in this process, each in a folder of its own, and looks at what it left behind. What
/// ends the process, or does not end, is for <see cref="HostileWatch"/> to see.
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

    /// <param name="root">A folder of the worker's own.</param>
    /// <param name="kinds">What is made in turn.</param>
    /// <param name="seed">Of all inputs.</param>
    /// <param name="corpus">What mutants are made of.</param>
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
            // The first that comes to a place in the compiler waits for that place's own code: once more, with it.
            if (found is [var only] && only.StartsWith(Slow, StringComparison.Ordinal)) (code, found) = Try(input);
            report.Write($"end {number} {input.Kind} {code}\n");
            foreach (var problem in found) report.Write($"bad {number} {problem.Replace('\n', ' ')}\n");
            report.Flush();
        }
    }

    /// <summary>The files of an input, and its command, in a folder that stays.</summary>
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
        // Waiting for a processor is not the input's fault, and two processors are no excuse.
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
        // A bug leaves what shows it again.
        if (code != ExitCodes.Bug) found.AddRange(Left(input, before));
        Clean(temporary);
        return (code, found);
    }

    /// <summary>Compiles the command's own code, which would count to whichever input came first.</summary>
    private void WarmUp()
    {
        foreach (var stage in (string[])["syntax", "llvm"])
            Try(new("acc", [new RegularFile("a.acc", Corpus.BuiltIn[5])], ["dump", "a.acc", "--stage", stage]));
        foreach (var backend in (string[])["llvm", "interpreter"])
            Try(new("acc", [new RegularFile("a.acc", Corpus.BuiltIn[0])],
                ["run", "./a.acc", "add", "x=zeros", "y=ones", "n=2", "m=3", "--backend", backend]));
        foreach (var kind in kinds) HostileInputs.Make([kind], seed, 0, corpus);
    }

    /// <summary>What was made, changed or removed though the input does not say so.</summary>
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

    /// <summary>Whether the command names that file as one to write: what stands there may then change, if it is a
    /// regular file and none that the command reads.</summary>
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
        // `fmt` writes what it reads.
        return input.Command.Contains("fmt") && input.Command.Any(Names);

        bool Names(string word)
        {
            var path = Path.GetRelativePath(".", word.Length == 0 || word.Contains('\0') ? "?" : word);
            return path == name || name.StartsWith(path + "/", StringComparison.Ordinal)
                || (name == "hello.acc" && path == "link.acc") || (name == "nowhere" && path == "dangling");
        }
    }

    /// <summary>Every name below the folder, with what it is: kind, permissions and contents.</summary>
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
            // The memory devices have the major number 1; who is not root goes without.
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

    /// <summary>The exception in the reproducer that a bug left, with the first place of ours.</summary>
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

    /// <summary>A character that a terminal obeys, or that turns what a reader sees.</summary>
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
            // Then the peak is that of all inputs up to now, and one that is too large is counted more than once.
        }
    }

    private const uint ReadWriteAll = 0x1b6;
    private const uint CharacterDevice = 0x2000;

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mknod", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, ulong device);
}
