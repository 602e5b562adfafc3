// In: a number of examples, a seed. Out: which of them train and which validate, and their order in every epoch.
namespace Accelerate.Data;

/// <summary>
/// A function of its arguments alone: a run that goes on elsewhere sees the examples that it would have seen. The order
/// takes four bytes an example.
/// </summary>
internal sealed class ExampleOrder
{
    // Keys of their own for what is drawn: those of steps are fold(seed, step), and these steps never come.
    private const long OrderKey = -2;
    private const long SplitKey = -3;

    private readonly int[] training;
    private readonly long seed;

    private ExampleOrder(int[] training, int[] validation, long seed) =>
        (this.training, Validation, this.seed) = (training, validation, seed);

    /// <summary>How many examples train.</summary>
    public int Count => training.Length;

    /// <summary>Those held back for validation, in the order of the file; empty if none are.</summary>
    public IReadOnlyList<int> Validation { get; }

    /// <summary>All examples of a feed train, but for a part that is drawn for validation.</summary>
    /// <param name="feed">The examples.</param>
    /// <param name="seed">Decides the draw and the orders.</param>
    /// <param name="validation">The part held back, from 0 to below 1. Of a text it is the end, with no window of both
    /// parts: windows drawn from all over it would lie inside those that train.</param>
    public static ExampleOrder Of(Feed feed, long seed, double validation = 0)
    {
        ArgumentNullException.ThrowIfNull(feed);
        var count = (int)feed.Count;
        var held = (int)Math.Round(count * validation);
        if (feed.IsWindows)
        {
            var apart = held == 0 ? 0 : (int)Math.Min(feed.Overlap - 1, count - held);
            return new([.. Enumerable.Range(0, count - held - apart)], [.. Enumerable.Range(count - held, held)], seed);
        }
        var drawn = held == 0 ? [.. Enumerable.Range(0, count)] : Keys.Permutation(count, Keys.Fold(seed, SplitKey));
        return new([.. drawn.Skip(held).Order()], [.. drawn.Take(held).Order()], seed);
    }

    /// <summary>The examples that train in the order of an epoch.</summary>
    public IReadOnlyList<int> Epoch(int epoch, bool isShuffled = true)
    {
        if (!isShuffled) return training;
        var order = Keys.Permutation(training.Length, Keys.Fold(Keys.Fold(seed, OrderKey), epoch));
        for (var i = 0; i < order.Length; i++) order[i] = training[order[i]];
        return order;
    }
}
