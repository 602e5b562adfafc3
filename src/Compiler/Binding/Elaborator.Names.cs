// Looks up names from the inside out: indices, locals, members, hyper-parameters, the file, opened files, the prelude.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    private Value Name(string name, Span span)
    {
        var index = Frame.Indices.LastOrDefault(i => i.Name == name);
        if (index is not null)
        {
            if (!Frame.InSubscript && Frame.Find(name) is { Value: IntValue size } local)
            {
                return Fail(Codes.IndexNamedLikeSize, span,
                    $"`{name}` is both an index of this form and the size {size.Size}", "which of the two?",
                    "rename the index", new Label(index.Span, "the index"), new Label(local.Span, "the size"));
            }
            return new IntValue(index.Value);
        }
        if (Frame.Find(name) is { } found) return Loaded(found.Alias is { } alias ? Get(alias) : found.Value, span);
        if (Lookup(name, span) is { } value) return inEntry ? Loaded(value, span) : value;
        if (name == "key")
        {
            if (KeyHere(span) is { } key) return key;
            return Fail(Codes.UnknownName, span, "there is no `key` here", "unknown name",
                "`key` is defined in initialisers, and in what is called through `train(f, key: k)`; else take one as an argument");
        }
        if (Frame.Ended.TryGetValue(name, out var ended))
            return Fail(Codes.UnknownName, span, $"there is no `{name}` here: its block has ended", "unknown name",
                $"declare it in front of the block, `let {name}: f32[n] = 0`, and write `{name} = …` in it",
                new Label(ended, "declared in an inner block"));
        if (Frame.Self?.Syntax.Items.OfType<FunctionSyntax>().FirstOrDefault(f => f.Body.Statements
            .OfType<DeclareStatement>().Any(d => d.Names.Any(n => n.Text == name))) is { } other)
            return Fail(Codes.UnknownName, span, $"there is no `{name}` here", "unknown name",
                $"it is a local of `{other.Name.Text}`: declare it in the module, `let {name} = …`",
                new Label(other.Name.Span, "declared in here"));
        if (name == "self" && IsTold(name)) return Value.Poison;
        return Fail(Codes.UnknownName, span, $"there is no `{name}` here", "unknown name", Suggest(name));
    }

    /// <summary>
    /// A local, member or hyper-parameter, which a name in a type may refer to. Null if there is none.
    /// </summary>
    private Value? Inner(string name, Span span) =>
        Frame.Find(name)?.Value ?? OfInstance(name, span) ?? OfFile(name, span);

    /// <summary>
    /// An int, or a list of ints, that a `let` of this file names; its other declarations are not sizes.
    /// </summary>
    private Value? OfFile(string name, Span span)
    {
        if (name == Frame.Hidden || Frame.File.Items.GetValueOrDefault(name) is not ConstantSyntax) return null;
        return Item(Frame.File, name, span) is IntValue or ListValue or DTypeValue ? Item(Frame.File, name, span)
            : null;
    }

    /// <summary>
    /// Where a name that is not a local was declared, and by what kind of declaration. Null if it is neither a member
    /// nor in the file.
    /// </summary>
    private (Span Span, string What, bool IsLet)? DeclarationOf(string name)
    {
        if (Frame.Self is { } self)
        {
            if (self.Members.TryGetValue(name, out var member))
                return (member.Span, $"a `let` of {self.Syntax.Name.Text}", true);
            if (self.Hyper.TryGetValue(name, out var hyper))
                return (hyper.Span, $"a hyper-parameter of {self.Syntax.Name.Text}", false);
        }
        return Frame.File.Items.GetValueOrDefault(name) is ConstantSyntax c
            ? (c.Names.First(n => n.Text == name).Span, "a `let` of the file", true) : null;
    }

    private Value? OfInstance(string name, Span span)
    {
        if (Frame.Self is not { } self) return null;
        if (name != Frame.Hidden && self.Members.TryGetValue(name, out var member)) return ValueOf(self, member, span);
        return self.Hyper.TryGetValue(name, out var hyper) ? hyper.Value : null;
    }

    private Value? Lookup(string name, Span span)
    {
        if (OfInstance(name, span) is { } own) return own;
        if (name == "training") return new BoolValue(training is not null);
        if (Frame.Self is { } self && name is "params" or "buffers") return StatesOf(self, name);
        if (name == Frame.Hidden && Frame.Self is null) return null;
        if (Item(Frame.File, name, span) is { } item) return item;
        var opened = Frame.File.Opened.Where(f => f.Items.ContainsKey(name)).ToList();
        if (opened.Count > 1)
        {
            return Fail(Codes.AmbiguousName, span,
                $"`{name}` is declared by {string.Join(" and by ", opened.Select(f => f.Name))}",
                null, $"write `{opened[0].Name}.{name}`");
        }
        if (opened.Count == 1) return Item(opened[0], name, span);
        if (Builtins.Find(name) is { } builtin) return new BuiltinValue(builtin);
        if (DTypeNames.TryParse(name, out var dtype)) return new DTypeValue(dtype);
        if (Frame.DTypes.TryGetValue(name, out var variable)) return new DTypeValue(variable);
        return name switch
        {
            "pi" => new FloatValue(Math.PI),
            "inf" => new FloatValue(double.PositiveInfinity),
            "nan" => new FloatValue(double.NaN),
            "int" => new BuiltinValue(Builtins.ToInt),
            "float" => new BuiltinValue(Builtins.ToFloat),
            _ when Transformations.Contains(name) => new TransformationValue(name),
            _ => Opened(name, span),
        };
    }

    private Value? Opened(string name, Span span)
    {
        // A user's file comes before those that the library opens along with another.
        var files = Frame.File.Opened.Where(f => f.Name == name).ToList();
        if (files.Any(f => !f.IsLibrary)) files.RemoveAll(f => f.IsLibrary);
        return files.Count switch
        {
            0 => null,
            1 => new FileValue(files[0]),
            _ => Fail(Codes.AmbiguousName, span, $"two files are called `{name}`", null,
                "leave the file's name out, or rename one of the files"),
        };
    }

    private Value? Item(SourceFile file, string name, Span span)
    {
        if (!file.Items.TryGetValue(name, out var item)) return null;
        switch (item)
        {
            case ModuleSyntax m:
                return new ModuleValue(m, file);
            case FunctionSyntax f:
                return new FunctionValue(f, file, null);
            case ConstantSyntax c:
                if (file.Constants.TryGetValue(name, out var known) && !HoldsTensor(known)) return known;
                return TopLevel(file, c, name);
            default:
                return Limit(span, "state outside a module", "put it in a module");
        }
    }

    private Value TopLevel(SourceFile file, ConstantSyntax c, string name)
    {
        file.Constants[name] = Value.Poison; // a constant that mentions itself finds this
        var values = Unpack(c.Names, ValueOf(c, file, null, name), c.Value.Span);
        for (var i = 0; i < c.Names.Length; i++)
        {
            file.Constants[c.Names[i].Text] = values[i];
            Hold(values[i], null, c.Names[i].Text);
        }
        return file.Constants[name];
    }

    /// <summary>The right side of a `let` of a file or a module, where its own name is not in scope.</summary>
    private Value ValueOf(ConstantSyntax c, SourceFile file, Instance? self, string name)
    {
        using var within = Entering(new Frame(self?.Syntax.Name.Text ?? "", file, self, Frame, null));
        using var place = new Scope<Span?>(ref userPlace, userPlace);
        Frame.Hidden = name;
        return Declared(c.Type, Expression(c.Value), c.Value.Span);
    }

    /// <summary>The value of a member; state becomes a node of the current graph.</summary>
    private Value ValueOf(Instance instance, Member member, Span span)
    {
        switch (member)
        {
            case FunctionMember f:
                return new FunctionValue(f.Syntax, instance.File, instance);
            case StateMember s:
                return ValueOf(s, span);
            case LetMember let:
                if (let.Graph is not null && let.Graph != Graph)
                {
                    let.Value = Unpack(let.Syntax.Names, ValueOf(let.Syntax, instance.File, instance, let.Name),
                        let.Syntax.Value.Span)[let.Position];
                    let.Graph = Graph;
                }
                return let.Value;
            default:
                return Value.Poison;
        }
    }

    private static bool HoldsTensor(Value value) => value is TensorValue
        || (value is ListValue l && l.Items.Any(HoldsTensor));

    private string? Suggest(string name)
    {
        var names = new List<string>();
        foreach (var block in Frame.Blocks) names.AddRange(block.Keys);
        if (Frame.Self is { } self) names.AddRange(self.Members.Keys.Concat(self.Hyper.Keys));
        names.AddRange(Frame.File.Items.Keys);
        foreach (var file in Frame.File.Opened) names.AddRange(file.Items.Keys);
        names.AddRange(Builtins.Names);
        if (Frame.File.Opened.All(f => f.Name != "nn") && SourceLoader.LibraryNames("nn").Contains(name))
            return $"`use nn` declares `{name}`";
        return Foreign(name) ?? (name.Length == 1 && openForms > 0
                ? $"an index is introduced by its form, or by a reduction: `sum[{name}](…)`" : null)
            ?? (Spelling.Nearest(name, names) is { } near ? $"did you mean `{near}`?" : null);
    }
}
