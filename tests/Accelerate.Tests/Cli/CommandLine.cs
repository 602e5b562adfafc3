// In: a command line. Out: what accc prints and its exit code, run in this process.
using Accelerate.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Cli;

/// <summary>A folder with a model, and accc run on it.</summary>
public abstract class CommandLine : IDisposable
{
    private readonly TemporaryFolder folder = new();

    protected const string Model = """
        use nn

        module Net(width: int = 3) {
            let fc = Linear(4, width)
            buffer offset: f32[width] = 2

            # The layer and a constant.
            export fn apply(x: f32[n, 4]) -> f32[n, width] = relu(fc(x)) + offset
            export fn pair(x: f32[n, m], y: i32[n]) -> (twice: f32[n, m], same: i32[n]) { return x + x, y }
            export fn scale(x: f32[n], k: int) -> f32[n] = x * k
            export fn even(x: f32[h], y: f32[2 * (h // 2)]) -> f32[h] = x + y
        }
        fn unused(x: f32[n]) = x + 1
        """;

    protected CommandLine() => Write("net.acc", Model);

    protected string this[string name] => folder[name];

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected string Write(string name, string text)
    {
        File.WriteAllText(folder[name], text);
        return folder[name];
    }

    /// <summary>Runs accc; `@name` and names of files in the folder are given as paths there.</summary>
    protected (int Code, string Output, string Error) Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = Accc.Run([.. args.Select(Resolve)], output, error);
        return (code, output.ToString(),
            error.ToString().Replace(folder.Root + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
    }

    /// <summary>
    /// The output of a command that must succeed and say nothing on the error stream, but that parameters are random.
    /// </summary>
    protected string Output(params string[] args)
    {
        var (code, output, error) = Run(args);
        if (error.StartsWith("note: without --weights ", StringComparison.Ordinal)
            && error.Count(c => c == '\n') == 1) error = "";
        Assert.True(code == 0 && error.Length == 0, $"exit code {code}\n{error}");
        return output;
    }

    /// <summary>The error text of a command that must end with that code and print nothing else.</summary>
    protected string Error(int expected, params string[] args)
    {
        var (code, output, error) = Run(args);
        Assert.True(code == expected, $"exit code {code}, not {expected}\n{output}\n{error}");
        Assert.Equal("", output);
        return error;
    }

    private string Resolve(string arg)
    {
        if (File.Exists(folder[arg]) || (arg.EndsWith(".acc", StringComparison.Ordinal) && !arg.Contains('=')))
            return folder[arg];
        var at = arg.LastIndexOf('@');
        return at >= 0 ? arg[..(at + 1)] + folder[arg[(at + 1)..]] : arg;
    }
}
