// In: the keys of one row. Out: the sorted keys, and the original index of each.
namespace Accelerate.Backends.Interpreter;

/// <summary>
/// The defining order, using the comparisons of the kernel's `lt` and `eq`: stable, with NaN last in both directions.
/// One instance serves one sort of a kernel in one thread.
/// </summary>
internal sealed class SortedRow<T>(Func<T, T, bool> isLess, Func<T, T, bool> isEqual, bool isDescending)
    where T : unmanaged
{
    private readonly List<T> keys = [];
    private int[] order = [];

    public void Begin(long extent)
    {
        keys.Clear();
        keys.EnsureCapacity(checked((int)Math.Max(0, extent)));
    }

    public void Add(T key) => keys.Add(key);

    public void End()
    {
        order = [.. Enumerable.Range(0, keys.Count)];
        // Enumerable.Order is stable; Array.Sort is not.
        order = [.. order.Order(Comparer<int>.Create(Compare))];
    }

    public T KeyAt(long place) => keys[order[place]];

    public long IndexAt(long place) => order[place];

    private int Compare(int i, int j)
    {
        var (a, b) = (keys[i], keys[j]);
        var (isNaN, isOtherNaN) = (IsNaN(a), IsNaN(b));
        if (isNaN || isOtherNaN) return isNaN.CompareTo(isOtherNaN);
        var less = isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0;
        return isDescending ? -less : less;
    }

    /// <summary>Only a NaN does not equal itself.</summary>
    private bool IsNaN(T key) => !isEqual(key, key);
}
