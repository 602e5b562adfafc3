// In: a file. Out: its exported functions as graphs, the state they share and its rules for weights.
using System.Collections.Immutable;
using System.Globalization;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

/// <summary>Binds names, computes known values, and builds the graphs of everything else.</summary>
internal static class Binder
{
    /// <summary>
    /// Parses and elaborates a file. Errors and unsupported features are reported to the bag. Null if there is an
    /// error; an entry that needs an unsupported feature is left out.
    /// </summary>
    public static BoundProgram? Bind(SourceText source, BindOptions options, DiagnosticBag bag) =>
        Bind(Parser.Parse(source, bag), options, bag);

    internal static BoundProgram? Bind(FileSyntax syntax, BindOptions options, DiagnosticBag bag) =>
        Nesting.Deeply(() => BindFile(syntax, options, bag));

    /// <summary>
    /// The work for the last entry of a file, in expressions, nodes and elements, and the number of statements of all:
    /// for tests.
    /// </summary>
    internal static (long Work, long Statements) WorkOf(SourceText source, DiagnosticBag bag)
    {
        (long, long) work = (0, 0);
        Nesting.Deeply(() => BindFile(Parser.Parse(source, bag), new BindOptions(), bag, w => work = w));
        return work;
    }

    private static BoundProgram? BindFile(FileSyntax syntax, BindOptions options, DiagnosticBag bag,
        Action<(long Work, long Statements)>? worked = null)
    {
        var folder = options.Folder ?? Path.GetDirectoryName(syntax.Span.Source.Path) ?? "";
        // A file with syntax errors has gaps, and each would be reported again as something missing.
        if (bag.Count > 0) return null;
        var loader = new SourceLoader(folder, bag);
        var file = loader.Root(syntax);
        if (bag.Count > 0) return null;
        var entries = new Entries(options, bag, file);
        var program = entries.Bind();
        worked?.Invoke(entries.Work);
        return bag.All.Any(d => d.Class != DiagnosticClass.Limitation) || program is null ? null
            : program with { Uses = [.. loader.Uses] };
    }
}

internal sealed class Entries(BindOptions options, DiagnosticBag bag, SourceFile file)
{
    private readonly Elaborator elaborator = new(bag);

    /// <summary>The work of the last elaboration.</summary>
    public (long Work, long Statements) Work => (elaborator.Work, elaborator.StatementCount);

    public BoundProgram? Bind()
    {
        var modules = file.Syntax.Items.OfType<ModuleSyntax>().Where(m => Exports(m.Items).Any()).ToList();
        var functions = file.Syntax.Items.OfType<FunctionSyntax>().Where(f => f.Exported).ToList();
        if (modules.Count == 0 && functions.Count == 0)
        {
            bag.Report(Codes.MissingExport, file.Syntax.Items.IsEmpty ? file.Syntax.Span with { Length = 0 }
                : file.Syntax.Items[0].Span with { Length = 0 },
                "nothing is exported", help: "write `export` before the functions that are called from outside");
            return null;
        }
        if (modules.Count > 1)
        {
            bag.Report(Codes.DuplicateName, modules[1].Name.Span,
                $"two modules have exports: {modules[0].Name.Text} and {modules[1].Name.Text}",
                "the second", "one module is the program; put the other in its own file",
                    new Label(modules[0].Name.Span, "the first"));
            return null;
        }
        var entries = ImmutableArray.CreateBuilder<Function>();
        foreach (var module in modules)
        {
            if (Instantiate(module) is not { } instance) continue;
            foreach (var function in instance.Members.Values.OfType<FunctionMember>().Where(f => f.Syntax.Exported))
                Add(entries, function.Syntax, instance);
        }
        foreach (var function in functions) Add(entries, function, null);
        foreach (var f in Files(file))
            foreach (var check in f.Syntax.Items.OfType<CheckSyntax>())
                Guard("", check.Span, () => elaborator.Check(check, f));
        // A function that could not be elaborated may have had the name.
        if (bag.Count == 0)
            foreach (var name in options.Dims.Keys.Where(n => !elaborator.SizeVariables.Contains(n)))
                UnknownSize(name, elaborator.SizeVariables, file.Syntax.Span with { Length = 0 });
        if (modules.Count == 0 && options.Set.Count > 0)
            UnknownSetting(options.Set.Keys.First(), [], file.Syntax.Span with { Length = 0 });

        var state = ImmutableArray.CreateBuilder<StateDeclaration>();
        foreach (var member in elaborator.States.Where(s => s.Path is not null))
        {
            if (Guard(member.Syntax.Name.Text, member.Span, () => elaborator.Initializer(member)) is { } initializer)
                state.Add(new(member.Path!, member.Storage, member.Type, initializer, member.UserSpan));
        }
        var parts = elaborator.Instances.Where(i => i.Path is { Length: > 0 }).DistinctBy(i => i.Path).ToList();
        var rules = new WeightRules(WeightMap.Rules(file, modules.FirstOrDefault()),
            parts.ToDictionary(i => i.Path!, i => WeightMap.Rules(i.File, i.Syntax)),
            parts.Where(i => WeightMap.Rules(i.Syntax).Length > 0)
                .ToDictionary(i => i.Path!, i => WeightMap.Rules(i.Syntax)));
        return new(entries.ToImmutable(), state.ToImmutable(), rules)
        {
            NotElaborated = [.. Functions(file.Syntax.Items, "").Where(f => !elaborator.Elaborated.Contains(f.Syntax))
                .Select(f => f.Name)],
        };
    }

    /// <summary>A file and all the user's files that it opens, directly or not.</summary>
    private static IEnumerable<SourceFile> Files(SourceFile file) =>
        new[] { file }.Concat(file.Opened.Where(f => !f.IsLibrary).SelectMany(Files)).Distinct();

    private static IEnumerable<(string Name, FunctionSyntax Syntax)> Functions(IEnumerable<ItemSyntax> items,
        string owner) =>
        items.SelectMany(i => i switch
        {
            FunctionSyntax f => [(owner + f.Name.Text, f)],
            ModuleSyntax m => Functions(m.Items, m.Name.Text + "."),
            ConditionalItemSyntax c => Functions(c.Then, owner).Concat(Functions(c.Else, owner)),
            _ => Enumerable.Empty<(string, FunctionSyntax)>(),
        });

    private static IEnumerable<FunctionSyntax> Exports(ImmutableArray<ItemSyntax> items) =>
        items.SelectMany(i => i switch
    {
        FunctionSyntax { Exported: true } f => [f],
        ConditionalItemSyntax c => Exports(c.Then).Concat(Exports(c.Else)),
        _ => Enumerable.Empty<FunctionSyntax>(),
    });

    private void Add(ImmutableArray<Function>.Builder entries, FunctionSyntax syntax, Instance? self)
    {
        var before = bag.Reports;
        if (Guard(syntax.Name.Text, syntax.Name.Span, () =>
            elaborator.Entry(syntax, file, self, options.Dims)) is not { } function)
        {
            // Without a report the file would pass as correct, with a function missing.
            if (bag.Count == 0)
                bag.Report(Codes.CompilerBug, syntax.Name.Span,
                    $"elaborating {syntax.Name.Text} gave neither a graph nor a reason");
            return;
        }
        // A statement that was left out (an assignment, a print) may leave no trace in the results.
        if (bag.Reports > before) return;
        if (entries.Any(e => e.Name == function.Name))
        {
            bag.Report(Codes.DuplicateName, syntax.Name.Span, $"`{syntax.Name.Text}` is exported twice");
            return;
        }
        entries.Add(function);
    }

    /// <summary>
    /// A program that is too large to be elaborated has already been reported. Any other exception here is a compiler
    /// bug; the report names the function being elaborated.
    /// </summary>
    private T? Guard<T>(string name, Span span, Func<T?> work)
        where T : class
    {
        Span? place = null;
        try
        {
            elaborator.Begin(new Frame("", file, null, null, null));
            return work();
        }
        catch (LimitationException e)
        {
            bag.Report(Codes.NotSupported, span, e.Message);
            return null;
        }
        catch (AbandonedException)
        {
            return null;
        }
        // An exception filter runs before the scopes are left, so the current place is still known.
        catch (OverflowException e) when ((place = elaborator.Place) is var _)
        {
            elaborator.Overflowed(e, place ?? span);
            return null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // After a diagnostic the exception may be a consequence of it; then the diagnostic is what helps.
            if (bag.Count == 0)
                bag.Report(Codes.CompilerBug, span, $"elaborating {name}: {e.GetType().Name}: {e.Message}");
            return null;
        }
    }

    private Instance? Instantiate(ModuleSyntax module)
    {
        var instance = new Instance(module, file, module.Name.Span, module.Name.Text) { IsRoot = true };
        var bound = new Argument?[module.Parameters.Length];
        foreach (var (name, text) in options.Set)
        {
            var at = module.Parameters.ToList().FindIndex(p => p.Name.Text == name);
            if (at < 0) UnknownSetting(name, module.Parameters.Select(p => p.Name.Text), module.Name.Span,
                $"`{module.Name.Text}` has no hyper-parameters");
            else if (Setting(text) is { } value) bound[at] = new(value, module.Parameters[at].Span, null);
            else bag.Report(Codes.TypeMismatch, module.Parameters[at].Span,
                $"`--set {name}={text}` is not a number, true, false, a string or a list of them");
        }
        for (var i = 0; i < bound.Length; i++)
        {
            if (bound[i] is not null || module.Parameters[i].Default is not null) continue;
            bag.Report(Codes.WrongArgumentCount, module.Parameters[i].Span,
                $"`{module.Parameters[i].Name.Text}` has no default, and none is set",
                help: $"give it a default, or `--set {module.Parameters[i].Name.Text}=…`");
        }
        if (bag.Count > 0) return null;
        return Guard(module.Name.Text, module.Name.Span, () => elaborator.Filled(instance, bound, module.Name.Span)
            ? instance : null);
    }

    private void UnknownSetting(string name, IEnumerable<string> known, Span span,
        string none = "the file has no module with exports") =>
        bag.Report(Codes.UnknownArgument, span, $"`--set {name}`: there is no such hyper-parameter",
            help: Spelling.Nearest(name, known) is { } near ? $"did you mean `{near}`?"
                : known.Any() ? $"there are {string.Join(", ", known)}" : none);

    private void UnknownSize(string name, IReadOnlyCollection<string> known, Span span) =>
        bag.Report(Codes.UnknownArgument, span, $"`--dim {name}`: no exported function has a size of that name",
            help: Spelling.Nearest(name, known) is { } near ? $"did you mean `{near}`?"
                : known.Count > 0 ? $"there are {string.Join(", ", known)}"
                    : "the exported functions have no size variables");

    /// <summary>A literal as given to `--set`.</summary>
    private static Value? Setting(string text)
    {
        text = text.Trim();
        if (text is "true" or "false") return new BoolValue(text == "true");
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
            return new IntValue(integer);
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return new FloatValue(number);
        if (text is ['"', .., '"']) return new StringValue(text[1..^1]);
        if (DTypeNames.TryParse(text, out var dtype)) return new DTypeValue(dtype);
        if (text is not ['[', .., ']']) return null;
        var items = text[1..^1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Setting).ToList();
        return items.Any(i => i is null) ? null : new ListValue([.. items.Select(i => i!)]);
    }
}
