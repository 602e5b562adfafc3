// In: a kernel. Out: its OpenCL C texts, which are compiled.
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// Every kernel has a text in which work items are independent. A kernel with rows also has a text in which 16 items or
/// more share a row, a contraction one for tiles and one for few rows; the launch chooses by the sizes and the device.
/// Arguments are the kernel's buffers, then its sizes as longs, then the text's launch arguments, then a step's number
/// and the flag if the kernel has one. A text depends on the kernel alone: no device, no sizes.
/// </summary>
internal static class OpenClPrinter
{
    /// <summary>The texts of all kernels of a program, in the program's order, for `dump --stage cl`.</summary>
    public static string Print(Program program) => string.Join('\n', program.Kernels.Select(Print));

    /// <summary>The texts of one kernel.</summary>
    public static string Print(Kernel kernel) => string.Join('\n', Source(kernel).Texts.Select(t => t.Source));

    internal static OpenClKernel Source(Kernel kernel) => kernel.Kind switch
    {
        KernelKind.Contraction => Contraction(kernel),
        _ => new(kernel, ItemText.Print(kernel), HasRows(kernel) ? GroupText.Print(kernel, "_group") : null, null),
    };

    /// <summary>Whether a single work item would do work that several can share.</summary>
    private static bool HasRows(Kernel kernel) => Kernel.Statements(NdRange.Of(kernel).Body)
        .Any(s => s is Loop { Kind: LoopKind.Vector } or Reduction { Lanes: true });

    private static OpenClKernel Contraction(Kernel kernel)
    {
        // Attention has no text in which items share rows.
        if (Kernel.Statements(kernel.Body).OfType<Contract>().FirstOrDefault() is not { } contract)
            return new(kernel, ItemText.Print(kernel), null, null);
        var rows = contract.M.Extent;
        var isFew = rows.IsConstant && rows.Value <= OpenClKernel.FewRows;
        var tile = TileText.Print(kernel, isFew ? TileShape.Thin : TileShape.Square, isFew ? "_thin" : "_tile");
        var thin = tile is null || rows.IsConstant ? null : TileText.Print(kernel, TileShape.Thin, "_thin");
        return new(kernel, ItemText.Print(kernel), tile, thin);
    }
}
