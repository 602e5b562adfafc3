// Objects in a cache of their own: the second compilation reads what the first has left, and everything that decides
// one is in its key.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm.Native;

public sealed class ObjectCacheTests : IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"acc-cache-{Guid.NewGuid():n}");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public ObjectCacheTests() => Directory.CreateDirectory(folder);

    [LlvmFact]
    public void First_compilation_misses_and_the_second_hits_with_the_same_bytes()
    {
        var text = Samples.Elementwise("fadd");
        var first = ObjectCache.GetOrCompile(new DiskCache(folder), text, LlvmTarget.Host, 2).Bytes;
        var again = new DiskCache(folder);
        var second = ObjectCache.GetOrCompile(again, text, LlvmTarget.Host, 2).Bytes;
        Assert.Equal(first, second);
        Assert.Equal((1L, 0L), again.Counts);
        using var jit = new Jit([second]);
        Assert.Equal(Samples.Expected(5, (a, b) => a + b), Samples.Run(jit.Lookup("f"), 5));
    }

    [LlvmFact]
    public void Every_input_is_part_of_the_key()
    {
        var text = Samples.Elementwise("fadd");
        string[] keys =
        [
            ObjectCache.Key(text, LlvmTarget.X64, 2, null),
            ObjectCache.Key(text + " ", LlvmTarget.X64, 2, null),
            ObjectCache.Key(text, LlvmTarget.X64V3, 2, null),
            ObjectCache.Key(text, LlvmTarget.X64 with { Features = "+avx" }, 2, null),
            ObjectCache.Key(text, LlvmTarget.X64 with { Triple = "x86_64-pc-linux-musl" }, 2, null),
            ObjectCache.Key(text, LlvmTarget.X64, 3, null),
            ObjectCache.Key(text, LlvmTarget.X64, 3, "default<O2>"),
            ObjectCache.Key(text, LlvmTarget.X64, 2, "mem2reg"),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], ObjectCache.Key(text, LlvmTarget.X64 with { Name = "alias" }, 2, null));
    }
}
