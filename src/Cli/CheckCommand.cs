// In: an .acc file. Out: its errors, or its entry signatures and the checks left to a call.
using System.CommandLine;
using System.Numerics;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class CheckCommand
{
    public static Command Make(Terminal terminal)
    {
        var command = new Command("check", "Checks names, types and sizes, and shows what the file exports.");
        var common = new CommonOptions().AddTo(command);
        command.SetAction(parsed =>
        {
            var options = common.Read(parsed);
            var compilation = new ModelLoader(options, terminal).Compile(CompilationStage.Bound);
            foreach (var entry in compilation.Entries) Show(entry.Bound, terminal.Output);
            var state = compilation.Bound!.State;
            if (state.Length > 0)
                terminal.Output.Write($"state: {Quantity.Of(state.Length, "tensor")}, "
                    + $"{Quantity.Of(Values(state), "value")}\n");
            if (!compilation.Bound.NotElaborated.IsEmpty)
            {
                var names = string.Join(", ", compilation.Bound.NotElaborated);
                terminal.Output.Write($"not elaborated, as no exported function calls them: {names}\n");
            }
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Each count fits 63 bits, but their sum need not.</summary>
    private static BigInteger Values(IEnumerable<StateDeclaration> state) =>
        state.Aggregate(BigInteger.Zero, (sum, s) => sum + s.Type.Count.Value);

    private static void Show(Function f, TextWriter output)
    {
        output.Write($"{Signature(f)}\n");
        var assigned = f.Effects.OfType<Assign>().Where(a => a.Storage != StorageClass.Inout).Select(a => a.Name)
            .ToList();
        if (assigned.Count > 0)
            output.Write(
                $"    assigns {string.Join(", ", assigned.Take(8))}{(assigned.Count > 8 ? $", … ({assigned.Count} in all)" : "")}\n");
        foreach (var check in f.Checks)
        {
            var relation = check.Kind == CheckKind.Equal ? "==" : "<=";
            output.Write(
                $"    checked in the call: {check.Left.Display} {relation} {check.Right.Display} ({check.Message})\n");
        }
    }

    /// <summary>The signature as source text: `export fn predict(x: f32[n, 784]) -> i32[n]`.</summary>
    private static string Signature(Function f)
    {
        var results = f.Results.Select((r, i) =>
            (i < f.ResultNames.Length && f.ResultNames[i].Length > 0 ? f.ResultNames[i] + ": " : "") + r.Type.Display)
                .ToList();
        var result = results.Count switch
        {
            0 => "",
            1 when f.ResultNames is [{ Length: > 0 }] => $" -> ({results[0]})",
            1 => $" -> {results[0]}",
            _ => $" -> ({string.Join(", ", results)})",
        };
        var bound = f.Inputs.SelectMany(i => i.Type.Shape).SelectMany(s => s.Variables()).ToHashSet();
        var ints = f.Sizes.Where(s => !bound.Contains(s) || f.Parameters.Contains(s)).Select(s => (s, $"{s}: int"));
        var parameters = f.Inputs.Select(i => (i.Name, $"{(i.IsInout ? "inout " : "")}{i.Name}: {i.Type.Display}"))
            .Concat(ints).OrderBy(p => f.Parameters.IndexOf(p.Item1) is >= 0 and var at ? at : int.MaxValue)
            .Select(p => p.Item2);
        return $"export fn {f.Name}({string.Join(", ", parameters)}){result}";
    }
}
