// In: a key over everything that decides a result, and the result's bytes. Out: the bytes again, for every process of
// the user.
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Accelerate.Runtime;

/// <summary>
/// What compiling gives (objects, programs), one file each, shared by every process of the user. An entry is only ever
/// an optimisation: one that is missing, truncated, altered, misplaced or somebody else's is compiled again, and a disk
/// that cannot be written is no error. Whose folder and files they are is <see cref="PrivateFolder"/>'s part.
/// </summary>
internal sealed class DiskCache
{
    /// <summary>
    /// Total size of the entries beyond which the oldest are removed, unless the caller gives another.
    /// </summary>
    public const long DefaultMaxBytes = 512L << 20;

    /// <summary>The environment variable that names the folder; `off` turns the cache off.</summary>
    public const string FolderVariable = "ACC_CACHE_DIR";

    /// <summary>`off` turns the cache off.</summary>
    public const string SwitchVariable = "ACC_CACHE";

    // Changed whenever the file layout or the meaning of a key changes.
    private const int FormatVersion = 1;
    private const string Extension = ".accobj";
    private const int HeaderLength = 8 + 8 + SHA256.HashSizeInBytes;
    private static ReadOnlySpan<byte> Magic => "ACCOBJ1\n"u8;

    private readonly PrivateFolder folder;
    private readonly long maxBytes;
    private readonly Lock gate = new();
    private long? estimatedBytes;
    private long hits;
    private long misses;

    /// <summary>
    /// A cache in <paramref name="folder"/>, which is made for the user alone if it is not there.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be made or opened, or is a link.</exception>
    /// <exception cref="UnauthorizedAccessException">Somebody else may write to it, or put another in its
    /// place.</exception>
    public DiskCache(string folder, long maxBytes = DefaultMaxBytes)
    {
        ArgumentNullException.ThrowIfNull(folder);
        this.folder = new PrivateFolder(folder);
        this.maxBytes = maxBytes;
    }

    /// <summary>Lookups answered from disk, and those that were not, since this instance was made.</summary>
    public (long Hits, long Misses) Counts => (Interlocked.Read(ref hits), Interlocked.Read(ref misses));

    /// <summary>
    /// $ACC_CACHE_DIR, or $XDG_CACHE_HOME/accelerate/objects, or ~/.cache/accelerate/objects; null if ACC_CACHE is off,
    /// or no such folder can be used.
    /// </summary>
    public static DiskCache? FromEnvironment() => FromEnvironment(out _);

    /// <summary>The same, with the reason why the folder that the environment asks for cannot be used.</summary>
    public static DiskCache? FromEnvironment(out string? refusal)
    {
        refusal = null;
        try
        {
            return FolderFrom(Environment.GetEnvironmentVariable) is { } folder ? new DiskCache(folder) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            refusal = e.Message;
            return null;
        }
    }

    /// <summary>The folder that a set of environment variables asks for.</summary>
    public static string? FolderFrom(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        if (variable(SwitchVariable) == "off" || variable(FolderVariable) == "off")
            return null;
        if (variable(FolderVariable) is { Length: > 0 } given)
            return Path.GetFullPath(given);
        // The XDG specification has relative paths ignored.
        if (variable("XDG_CACHE_HOME") is { } xdg && Path.IsPathRooted(xdg))
            return Path.Combine(xdg, "accelerate", "objects");
        return variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache", "accelerate", "objects") : null;
    }

    /// <summary>
    /// SHA-256 over parts, in hexadecimal. Each part is preceded by its length, so that no two lists of parts read the
    /// same.
    /// </summary>
    public static string Key(params IEnumerable<string> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[8];
        foreach (var part in parts.Prepend(FormatVersion.ToString(CultureInfo.InvariantCulture)))
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The bytes of a key, or null if there is no sound entry; an unsound one is removed.</summary>
    public byte[]? TryGet(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        var entry = folder.Read(key + Extension);
        var result = entry is null ? null : Decode(key, entry);
        if (entry is not null && result is null) folder.Delete(key + Extension);
        Interlocked.Increment(ref result is null ? ref misses : ref hits);
        return result;
    }

    /// <summary>
    /// Stores bytes. Readers see the whole entry or none; a failure to write leaves the cache as it was.
    /// </summary>
    public void Put(string key, ReadOnlySpan<byte> bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (folder.Write(key + Extension, Header(key, bytes), bytes)) EvictIfNeeded(HeaderLength + bytes.Length);
    }

    /// <summary>
    /// magic, length of the bytes, SHA-256 of key and bytes; the key is in it so that a renamed entry is unsound.
    /// </summary>
    private static byte[] Header(string key, ReadOnlySpan<byte> bytes)
    {
        var header = new byte[HeaderLength];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), bytes.Length);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(key));
        hash.AppendData(bytes);
        hash.GetHashAndReset(header.AsSpan(16));
        return header;
    }

    private static byte[]? Decode(string key, byte[] entry)
    {
        if (entry.Length < HeaderLength)
            return null;
        var bytes = entry.AsSpan(HeaderLength);
        return entry.AsSpan(0, HeaderLength).SequenceEqual(Header(key, bytes)) ? bytes.ToArray() : null;
    }

    /// <summary>
    /// The folder is measured once and then reckoned forward; other processes' writes are seen at an eviction.
    /// </summary>
    private void EvictIfNeeded(long added)
    {
        lock (gate)
        {
            estimatedBytes = estimatedBytes is { } known ? known + added : Entries().Sum(f => f.Bytes);
            if (estimatedBytes > maxBytes)
                estimatedBytes = Evict();
        }
    }

    /// <summary>
    /// Removes the entries read longest ago until a tenth of the room is free, so that not every write evicts.
    /// </summary>
    private long Evict()
    {
        // A temporary file this old belongs to a process that died while writing it.
        foreach (var file in folder.List($".*{Extension}.*.tmp"))
        {
            if (DateTime.UtcNow - file.Written > TimeSpan.FromHours(1)) folder.Delete(file.Name);
        }

        var entries = Entries().OrderBy(f => f.Read).ToList();
        var total = entries.Sum(f => f.Bytes);
        foreach (var entry in entries)
        {
            if (total <= maxBytes / 10 * 9)
                break;
            folder.Delete(entry.Name);
            total -= entry.Bytes;
        }

        return total;
    }

    private IReadOnlyList<PrivateFolder.Entry> Entries() => folder.List("*" + Extension);
}
