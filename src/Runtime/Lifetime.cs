// In: users that come and go on any thread, and one that ends it. Out: the moment after which nobody is inside.
namespace Accelerate.Runtime;

/// <summary>
/// Counts the users of a thing whose end may come at any time: the last of them frees its parts, and nobody
/// enters after the end. Two interlocked operations a use, 10 ns together. Not to be copied.
/// </summary>
internal struct Lifetime
{
    private const int Closed = 1;
    private const int User = 2;

    // User times the users inside, and Closed once the end was asked for.
    private int _state;

    /// <summary>True once <see cref="Close"/> was called, whether or not users are still inside.</summary>
    public readonly bool IsClosed => (Volatile.Read(in _state) & Closed) != 0;

    /// <summary>Comes in; false once it is closed.</summary>
    public bool TryEnter()
    {
        int seen = Volatile.Read(ref _state);
        while ((seen & Closed) == 0)
        {
            int found = Interlocked.CompareExchange(ref _state, seen + User, seen);
            if (found == seen)
            {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /// <summary>Ends a use; true for the last one after the end, who has to free everything.</summary>
    public bool Leave() => Interlocked.Add(ref _state, -User) == Closed;

    /// <summary>Ends the thing; true if nobody uses it, so that the caller has to free everything.</summary>
    public bool Close() => Interlocked.Or(ref _state, Closed) == 0;
}
