// Nested programs are walked by recursion. This file limits the depth of nesting and provides a stack that is large
// enough for it, so that no text exhausts a stack, which would end the process.
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Accelerate.Compiler.Diagnostics;

internal static class Nesting
{
    /// <summary>Nested brackets; a parser's frames are large, and nobody can read more.</summary>
    public const int Brackets = 256;

    /// <summary>Nested rules of the grammar: brackets, or a chain of signs, powers, `=&gt;` or `else if`.</summary>
    public const int Rules = 4000;

    /// <summary>
    /// Operators, calls and members within one expression; during elaboration, all expressions being evaluated,
    /// including those of callers. Sums of 10,000 terms, which programs do contain, are below it.
    /// </summary>
    public const int Expressions = 12_000;

    // 10 KB for each of the 12,000 levels; memory is only committed when it is reached. The frames of one level take a
    // fraction of that; if they should not, Allows ends the walk before the stack does.
    private const int StackBytes = 128 << 20;

    [ThreadStatic]
    private static bool isDeep;

    /// <summary>Runs the work on a stack that is deep enough for everything within the limits.</summary>
    public static T Deeply<T>(Func<T> work)
    {
        if (isDeep) return work();
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            isDeep = true;
            try
            {
                result = work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }, StackBytes)
        { IsBackground = true, Name = "accelerate compiler" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>True if a walk may go one level deeper.</summary>
    public static bool Allows(int depth, int most) =>
        depth <= most && RuntimeHelpers.TryEnsureSufficientExecutionStack();
}

/// <summary>A program is nested deeper than the limits allow.</summary>
internal sealed class NestingException(Span span, string message) : Exception(message)
{
    public Span Span { get; } = span;
}
