// In: a file and a stage. Out: the text of the compiler's representation at that stage.
using System.CommandLine;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;

namespace Accelerate.Cli;

internal static class DumpCommand
{
    // Stages that are designed but not built.
    private static readonly string[] Planned = ["ptx"];

    public static Command Make(Terminal terminal)
    {
        var stage = new Option<string>("--stage")
        {
            Description = $"one of {string.Join(", ", StageTexts.Stages.Keys)}",
            Required = true,
            HelpName = "STAGE",
        };
        var function = new Option<string?>("--function") { Description = "one exported function instead of all" };
        var each = new Option<bool>("--each") { Description = "--stage opt: the graph after every pass" };
        var stop = new Option<long?>("--stop-after-rewrite")
        {
            Description = "the optimiser makes only so many rewrites; for every stage from opt on",
            HelpName = "N",
        };
        var command = new Command("dump", "Shows what the compiler makes at a stage.");
        var common = new CommonOptions().AddTo(command).AddCodeTo(command);
        foreach (var option in (Option[])[stage, function, each, stop]) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var options = common.Read(parsed);
            var name = parsed.GetValue(stage)!;
            if (Planned.Contains(name))
                throw new CliException($"not supported: dump --stage {name}",
                    $"the stages are {string.Join(", ", StageTexts.Stages.Keys)}", ExitCodes.Limitation);
            if (!StageTexts.Stages.TryGetValue(name, out var last))
                throw CommonOptions.Usage($"there is no stage '{name}'",
                    Nearest.Help(name, StageTexts.Stages.Keys, "stages"));
            var wanted = parsed.GetValue(function);
            var loader = new ModelLoader(options, terminal);
            var source = ModelLoader.ReadSource(options.File);
            var afterEach = name == "opt" && parsed.GetValue(each);
            Action<Pass, Function>? show = afterEach
                ? (pass, graph) => terminal.Output.Write($"# after {pass.Name}\n{GraphPrinter.Print(graph)}\n")
                : null;
            IReadOnlyCollection<string>? entries = last > CompilationStage.Syntax && wanted is not null ? [wanted]
                : null;
            var compilation = loader.Compile(last, entries, show, source, parsed.GetValue(stop));
            if (name == "syntax") terminal.Output.Write(StageTexts.Syntax(Tree(compilation), wanted));
            else if (!afterEach) terminal.Output.Write(StageTexts.Of(name, compilation, options));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Compiler.Syntax.FileSyntax Tree(Compilation compilation) =>
        compilation.Syntax ?? throw new CliException("a .graph file has no syntax tree");
}
