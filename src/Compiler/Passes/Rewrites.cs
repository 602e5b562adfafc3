// The rewrites of one compilation: how many there were, how many are allowed, which came last. Used by bisecting.
namespace Accelerate.Compiler.Passes;

/// <summary>
/// One application of a rule: the text of the node before and after, and where it came from in the source.
/// </summary>
internal sealed record Rewrite(string Pass, string Rule, string Before, string After, string Place)
{
    public override string ToString() =>
        $"{Pass}: {Rule}: {Before} => {After}{(Place.Length > 0 ? $" ({Place})" : "")}";
}

/// <summary>
/// Counts rewrites over all passes and refuses those past the limit, so that the first wrong one can be found by
/// halving (`accc bisect`, `dump --stop-after-rewrite N`). Passes that lowering depends on are not counted.
/// </summary>
internal sealed class Rewrites(long limit = long.MaxValue)
{
    /// <summary>Rewrites made so far.</summary>
    public long Count { get; private set; }

    /// <summary>The last one made; null before the first.</summary>
    public Rewrite? Last { get; private set; }

    public bool MayGoOn => Count < limit;

    internal void Add(Func<Rewrite> made)
    {
        Count++;
        // The text is only made for the rewrite that was asked for.
        if (Count == limit) Last = made();
    }
}
