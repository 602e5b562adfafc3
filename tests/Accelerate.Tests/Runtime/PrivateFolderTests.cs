// In: folders and entries that others could have prepared. Out: a cache that is off, or an entry that is not read; and
// nothing of theirs changed.
using System.Diagnostics;
using System.Runtime.Versioning;
using Accelerate.Runtime;
using Accelerate.Tests.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime;

[UnsupportedOSPlatform("windows")] // where all of its tests are skipped
public sealed class PrivateFolderTests : IDisposable
{
    private const UnixFileMode All = (UnixFileMode)0b111_111_111;
    private const UnixFileMode OwnerOnly = (UnixFileMode)0b111_000_000;

    private readonly TemporaryFolder temporary = new();

    private string Folder => temporary["cache"];

    private string Entry => Path.Combine(Folder, "00ab.accobj");

    public void Dispose() => temporary.Dispose();

    [LinuxFact]
    public void A_folder_is_made_for_the_user_alone_with_its_parents()
    {
        _ = new DiskCache(temporary["a/b/c"]);
        foreach (var path in (string[])["a", "a/b", "a/b/c"])
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(temporary[path]));
    }

    [LinuxTheory]
    [InlineData(0b001_111_111_111)] // 1777, as /tmp
    [InlineData(0b111_111_111)]
    [InlineData(0b111_111_101)]
    [InlineData(0b111_101_111)]
    public void A_folder_that_others_may_write_is_not_used_and_not_changed(int mode)
    {
        Directory.CreateDirectory(Folder);
        File.SetUnixFileMode(Folder, (UnixFileMode)mode);
        Assert.Contains("others may write to", Refusal(Folder));
        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(Folder));
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
    }

    [LinuxTheory]
    [InlineData(0b111_101_101)]
    [InlineData(0b111_000_000)]
    public void A_folder_of_the_user_is_used_as_it_is(int mode)
    {
        Directory.CreateDirectory(Folder);
        File.SetUnixFileMode(Folder, (UnixFileMode)mode);
        new DiskCache(Folder).Put("00ab", [1]);
        Assert.Equal([1], new DiskCache(Folder).TryGet("00ab")!);
        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(Folder));
        Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(Entry));
    }

    [RootFact]
    public void A_folder_of_another_user_is_not_used_even_by_root()
    {
        new DiskCache(Folder).Put("00ab", [1]);
        Shell("chown", "-R", "65534", Folder);
        Assert.Contains("belongs to user 65534", Refusal(Folder));
    }

    [RootFact]
    public void A_folder_below_one_of_another_user_is_not_used()
    {
        Directory.CreateDirectory(temporary["theirs"]);
        new DiskCache(temporary["theirs/cache"]).Put("00ab", [1]);
        Shell("chown", "65534", temporary["theirs"]);
        Assert.Contains("a folder above it belongs to user 65534", Refusal(temporary["theirs/cache"]));
    }

    [LinuxTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_folder_above_may_be_written_by_others_only_if_it_is_sticky(bool isSticky)
    {
        Directory.CreateDirectory(temporary["shared"]);
        File.SetUnixFileMode(temporary["shared"], All | (isSticky ? UnixFileMode.StickyBit : 0));
        if (isSticky) _ = new DiskCache(temporary["shared/cache"]);
        else Assert.Contains("above it can be written by others", Refusal(temporary["shared/cache"]));
    }

    [LinuxFact]
    public void A_link_to_a_folder_is_not_followed()
    {
        Directory.CreateDirectory(temporary["own"], OwnerOnly);
        Directory.CreateSymbolicLink(Folder, temporary["own"]);
        Assert.Throws<IOException>(() => new DiskCache(Folder));
        Directory.Delete(temporary["own"]);
        Assert.Throws<IOException>(() => new DiskCache(Folder)); // dangling
        Assert.False(Directory.Exists(temporary["own"]));
        // A link above is as good as what it leads to: home folders are reached so.
        Directory.CreateDirectory(temporary["own"], OwnerOnly);
        _ = new DiskCache(Path.Combine(Folder, "below"));
        Directory.CreateDirectory(temporary["open"]);
        File.SetUnixFileMode(temporary["open"], All);
        Directory.CreateSymbolicLink(temporary["link"], temporary["open"]);
        Assert.Throws<UnauthorizedAccessException>(() => new DiskCache(temporary["link/below"]));
    }

    [LinuxTheory]
    [InlineData("a link")]
    [InlineData("a dangling link")]
    [InlineData("another name")]
    [InlineData("others may write")]
    [InlineData("a folder")]
    [InlineData("a pipe")]
    public void An_entry_that_only_the_user_can_have_written_is_read_and_no_other(string how)
    {
        var cache = new DiskCache(Folder);
        cache.Put("00ab", [1, 2]);
        Assert.Equal([1, 2], cache.TryGet("00ab")!);
        var elsewhere = temporary["elsewhere"];
        switch (how)
        {
            case "a link": File.Move(Entry, elsewhere); File.CreateSymbolicLink(Entry, elsewhere); break;
            case "a dangling link": File.Delete(Entry); File.CreateSymbolicLink(Entry, elsewhere); break;
            case "another name": Shell("ln", Entry, elsewhere); break;
            case "others may write": File.SetUnixFileMode(Entry, (UnixFileMode)0b110_110_110); break;
            case "a folder": File.Delete(Entry); Directory.CreateDirectory(Entry); break;
            default: File.Delete(Entry); Shell("mkfifo", Entry); break;
        }
        Assert.Null(cache.TryGet("00ab"));
        cache.Put("00ab", [3]);
        if (how == "a folder") Assert.Null(cache.TryGet("00ab"));
        else Assert.Equal([3], cache.TryGet("00ab")!);
        // What stood elsewhere was not written through.
        if (how is "a link" or "another name") Assert.True(new FileInfo(elsewhere).Length > 40);
        if (how == "a dangling link") Assert.False(File.Exists(elsewhere));
    }

    [RootFact]
    public void An_entry_of_another_user_is_not_read()
    {
        var cache = new DiskCache(Folder);
        cache.Put("00ab", [1]);
        Shell("chown", "65534", Entry);
        Assert.Null(cache.TryGet("00ab"));
        cache.Put("00ab", [2]);
        Assert.Equal([2], cache.TryGet("00ab")!);
    }

    [LinuxFact]
    public void A_folder_swapped_behind_the_cache_is_not_seen()
    {
        var cache = new DiskCache(Folder);
        cache.Put("00ab", [1]);
        Directory.Move(Folder, temporary["moved"]);
        new DiskCache(Folder).Put("00ab", [2]);
        Assert.Equal([1], cache.TryGet("00ab")!);
        cache.Put("00cd", [3]);
        Assert.False(File.Exists(Path.Combine(Folder, "00cd.accobj")));
        Assert.True(File.Exists(temporary["moved/00cd.accobj"]));
    }

    [LinuxFact]
    public void A_file_or_a_read_only_folder_in_its_place_is_no_error()
    {
        File.WriteAllText(Folder, "a file");
        Assert.Contains("is no folder", Assert.Throws<IOException>(() => new DiskCache(Folder)).Message);
        Assert.ThrowsAny<IOException>(() => new DiskCache(Path.Combine(Folder, "below")));
        Assert.Equal("a file", File.ReadAllText(Folder));
        var cache = new DiskCache("/proc"); // root's, or another's; nobody can write there
        cache.Put("00ab", [1]);
        Assert.Null(cache.TryGet("00ab"));
    }

    private static string Refusal(string folder) =>
        Assert.Throws<UnauthorizedAccessException>(() => new DiskCache(folder)).Message;

    private static void Shell(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments))!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}

/// <summary>What the command line says of a cache that it cannot use. Alone: the environment is all tests'.</summary>
[CollectionDefinition(nameof(RefusedCacheTests), DisableParallelization = true)]
[Collection(nameof(RefusedCacheTests))]
public sealed class RefusedCacheTests : CommandLine
{
    [LinuxFact]
    public void A_refusal_is_told_once_by_verbose_and_the_call_runs()
    {
        var known = Environment.GetEnvironmentVariable(DiskCache.FolderVariable);
        Write("in the way", "a file");
        try
        {
            Environment.SetEnvironmentVariable(DiskCache.FolderVariable, this["in the way"]);
            string[] call = ["run", "net.acc", "scale", "x=[1,2]", "k=3", "--backend", "interpreter"];
            var quiet = Run(call);
            Assert.Equal((0, ""), (quiet.Code, quiet.Error));
            var (code, output, error) = Run([.. call, "--verbose"]);
            Assert.Equal((0, quiet.Output), (code, output));
            Assert.Equal("the cache is off: in the way is no folder, or a link to one\n", error);
        }
        finally
        {
            Environment.SetEnvironmentVariable(DiskCache.FolderVariable, known);
        }
    }
}
