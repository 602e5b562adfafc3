// The input and output of the binder: options; entry functions as graphs, the state they share, the rules for weights.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

/// <summary>Settings that a user passes in.</summary>
internal sealed record BindOptions
{
    /// <summary>`--set width=8`: hyper-parameters of the exported module; a number, true, false, or [3, 4].</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>`--dim n=1`: size variables of exported functions that are constants.</summary>
    public IReadOnlyDictionary<string, long> Dims { get; init; } = new Dictionary<string, long>();

    /// <summary>Where `use` looks before the library; null for the folder of the compiled file.</summary>
    public string? Folder { get; init; }
}

/// <summary>An elaborated file: only tensors are left.</summary>
internal sealed record BoundProgram(
    ImmutableArray<Function> Entries, ImmutableArray<StateDeclaration> State, WeightRules WeightRules)
{
    /// <summary>
    /// Functions of the compiled file that no exported function calls: `f`, or `Module.f`. Their bodies have only been
    /// parsed.
    /// </summary>
    public ImmutableArray<string> NotElaborated { get; init; } = [];

    /// <summary>The user's files that it depends on, apart from the compiled one.</summary>
    public ImmutableArray<UsedFile> Uses { get; init; } = [];

    /// <summary>The entry of that name, or null.</summary>
    public Function? Entry(string name) => Entries.FirstOrDefault(e => e.Name == name);
}

/// <summary>A piece of state: its path is its key in weight files. The shape is constant.</summary>
internal record StateSpec(string Path, StorageClass Storage, TensorType Type, Span Span);

/// <summary>A piece of state with its initialiser, which has no inputs and one result.</summary>
internal sealed record StateDeclaration(string Path, StorageClass Storage, TensorType Type, Function Initializer,
    Span Span)
    : StateSpec(Path, Storage, Type, Span);

/// <summary>A path where `use` looked for one of the user's files; the text is null if there was none.</summary>
internal sealed record UsedFile(string Path, string? Text);

/// <summary>The rules that map the keys of a weights file to the state.</summary>
/// <param name="Whole">The rules of the program, for a file of the whole model.</param>
/// <param name="Parts">By the path of a part, such as `net`: the rules of its module and of that module's file, for a
/// weights file that is loaded into the part alone.</param>
/// <param name="Modules">By the path of a part: the rules of its module alone, which also rename the keys under it in a
/// file of the whole model. This is how a library layer accepts torch's names.</param>
internal sealed record WeightRules(ImmutableArray<WeightRule> Whole,
    IReadOnlyDictionary<string, ImmutableArray<WeightRule>> Parts,
    IReadOnlyDictionary<string, ImmutableArray<WeightRule>> Modules)
{
    public static WeightRules None { get; } = new([], ImmutableDictionary<string, ImmutableArray<WeightRule>>.Empty,
        ImmutableDictionary<string, ImmutableArray<WeightRule>>.Empty);
}

/// <summary>
/// A key in the file, with `*` within a segment and `**` across, and the paths that it fills; without any, the key is
/// ignored. State at the paths of an optional rule keeps its initial value if the file has no key for it.
/// </summary>
internal sealed record WeightRule(string Source, ImmutableArray<string> Targets, bool IsOptional, Span Span);
