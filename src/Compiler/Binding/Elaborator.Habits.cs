// In: code written by the habits of another library, with its values. Out: a help line that says what to write here, in
// the user's own names.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The call whose callee is being evaluated, for `x.view(n, d)`.</summary>
    private ApplyExpression? applied;

    /// <summary>Other libraries and `self` are each reported once: in ported code every line has them.</summary>
    private ImmutableHashSet<string> toldOf = [];

    /// <summary>The outermost index form around the expression being evaluated.</summary>
    private MapExpression? form;

    /// <summary>Whether the same was said of another part of this index form: the mend is one.</summary>
    private bool IsSaidOfForm(Code code) => form is { Span: var around } && bag.All.Any(d => d.Code == code
        && d.Span.Source == around.Source && d.Span.Start >= around.Start && d.Span.End <= around.End);

    private const string BackwardCall = "backward";

    private bool IsTold(string name)
    {
        if (muted > 0) return false;
        var known = toldOf.Contains(name);
        toldOf = toldOf.Add(name);
        return known;
    }

    /// <summary>`torch.relu`, `self.weight`: null if the first name is one of the program.</summary>
    private PoisonValue? Package(MemberExpression m)
    {
        ExpressionSyntax root = m;
        while (root is MemberExpression inner) root = inner.Target;
        if (root is not NameExpression { Name: var name } || !(ForeignNames.IsPackage(name) || name == "self")
            || Frame.Find(name) is not null || Lookup(name, root.Span) is not null)
            return null;
        var last = m.Name.Text;
        if (IsTold(name)) return (PoisonValue)Value.Poison;
        Fail(Codes.UnknownName, root.Span, $"there is no `{name}` here", "unknown name",
            name == "self" ? $"members are seen bare, without `self`: `{last}`"
            : SourceLoader.LibraryNames("nn").Contains(last) && !IsFunction(last, m.Span)
                ? $"`use nn` declares `{last}`; it goes by that name alone"
            : IsFunction(last, m.Span) ? $"it goes by its name alone: `{last}`"
            : Foreign(last) ?? "functions go by their names alone; `use nn` opens the library");
        return (PoisonValue)Value.Poison;
    }

    /// <summary>The name of another library's function here, and how to open it.</summary>
    private string? Foreign(string name) => ForeignNames.Rename(name) is { } ours
        && SourceLoader.LibraryNames("nn").Contains(ours) && Frame.File.Opened.All(f => f.Name != "nn")
        ? $"`{name}` is `{ours}` here, which `use nn` declares" : ForeignNames.Find(name);

    /// <summary>A tensor method written as a function call with the same arguments.</summary>
    private string? Method(MemberExpression m, TensorValue x)
    {
        var call = ReferenceEquals(applied?.Callee, m) ? applied : null;
        var (name, target) = (m.Name.Text, Short(m.Target.Span));
        var given = call?.Arguments.Select(g => Short(g.Span)).ToList();
        if (name is "unsqueeze" or "squeeze" && call?.Arguments is [{ Value: var axis }]
            && Tried(() => Expression(axis)) is IntValue { Size: { IsConstant: true, Value: var at } })
        {
            var places = x.Rank + (name == "unsqueeze" ? 1 : 0);
            if (at < 0) at += places;
            if (at >= 0 && at < places) return "write " + Written(target, name == "unsqueeze"
                ? x.Shape.Insert((int)at, Size.One) : x.Shape.RemoveAt((int)at));
        }
        if (name is "transpose" or "swapaxes" && call?.Arguments is [{ Value: var from }, { Value: var to }]
            && Tried(() => Expression(from)) is IntValue a && Tried(() => Expression(to)) is IntValue b
            && Swapped(x.Rank, a, b) is { } order) return $"write `transpose({target}, {order})`";
        if (name is "T" or "mT" or "t" && x.Rank > 2) return $"write `{Turned(target, x.Rank)}`";
        if (ForeignNames.Method(name, target, given) is { } known) return known;
        if (name.TrimEnd('_') is "add" or "sub" or "mul" or "div" && given is [var operand])
        {
            var sign = name[0] switch { 'a' => '+', 's' => '-', 'm' => '*', _ => '/' };
            return name.EndsWith('_') ? $"values are not changed in place: `{target} = {target} {sign} {operand}`"
                : $"write `{target} {sign} {operand}`";
        }
        var ours = name.TrimEnd('_') is { Length: > 0 } bare ? bare : name;
        if (!IsFunction(ours, m.Name.Span)) return Suggest(name);
        var arguments = call?.Arguments.Select(g => g.Name is { } named
            ? $"{ForeignNames.Parameter(named.Text, ["axis", "keep"]) ?? named.Text}: {Short(g.Value.Span)}"
            : Short(g.Span)) ?? [];
        var written = $"{ours}({string.Join(", ", arguments.Prepend(target))})";
        return ours == name ? $"write `{written}`" : $"values are not changed in place: `{target} = {written}`";
    }

    /// <summary>The order of all axes with two of them swapped; null if one does not exist.</summary>
    private static string? Swapped(int rank, IntValue a, IntValue b)
    {
        if (!a.Size.IsConstant || !b.Size.IsConstant) return null;
        var (i, j) = (a.Size.Value + (a.Size.Value < 0 ? rank : 0), b.Size.Value + (b.Size.Value < 0 ? rank : 0));
        if (i < 0 || j < 0 || i >= rank || j >= rank) return null;
        return $"[{string.Join(", ", Enumerable.Range(0, rank).Select(d => d == i ? j : d == j ? i : d))}]";
    }

    /// <summary>The call of `transpose` that swaps the last two axes of a tensor.</summary>
    private static string Turned(string x, int rank) => rank == 2 ? $"transpose({x})"
        : $"transpose({x}, [{string.Join(", ", Enumerable.Range(0, rank - 2).Append(rank - 1).Append(rank - 2))}])";

    private static string Written(string x, IEnumerable<Size> shape) => $"`reshape({x}, [{string.Join(", ", shape)}])`";

    /// <summary>
    /// `None` and `newaxis` among subscripts, which add an axis of 1 in other libraries. False if there is none.
    /// </summary>
    private bool HasNewAxis(TensorValue x, SelectExpression s)
    {
        if (Frame.Find("None") is not null || s.Subscripts.FirstOrDefault(IsNone) is not { } none) return false;
        var shape = new List<Size>();
        var (axis, given) = (0, s.Subscripts.Count(g => g is SliceSubscript or ValueSubscript && !IsNone(g)));
        foreach (var g in s.Subscripts)
        {
            if (IsNone(g)) shape.Add(Size.One);
            else if (g is GroupSubscript)
                for (var k = given; k < x.Rank && axis < x.Rank; k++) shape.Add(x.Shape[axis++]);
            else if (axis < x.Rank && g.Span.Text == ":") shape.Add(x.Shape[axis++]);
            else axis = x.Rank + 1;
        }
        // `x[None]` is followed by all axes.
        if (axis < x.Rank && s.Subscripts.All(g => g is not GroupSubscript)) shape.AddRange(x.Shape.Skip(axis));
        Fail(Codes.UnknownName, none.Span, $"a subscript makes no axis: there is no `{none.Span.Text}`", null,
            "an axis of 1 is " + (axis > x.Rank ? "`reshape(x, [n, 1])`" : Written(Short(s.Target.Span), shape)),
            new Label(s.Target.Span, Describe(x)));
        return true;

        static bool IsNone(SubscriptSyntax g) => g is ValueSubscript v
            && v.Value is NameExpression { Name: "None" } or MemberExpression { Name.Text: "newaxis" };
    }

    /// <summary>A list in place of a tensor: `stack([1, 2])`, with a cast if its numbers have another dtype.</summary>
    private string? Stacked(Value value, Span span, DType? wanted = null)
    {
        if (value is not ListValue list) return null;
        if (ReferenceEquals(list, ListValue.Nothing)) return "end the function with `return` and its value";
        if (span.Text.StartsWith("return", StringComparison.Ordinal))
            return $"several results are declared in parentheses: `-> ({string.Join(", ", list.Items.Select(i =>
                i is TensorValue t ? t.Type.Display : "f32"))})`";
        if (span.Text.EndsWith(')') && span.Text.Contains('(', StringComparison.Ordinal) && !span.Text.StartsWith('['))
            return $"it gives {list.Items.Length} values: `let "
                + $"{string.Join(", ", "abcdefgh".Take(list.Items.Length))} = "
                + $"{Short(span)}`";
        if (list.Items.IsEmpty) return "a number fills a declared type: `let y: f32[n] = 0`";
        var opened = Lookup(ForeignNames.Stack, span) is FunctionValue ? "" : " of `use nn`";
        if (list.Items.All(i => i is ListValue)) return $"rows of numbers become a tensor by `stack`{opened}: "
            + "`stack([stack([1.0, 2.0]), stack([3.0, 4.0])])`";
        if (!list.Items.All(IsNumeric)) return null;
        var text = Short(span) is ['[', ..] and var literal ? $"stack({literal})"
            : $"stack({(Short(span) == "…" ? "[…]" : Short(span))})";
        var has = list.Items.OfType<TensorValue>().FirstOrDefault()?.DType ?? Default([.. list.Items]);
        if (wanted is { } dtype && dtype != has) text = $"{dtype.Name()}({text})";
        return $"a list is no tensor: `{text}`{opened} makes one";
    }

    /// <summary>
    /// `let gs, l = value_and_grad(f)(x)`: reported where the two names stand, once one of them is a scalar where the
    /// gradients are wanted. True after a diagnostic; what is wrong with either name is no second mistake.
    /// </summary>
    private bool Exchanged(Value value, Span span)
    {
        if (muted > 0 || value is not TensorValue { Rank: 0 } || Frame.Entered is not { } entered
            || Frame.Find(span.Text) is not { Alias: null }) return false;
        var all = entered.Body.Statements.OfType<DeclareStatement>().Where(d => d.Names is [var one, _]
            && one.Text == span.Text && d.Value is ApplyExpression
            {
                Callee: ApplyExpression
                { Callee: NameExpression { Name: "value_and_grad" } }
            });
        if (all.LastOrDefault() is not { Names: [var first, var second] } let) return false;
        Fail(Codes.TypeMismatch, first.Span.To(second.Span),
            $"`{first.Text}` is the value here, and `{second.Text}` the gradient", null,
            $"`value_and_grad` gives the value first: `let {second.Text}, {first.Text} = …`",
            new Label(span, "a list of gradients is needed here, not " + Describe(value)));
        foreach (var name in (string[])[first.Text, second.Text])
            if (Frame.Find(name) is { } local) Write(local, Value.Poison);
        return true;
    }

    /// <summary>A size, or nothing at all, that stands alone as a subscript, as only an index does.</summary>
    private NameExpression? Unnamed(SyntaxNode node) =>
        node is ValueSubscript { Value: NameExpression n } && Frame.Indices.All(i => i.Name != n.Name)
            && Frame.Find(n.Name) is null or { Value: IntValue { Size.IsConstant: false } } ? n
        : SyntaxPrinter.Children(node).Select(c => c.Node is { } inner ? Unnamed(inner) : null)
            .FirstOrDefault(found => found is not null);

    /// <summary>A tensor in place of a list, `concat(x, y)`: the call with the tensors in a list.</summary>
    private static string Listed(string function, IEnumerable<Argument> given)
    {
        var tensors = given.TakeWhile(a => a.Value is TensorValue
            && a.Name is null).Select(a => Short(a.Span)).ToList();
        return $"they stand in a list: `{function}([{string.Join(", ", tensors)}])`";
    }

    /// <summary>A number with a fraction in place of an integer: `n / 2`.</summary>
    private static string? Whole(Value value, Span span) => value is FloatValue or RealValue
        ? value is RealValue { Operation: "/" } && !span.Text.Contains('/', StringComparison.Ordinal)
            ? $"`{Short(span)}` comes of `/`, which gives a fraction: `//` gives the whole number below"
        : span.Text.Contains('/', StringComparison.Ordinal) && !span.Text.Contains("//", StringComparison.Ordinal)
            ? $"`/` gives a fraction, `//` the whole number below: "
                + $"`{Short(span).Replace("/", "//", StringComparison.Ordinal)}`"
            : "`int(…)` cuts the fraction off" : null;

    /// <summary>The valid subscripts of an axis or a list, as a help line.</summary>
    private static string? Subscripts(Size extent) => !extent.IsConstant ? "subscripts count from 0; -1 is the last"
        : extent.Value > 0 ? $"the subscripts are 0 to {extent - 1}, or {-extent} to -1 from the end"
            : "it has no elements";

    /// <summary>An axis of -1, which other libraries infer: its value here.</summary>
    private string WorkedOut(TensorValue x, ImmutableArray<Size> shape, string text)
    {
        var others = Size.Product(shape.Where(s => !s.Is(-1)));
        if (shape.Count(s => s.Is(-1)) == 1 && !others.Is(0) && (others.IsConstant || ranges.NonNegative(others)))
        {
            var (count, rest) = WithoutCommon(x.Node.Type.Count, others);
            var left = FloorDiv(count, rest);
            var written = (left * rest).Equals(count) ? left.Text
                : $"{count} // {(rest.Terms.Length > 1 || rest.Terms[0].Atoms.Length > 1 ? $"({rest})" : rest)}";
            return $"here it is {written}: `reshape({text}, "
                + $"[{string.Join(", ", shape.Select(s => s.Is(-1) ? written : s.Text))}])`";
        }
        return $"write it out, as `size({text}) // n`";
    }
}
