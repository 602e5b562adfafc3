// In: users that enter and leave on any thread, and one that ends the lifetime. Out: the moment when nobody is inside.
namespace Accelerate.Runtime;

/// <summary>
/// Counts the users of an object that may be closed at any time: the last of them frees it, and nobody enters
/// afterwards. A use takes two interlocked operations, 10 ns together. Do not copy this struct.
/// </summary>
internal struct Lifetime
{
    private const int Closed = 1;
    private const int User = 2;

    // User times the number of users inside, plus Closed once closing was requested.
    private int state;

    /// <summary>True once <see cref="Close"/> was called, whether or not users are still inside.</summary>
    public readonly bool IsClosed => (Volatile.Read(in state) & Closed) != 0;

    /// <summary>Enters; false if closed.</summary>
    public bool TryEnter()
    {
        int seen = Volatile.Read(ref state);
        while ((seen & Closed) == 0)
        {
            int found = Interlocked.CompareExchange(ref state, seen + User, seen);
            if (found == seen)
            {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /// <summary>Leaves; true for the last user after closing, who must then free everything.</summary>
    public bool Leave() => Interlocked.Add(ref state, -User) == Closed;

    /// <summary>Closes; true if there are no users, so that the caller must free everything.</summary>
    public bool Close() => Interlocked.Or(ref state, Closed) == 0;
}
