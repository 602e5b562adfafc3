// In: a compilation and a stage. Out: the text of that stage, the same in every run.
using System.Text;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Passes;
using Accelerate.Compiler.Syntax;
using Accelerate.Runtime;

namespace Accelerate.Cli;

internal static class StageTexts
{
    /// <summary>The stages of `dump`, in the order of the pipeline, with the stage to compile up to.</summary>
    public static IReadOnlyDictionary<string, CompilationStage> Stages { get; } =
        new Dictionary<string, CompilationStage>
        {
            ["syntax"] = CompilationStage.Syntax,
            ["graph"] = CompilationStage.Bound,
            ["grad"] = CompilationStage.Bound,
            ["opt"] = CompilationStage.Optimised,
            ["kernels"] = CompilationStage.Lowered,
            ["program"] = CompilationStage.Lowered,
            ["llvm"] = CompilationStage.Lowered,
            ["asm"] = CompilationStage.Lowered,
            ["cl"] = CompilationStage.Lowered,
        };

    public static string Of(string stage, Compilation compilation, ModelOptions options) => stage switch
    {
        "graph" => Join(compilation.Entries.Select(e => GraphPrinter.Print(e.Bound))),
        // Decomposed into primitives, without dead code, so that the gradient's use of each value is visible next to
        // it.
        "grad" => Join(compilation.Entries.Select(e => GraphPrinter.Print(DeadCode.Run(Decompose.Run(e.Bound))))),
        "opt" => Join(compilation.Entries.Select(e => Dissolved(e) + GraphPrinter.Print(e.Optimised!))),
        "kernels" =>
            Join(Programs(compilation).SelectMany(p => p.Kernels.Select(k => $"# {p.Name}\n{KernelPrinter.Print(k)}"))),
        "program" =>
            Join(compilation.Programs.Select(
                p => ProgramPrinter.Print(p) + MemoryText.Of(p, options.Executable.Target))),
        "llvm" => Join(Modules(compilation, options).Select(m => $"; module {m.Name}\n{m.Text}")),
        "asm" => Join(Modules(compilation, options).Select(m => $"# module {m.Name}\n{Assembly(m, options)}")),
        "cl" => Join(Programs(compilation).Select(OpenClPrinter.Print)),
        _ => throw new ArgumentException(stage),
    };

    /// <summary>
    /// Composites called by the user that no kernel takes whole; printed as comments, which the reader skips.
    /// </summary>
    private static string Dissolved(CompiledEntry entry) => string.Concat(
        entry.FindDissolved().Select(o => $"# {o.Composites.LastOrDefault()} at {o.Where}: no kernel takes it whole\n"));

    /// <summary>The syntax tree of a file, or of its declarations with one name.</summary>
    public static string Syntax(FileSyntax file, string? name)
    {
        if (name is null) return SyntaxPrinter.Print(file);
        var found = Items(file.Items).Where(i => Name(i) == name).ToList();
        return found.Count > 0
            ? Join(found.Select(SyntaxPrinter.Print))
            : throw new CliException($"the file declares no '{name}'",
                Nearest.Help(name, Items(file.Items).Select(Name).OfType<string>().Distinct(), "declarations"));
    }

    /// <summary>Writes every stage's text, one file for each stage and for each LLVM module.</summary>
    public static void Save(string folder, Compilation compilation, ModelOptions options)
    {
        if (InputFile.NameError(folder) is { } error) throw CommonOptions.Usage($"--save-temps '{folder}': {error}");
        Directory.CreateDirectory(folder);
        var files = new FilesInUse(options, compilation.Model);
        void Put(string name, string text)
        {
            var path = Path.Combine(folder, name);
            // The output could be the input if that is a .graph file.
            files.Writes("--save-temps", path);
            OutputFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        }
        var stem = Path.GetFileNameWithoutExtension(options.File);
        foreach (var stage in (string[])["graph", "opt", "kernels", "program"])
            Put($"{stem}.{stage}", Of(stage, compilation, options));
        if (options.Backend == "opencl") Put($"{stem}.cl", Of("cl", compilation, options));
        if (options.Backend != "llvm") return;
        foreach (var module in Modules(compilation, options))
        {
            Put($"{module.Name}.ll", module.Text);
            Put($"{module.Name}.s", Assembly(module, options));
        }
    }

    private static IReadOnlyList<ModuleText> Modules(Compilation compilation, ModelOptions options) =>
        LlvmExecutable.Modules(Programs(compilation), options.Executable.Target);

    /// <summary>The programs of calls, then those of the setups.</summary>
    private static IReadOnlyList<Program> Programs(Compilation compilation) =>
        [.. compilation.Programs, .. compilation.Programs.Select(p => p.Setup).OfType<Program>()];

    private static string Assembly(ModuleText module, ModelOptions options) =>
        LlvmBackend.Assembly(module, options.Executable.Target, options.Executable.OptLevel, options.Executable.Passes);

    private static string Join(IEnumerable<string> texts) => string.Join('\n', texts);

    private static IEnumerable<ItemSyntax> Items(IEnumerable<ItemSyntax> items) => items.SelectMany(i => i switch
    {
        ModuleSyntax m => Items(m.Items).Prepend(m),
        ConditionalItemSyntax c => Items(c.Then).Concat(Items(c.Else)),
        _ => [i],
    });

    private static string? Name(ItemSyntax item) => item switch
    {
        ModuleSyntax m => m.Name.Text,
        FunctionSyntax f => f.Name.Text,
        _ => null,
    };
}
