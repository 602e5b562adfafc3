// In: a number of examples, a seed. Out: the training and validation examples, and the order of every epoch.
namespace Accelerate.Data;

/// <summary>
/// Depends on its arguments alone, so that a run resumed elsewhere sees the same examples. The order takes four bytes
/// an example.
/// </summary>
internal sealed class ExampleOrder
{
    // Step numbers that never occur, so that these keys differ from fold(seed, step) of every step.
    private const long OrderKey = -2;
    private const long SplitKey = -3;

    private readonly int[] training;
    private readonly long seed;

    private ExampleOrder(int[] training, int[] validation, long seed) =>
        (this.training, Validation, this.seed) = (training, validation, seed);

    /// <summary>The number of training examples.</summary>
    public int Count => training.Length;

    /// <summary>The validation examples, in the order of the file; may be empty.</summary>
    public IReadOnlyList<int> Validation { get; }

    /// <summary>Splits the examples of a feed into training and validation.</summary>
    /// <param name="feed">The examples.</param>
    /// <param name="seed">Determines the split and the orders.</param>
    /// <param name="validation">The fraction for validation, from 0 to below 1. Of a text it is the end, and windows
    /// that overlap both parts are left out: randomly drawn windows would overlap with those for training.</param>
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

    /// <summary>The training examples in the order of an epoch.</summary>
    public IReadOnlyList<int> Epoch(int epoch, bool isShuffled = true)
    {
        if (!isShuffled) return training;
        var order = Keys.Permutation(training.Length, Keys.Fold(Keys.Fold(seed, OrderKey), epoch));
        for (var i = 0; i < order.Length; i++) order[i] = training[order[i]];
        return order;
    }
}
