// In: a random generator. Out: a meaningless command line: any command, options, values and files.
using System.CommandLine;

namespace Accelerate.Cli.Hostile;

/// <summary>
/// Commands and options are taken from accc itself, so new ones are tested without a change here. The files are of
/// every kind that a file system has.
/// </summary>
internal static class HostileCommandLines
{
    /// <summary>
    /// Commands that start processes, and would start themselves; and measuring a machine's limits takes seconds.
    /// </summary>
    private static readonly string[] NotTried = ["fuzz", "fuzz-input", "limits"];

    private static readonly HostileFile[] Files =
    [
        new RegularFile("hello.acc", Corpus.BuiltIn[0]),
        new RegularFile("net.acc", Corpus.BuiltIn[5]),
        new RegularFile("a b.acc", Corpus.BuiltIn[0]),
        new RegularFile("ünï😀.acc", Corpus.BuiltIn[0]),
        new RegularFile("new\nline.acc", Corpus.BuiltIn[0]),
        new RegularFile("esc\u001b[31m.acc", Corpus.BuiltIn[0]),
        new RegularFile("-dash.acc", Corpus.BuiltIn[0]),
        new RegularFile("=.acc", Corpus.BuiltIn[0]),
        new RegularFile("empty.acc", ""),
        new RegularFile("none.acc", Corpus.BuiltIn[0]) { Mode = UnixFileMode.None },
        new RegularFile("binary.acc", [0, 255, 254, 128, 10, 13, 0]),
        new RegularFile("x.npy", [.. HostileData.NpyHeader("<f4", "(3,)"), .. new byte[12]]),
        new RegularFile("mine.txt", "keep me\n"),
        new FolderFile("folder"),
        new FolderFile("folder.acc"),
        new PipeFile("pipe"),
        new PipeFile("pipe.acc"),
        new LinkFile("link.acc", "hello.acc"),
        new LinkFile("dangling", "nowhere"),
        new LinkFile("loop", "loop"),
        new DeviceFile("null", 3),
        new DeviceFile("zero", 5),
        new DeviceFile("full", 7),
    ];

    private static readonly string[] Paths =
    [
        .. Files.Select(f => f.Name), "", " ", "@", "-", "--", ".", "..", "/dev", "missing", "missing.acc",
        "missing/file.acc", "hello.acc/file", "./hello.acc", new string('a', 300), new string('b', 5000), "a\0b.acc",
        "new", "new.npy", "folder/new.npy", "*", "~", "$HOME", "\ufeff", "\u202ecca.olleh",
    ];

    private static readonly string[] Words =
    [
        "add", "apply", "fn", "", "x=zeros", "y=ones", "n=3", "m=2", "x=[1]", "x=[[1,2],[3,4]]", "y=[1,2]", "n=-1",
        "n=99999999999", "m=9223372036854775807", "x=@", "x=@x.npy", "x=@missing", "x=@folder", "x=@pipe", "x=@null",
        "x=@zero", "x=", "=", "=x", "x=random:seed=1", "x=random:low=9,high=1", "x=random:high=1e400", "x=random:",
        "x=[", "x=[1,[2]]", "x=nan", "ACC2001", "2001", "llvm", "interpreter", "opencl", "graph", "none",
        "default<O2>", "nope", "1,2", "0", "-1", "1e9", "host", "x86-64-v3", "bf16", "f16", "direct", "json",
        "msbuild", "pretty", "reference", "width=2", "width=-1", "width=99999999999", "0=new.npy", "0=hello.acc",
        "0=x.npy", "calls=new", "w=x.npy",
    ];

    public static HostileInput Make(Random random, Corpus corpus)
    {
        var commands = Accc.Root(new Terminal(TextWriter.Null, TextWriter.Null)).Subcommands
            .Where(c => !NotTried.Contains(c.Name))
            .Where(c => !PlannedCommands.Names.Contains(c.Name) || random.Next(20) == 0).ToList();
        var command = commands[random.Next(commands.Count)];
        var words = new List<string>();
        if (random.Next(30) > 0) words.Add(command.Name);
        // Often a valid beginning, so that the rest is reached.
        if (random.Next(3) > 0) words.AddRange(Beginning(random, command));
        else
            foreach (var argument in command.Arguments.Take(random.Next(4))) words.Add(Value(random, argument.Name));
        for (var left = random.Next(4); left > 0; left--)
        {
            var options = command.Options;
            if (options.Count == 0 || random.Next(6) == 0)
            {
                words.Add(Value(random, ""));
                continue;
            }
            var option = options[random.Next(options.Count)];
            words.Add(random.Next(20) == 0 ? option.Name[..^1] : option.Name);
            if (option.ValueType != typeof(bool) && random.Next(15) > 0) words.Add(Value(random, option.Name));
        }
        // Otherwise most inputs would sample for half a second.
        if (command.Name is "bench" or "time") words.AddRange(["--seconds", "0.001"]);
        if (command.Name is "bench" && !words.Contains("--database")) words.AddRange(["--database", "none"]);
        return new("cli", Files, words) { Written = ["new", "new.npy"], IsCommandWrong = true };
    }

    private static IEnumerable<string> Beginning(Random random, Command command)
    {
        var source = random.Next(3) > 0 ? "hello.acc" : random.Pick(Paths);
        return command.Name switch
        {
            "run" or "time" or "bisect" => [source, "add", "x=[[1,2],[3,4]]", "y=[1,2]"],
            "bench" => [source, "add", "n=2", "m=2"],
            "dump" => [source, "--stage", random.Pick([.. StageTexts.Stages.Keys])],
            "explain" => [random.Pick(["ACC2001", "2001", "9"])],
            "env" => [],
            _ => [source],
        };
    }

    private static string Value(Random random, string name) => name switch
    {
        "FILE" or "FILES" or "PATHS" => random.Pick(Paths),
        "-o" or "--save-state" or "--database" or "--save-temps" => random.Pick(Paths),
        "--out" => random.Next(2) == 0 ? random.Pick(Paths) : $"0={random.Pick(Paths)}",
        "--weights" => random.Next(2) == 0 ? random.Pick(Paths)
            : $"{random.Pick(["fc", "", "a.b"])}={random.Pick(Paths)}",
        "ARGS" or "SIZES" or "FN" => random.Pick(Words),
        _ => random.Next(4) switch
        {
            0 => random.Pick(Paths),
            1 => random.Pick(Mutation.Numbers),
            2 => random.Pick(Words),
            _ => Known(random, name),
        },
    };

    private static string Known(Random random, string name) => name switch
    {
        "--backend" or "--on" or "--backends" =>
            random.Pick(["llvm", "interpreter", "opencl", "reference", "llvm,opencl", ",", ""]),
        "--target" => random.Pick(["host", "x86-64", "x86-64-v3", "x86-64-v4", "HOST", "", "arm64", "x86-64,+avx512f"]),
        "--passes" => random.Pick(["default<O2>", "nope", "", "default<O9>", "mem2reg,", "function(", "verify"]),
        "--set" => random.Pick(["width=2", "width=", "=2", "width=[1", "width=true", "width=\"a\"", "nope=1",
            "width=1.5", "width=-3"]),
        "--dim" => random.Pick(["n=1", "m=0", "n=", "n=-1", "n=99999999999", "m=9223372036854775807", "nope=1"]),
        "--compute" => random.Pick(["bf16", "f16", "f32", ""]),
        "--conv" => random.Pick(["direct", "winograd", ""]),
        "--threads" => random.Pick(["1", "2", "0", "1025", "-1", "1,2", ""]),
        "-O" => random.Pick(["0", "1", "2", "3", "4", "-1", "x"]),
        "--stage" => random.Pick(["syntax", "graph", "opt", "grad", "nope", ""]),
        "--function" => random.Pick(["add", "ad", "", "nope"]),
        "--memory" => random.Pick(["4G", "1", "0", "-1", "1K", "99999999999G", "G", "4 G", "1e3", ""]),
        _ => random.Pick(Words),
    };
}
