// In: kernels compared bit for bit, and their output elements. Out: the totals, in TestResults/compared.txt for ./test.
namespace Accelerate.Tests.Support;

/// <summary>Counts what the tests of this process have compared between two backends.</summary>
public static class Compared
{
    private static long kernels;
    private static long elements;
    private static long written;

    static Compared() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Write();

    /// <summary>One kernel run on two backends, with this many elements in its outputs.</summary>
    public static void Add(long outputElements)
    {
        Interlocked.Increment(ref kernels);
        Interlocked.Add(ref elements, outputElements);
        // A test host may be killed instead of ending: the file is never more than a second old.
        var (now, last) = (Environment.TickCount64, Volatile.Read(ref written));
        if (now - last >= 1000 && Interlocked.CompareExchange(ref written, now, last) == last) Write();
    }

    public static string Line =>
        $"compared: {Volatile.Read(ref kernels)} kernels, {Volatile.Read(ref elements)} elements";

    private static void Write()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Shared.Repository, "TestResults"));
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "compared.txt"), Line + "\n");
        }
        catch (IOException)
        {
            // Another test process is writing its own totals.
        }
    }
}
