// In: a program. Out: its text form: buffers, plan and driver first, then its kernels.
using System.Collections.Immutable;
using System.Text;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static class ProgramPrinter
{
    public static string Print(Program program)
    {
        var text = new StringBuilder($"program @{program.Name} {{\n  sizes({string.Join(", ", program.Sizes)})\n");
        foreach (var b in program.Buffers)
        {
            var extra = b.Kind switch
            {
                BufferKind.Input when b.IsInout => ", inout",
                BufferKind.Constant => $", {b.Values!.Attributes}",
                _ => "",
            };
            text.Append(
                $"  {b.Kind.ToString().ToLowerInvariant()}({b.Name}: {b.Type}, {Quote.Text(b.Label)}{extra})\n");
        }
        CallPlanText.Print(program, text);
        Steps(program, program.Steps, "  ", text);
        text.Append("}\n");
        foreach (var kernel in program.Kernels) text.Append(KernelPrinter.Print(kernel));
        // The setup, which computes the folded constants, is a program of its own, printed after the one that uses
        // them.
        if (program.Setup is { } setup) text.Append(Print(setup));
        return text.ToString();
    }

    private static void Steps(Program program, ImmutableArray<Step> steps, string indent, StringBuilder text)
    {
        string Name(int buffer) => program.Buffers[buffer].Name;
        string At(string place, string layer) => (place.Length > 0 ? $" at {Quote.Text(place)}" : "")
            + (layer.Length > 0 ? $" of {Quote.Text(layer)}" : "");
        string Names(ImmutableArray<int> buffers) => string.Join(", ", buffers.Select(Name));
        void Block(string open, ImmutableArray<Step> body)
        {
            text.Append(indent).Append(open).Append(" {\n");
            Steps(program, body, indent + "  ", text);
        }
        foreach (var step in steps)
        {
            switch (step)
            {
                case CheckStep { Check: var c }:
                    text.Append($"{indent}{CallPlanText.Check(c)}\n");
                    break;
                case CallStep call:
                    text.Append(
                        $"{indent}call(@{program.Kernels[call.Kernel].Name}; {Names(call.Buffers)}){At(call.Place, call.Layer)}\n");
                    break;
                case CopyStep copy:
                    text.Append($"{indent}copy({Name(copy.From)}, {Name(copy.To)})\n");
                    break;
                case SizeStep size:
                    text.Append($"{indent}size({size.Variable}, {Name(size.From)}, {size.Plus}, {size.Most})\n");
                    break;
                case LetStep let:
                    text.Append($"{indent}let({let.Variable}, {let.Value})\n");
                    break;
                case PrintStep print:
                    text.Append($"{indent}print({Quote.Text(print.Format)}; {Names(print.Buffers)})\n");
                    break;
                case AssertStep assert:
                    text.Append(
                        $"{indent}assert({Name(assert.Test)}, {Quote.Text(assert.Message)}; {Names(assert.Buffers)}){At(assert.Place, assert.Layer)}\n");
                    break;
                case LoopStep loop:
                    Block($"loop({loop.Variable} < {loop.Count})", loop.Body);
                    text.Append($"{indent}}}\n");
                    break;
                case WhileStep loop:
                    Block("while", loop.Condition);
                    Block($"}} do({Name(loop.Test)})", loop.Body);
                    text.Append($"{indent}}}\n");
                    break;
                case IfStep branch:
                    Block($"if({Name(branch.Test)})", branch.Then);
                    Block("} else", branch.Else);
                    text.Append($"{indent}}}\n");
                    break;
                default:
                    throw new InvalidOperationException($"no text form for {step.GetType().Name}");
            }
        }
    }
}
