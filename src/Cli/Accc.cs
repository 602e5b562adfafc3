// In: the command line. Out: the subcommand's output, and the exit code.
using System.CommandLine;
using System.CommandLine.Parsing;
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Bench.Store;
using Accelerate.Cli.Db;
using Accelerate.Cli.Train;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Training;

namespace Accelerate.Cli;

/// <summary>The program `accc`, with one file for each subcommand.</summary>
internal static class Accc
{
    private static int Main(string[] args) => Run(args, Console.Out, Console.Error);

    /// <summary>Runs one command line, in this process.</summary>
    /// <returns>0 ok, 1 user error, 2 wrong usage, 3 known limitation, 70 compiler bug, 130 interrupted.</returns>
    public static int Run(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        (output, error) = (new VisibleWriter(output), new VisibleWriter(error));
        var root = Root(new Terminal(output, error), args);
        // No response files: here `@` begins the name of a data file.
        var parsed =
            root.Parse([.. args.SelectMany(Split)], new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            var command = parsed.CommandResult.Command;
            // The first word after the names of the parsed commands.
            if (CommonOptions.IsGroup(command) && args.Where(a => !a.StartsWith('-'))
                .ElementAtOrDefault(CommonOptions.Path(command).Count(c => c == ' ')) is { } word)
            {
                var commands = command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name);
                error.Write($"error: there is no command '{VisibleText.Word(word)}'\n");
                error.Write($"  = help: {Nearest.Help(word, commands, "commands")}\n");
                return ExitCodes.Usage;
            }
            if (parsed.UnmatchedTokens.FirstOrDefault(t => t.StartsWith('-')) is { } option)
            {
                var unknown = Expected(CommonOptions.NoOption(option, command))!;
                error.Write($"error: {unknown.Message}\n  = help: {VisibleText.Word(unknown.Help!)}\n");
                return ExitCodes.Usage;
            }
            // A list of files that goes on in the next word.
            if (parsed.UnmatchedTokens is [var loose, ..] && loose.Contains('=', StringComparison.Ordinal)
                && args.ToList().IndexOf(loose) is > 1 and var place && args[place - 2] is "--data" or "--valid-data"
                && args[place - 1].Contains('=', StringComparison.Ordinal))
            {
                error.Write($"error: '{VisibleText.Word(loose)}' belongs to no option\n  = help: the files of "
                    + $"{args[place - 2]} are joined by a comma: {args[place - 2]} "
                    + $"{VisibleText.Word($"{args[place - 1]},{loose}")}\n");
                return ExitCodes.Usage;
            }
            var missing = command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0
                && parsed.GetResult(a) is not { Tokens.Count: > 0 });
            foreach (var message in parsed.Errors.Select(e => VisibleText.Word(Readable(e, missing))).Distinct())
                error.Write($"error: {message}\n");
            error.Write(missing is { Name: "FN" } && parsed.GetValue<string>("FILE") is { } file
                ? $"  = help: accc check {VisibleText.Word(file)} lists the exported functions\n"
                : $"  = help: {CommonOptions.Path(command)} --help\n");
            return ExitCodes.Usage;
        }
        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (ReportedException e)
        {
            return e.ExitCode;
        }
        catch (Exception e) when (Expected(e) is { } known)
        {
            error.Write($"error: {known.Message}\n");
            // Long benchmark runs may have produced results, so every error names the command's help.
            var command = CommonOptions.Path(parsed.CommandResult.Command);
            var help = known.Help ?? (command.StartsWith("accc bench ", StringComparison.Ordinal)
                || command.StartsWith("accc db ", StringComparison.Ordinal) ? $"{command} --help" : null);
            if (help is not null) error.Write($"  = help: {VisibleText.Word(help)}\n");
            return known.ExitCode;
        }
        catch (Exception e)
        {
            error.Write(Reproducer.Write(args, e) + "\n");
            return ExitCodes.Bug;
        }
    }

    /// <summary>Describes a value of the wrong type without the name of a .NET type.</summary>
    private static string Readable(ParseError e, Argument? missing) =>
        e.SymbolResult is CommandResult { Command: var group } && CommonOptions.IsGroup(group) ? "there is no command"
        : e.SymbolResult is OptionResult { Option: var bare, Tokens.Count: 0 }
            ? $"{bare.Name} takes a value: {Kind(bare.ValueType) ?? bare.HelpName ?? bare.Description}"
        : missing is not null && e.SymbolResult is CommandResult or ArgumentResult { Tokens.Count: 0 }
            ? $"{missing.Name} is missing: {missing.Description}"
        : e.SymbolResult is OptionResult { Option: var option, Tokens: [var token] }
            && Kind(option.ValueType) is { } kind
            && e.Message.Contains(option.ValueType.Name, StringComparison.Ordinal)
            ? $"{option.Name} {token.Value}: it takes {kind}" : e.Message;

    private static string? Kind(Type type) =>
        type.IsEnum ? string.Join(", ", Enum.GetNames(type).Select(n => n.ToLowerInvariant()))
            : (Nullable.GetUnderlyingType(type) ?? type) == typeof(int) ? "a whole number" : null;

    /// <summary>The error of a user's mistake or a known limitation, as one line; null for a bug.</summary>
    internal static CliException? Expected(Exception e) => e switch
    {
        // On one line: a name in it may contain line ends.
        CliException c => new(VisibleText.Word(c.Message), c.Help, c.ExitCode),
        LimitationException => new(e.Message, Help(e), ExitCodes.Limitation),
        ExecutionException x => new(e.Message, x.Details),
        BackendException => new(e.Message),
        StoreException s => new(s.Message, s.Help),
        TrainingException t => new(VisibleText.Word(t.Message), t.Help),
        MemoryException m => new(m.Message, m.Limit is null ? MemoryHelp : null),
        OutOfMemoryException => new("out of memory", MemoryHelp),
        // Sizes are the only numbers computed with overflow checks.
        OverflowException => new("a size, or a number of elements or bytes, does not fit 64 bits",
            "smaller sizes: by n=…, --dim or --set"),
        DataException or IOException or UnauthorizedAccessException => new(VisibleText.Word(e.Message)),
        _ => null,
    };

    private const string MemoryHelp = "--memory 4G refuses what is too large before it is made";

    private static string? Help(Exception e) =>
        e is LimitationException { Backend: not null } ? "another --backend may run it: llvm, interpreter" : null;

    /// <summary>Splits `-O3` into `-O 3`.</summary>
    private static IEnumerable<string> Split(string arg) =>
        arg is ['-', 'O', >= '0' and <= '9'] ? ["-O", arg[2..]] : [arg];

    /// <param name="terminal">The terminal that commands write to.</param>
    /// <param name="args">The words of the command line, which decide whether `bench` is a group of commands; null to
    /// include everything.</param>
    internal static RootCommand Root(Terminal terminal, IReadOnlyList<string>? args = null)
    {
        var root = new RootCommand("Compiles and runs models written in .acc, a small tensor language.");
        foreach (var command in (Command[])[
            CheckCommand.Make(terminal), RunCommand.Make(terminal), TrainCommand.Make(terminal), DumpCommand.Make(terminal),
                FmtCommand.Make(terminal),
            TestCommand.Make(terminal), FuzzCommand.Make(terminal), HostileCommand.Make(terminal),
                BisectCommand.Make(terminal), BenchCommand.Make(terminal, args), TimeCommand.Make(terminal),
                LimitsCommand.Make(terminal), ExplainCommand.Make(terminal), EnvCommand.Make(terminal),
                DbCommand.Make(terminal),
                .. PlannedCommands.Make()])
            root.Subcommands.Add(command);
        return root;
    }
}
