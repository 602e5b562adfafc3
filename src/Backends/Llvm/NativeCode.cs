// In: programs, a target and compile options. Out: their objects, and the properties of their kernels that calls need.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using System.Text;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm;

/// <summary>
/// A module of LLVM text. <paramref name="Passes"/>: its pipeline instead of the level's, if it has one.
/// </summary>
internal sealed record ModuleText(string Name, string Text, string? Passes)
{
    /// <summary>The pipeline to run: the user's, or the module's own; null for the level's.</summary>
    public string? PassesFor(int optLevel, string? asked) => asked ?? (optLevel > 0 ? Passes : null);
}

/// <summary>
/// The linkable machine code of programs. <paramref name="Scratch"/>: for each program the bytes of packing scratch for
/// one worker in the plan of its calls. <paramref name="Drivers"/>: the symbol of each program's driver.
/// </summary>
internal sealed record NativeCode(
    ImmutableArray<ImmutableArray<Size>> Scratch, ImmutableArray<string> Drivers, ImmutableArray<byte[]> Objects)
{
    /// <summary>
    /// Reads the code from the cache if this build has compiled programs of the same text before: then nothing is
    /// printed. The programs' cache entry names their objects, which other programs with the same kernels share; if one
    /// of them is missing, all are compiled again.
    /// </summary>
    public static NativeCode Make(IReadOnlyList<Program> programs, LlvmTarget target, LlvmOptions options,
        DiskCache? cache)
    {
        var key = cache is null ? ""
            : DiskCache.Key([.. Builds, .. ObjectCache.Compiler(target, options.OptLevel, options.Passes),
            .. programs.Select(ProgramPrinter.Print)]);
        if (cache?.TryGet(key) is { } entry && Read(entry, programs, cache) is { } found)
        {
            options.Reached?.Invoke("print");
            options.Reached?.Invoke("compile");
            return found;
        }
        var kernels = Print(programs, target);
        var modules = Modules(programs, kernels, target);
        options.Reached?.Invoke("print");
        var (keys, objects) = Compile(modules, target, options, cache);
        var made = new NativeCode(
            [.. programs.Zip(kernels, (p, k) => CallPlan.ScratchOf(p, [.. k.Select(printed => printed.Scratch)]))],
            [.. programs.Select(Driver)], objects);
        cache?.Put(key, made.Entry(keys));
        options.Reached?.Invoke("compile");
        return made;
    }

    /// <summary>The objects of modules, in their order, compiled on all cores.</summary>
    public static (ImmutableArray<string> Keys, ImmutableArray<byte[]> Objects) Compile(
        IReadOnlyList<ModuleText> modules, LlvmTarget target, LlvmOptions options, DiskCache? cache)
    {
        var made = new (string Key, byte[] Bytes)[modules.Count];
        // The longest first, one at a time, because a long one started last would run alone.
        var order = Enumerable.Range(0, modules.Count).OrderByDescending(i => modules[i].Text.Length).ToList();
        AsOne(() => Parallel.ForEach(Partitioner.Create(order, EnumerablePartitionerOptions.NoBuffering), i =>
            made[i] = ObjectCache.GetOrCompile(cache, modules[i].Text, target, options.OptLevel,
                modules[i].PassesFor(options.OptLevel, options.Passes))));
        return ([.. made.Select(m => m.Key)], [.. made.Select(m => m.Bytes)]);
    }

    /// <summary>The kernels of all programs, printed on all cores: the texts do not depend on each other.</summary>
    public static ImmutableArray<ImmutableArray<PrintedKernel>> Print(IReadOnlyList<Program> programs,
        LlvmTarget target)
    {
        var printed = AsOne(() => programs.SelectMany(p => p.Kernels).AsParallel().AsOrdered()
            .Select(k => KernelText.Print(k, target)).ToList());
        var at = 0;
        return [.. programs.Select(p => p.Kernels.Select(_ => printed[at++]).ToImmutableArray())];
    }

    /// <summary>
    /// Parallel work fails like sequential work: with the first of the errors, not with a list of them.
    /// </summary>
    private static T AsOne<T>(Func<T> parallel)
    {
        try
        {
            return parallel();
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
            throw;
        }
    }

    /// <summary>One module for each distinct kernel, then one for each driver.</summary>
    public static List<ModuleText> Modules(IReadOnlyList<Program> programs,
        ImmutableArray<ImmutableArray<PrintedKernel>> kernels, LlvmTarget target) =>
    [
        .. kernels.SelectMany(k => k).DistinctBy(k => k.Symbol).Select(k => new ModuleText(k.Symbol, k.Text, k.Passes)),
        .. programs.Select(
            (p, i) =>
            new ModuleText(Driver(p, i), DriverText.Print(p, kernels[i], Driver(p, i), target), DriverText.Passes)),
    ];

    /// <summary>The symbol of a program's driver.</summary>
    public static string Driver(Program program, int number) => $"acc_{number}_{program.Name}";

    /// <summary>
    /// The printer's and the compiler's builds: another build may generate other code for the same programs.
    /// </summary>
    private static string[] Builds =>
        ["native code", $"{typeof(NativeCode).Module.ModuleVersionId}", $"{typeof(Program).Module.ModuleVersionId}"];

    /// <summary>A line of scratch sizes for each program, then a line for each object.</summary>
    private byte[] Entry(ImmutableArray<string> keys)
    {
        var text = new StringBuilder();
        foreach (var sizes in Scratch) text.Append(CallPlanText.Sizes(sizes)).Append('\n');
        return Encoding.UTF8.GetBytes(text.AppendJoin('\n', keys).ToString());
    }

    /// <summary>Null if an object is missing or invalid.</summary>
    private static NativeCode? Read(byte[] entry, IReadOnlyList<Program> programs, DiskCache cache)
    {
        var lines = Encoding.UTF8.GetString(entry).Split('\n');
        var objects = new byte[lines.Length - programs.Count][];
        for (var i = 0; i < objects.Length; i++)
        {
            if (cache.TryGet(lines[programs.Count + i]) is not { } bytes) return null;
            objects[i] = bytes;
        }
        // Each alone and together: if one makes a forbidden call, all are compiled again, which reports it.
        var symbols = objects.Select(o => ObjectSymbols.Of(o)).ToList();
        var defined = symbols.SelectMany(s => s.Defined).ToHashSet(StringComparer.Ordinal);
        if (symbols.Any(s => s.Unknown(defined.Contains).Count > 0)) return null;
        return new([.. programs.Select((_, i) => CallPlanText.ReadSizes(new TextCursor(lines[i])))],
            [.. programs.Select(Driver)], [.. objects]);
    }
}
