// In: the words after the file: a function and its arguments. Out: the function's name and its input tensors.
using System.CommandLine;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>The arguments shared by the commands that call a function.</summary>
internal sealed class CallArguments
{
    private readonly Argument<string> function = new("FN") { Description = "an exported function" };

    private readonly Argument<string[]> values = new(
        "ARGS")
    { Description = InputValues.Help, Arity = ArgumentArity.ZeroOrMore };

    private readonly Command command;

    public CallArguments(Command command)
    {
        this.command = command;
        command.Arguments.Add(function);
        command.Arguments.Add(values);
    }

    public string Function(ParseResult parsed)
    {
        // The parser takes unknown options for arguments, so a misspelt option is among them.
        foreach (var word in (string[])[parsed.GetValue(function)!, .. parsed.GetValue(values) ?? []])
        {
            if (word.StartsWith('-')) throw CommonOptions.NoOption(word, command);
        }
        return parsed.GetValue(function)!;
    }

    /// <summary>The data files named by the arguments, with their parameters.</summary>
    public IEnumerable<(string Parameter, string Path)> Files(ParseResult parsed) => (parsed.GetValue(values) ?? [])
        .Select(text => (Text: text, At: text.IndexOf("=@", StringComparison.Ordinal)))
        .Where(a => a.At > 0 && a.At == a.Text.IndexOf('='))
        .Select(a => (a.Text[..a.At], a.Text[(a.At + 2)..]));

    /// <summary>The inputs in the program's order, and the sizes.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="program">The program to call.</param>
    /// <param name="options">The options about the model.</param>
    /// <param name="more">Derives further arguments, which the user does not give, from those given.</param>
    public (Tensor[] Inputs, IReadOnlyDictionary<string, long> Sizes) Inputs(ParseResult parsed, Program program,
        ModelOptions options, Func<string[], IEnumerable<string>>? more = null)
    {
        var given = new InputValues(program, options.Executable.MemoryLimit, options.Binding.Dims);
        var words = parsed.GetValue(values) ?? [];
        return (given.Read([.. words, .. more?.Invoke(words) ?? []]), given.Sizes);
    }
}
