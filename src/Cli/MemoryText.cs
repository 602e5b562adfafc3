// In: a program. Out: what its calls take of memory, in comment lines: where the sizes are known, in bytes.
using System.Globalization;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Cli;

/// <summary>The foot of `dump --stage program`. A size that is a variable becomes a number by --dim.</summary>
internal static class MemoryText
{
    public static string Of(Program program, string target)
    {
        var text = "";
        if (program.Setup is { } setup) text += Of(setup, target);
        if (program.Of(BufferKind.Temporary).Any(b => !b.Type.Count.IsConstant))
        {
            var names = program.Of(BufferKind.Temporary).SelectMany(b => b.Type.Count.Variables()).Distinct().Order();
            return $"{text}# @{program.Name}: the arena depends on {string.Join(", ", names)}: --dim makes them numbers\n";
        }
        var layout = new ArenaLayout(program, Unknown);
        var over = layout.LiveMaximumInLines == 0 ? 1 : layout.Bytes / (double)layout.LiveMaximumInLines;
        return text + string.Create(CultureInfo.InvariantCulture,
            $"# @{program.Name}: alive at once {layout.LiveMaximum} B, {layout.LiveMaximumInLines - layout.LiveMaximum} B to whole lines; "
            + $"arena {layout.Bytes} B, {over:0.000} x; scratch {Scratch(program, target)} a worker\n");
    }

    private static string Scratch(Program program, string target)
    {
        if (!LlvmBackend.Available(out _)) return "unknown without LLVM";
        try
        {
            var most = LlvmExecutable.ScratchOf(program, target).Aggregate(Size.Zero, Size.Max);
            return most.IsConstant ? $"{most} B" : $"{most.Display} B";
        }
        catch (LimitationException)
        {
            return "unknown: LLVM has no code for a kernel";
        }
    }

    private static long Unknown(string name) => throw new InvalidOperationException(name);
}
