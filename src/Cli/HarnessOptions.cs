// In: the options shared by the commands on results. Out: their values; errors of the harness end with code 2.
using System.CommandLine;
using System.Text;
using Accelerate.Bench.Records;
using Accelerate.Bench.Reports;
using Accelerate.Bench.Store;
using Accelerate.Cli.Db;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal sealed class HarnessOptions
{
    private readonly Option<string?> database = DbCommand.Database();

    private readonly Option<string?> output = new("--out")
    {
        Description = "writes to that file instead",
        HelpName = "FILE",
    };

    private readonly Option<string?> chart = new("--chart")
    {
        Description = "draws the ratios with their intervals: FILE.svg or FILE.png",
        HelpName = "FILE",
    };

    private readonly Option<string> format;
    private readonly string[] formats;

    public HarnessOptions(Command command, params string[] formats)
    {
        this.formats = formats;
        format = new("--format")
        {
            Description = "how it is written",
            DefaultValueFactory = _ => formats[0],
            HelpName = string.Join('|', formats),
        };
        foreach (var option in (Option[])[database, format, output, chart]) command.Options.Add(option);
    }

    public string Format(ParseResult parsed)
    {
        var name = parsed.GetValue(format)!;
        return formats.Contains(name) ? name
            : throw CommonOptions.Usage($"--format {name} is no format", Nearest.Help(name, formats, "formats"));
    }

    /// <summary>The chart's file; null if none is requested. Its ending must be a known format.</summary>
    public string? Chart(ParseResult parsed)
    {
        var path = parsed.GetValue(chart);
        return path is null || RatioChart.Endings.Contains(Path.GetExtension(path).ToLowerInvariant()) ? path
            : throw CommonOptions.Usage($"--chart {path}: a chart is written as .svg or .png",
                "--chart ratios.svg");
    }

    /// <summary>Runs an action that needs the store, which is opened on demand.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="sides">The names of results, some of which may be files.</param>
    /// <param name="run">Gets a function that opens the store, and returns the exit code.</param>
    /// <exception cref="CliException">With code 2: the harness failed, which says nothing about any case.</exception>
    public int Run(ParseResult parsed, IEnumerable<string> sides, Func<Func<IResultStore>, int> run)
    {
        IResultStore? store = null;
        try
        {
            KeepsWhatIsRead(parsed, sides);
            return run(() => store ??= ResultStores.Open(Existing(DbCommand.Path(parsed, database))));
        }
        catch (HarnessException e)
        {
            throw CommonOptions.Usage(e.Message, e.Help);
        }
        catch (StoreException e)
        {
            throw CommonOptions.Usage(e.Message, e.Help);
        }
        catch (Exception e) when (e is DataException or IOException or UnauthorizedAccessException)
        {
            throw CommonOptions.Usage(e.Message);
        }
        finally
        {
            store?.Dispose();
        }
    }

    /// <summary>Writes to the named file, or to the terminal.</summary>
    public void Write(ParseResult parsed, Terminal terminal, string text)
    {
        if (parsed.GetValue(output) is { } path)
            OutputFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        else terminal.Output.Write(text);
    }

    /// <summary>Checks that no output is the store, a side's file or the other output.</summary>
    private void KeepsWhatIsRead(ParseResult parsed, IEnumerable<string> sides)
    {
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in sides.Select(s => Selection.Parse(s).File).Append(DbCommand.Path(parsed, database)))
            if (path is not null && OutputFile.Identity(path) is { } file) taken.TryAdd(file, $"the results in {path}");
        foreach (var option in (Option<string?>[])[output, chart])
        {
            if (parsed.GetValue(option) is not { } path || OutputFile.Identity(path) is not { } file) continue;
            if (!taken.TryAdd(file, $"{option.Name} {path}"))
                throw new HarnessException($"{option.Name} {path} would write over {taken[file]}", "name another file");
        }
    }

    private static string Existing(string path) => File.Exists(path) ? path
        : throw new HarnessException($"there is no store of results {path}",
            "accc bench run makes it, --database names it");
}
