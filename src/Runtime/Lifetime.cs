// In: users that come and go on any thread, and one that ends it. Out: the moment after which nobody is inside.
namespace Accelerate.Runtime;

/// <summary>
/// Counts who uses a thing whose end may come at any time: what it is made of is freed by whoever is last, and nobody
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

    /// <summary>Goes; true for the last one behind the end, who has to free what there is.</summary>
    public bool Leave() => Interlocked.Add(ref _state, -User) == Closed;

    /// <summary>Ends it; true if nobody is inside, and what there is has to be freed by the caller.</summary>
    public bool Close() => Interlocked.Or(ref _state, Closed) == 0;
}
