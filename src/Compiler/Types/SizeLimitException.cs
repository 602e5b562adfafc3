// A size expression that grows without bound, such as one that is squared again and again.
namespace Accelerate.Compiler.Types;

/// <summary>To code that only tries to prove something, an overflow like any other.</summary>
internal sealed class SizeLimitException(string message) : OverflowException(message)
{
    // Sizes seen in programs have a handful of terms, and some hundred characters after 100 strided layers.
    internal const int MostTerms = 2000;
    internal const int MostText = 20_000;

    internal static string Bounded(string text) => text.Length <= MostText ? text
        : throw new SizeLimitException($"a size whose formula is longer than {MostText} characters");

    internal static void Bound(long terms)
    {
        if (terms > MostTerms) throw new SizeLimitException($"a size of more than {MostTerms} terms");
    }
}
