// In: a file, an exported function, its arguments. Out: the first rewrite of the optimiser that changes the result.
using System.CommandLine;
using Accelerate.Backends;
using Accelerate.Compiler;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// The reference is the graph as it was bound, in the f64 graph interpreter. What is held to it: the rewritten graph
/// there (`--on reference`, the default: the rules alone), or compiled for a backend (fusion and code generation too).
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
            var (inputs, sizes) = call.Inputs(parsed, entry.Program!, options.Executable.MemoryLimit);
            var state =
                Executables.InitialState(backend == "reference" ? "interpreter"
                    : backend, compilation.Model, options.Executable,
                WeightFiles.Read(options.Weights, compilation.Model, terminal, options.Diagnostics));
            var judge = new Judge(entry.Bound, inputs, sizes, state);
            var found =
                Bisection.Find(entry.Bound, Pipeline.Passes, graph =>
                    judge.IsRight(graph, backend, options.Executable));
            terminal.Output.Write(Text(found));
            return found is { IsRightUnoptimised: true, Culprit: null } ? ExitCodes.Ok : ExitCodes.UserError;
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

    /// <summary>Holds a rewritten graph to the results of the one that was bound.</summary>
    internal sealed class Judge(Function bound, Tensor[] inputs, IReadOnlyDictionary<string, long> sizes,
        IReadOnlyDictionary<string, Tensor> state)
    {
        private readonly IReadOnlyList<ReferenceValue> expected = Reference(bound, inputs, sizes, state);

        public bool IsRight(Function graph, string backend, ExecutableOptions options)
        {
            if (backend == "reference")
                return Reference(graph, inputs, sizes, state).Zip(expected)
                    .All(p => Comparison.Compare(p.First, p.Second).Agrees);
            using var executable = Executables.Create(backend, [Lowering.Lower(graph)], options, state);
            using var session = executable.CreateSession();
            var actual = session.Run(graph.Name, [.. inputs.Select(i => i.Clone())], sizes);
            return actual.Zip(expected).All(p => Comparison.Compare(p.First, p.Second).Agrees);
        }

        private static IReadOnlyList<ReferenceValue> Reference(Function graph, Tensor[] inputs,
            IReadOnlyDictionary<string, long> sizes,
            IReadOnlyDictionary<string, Tensor> state) =>
            GraphInterpreter.Run(graph, [.. inputs.Select(ReferenceValue.Of)], path =>
                ReferenceValue.Of(state[path]), sizes,
                new InterpreterOptions { Propagation = Propagation.Likely });
    }
}
