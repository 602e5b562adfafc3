// In: a text and the test that made it. Out: nothing if the file beside the test holds the same text, else a failure.
using System.Runtime.CompilerServices;

namespace Accelerate.Tests.Support;

/// <summary>
/// Full texts in Verify's file convention: `Class.Test.verified.txt` is what was approved, `Class.Test.received.txt` is
/// written when a test differs and goes away when it agrees again. Approving is renaming the one to the other.
/// </summary>
internal static class Snapshot
{
    /// <param name="text">What the test produced; line endings do not matter.</param>
    /// <param name="name">Tells the snapshots of one test apart; empty for a test that has one.</param>
    /// <param name="file">The test's source file, given by the compiler.</param>
    /// <param name="test">The test's name, given by the compiler.</param>
    public static void Match(
        string text, string name = "", [CallerFilePath] string file = "", [CallerMemberName] string test = "")
    {
        var stem = Path.Combine(Path.GetDirectoryName(file)!,
            $"{Path.GetFileNameWithoutExtension(file)}.{test}{(name.Length > 0 ? "." : "")}{name}");
        var (verified, received) = ($"{stem}.verified.txt", $"{stem}.received.txt");
        var actual = Normal(text);
        var expected = File.Exists(verified) ? Normal(File.ReadAllText(verified)) : null;
        if (actual == expected)
        {
            File.Delete(received);
            return;
        }
        File.WriteAllText(received, actual);
        Assert.Fail(expected is null
            ? $"{Path.GetFileName(verified)} does not exist. Read {received}, and rename it if it is right."
            : $"{Path.GetFileName(verified)} differs{Place(expected, actual)}. "
                + $"Read {received}, and rename it if it is right.");
    }

    private static string Normal(string text) => text.Replace("\r\n", "\n").TrimEnd('\n') + "\n";

    private static string Place(string expected, string actual)
    {
        var (old, now) = (expected.Split('\n'), actual.Split('\n'));
        var line = 0;
        while (line < old.Length && line < now.Length && old[line] == now[line]) line++;
        return $" from line {line + 1} on:\n"
            + $"  verified: {old.ElementAtOrDefault(line)}\n  received: {now.ElementAtOrDefault(line)}\n";
    }
}
