// What the binder is told, and what it gives: entry functions as graphs, the state they share, the rules for weights.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;

namespace Accelerate.Compiler.Binding;

/// <summary>What a user sets from outside.</summary>
internal sealed record BindOptions
{
    /// <summary>`--set width=8`: hyper-parameters of the exported module; a number, true, false, or [3, 4].</summary>
    public IReadOnlyDictionary<string, string> Set { get; init; } = new Dictionary<string, string>();

    /// <summary>`--dim n=1`: size variables of exported functions that are constants.</summary>
    public IReadOnlyDictionary<string, long> Dims { get; init; } = new Dictionary<string, long>();

    /// <summary>Where `use` looks before the library; null for the folder of the file compiled.</summary>
    public string? Folder { get; init; }
}

/// <summary>A file elaborated: what is left is tensors.</summary>
internal sealed record BoundProgram(
    ImmutableArray<Function> Entries, ImmutableArray<StateDeclaration> State, WeightRules WeightRules)
{
    /// <summary>
    /// Functions of the file compiled that no exported function calls: `f`, or `Module.f`. Nothing is known about
    /// their bodies
    /// but that they parse.
    /// </summary>
    public ImmutableArray<string> NotElaborated { get; init; } = [];

    /// <summary>The files of the user's that it depends on, apart from the one compiled.</summary>
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

/// <summary>A place where `use` looked for a file of the user's; the text is null where there was none.</summary>
internal sealed record UsedFile(string Path, string? Text);

/// <summary>The rules by which a weights file goes to the state.</summary>
/// <param name="Whole">Those of the program, for a file of the whole model.</param>
/// <param name="Parts">
/// By path of a part, `net`: the rules of its module and of that module's file, for a weights file that is loaded into
/// the part alone.
/// </param>
/// <param name="Modules">
/// By path of a part: the rules of its module alone, which rename the keys under it in a file for the whole model
/// too. A library layer takes torch's names so.
/// </param>
internal sealed record WeightRules(ImmutableArray<WeightRule> Whole,
    IReadOnlyDictionary<string, ImmutableArray<WeightRule>> Parts,
    IReadOnlyDictionary<string, ImmutableArray<WeightRule>> Modules)
{
    public static WeightRules None { get; } = new([], ImmutableDictionary<string, ImmutableArray<WeightRule>>.Empty,
        ImmutableDictionary<string, ImmutableArray<WeightRule>>.Empty);
}

/// <summary>
/// A key in the file, with `*` within a segment and `**` across, and the paths that it fills; without any it is left
/// out.
/// State at the paths of an optional rule keeps its initial value where the file has no key for it.
/// </summary>
internal sealed record WeightRule(string Source, ImmutableArray<string> Targets, bool IsOptional, Span Span);
