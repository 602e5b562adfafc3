// In: the choices of a user. Out: one value that, together with the text, determines the result of a compilation.
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Passes;

namespace Accelerate;

/// <summary>The choices of a compilation. The defaults compile all exported functions for any size.</summary>
public sealed record CompilationOptions
{
    /// <summary>
    /// Values of the exported module's hyper-parameters by name, in the language's syntax: a number, `true`, `false` or
    /// `[3, 4]`.
    /// </summary>
    public IReadOnlyDictionary<string, string> Set
    {
        get => Binding.Set;
        init => Binding = Binding with { Set = value ?? throw new ArgumentNullException(nameof(Set)) };
    }

    /// <summary>Size variables of exported functions to fix as constants: `n` is 1.</summary>
    public IReadOnlyDictionary<string, long> Dims
    {
        get => Binding.Dims;
        init => Binding = Binding with { Dims = value ?? throw new ArgumentNullException(nameof(Dims)) };
    }

    /// <summary>Where `use` looks before the library; null for the folder of the compiled file.</summary>
    public string? Folder
    {
        get => Binding.Folder;
        init => Binding = Binding with { Folder = value };
    }

    /// <summary>
    /// The exported functions to compile; null for all. A name that the file does not export is ignored.
    /// </summary>
    public IReadOnlyCollection<string>? Entries { get; init; }

    /// <summary>
    /// The dtype, bf16 or f16, that the f32 operands of matmuls, convolutions and attention are rounded to; they still
    /// accumulate in f32, and everything else stays as declared. Null: nothing is rounded.
    /// </summary>
    public DType? Compute { get; init; }

    /// <summary>
    /// True to compute all convolutions in their direct form, with separate norms after them. False to use Winograd's
    /// form for those of 3x3 with frozen weights that gain by it, which rounds differently.
    /// </summary>
    public bool DirectConvolutions { get; init; }

    /// <summary>Hyper-parameters, constant sizes, and the folder for `use`, in the binder's form.</summary>
    internal BindOptions Binding { get; init; } = new();

    /// <summary>The last stage to run.</summary>
    internal CompilationStage Last { get; init; } = CompilationStage.Lowered;

    /// <summary>
    /// The number of rewrites after which the optimiser stops, counted for each entry; null for no limit.
    /// </summary>
    internal long? StopAfterRewrite { get; init; }

    /// <summary>
    /// Called with the name of every stage as it ends: parse, bind, then optimise and lower for each entry.
    /// </summary>
    internal Action<string>? Reached { get; init; }

    /// <summary>Called with every graph of every entry, after each pass.</summary>
    internal Action<Pass, Function>? AfterPass { get; init; }
}
