// Counts the work of elaboration, so that a short text that causes a lot of it (calls that double, lists of lists,
// modules in modules) is rejected early, instead of taking all time and memory.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

/// <summary>Elaboration was given up; the reason has been reported.</summary>
internal sealed class AbandonedException : Exception;

internal sealed partial class Elaborator
{
    /// <summary>
    /// Expressions evaluated, nodes made and elements of lists, for one entry. Of the examples, GPT-2's generate takes
    /// 24,504 and Llama's greedy_text, the largest, 88,728; a million takes about 2 s of one core and 250 MB.
    /// </summary>
    public const int MostWork = 1_000_000;

    /// <summary>More errors than anybody fixes at once; each may cost a search of all names.</summary>
    private const int MostReports = 100;

    // The nesting depth that a call counts for: its frames are as large, and the garbage collector scans all of them
    // every time.
    private const int CallDepth = 5;

    // The extra work that a node of a branch or a loop counts for: it is sealed, and its captures are searched.
    private const int RegionWork = 8;

    // The work that an instance counts for: its tables of members.
    private const int InstanceWork = 20;

    private int depth;

    /// <summary>The work done since <see cref="Begin"/>.</summary>
    public long Work { get; private set; }

    /// <summary>The total number of elaborated statements; a function's count once for each call.</summary>
    public long StatementCount { get; private set; }

    /// <summary>Resets the count; called before each entry.</summary>
    public void Begin(Frame outermost) => (Work, frame) = (0, outermost);

    /// <summary>Enters one more level of nested expressions until the scope ends.</summary>
    private Scope<int> Deeper(Span span)
    {
        if (!Nesting.Allows(depth + 1, Nesting.Expressions))
        {
            throw Abandoned(Codes.NestedTooDeep, userPlace ?? span,
                $"calls and expressions within one another, deeper than {Nesting.Expressions}",
                "give inner parts names with `let`, or write a loop");
        }
        Spend(1);
        return new(ref depth, depth + 1);
    }

    private void Spend(long amount)
    {
        Work += amount;
        if (Work <= MostWork) return;
        Work = 0;
        throw Abandoned(Codes.NotSupported, userPlace ?? Frame.File.Syntax.Span with { Length = 0 },
            $"a program that is more than {MostWork} operations when all calls and loops over lists are written out",
            "a `for` over a range is one loop, whatever its length; a function is written out wherever it is called");
    }

    /// <summary>Reports the error that ends the elaboration of an entry, also during a silent trial.</summary>
    private AbandonedException Abandoned(Code code, Span span, string message, string? help,
        params ReadOnlySpan<Label> secondary)
    {
        using var loud = new Scope<int>(ref muted, 0);
        Fail(code, span, message, null, help, secondary);
        return new();
    }

    /// <summary>
    /// Reports a size that does not fit into 64 bits, or sizes and lists that are too large to be intended.
    /// </summary>
    public void Overflowed(OverflowException e, Span span)
    {
        if (e is SizeLimitException or ListLimitException) Fail(Codes.NotSupported, span, e.Message);
        else Fail(Codes.SizeTooLarge, span, "a size here does not fit 64 bits");
    }
}
