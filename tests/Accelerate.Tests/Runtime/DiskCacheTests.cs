// In: caches in folders of their own. Out: hits, misses, repair, eviction and the environment's say, each checked.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed class DiskCacheTests : IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"acc-cache-{Guid.NewGuid():n}");

    public DiskCacheTests() => Directory.CreateDirectory(folder);

    private string Only => Assert.Single(Directory.GetFiles(folder));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("truncated")]
    [InlineData("empty")]
    [InlineData("flipped")]
    [InlineData("longer")]
    [InlineData("foreign")]
    public void An_unsound_entry_is_not_returned_and_is_rebuilt(string damage)
    {
        var cache = new DiskCache(folder);
        byte[] content = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
        cache.Put("00ab", content);
        var entry = File.ReadAllBytes(Only);
        File.WriteAllBytes(Only, damage switch
        {
            "truncated" => entry[..^1],
            "empty" => [],
            "flipped" => [.. entry[..500], (byte)(entry[500] ^ 1), .. entry[501..]],
            "longer" => [.. entry, 0],
            _ => "not an entry at all, and longer than the header of one"u8.ToArray(),
        });
        Assert.Null(cache.TryGet("00ab"));
        Assert.Empty(Directory.GetFiles(folder));
        cache.Put("00ab", content);
        Assert.Equal(content, cache.TryGet("00ab"));
    }

    [Fact]
    public void An_entry_under_another_name_is_not_returned()
    {
        var cache = new DiskCache(folder);
        cache.Put("00ab", [1, 2, 3]);
        File.Move(Only, Only.Replace("00ab", "00cd"));
        Assert.Null(cache.TryGet("00cd"));
    }

    [Fact]
    public void The_entries_read_longest_ago_are_evicted_first()
    {
        var cache = new DiskCache(folder, maxBytes: 10_000);
        var now = DateTime.UtcNow;
        for (var i = 0; i < 9; i++)
        {
            cache.Put($"{i}", new byte[1000]);
            File.SetLastAccessTimeUtc(Path.Combine(folder, $"{i}.accobj"), now.AddMinutes(i - 60));
        }

        Assert.NotNull(cache.TryGet("0"));
        cache.Put("9", new byte[1000]);
        Assert.NotNull(cache.TryGet("0"));
        Assert.Null(cache.TryGet("1"));
        Assert.NotNull(cache.TryGet("9"));
        Assert.True(Directory.GetFiles(folder).Sum(f => new FileInfo(f).Length) <= 10_000);
    }

    [Fact]
    public void The_environment_names_the_folder_or_turns_the_cache_off()
    {
        static string? Folder(params (string Name, string Value)[] variables) =>
            DiskCache.FolderFrom(name => variables.FirstOrDefault(v => v.Name == name).Value);

        Assert.Equal("/c", Folder(("ACC_CACHE_DIR", "/c"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")));
        Assert.Equal("/x/accelerate/objects", Folder(("XDG_CACHE_HOME", "/x"), ("HOME", "/h")));
        Assert.Equal("/h/.cache/accelerate/objects", Folder(("XDG_CACHE_HOME", "relative"), ("HOME", "/h")));
        Assert.Null(Folder(("ACC_CACHE", "off"), ("ACC_CACHE_DIR", "/c")));
        Assert.Null(Folder());
    }

    [Fact]
    public void A_folder_that_vanishes_is_no_error()
    {
        var cache = new DiskCache(Path.Combine(folder, "below"));
        Directory.Delete(Path.Combine(folder, "below"));
        cache.Put("00ab", [1]);
        Assert.Null(cache.TryGet("00ab"));
    }

    [Fact]
    public async Task Writers_and_readers_of_one_key_see_whole_entries_only()
    {
        byte[] content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            var cache = new DiskCache(folder);
            for (var i = 0; i < 50; i++)
            {
                cache.Put("00ab", content);
                Assert.Equal(content, cache.TryGet("00ab"));
            }
        })));
        Assert.EndsWith("00ab.accobj", Only);
    }
}
