// A size expression that grows without bound, as one that is squared again and again.
namespace Accelerate.Compiler.Types;

/// <summary>An overflow as any other to what only tries to prove something.</summary>
internal sealed class SizeLimitException(string message) : OverflowException(message)
{
    // Sizes that programs have met are a handful of terms, and some hundred characters behind 100 strided layers.
    internal const int MostTerms = 2000;
    internal const int MostText = 20_000;

    internal static string Bounded(string text) => text.Length <= MostText ? text
        : throw new SizeLimitException($"a size whose formula is longer than {MostText} characters");

    internal static void Bound(long terms)
    {
        if (terms > MostTerms) throw new SizeLimitException($"a size of more than {MostTerms} terms");
    }
}
