// In: a module's text and the options of its compilation. Out: its object, from disk if cached, otherwise compiled and
// cached.
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Native;

internal static class ObjectCache
{
    /// <summary>The key of a compilation, which covers everything that affects the object.</summary>
    public static string Key(string irText, LlvmTarget target, int optLevel, string? passes) =>
        DiskCache.Key([.. Compiler(target, optLevel, passes), irText]);

    /// <summary>Everything that affects the object, except for the text.</summary>
    public static IEnumerable<string> Compiler(LlvmTarget target, int optLevel, string? passes) =>
    [
        LlvmLibrary.Version,
        target.Triple,
        target.Cpu,
        target.Features,
        LlvmCompiler.Pipeline(optLevel, passes),
        $"-O{optLevel} {LlvmCompiler.CodegenOptions}",
    ];

    /// <summary>
    /// The object that <see cref="LlvmCompiler.CompileToObject"/> returns, from <paramref name="cache"/> if present;
    /// and its key.
    /// </summary>
    public static (string Key, byte[] Bytes) GetOrCompile(
        DiskCache? cache, string irText, LlvmTarget target, int optLevel, string? passes = null)
    {
        if (cache is null)
            return ("", LlvmCompiler.CompileToObject(irText, target, optLevel, passes));
        var key = Key(irText, target, optLevel, passes);
        // A cached object with forbidden calls is compiled again, which reports them.
        if (cache.TryGet(key) is { } found && LlvmCompiler.Unknown(found, irText).Count == 0)
            return (key, found);
        var compiled = LlvmCompiler.CompileToObject(irText, target, optLevel, passes);
        cache.Put(key, compiled);
        return (key, compiled);
    }
}
