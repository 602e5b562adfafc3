// In: a file, an exported function, its arguments. Out: the first optimiser rewrite, or the first later step, that
// changes the result.
using System.CommandLine;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;

namespace Accelerate.Cli;

/// <summary>
/// The reference is the bound graph, run by the f64 graph interpreter. It is compared with the rewritten graph run
/// there (`--on reference`, the default: rules only) or compiled for a backend (fusion and code generation too). If no
/// rule is to blame, the steps after the optimiser are tried in order: kernels, then each backend.
/// </summary>
internal static class BisectCommand
{
    public static Command Make(Terminal terminal)
    {
        var on = new Option<string>("--on")
        {
            Description =
                "what runs the rewritten graph: reference (the f64 graph interpreter), llvm, interpreter or opencl",
            DefaultValueFactory = _ => "reference",
        };
        var command =
            new Command("bisect", "Finds the rewrite of the optimiser that breaks a result, and names its rule.");
        var common = new CommonOptions().AddTo(command).AddCodeTo(command);
        command.Options.Add(common.Weights);
        command.Options.Add(common.Memory);
        var call = new CallArguments(command);
        command.Options.Add(on);
        command.SetAction(parsed =>
        {
            var options = common.Read(parsed);
            var backend = parsed.GetValue(on)!;
            if (backend != "reference" && !Executables.Backends.Contains(backend))
                throw CommonOptions.Usage($"there is no backend '{backend}'",
                    Nearest.Help(backend, Executables.Backends.Append("reference"), "backends"));
            var compilation = new ModelLoader(options, terminal)
                .Compile(CompilationStage.Lowered, [call.Function(parsed)]);
            var entry = compilation.Entries.Single();
            var (inputs, sizes) = call.Inputs(parsed, entry.Program!, options);
            var state =
                Executables.InitialState(backend == "reference" ? "interpreter" : backend, compilation.Model,
                    options.Executable,
                    WeightFiles.Read(options.Weights, compilation.Model, terminal, options.Diagnostics), whole: true);
            var judge = new BisectJudge(entry.Bound, inputs, sizes, state, options.Compute);
            // The passes that `run` uses with these options.
            var passes =
                Pipeline.For(options.Compute, FrozenState.Of(entry.Bound), options.DirectConvolutions);
            var found = Bisection.Find(entry.Bound, passes, graph => judge.IsRight(graph, backend, options.Executable));
            terminal.Output.Write(Text(found));
            if (found.Culprit is not null) return ExitCodes.UserError;
            var behind = judge.Behind(entry.Optimised!, PresentBackends.All, options.Executable, out var ran);
            terminal.Output.Write(behind is null ? $"so it is on {string.Join(", ", ran)}\n" : behind + "\n");
            return found.IsRightUnoptimised && behind is null ? ExitCodes.Ok : ExitCodes.UserError;
        });
        return command;
    }

    internal static string Text(BisectionResult found) => found switch
    {
        { IsRightUnoptimised: false } =>
            "the result is wrong before any rewrite: no rule of the optimiser is to blame\n",
        { Culprit: { } culprit } =>
            $"rewrite {found.Number} of {found.Rewrites} is the first that breaks the result\n  {culprit}\n"
            + $"  = help: accc dump --stage opt --stop-after-rewrite {found.Number} shows the graph behind it\n",
        _ => $"the result is right with all {found.Rewrites} rewrites\n",
    };
}
