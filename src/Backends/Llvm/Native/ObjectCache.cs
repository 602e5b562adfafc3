// In: a module's text and how it is compiled. Out: its object, from disk if it is there, or compiled and put there.
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Native;

internal static class ObjectCache
{
    /// <summary>The key of a compilation: everything that decides the object.</summary>
    public static string Key(string irText, LlvmTarget target, int optLevel, string? passes) =>
        DiskCache.Key([.. Compiler(target, optLevel, passes), irText]);

    /// <summary>What decides the object of a text, apart from the text.</summary>
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
    /// What <see cref="LlvmCompiler.CompileToObject"/> returns, from <paramref name="cache"/> if there is one; and its
    /// key.
    /// </summary>
    public static (string Key, byte[] Bytes) GetOrCompile(
        DiskCache? cache, string irText, LlvmTarget target, int optLevel, string? passes = null)
    {
        if (cache is null)
            return ("", LlvmCompiler.CompileToObject(irText, target, optLevel, passes));
        var key = Key(irText, target, optLevel, passes);
        // One that calls what it should not is made again, which says so.
        if (cache.TryGet(key) is { } found && LlvmCompiler.Unknown(found, irText).Count == 0)
            return (key, found);
        var compiled = LlvmCompiler.CompileToObject(irText, target, optLevel, passes);
        cache.Put(key, compiled);
        return (key, compiled);
    }
}
