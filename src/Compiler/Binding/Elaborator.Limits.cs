// How much there is to elaborate: counted, so that a text that says it in few lines (calls that double, lists of lists,
// modules in modules) is refused early, instead of taking all time and memory.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

/// <summary>What was being elaborated is given up; why has been reported.</summary>
internal sealed class AbandonedException : Exception;

internal sealed partial class Elaborator
{
    /// <summary>
    /// Expressions evaluated, nodes made and elements of lists, for one entry. Of the examples, GPT-2's generate takes
    /// 24,504 and Llama's greedy_text, the largest, 88,728; a million takes about 2 s of one core and 250 MB.
    /// </summary>
    public const int MostWork = 1_000_000;

    /// <summary>More mistakes than anybody mends at once; each may cost a look at all names.</summary>
    private const int MostReports = 100;

    // What a call weighs among the expressions within one another: its frames are as large, and the garbage collector
    // looks at all of them every time.
    private const int CallDepth = 5;

    // What a node of a branch or a loop weighs besides: it is sealed, and what it captures is looked for.
    private const int RegionWork = 8;

    // What an instance weighs in work: its tables of members.
    private const int InstanceWork = 20;

    private int depth;

    /// <summary>The work done since <see cref="Begin"/>.</summary>
    public long Work { get; private set; }

    /// <summary>The statements elaborated in all, each as often as it was: a function's once a call.</summary>
    public long StatementCount { get; private set; }

    /// <summary>Before each entry.</summary>
    public void Begin(Frame outermost) => (Work, frame) = (0, outermost);

    /// <summary>One level deeper among the expressions within one another, until the scope ends.</summary>
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

    /// <summary>Reports what ends the elaboration of an entry, also while something is only tried.</summary>
    private AbandonedException Abandoned(Code code, Span span, string message, string? help,
        params ReadOnlySpan<Label> secondary)
    {
        using var loud = new Scope<int>(ref muted, 0);
        Fail(code, span, message, null, help, secondary);
        return new();
    }

    /// <summary>Sizes that are no 64-bit numbers, or sizes and lists that nobody wrote so large.</summary>
    public void Overflowed(OverflowException e, Span span)
    {
        if (e is SizeLimitException or ListLimitException) Fail(Codes.NotSupported, span, e.Message);
        else Fail(Codes.SizeTooLarge, span, "a size here does not fit 64 bits");
    }
}
