// In: the values that take memory, and a limit. Out: an error that names the large ones before they are allocated.
using System.Globalization;

namespace Accelerate;

/// <summary>A value and the bytes it takes.</summary>
/// <param name="What">The value: "x: f32[n]", "the arena".</param>
/// <param name="Bytes">Its size.</param>
public sealed record MemoryUse(string What, long Bytes)
{
    /// <summary>As <c>x: f32[99999999999] takes 373 GiB</c>.</summary>
    public override string ToString() => $"{What} takes {Text(Bytes)}";

    /// <summary>A readable byte count with three digits: <c>373 GiB</c>, <c>1.50 MiB</c>, <c>12 B</c>.</summary>
    internal static string Text(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < units.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }
        string format = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {units[unit]}";
    }
}

/// <summary>
/// A call or a model needs more memory than the machine has or the caller allows. Nothing was written.
/// </summary>
public sealed class MemoryException : AccelerateException
{
    // Values below the four largest, or under a hundredth of the sum, are not worth naming: changing them would not
    // help.
    private const int Named = 4;

    private MemoryException(string message, IReadOnlyList<MemoryUse> uses, long? limit, Exception? inner)
        : base(message, inner) => (Uses, Limit) = (uses, limit);

    /// <summary>The values that take the memory, largest first.</summary>
    public IReadOnlyList<MemoryUse> Uses { get; }

    /// <summary>The limit in bytes that was exceeded; null where the system refused an allocation.</summary>
    public long? Limit { get; }

    /// <summary>Throws if all uses together exceed the limit.</summary>
    /// <param name="who">The owner of the uses: "'predict'", "the model".</param>
    /// <param name="uses">Everything in memory at the same time.</param>
    /// <param name="limit">The limit in bytes; null for the machine's memory.</param>
    /// <exception cref="MemoryException">The sum exceeds the limit.</exception>
    internal static void ThrowIfBeyond(string who, IReadOnlyList<MemoryUse> uses, long? limit)
    {
        ArgumentNullException.ThrowIfNull(who);
        ArgumentNullException.ThrowIfNull(uses);
        // A sum of sizes near 2^63 must not wrap around to one that fits.
        double total = uses.Sum(u => (double)u.Bytes);
        if (total <= (limit ?? Machine))
        {
            return;
        }
        string most = limit is { } given ? $"the limit is {MemoryUse.Text(given)}"
            : $"this machine has {MemoryUse.Text(Machine)}";
        string all = MemoryUse.Text((long)Math.Min(total, long.MaxValue));
        string sum = all == MemoryUse.Text(uses.Max(u => u.Bytes)) ? "" : $"{all} in all, and ";
        throw Of($"{who}: {List(uses)}; {sum}{most}", uses, limit ?? Machine, null);
    }

    /// <summary>The error for an allocation that the system refused.</summary>
    /// <param name="who">The requester.</param>
    /// <param name="uses">Everything it has in memory.</param>
    /// <param name="inner">The system's exception.</param>
    internal static MemoryException From(string who, IReadOnlyList<MemoryUse> uses, Exception inner)
    {
        ArgumentNullException.ThrowIfNull(who);
        ArgumentNullException.ThrowIfNull(uses);
        ArgumentNullException.ThrowIfNull(inner);
        return Of($"{who}: out of memory{(uses.Count > 0 ? ": " + List(uses) : "")}", uses, null, inner);
    }

    /// <summary>The maximum bytes of this process: memory and swap, or its container's limit.</summary>
    internal static long Machine { get; } = ReadMachine();

    private static MemoryException Of(string message, IReadOnlyList<MemoryUse> uses, long? limit, Exception? inner) =>
        new(message, [.. uses.OrderByDescending(u => u.Bytes)], limit, inner);

    private static string List(IReadOnlyList<MemoryUse> uses)
    {
        double total = uses.Sum(u => (double)u.Bytes);
        MemoryUse[] large = [.. uses.Where(u => u.Bytes * 100.0 >= total).OrderByDescending(u => u.Bytes)];
        string rest = large.Length > Named ? $", {large.Length - Named} smaller ones" : "";
        return $"{string.Join(", ", large.Take(Named))}{rest}";
    }

    private static long ReadMachine()
    {
        if (!OperatingSystem.IsLinux())
        {
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        }
        long physical = Lines("/proc/meminfo")
            .Where(l => l.StartsWith("MemTotal:", StringComparison.Ordinal)
                || l.StartsWith("SwapTotal:", StringComparison.Ordinal))
            .Sum(l => long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture))
            * 1024;
        long most = physical > 0 ? physical : long.MaxValue;
        // The container's limit, of cgroup version 2 or 1; "max" or a missing file means no limit.
        foreach (string path in (string[])["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"])
        {
            if (Lines(path) is [var line, ..] && long.TryParse(line, CultureInfo.InvariantCulture, out long limit)
                && limit > 0)
            {
                most = Math.Min(most, limit);
            }
        }
        return most;
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
