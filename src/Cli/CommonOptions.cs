// In: the options shared by all commands on a model. Out: their checked values.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Accelerate.Backends;
using Accelerate.Compiler.Binding;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>The options about a model and its compilation.</summary>
internal sealed record ModelOptions(string File)
{
    public string Backend { get; init; } = "llvm";

    public ExecutableOptions Executable { get; init; } = new();

    public BindOptions Binding { get; init; } = new();

    /// <summary>The dtype to which contractions round their operands; null for the declared one.</summary>
    public DType? Compute { get; init; }

    /// <summary>True to use only the direct form of convolutions.</summary>
    public bool DirectConvolutions { get; init; }

    /// <summary>Weight files, each with the path of the part it is for; `` is the whole model.</summary>
    public IReadOnlyList<(string Path, string File)> Weights { get; init; } = [];

    public DiagnosticFormat Diagnostics { get; init; }

    public string? SaveTemps { get; init; }

    public bool Time { get; init; }

    /// <summary>True to also report what is not used, such as an unusable cache.</summary>
    public bool Verbose { get; init; }
}

/// <summary>The shared options; a command adds those it supports.</summary>
internal sealed class CommonOptions
{
    public Argument<string> File { get; } = new("FILE") { Description = "the .acc file" };

    public Option<string> Backend { get; } = new("--backend")
    {
        Description = "what runs it: llvm, interpreter or opencl",
        DefaultValueFactory = _ => "llvm",
    };

    public Option<string> Target { get; } = new("--target")
    {
        Description = "llvm: host, x86-64-v4, x86-64-v3 or x86-64",
        DefaultValueFactory = _ => "host",
    };

    public Option<string[]> Set { get; } = new("--set")
    {
        Description = "a hyper-parameter of the exported module: --set layers=2, --set dims='[4, 8]'; repeatable",
        HelpName = "name=value",
    };

    public Option<string[]> Dim { get; } = new("--dim")
    {
        Description = "makes a size variable a constant: --dim n=1; repeatable",
        HelpName = "name=n",
    };

    public Option<string?> Compute { get; } = new("--compute")
    {
        Description =
            "bf16 or f16: matmuls, convolutions and attention round their f32 operands to it and accumulate in f32; "
            + "all else, state and results stay as declared",
        HelpName = "bf16|f16",
    };

    public Option<string?> Conv { get; } = new("--conv")
    {
        Description =
            "direct: no convolution in Winograd's form, no norm folded into the weights of one; both round differently",
        HelpName = "direct",
    };

    public Option<string[]> Weights { get; } = new("--weights")
    {
        Description = "a safetensors file for the model's state, or path=FILE for a part of it; repeatable",
        HelpName = "[path=]FILE",
    };

    public Option<int> Threads { get; } = new("--threads")
    {
        Description = "workers of parallel loops",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    public Option<string?> Memory { get; } = new("--memory")
    {
        Description =
            "what a call may take at most, weights, inputs and results included: 4G, 512M; refused before it is taken. "
            + "Otherwise what the machine has",
        HelpName = "BYTES",
    };

    public Option<int> OptLevel { get; } = new("-O")
    {
        Description = "llvm: optimisation, -O0 to -O3; the results' bits do not depend on it",
        DefaultValueFactory = _ => 3,
        HelpName = "0|1|2|3",
    };

    public Option<string?> Passes { get; } = new("--passes")
    {
        Description = "llvm: a pipeline in opt's syntax instead of the level's",
    };

    public Option<DiagnosticFormat> Diagnostics { get; } = new("--diagnostics")
    {
        Description = "how findings are written: pretty, msbuild or json",
        DefaultValueFactory = _ => DiagnosticFormat.Pretty,
        HelpName = "pretty|msbuild|json",
    };

    public Option<string?> SaveTemps { get; } = new("--save-temps")
    {
        Description = "writes what every stage makes into that folder",
        HelpName = "DIR",
    };

    public Option<bool> Verbose { get; } =
        new("--verbose") { Description = "says also why the cache is not used, where it is not" };

    public Option<bool> Time { get; } = new("--time") { Description = "says how long compiling and running took" };

    /// <summary>Adds the file and the options that decide its meaning: all that checking needs.</summary>
    public CommonOptions AddTo(Command command)
    {
        command.Arguments.Add(File);
        foreach (var option in (Option[])[Set, Dim, Compute, Conv, Diagnostics, Verbose]) command.Options.Add(option);
        return this;
    }

    /// <summary>Adds the options of code generation.</summary>
    public CommonOptions AddCodeTo(Command command)
    {
        foreach (var option in (Option[])[Target, OptLevel, Passes]) command.Options.Add(option);
        return this;
    }

    /// <summary>Adds the further options of running.</summary>
    public CommonOptions AddRunTo(Command command)
    {
        foreach (var option in (Option[])[Backend, Weights, Threads, Memory, SaveTemps, Time])
            command.Options.Add(option);
        return this;
    }

    /// <summary>Reads the values; options that the command does not have get their defaults.</summary>
    public ModelOptions Read(ParseResult parsed)
    {
        T Value<T>(Option<T> option, T otherwise) =>
            parsed.CommandResult.Command.Options.Contains(option) ? parsed.GetValue(option) ?? otherwise : otherwise;
        var backend = Value(Backend, "llvm");
        if (!Executables.Backends.Contains(backend))
            throw Usage($"there is no backend '{backend}'", Nearest.Help(backend, Executables.Backends, "backends"));
        var threads = Value(Threads, Environment.ProcessorCount);
        if (threads is < 1 or > 1024)
            throw Usage($"--threads {threads} is not a number of workers", "it takes 1 to 1024");
        var level = Value(OptLevel, 3);
        if (level is < 0 or > 3)
            throw Usage($"-O{level} is not an optimisation level", "the levels are -O0, -O1, -O2 and -O3");
        return new ModelOptions(parsed.GetValue(File)!)
        {
            Backend = backend,
            Executable = new()
            {
                Target = Value(Target, "host"),
                OptLevel = level,
                Passes = Value(Passes, null),
                Threads = threads,
                MemoryLimit = Bytes(Value(Memory, null)),
            },
            Binding = new()
            {
                Set = Pairs(Value(Set, []), "--set", "--set layers=2").ToDictionary(p => p.Name, p => p.Value),
                Dims = Pairs(Value(Dim, []), "--dim", "--dim n=1")
                    .ToDictionary(p => p.Name, p => Size(p.Name, p.Value)),
            },
            Compute = Value(Compute, null) switch
            {
                null => null,
                "bf16" => DType.BF16,
                "f16" => DType.F16,
                var other =>
                    throw Usage($"--compute {other} is not a precision of contractions", "it takes bf16 or f16"),
            },
            DirectConvolutions = Value(Conv, null) switch
            {
                null => false,
                "direct" => true,
                var other => throw Usage($"--conv {other} is not a form of convolutions", "it takes direct"),
            },
            Weights = [.. Value(Weights, []).Select(WeightFile)],
            Diagnostics = Value(Diagnostics, DiagnosticFormat.Pretty),
            SaveTemps = Value(SaveTemps, null),
            Time = Value(Time, false),
            Verbose = Value(Verbose, false),
        };
    }

    /// <summary>Whether a command only contains subcommands.</summary>
    public static bool IsGroup(Command command) => command.Subcommands.Count > 0 && command.Arguments.Count == 0;

    /// <summary>"accc", "accc run", "accc db query".</summary>
    public static string Path(Command command) => command is RootCommand ? "accc"
        : string.Join(' ', command.Parents.OfType<Command>().Select(Path).Take(1).Append(command.Name));

    public static CliException Usage(string message, string? help = null) => new(message, help, ExitCodes.Usage);

    /// <summary>The error for a word that looks like an option: `--weight`, `--weight=f`.</summary>
    public static CliException NoOption(string word, Command command)
    {
        var name = word.Split('=')[0];
        bool Has(string option) => command.Options.Any(o => o.Name == option);
        if (name is "--device" or "--gpu" or "--cuda" or "--cpu" or "--accelerator" && Has("--backend"))
            return Usage($"there is no option {name}", "what runs it is --backend llvm, interpreter or opencl");
        // What torch's scripts take as options is declared by the program here.
        if (Nearest.Of(name, command.Options.Where(o => !o.Hidden).Select(o => o.Name)) is null && Has("--arg"))
        {
            var ours = name.TrimStart('-') is "lr" or "learning-rate" or "learning_rate" ? "rate"
                : name.TrimStart('-').Replace('-', '_');
            return Usage($"there is no option {name}", "what the program declares is given by its name: "
                + $"--set {ours}=… for a hyper-parameter of the module, --arg {ours}=… for a parameter of the step");
        }
        return Usage($"there is no option {name}",
            Nearest.Of(name, command.Options.Where(o => !o.Hidden).Select(o => o.Name)) is { } near
                ? $"did you mean {near}?" : IsGroup(command) ? $"{Path(command)} --help lists the commands"
                : command.Arguments.Any(a => a.Name == "ARGS")
                    ? $"{Path(command)} --help lists the options; what the function takes is given as "
                        + $"{name.TrimStart('-')}=VALUE" : $"{Path(command)} --help lists the options");
    }

    private static IEnumerable<(string Name, string Value)> Pairs(string[] given, string option, string example)
    {
        var seen = new HashSet<string>();
        foreach (var text in given)
        {
            var at = text.IndexOf('=');
            if (at <= 0 || at == text.Length - 1)
                throw Usage($"{option} {text} has no name and value", $"write {example}");
            if (!seen.Add(text[..at])) throw Usage($"{option} {text[..at]} is given twice");
            yield return (text[..at], text[(at + 1)..]);
        }
    }

    internal static long? Bytes(string? text) => text is null ? null
        : ByteCount.Parse(text) is > 0 and var bytes ? bytes
        : throw Usage($"--memory {text} is not a number of bytes", "it takes 4G, 512M or 1000000");

    private static long Size(string name, string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Usage($"--dim {name}={text}: a size is a whole number, 0 or more");

    /// <summary>
    /// The name of an existing file is a file, even with `=`; otherwise the text before the first `=` is a path.
    /// </summary>
    private static (string Path, string File) WeightFile(string text)
    {
        var at = text.IndexOf('=');
        return at <= 0 || System.IO.File.Exists(text) ? ("", text) : (text[..at], text[(at + 1)..]);
    }
}
