// How state begins: initialisers come in; functions of nothing, and the pieces that a list of state has, go out.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The state whose initialisers are being evaluated, one within another.</summary>
    private readonly List<StateMember> initializing = [];

    /// <summary>Whether a declaration is a list of state: it says so, or its value is a list.</summary>
    private bool IsStateList(StateSyntax s, out Value list)
    {
        list = Value.Poison;
        if (s.Type is not (null or ListType)) return false;
        if (s.Type is null)
        {
            // Looked at first: a value that is no list is evaluated, and reported on, as a single piece.
            muted++;
            var kind = InitialOf(s, 0);
            muted--;
            if (kind is not ListValue) return false;
        }
        list = InitialOf(s, 0);
        return true;
    }

    /// <summary>The value of an initialiser in the current frame, as declared.</summary>
    private Value InitialOf(StateSyntax s, long key)
    {
        var pure = pureFrom;
        pureFrom = Local.Next;
        Frame.Declare("key", Scalar(key, DType.I64), s.Span);
        var value = Expression(s.Value);
        Frame.Blocks[^1].Remove("key");
        pureFrom = pure;
        return s.Type is { } type ? As(type, value, s.Value.Span, Codes.TypeMismatch, "this is declared") : value;
    }

    /// <summary>
    /// `buffer m = [0 * p for p in of]`: a piece of state for each element, named as the list names it, else by
    /// position.
    /// </summary>
    private Value StateList(Instance instance, StateSyntax s, Value value)
    {
        if (value is PoisonValue) return value;
        if (value is not ListValue list)
            return Fail(Codes.TypeMismatch, s.Value.Span,
                $"`{s.Name.Text}` is declared as a list, not {Describe(value)}", Describe(value));
        var items = ImmutableArray.CreateBuilder<Value>();
        for (var i = 0; i < list.Items.Length; i++)
        {
            if (Loaded(list.Items[i], s.Value.Span) is not TensorValue t)
            {
                return list.Items[i] is PoisonValue ? Value.Poison : Fail(Codes.TypeMismatch, s.Value.Span,
                    $"state is made of tensors, and element {i} is {Describe(list.Items[i])}", null,
                        "say what they are: `buffer m: [f32] = …`");
            }
            if (t.Shape.Any(d => !d.IsConstant || d.Value < 0))
                return Fail(Codes.ConstantNeeded, s.Value.Span,
                    $"the sizes of state are constants, element {i} is {t.Type.Display}");
            var state = new StateMember(instance, s, t.Type, list.Names?[i] ?? $"{i}", i);
            States.Add(state);
            items.Add(new StateValue(state));
        }
        return new ListValue(items.ToImmutable(), list.Names);
    }

    /// <summary>The initialiser as a function of nothing: `key` is the hash of the path.</summary>
    public Function? Initializer(StateMember state)
    {
        var (savedGraph, savedFrame) = (Graph, Frame);
        Graph = new Function("init");
        (userPlace, muted, pureFrom, openForms, region) = (state.Syntax.Span, 0, 0, 0, null);
        initializing.Clear();
        try
        {
            if (Initial(state) is not TensorValue t) return null;
            Graph.Results = [t.Node];
            return Live(Graph);
        }
        finally
        {
            initializing.Clear();
            (Graph, Frame, region) = (savedGraph, savedFrame, null);
        }
    }

    /// <summary>
    /// What a piece of state begins with; other state that its initialiser mentions is at its beginning too.
    /// </summary>
    private Value Initial(StateMember state)
    {
        if (initializing.Contains(state))
            return Fail(Codes.Recursion, state.Syntax.Value.Span,
                $"the initialiser of `{state.Name}` needs its own value");
        if (state.Path is null) return NoPath(state.Owner);
        initializing.Add(state);
        var (saved, forms) = (Frame, openForms);
        Frame = new Frame(state.Path, state.Owner.File, state.Owner, null, null);
        openForms = 0;
        var value = InitialOf(state.Syntax, Fnv1a(state.Path));
        if (state.Position >= 0)
            value = value is ListValue list ? Loaded(list.Items[state.Position], state.Syntax.Span) : Value.Poison;
        (Frame, openForms) = (saved, forms);
        initializing.RemoveAt(initializing.Count - 1);
        if (value is PoisonValue || Realize(value, state.Type.DType, state.Syntax.Value.Span) is not { } t)
            return Value.Poison;
        // `0 * p` is shaped like p, and needs none of its values.
        return t.Node is Binary { Kind: BinaryOp.Mul } product
            && product.Operands.Any(o => o is Const { IsSplat: true } c && c.FloatAt(0) == 0)
            ? Tensor(Const.Of(t.Node.Type, [0L])) : t;
    }
}
