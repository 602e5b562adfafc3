// In: a seed and a number of inputs. Out: the inputs with a forbidden exit code, duration, memory use or file.
using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Accelerate.Cli.Hostile;

namespace Accelerate.Cli;

/// <summary>
/// Hostile input, in one process that another one watches. Forbidden are any exit code but 0, 1 and 3 (2 for a wrong
/// command line), more than 2 s of processor time, more than 1 GB, a file left behind or changed, an unescaped control
/// character.
/// </summary>
internal static partial class HostileCommand
{
    private const int Shown = 3;

    private static readonly string[] Folders = ["examples", "tests/cases", "tests/errors"];

    public static Command Make(Terminal terminal)
    {
        var seed = new Option<long>("--seed") { Description = "of the inputs", DefaultValueFactory = _ => 1 };
        var inputs = new Option<long>("--inputs") { Description = "how many", DefaultValueFactory = _ => 1000 };
        var first = new Option<long>("--first") { Description = "the number of the first; a finding names its own" };
        var seconds = new Option<double>("--seconds")
        {
            Description = "how long at most",
            DefaultValueFactory = _ => 86400,
        };
        var kinds = new Option<string>("--kinds")
        {
            Description = "which: " + string.Join(',', HostileInputs.Kinds),
            DefaultValueFactory = _ => string.Join(',', HostileInputs.Kinds),
            HelpName = "a,b",
        };
        var corpus = new Option<string[]>("--corpus")
        {
            Description = "folders with programs to break; by default those of the repository, where they are",
            HelpName = "FOLDER",
        };
        var keep = new Option<string?>("--keep")
        {
            Description = "writes the files of the first input into that folder and says what would be run there",
            HelpName = "FOLDER",
        };
        var worker = new Option<string?>("--worker") { Hidden = true };
        var command =
            new Command("fuzz-input", "Feeds hostile files and command lines to accc, and names what breaks it.");
        foreach (var option in (Option[])[seed, inputs, first, seconds, kinds, corpus, keep, worker])
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(kinds)!.Split(',');
            if (wanted.FirstOrDefault(k => !HostileInputs.Kinds.Contains(k)) is { } unknown)
                throw CommonOptions.Usage($"there is no kind of input '{unknown}'",
                    Nearest.Help(unknown, HostileInputs.Kinds, "kinds"));
            var given = parsed.GetValue(corpus) ?? [];
            var plan = new HostilePlan(wanted, parsed.GetValue(seed), parsed.GetValue(first), parsed.GetValue(inputs),
                TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                [.. (given.Length > 0 ? given : Folders.Where(Directory.Exists)).Select(Path.GetFullPath)]);
            if (parsed.GetValue(worker) is { } root)
            {
                new HostileWorker(root, plan.Kinds, plan.Seed, new Corpus(plan.Folders))
                    .Run(plan.First, plan.Count, terminal.Output);
                return ExitCodes.Ok;
            }
            if (parsed.GetValue(keep) is { } folder)
            {
                var input = HostileInputs.Make(plan.Kinds, plan.Seed, plan.First, new Corpus(plan.Folders));
                HostileWorker.Keep(input, Path.GetFullPath(folder));
                terminal.Output.Write($"cd {Reproducer.Quoted(folder)}; {input}\n");
                return ExitCodes.Ok;
            }
            return Print(plan, terminal.Output);
        });
        return command;
    }

    private static int Print(HostilePlan plan, TextWriter output)
    {
        // A hundred inputs that fail at one place are one bug.
        var seen = new Dictionary<string, int>();
        var report = new HostileWatch(plan).Run(finding =>
        {
            var same = Digits().Replace(finding.Problem, "0");
            seen[same] = seen.GetValueOrDefault(same) + 1;
            if (seen[same] <= Shown) output.Write(Text(plan, finding));
        });
        foreach (var (problem, count) in seen.Where(s => s.Value > Shown)) output.Write($"{count} in all: {problem}\n");
        foreach (var (kind, count) in report.Ran.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            var codes = report.Codes.Where(c => c.Key.StartsWith(kind + " ", StringComparison.Ordinal))
                .OrderBy(c => c.Key, StringComparer.Ordinal)
                .Select(c => $"{c.Value} with {c.Key[(kind.Length + 1)..]}");
            output.Write($"{kind}: {count} inputs; {string.Join(", ", codes)}\n");
        }
        output.Write(string.Create(CultureInfo.InvariantCulture,
            $"{report.Ran.Values.Sum()} inputs of seed {plan.Seed}, {report.Findings.Count} findings\n"));
        return report.Findings.Count == 0 ? ExitCodes.Ok : ExitCodes.UserError;
    }

    private static string Text(HostilePlan plan, HostileFinding finding) =>
        $"{finding.Problem}\n    {finding.Command}\n    accc fuzz-input --seed {plan.Seed} "
            + $"--kinds {string.Join(',', plan.Kinds)} --first {finding.Number} --inputs 1\n";

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
