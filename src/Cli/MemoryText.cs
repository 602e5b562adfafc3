// In: a program. Out: the memory that its calls take, in comment lines; in bytes if the sizes are known.
using System.Globalization;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Cli;

/// <summary>The end of `dump --stage program`. --dim turns a size variable into a number.</summary>
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
