// In: the initialisers of state. Out: functions without inputs, and the pieces of a list of state.
using System.Collections.Immutable;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Syntax;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Binding;

internal sealed partial class Elaborator
{
    /// <summary>The state whose initialisers are being evaluated, nested.</summary>
    private ImmutableList<StateMember> initializing = [];

    /// <summary>True for a declaration of a list of state: it says so, or its value is a list.</summary>
    private bool IsStateList(StateSyntax s, out Value list)
    {
        list = Value.Poison;
        if (s.Type is not (null or ListType)) return false;
        if (s.Type is null)
        {
            // A silent trial: a value that is no list is evaluated, and reported on, as a single piece later.
            using var quiet = new Scope<int>(ref muted, muted + 1);
            if (InitialOf(s, 0) is not ListValue) return false;
        }
        list = InitialOf(s, 0);
        return true;
    }

    /// <summary>The value of an initialiser in the current frame, as declared.</summary>
    private Value InitialOf(StateSyntax s, long key)
    {
        using var pure = new Scope<long>(ref pureFrom, Local.Next);
        var value = WithKey(s, key);
        return s.Type is { } type ? As(type, value, s.Value.Span, Codes.TypeMismatch, "this is declared") : value;
    }

    /// <summary>An initialiser's value, in which `key` is a number.</summary>
    private Value WithKey(StateSyntax s, long key)
    {
        using var block = Frame.Block();
        Frame.Declare("key", Scalar(key, DType.I64), s.Span);
        return Expression(s.Value);
    }

    /// <summary>
    /// `buffer m = [0 * p for p in of]`: a piece of state for each element, named by the list's names, else by
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

    /// <summary>The initialiser as a function without inputs: `key` is the hash of the path.</summary>
    public Function? Initializer(StateMember state)
    {
        using var into = new Scope<Function>(ref graph, new Function("init"));
        using var place = new Scope<Span?>(ref userPlace, state.Syntax.Span);
        if (Initial(state) is not TensorValue t) return null;
        Graph.Results = [t.Node];
        return Live(Graph);
    }

    /// <summary>
    /// The initial value of a piece of state; other state in its initialiser has its initial value too.
    /// </summary>
    private Value Initial(StateMember state)
    {
        if (initializing.Contains(state))
            return Fail(Codes.Recursion, state.Syntax.Value.Span,
                $"the initialiser of `{state.Name}` needs its own value");
        if (state.Path is null) return NoPath(state.Owner);
        using var within = Entering(new Frame(state.Path, state.Owner.File, state.Owner, null, null));
        using var forms = new Scope<int>(ref openForms, 0);
        using var one = new Scope<ImmutableList<StateMember>>(ref initializing, initializing.Add(state));
        var value = InitialOf(state.Syntax, Fnv1a(state.Path));
        if (state.Position >= 0)
            value = value is ListValue list ? Loaded(list.Items[state.Position], state.Syntax.Span) : Value.Poison;
        if (value is PoisonValue || Realize(value, state.Type.DType, state.Syntax.Value.Span) is not { } t)
            return Value.Poison;
        // `0 * p` has p's shape, and needs none of its values.
        return t.Node is Binary { Kind: BinaryOp.Mul } product
            && product.Operands.Any(o => o is Const { IsSplat: true } c && c.FloatAt(0) == 0)
            ? Tensor(Const.Of(t.Node.Type, [0L])) : t;
    }
}
