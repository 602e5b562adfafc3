// What nests in a program is walked by recursion. This file says how deep it may nest, and gives the stack to walk it
// on, so that no text exhausts a stack: that would end the process.
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Accelerate.Compiler.Diagnostics;

internal static class Nesting
{
    /// <summary>Brackets within brackets; a parser's frames are large, and nobody reads more.</summary>
    public const int Brackets = 256;

    /// <summary>
    /// Rules of the grammar within rules: brackets, or a chain of signs, powers, `=&gt;` or `else if`.
    /// </summary>
    public const int Rules = 4000;

    /// <summary>
    /// Operators, calls and members within one expression, and in elaborating all expressions that are being evaluated,
    /// those of callers too: sums of 10,000 terms, which programs write, are below it.
    /// </summary>
    public const int Expressions = 12_000;

    // 10 KB for each of the 12,000 levels; memory is taken as it is reached. The frames of one level take a fraction of
    // that, and where they should not, Allows ends the walk before the stack does.
    private const int StackBytes = 128 << 20;

    [ThreadStatic]
    private static bool isDeep;

    /// <summary>Does the work on a stack that is deep enough for everything within the limits.</summary>
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

    /// <summary>Whether a walk may go one level deeper.</summary>
    public static bool Allows(int depth, int most) =>
        depth <= most && RuntimeHelpers.TryEnsureSufficientExecutionStack();
}

/// <summary>A program nests deeper than it is walked.</summary>
internal sealed class NestingException(Span span, string message) : Exception(message)
{
    public Span Span { get; } = span;
}
