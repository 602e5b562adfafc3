// In: a file's syntax. Reports names that one list declares twice: parameters, results, members, names of a `let` or a
// loop, places of an assignment, rules for weights. Otherwise the second would win silently.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;

namespace Accelerate.Compiler.Binding;

internal sealed class DuplicateNames(DiagnosticBag bag)
{
    public static void Report(FileSyntax file, DiagnosticBag bag)
    {
        var duplicates = new DuplicateNames(bag);
        var stack = new Stack<SyntaxNode>([file]);
        while (stack.TryPop(out var node))
        {
            duplicates.Look(node);
            foreach (var (_, child) in SyntaxPrinter.Children(node))
                if (child is not null) stack.Push(child);
        }
    }

    private void Look(SyntaxNode node)
    {
        switch (node)
        {
            case FileSyntax f:
                Twice(f.Uses.Select(u => new NameToken(string.Join('.', u.Path.Select(p => p.Text)), u.Span)),
                    "is used twice", "one of them is enough");
                Weights(f.Items);
                break;
            case ModuleSyntax m:
                Parameters(m.Parameters);
                Members(m.Items, []);
                Weights(m.Items);
                break;
            case FunctionSyntax f:
                Parameters(f.Parameters);
                if (f.Result is { } result) Declared(result.Fields.Select(r => r.Name).OfType<NameToken>());
                break;
            case NamedType t when t.Dims.OfType<GroupDim>().Skip(1).FirstOrDefault() is { } second:
                bag.Report(Codes.DuplicateName, second.Span, "a type has one group of axes",
                    help: "which axes are whose could not be told: name one by one all but one group",
                    secondary: new Label(t.Dims.OfType<GroupDim>().First().Span, "the first"));
                break;
            case DeclareStatement d:
                Declared(d.Names);
                break;
            case ForStatement f:
                Declared(f.Names);
                break;
            case ComprehensionExpression c:
                Declared(c.Names);
                break;
            case AssignStatement a:
                Twice(a.Places.Select(p => new NameToken(p.Span.Text, p.Span)), "is assigned twice in one statement",
                    "leave one of them out, or write `_` for a value that is not needed");
                break;
        }
    }

    private void Declared(IEnumerable<NameToken> names) => Twice(names, "is declared twice", "rename one of them");

    private void Twice(IEnumerable<NameToken> names, string what, string help, Dictionary<string, Span>? known = null)
    {
        known ??= [];
        foreach (var name in names.Where(n => n.Text != "_"))
        {
            if (known.TryAdd(name.Text, name.Span)) continue;
            bag.Report(Codes.DuplicateName, name.Span, $"`{name.Text}` {what}", help: help,
                secondary: new Label(known[name.Text], "first here"));
        }
    }

    /// <summary>Compares parameters with each other, and with the sizes that their types bind.</summary>
    private void Parameters(ImmutableArray<ParameterSyntax> parameters)
    {
        Declared(parameters.Select(p => p.Name));
        var sizes = parameters.SelectMany(p => Sizes(p.Type)).ToList();
        foreach (var p in parameters)
        {
            // A name in a type may refer to an int, a list of ints or a dtype among the parameters.
            if (p.Type is null or ListType or FunctionType or NamedType { Name.Text: "int" or "dtype" }) continue;
            if (sizes.FirstOrDefault(s => s.Text == p.Name.Text) is not { } size) continue;
            bag.Report(Codes.DuplicateName, p.Name.Span, $"`{p.Name.Text}` is both a parameter and a size",
                help: "rename one of them", secondary: new Label(size.Span, "the size"));
        }
    }

    private static IEnumerable<NameToken> Sizes(TypeSyntax? type) => type switch
    {
        ListType l => Sizes(l.Element),
        NamedType t => t.Dims.OfType<SizeDim>().Select(d => d.Size).OfType<NameExpression>()
            .Select(n => new NameToken(n.Name, n.Span)),
        _ => [],
    };

    /// <summary>
    /// Members, including those under an `if`: only one of its branches exists, so both may declare a name.
    /// </summary>
    private Dictionary<string, Span> Members(ImmutableArray<ItemSyntax> items, Dictionary<string, Span> known)
    {
        foreach (var item in items)
        {
            if (item is ConditionalItemSyntax c)
            {
                var then = Members(c.Then, new(known));
                foreach (var (name, span) in then.Concat(Members(c.Else, new(known)))) known.TryAdd(name, span);
                continue;
            }
            Twice(SourceLoader.NamesOf(item), "is declared twice", "rename one of them", known);
        }
        return known;
    }

    private void Weights(ImmutableArray<ItemSyntax> items) =>
        Twice(items.OfType<WeightsSyntax>().SelectMany(w => w.Renames)
            .Select(r => new NameToken(r.Source.Value, r.Source.Span)), "has two rules",
            "the first that fits a key is taken, so the second never is");
}
