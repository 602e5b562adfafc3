// In: a key that covers everything a result depends on, and the result's bytes. Out: the bytes again, for every process
// of the user.
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Accelerate.Runtime;

/// <summary>
/// Compilation results (objects, programs), one file each, shared by all processes of the user. The cache is only an
/// optimisation: an entry that is missing, truncated, altered, misplaced or owned by someone else is compiled again,
/// and a disk that cannot be written is no error. <see cref="PrivateFolder"/> checks the ownership of folder and files.
/// </summary>
internal sealed class DiskCache
{
    /// <summary>The default total size in bytes above which the oldest entries are removed.</summary>
    public const long DefaultMaxBytes = 512L << 20;

    /// <summary>The environment variable that names the folder; `off` turns the cache off.</summary>
    public const string FolderVariable = "ACC_CACHE_DIR";

    /// <summary>`off` turns the cache off.</summary>
    public const string SwitchVariable = "ACC_CACHE";

    // Incremented whenever the file layout or the meaning of a key changes.
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
    /// Opens a cache in <paramref name="folder"/>, which is created for the user alone if it does not exist.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be created or opened, or is a link.</exception>
    /// <exception cref="UnauthorizedAccessException">Another user may write to it or replace it.</exception>
    public DiskCache(string folder, long maxBytes = DefaultMaxBytes)
    {
        ArgumentNullException.ThrowIfNull(folder);
        this.folder = new PrivateFolder(folder);
        this.maxBytes = maxBytes;
    }

    /// <summary>The numbers of lookups found on disk and not found, since this instance was created.</summary>
    public (long Hits, long Misses) Counts => (Interlocked.Read(ref hits), Interlocked.Read(ref misses));

    /// <summary>
    /// Opens $ACC_CACHE_DIR, or $XDG_CACHE_HOME/accelerate/objects, or ~/.cache/accelerate/objects; null if ACC_CACHE
    /// is off, or no such folder can be used.
    /// </summary>
    public static DiskCache? FromEnvironment() => FromEnvironment(out _);

    /// <summary>The same, and the reason if the requested folder cannot be used.</summary>
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

    /// <summary>The folder that the environment variables request; null for none.</summary>
    public static string? FolderFrom(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        if (variable(SwitchVariable) == "off" || variable(FolderVariable) == "off")
            return null;
        if (variable(FolderVariable) is { Length: > 0 } given)
            return Path.GetFullPath(given);
        // The XDG specification says that relative paths are ignored.
        if (variable("XDG_CACHE_HOME") is { } xdg && Path.IsPathRooted(xdg))
            return Path.Combine(xdg, "accelerate", "objects");
        return variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache", "accelerate", "objects") : null;
    }

    /// <summary>
    /// SHA-256 of the parts, in hexadecimal. Each part is prefixed by its length, so that different lists of parts
    /// never concatenate to the same bytes.
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

    /// <summary>The bytes of a key, or null if there is no valid entry; an invalid one is deleted.</summary>
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
    /// Stores bytes. Readers see the whole entry or none; if writing fails, the cache stays as it was.
    /// </summary>
    public void Put(string key, ReadOnlySpan<byte> bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (folder.Write(key + Extension, Header(key, bytes), bytes)) EvictIfNeeded(HeaderLength + bytes.Length);
    }

    /// <summary>
    /// Magic, length of the bytes, SHA-256 of key and bytes; the key is included so that a renamed entry is invalid.
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
    /// Measures the folder once and then adds to the estimate; other processes' writes are noticed at an eviction.
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
    /// Removes the least recently read entries until a tenth of the limit is free, so that not every write evicts.
    /// </summary>
    private long Evict()
    {
        // A temporary file this old belongs to a process that died while writing.
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
