// In: a kernel. Out: OpenCL C without barriers: a work item for each iteration of the outer loops. Every kernel has
// this form.
using Accelerate.Compiler.Kernels;

namespace Accelerate.Backends.OpenCl;

internal static class ItemText
{
    public static OpenClSource Print(Kernel kernel, string suffix = "")
    {
        var range = NdRange.Of(kernel);
        var text = new StatementText(kernel);
        Indices(text, range);
        if (range.Element is { } element) text.Element(element, 1);
        else text.Block(range.Body, 1);
        var dimensions = $"{range.Dimensions} dimension{(range.Dimensions == 1 ? "" : "s")}";
        return text.ToSource(OpenClTypes.Name("k", kernel.Name) + suffix, dimensions, range);
    }

    /// <summary>
    /// Computes loop variables from the global ids; the launch rounds up to whole groups, so surplus items return here.
    /// </summary>
    private static void Indices(StatementText text, NdRange range)
    {
        if (range.FirstUnshared > 0)
        {
            // No extent is 0, because otherwise nothing is launched.
            text.Line(1, $"long acc_rest = (long)get_global_id({NdRange.MaxDimensions - 1});");
            Split(text, range.Loops.Take(range.FirstUnshared));
            text.Line(1, "if (acc_rest > 0) return;");
        }
        for (var k = 0; k < range.Loops.Length; k++)
        {
            var loop = range.Loops[k];
            foreach (var statement in range.Before(k)) text.Statement(statement, 1);
            text.Index.Add(loop.Variable, loop.Extent);
            if (k < range.FirstUnshared) continue;
            var variable = IndexText.Variable(loop.Variable);
            text.Line(1, $"const long {variable} = (long)get_global_id({range.Loops.Length - 1 - k});");
            text.Line(1, $"if ({variable} >= {text.Index.Of(loop.Extent)}) return;");
        }
    }

    /// <summary>Splits acc_rest into the variables of the axes, the last one varying fastest.</summary>
    public static void Split(StatementText text, IEnumerable<Axis> axes, int depth = 1)
    {
        foreach (var axis in axes.Reverse())
        {
            text.Line(depth,
                $"const long {IndexText.Variable(axis.Variable)} = acc_rest % {text.Index.Bracketed(axis.Extent)};");
            text.Line(depth, $"acc_rest /= {text.Index.Bracketed(axis.Extent)};");
        }
    }
}
