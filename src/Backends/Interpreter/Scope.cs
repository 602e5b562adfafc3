// In: statements and sizes of one block of a kernel. Out: an expression block, with invariant values hoisted out of it.
using System.Linq.Expressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Interpreter;

/// <summary>
/// A block under construction. The parts of an offset that depend only on outer variables are computed in the block
/// that defines the innermost of these: a contraction's inner loop is then one addition for each operand.
/// </summary>
internal sealed class Scope(Scope? outer)
{
    private readonly List<ParameterExpression> locals = [];
    private readonly List<Expression> statements = [];
    private readonly Dictionary<string, Expression> names = [];
    private readonly Dictionary<int, ParameterExpression> values = [];
    private readonly Dictionary<string, Expression> hoisted = [];

    public Scope? Outer => outer;

    private int Depth { get; } = outer is null ? 0 : outer.Depth + 1;

    private Scope Root => outer is null ? this : outer.Root;

    public void Add(Expression statement) => statements.Add(statement);

    public ParameterExpression Local(Type type, string name)
    {
        var local = Expression.Variable(type, name);
        locals.Add(local);
        return local;
    }

    /// <summary>A local with its value.</summary>
    public ParameterExpression Local(string name, Expression value)
    {
        var local = Local(value.Type, name);
        Add(Expression.Assign(local, value));
        return local;
    }

    public void Name(string name, Expression value) => names[name] = value;

    public void Define(Value value, Expression expression)
    {
        var local = Local($"v{value.Id}", expression);
        values[value.Id] = local;
        if (local.Type == typeof(long)) names[value.IndexName] = local;
    }

    public ParameterExpression Use(Value value)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope.values.TryGetValue(value.Id, out var local)) return local;
        throw new InternalErrorException($"the kernel value %{value.Id} is not defined where it is used");
    }

    /// <summary>The value of a size or of a loop variable.</summary>
    public Expression Find(string name) => Lookup(name).Value;

    public Expression ToExpression() => Expression.Block(typeof(void), locals, statements);

    /// <summary>The value of a size, in checked int64.</summary>
    public Expression Evaluate(Size size)
    {
        Expression? sum = null;
        foreach (var group in size.Terms.GroupBy(HomeOf).OrderBy(g => g.Key.Depth))
        {
            var part = ReferenceEquals(group.Key, this) ? Sum(group) : group.Key.Hoist(group);
            sum = sum is null ? part : Expression.AddChecked(sum, part);
        }
        return sum ?? Expression.Constant(0L);
    }

    private Expression Hoist(IEnumerable<Size.Term> terms)
    {
        var list = terms.ToList();
        if (list is [{ Atoms: [] } or { Coefficient: 1, Atoms: [VariableAtom] }]) return Sum(list);
        var key = string.Join('+', list.Select(t => $"{t.Coefficient}*{t.Key}"));
        if (!hoisted.TryGetValue(key, out var known)) hoisted[key] = known = Local("part", Sum(list));
        return known;
    }

    private Expression Sum(IEnumerable<Size.Term> terms) => terms.Select(Product).Aggregate(Expression.AddChecked);

    private Expression Product(Size.Term term)
    {
        var factors = term.Atoms.Select(Factor).ToList();
        if (term.Coefficient != 1 || factors.Count == 0) factors.Insert(0, Expression.Constant(term.Coefficient));
        return factors.Aggregate(Expression.MultiplyChecked);
    }

    private Expression Factor(Atom atom) => atom switch
    {
        VariableAtom v => Find(v.Name),
        FloorDivAtom d => Expression.Call(typeof(Atom), nameof(Atom.Floor), null, Evaluate(d.Dividend), Divisor(d)),
        MinAtom m => Expression.Call(typeof(Math), nameof(Math.Min), null, Evaluate(m.Left), Evaluate(m.Right)),
        MaxAtom m => Expression.Call(typeof(Math), nameof(Math.Max), null, Evaluate(m.Left), Evaluate(m.Right)),
        _ => throw new InternalErrorException($"no value for the size {atom.Text}"),
    };

    /// <summary>A divisor of 0 belongs to an empty axis, where only a failing guard uses the quotient.</summary>
    private Expression Divisor(FloorDivAtom division)
    {
        var divisor = Evaluate(division.Divisor);
        return division.Divisor.IsConstant ? divisor : Expression.Condition(
            Expression.Equal(divisor, Expression.Constant(0L)), Expression.Constant(1L), divisor);
    }

    /// <summary>
    /// The outermost scope that can compute the term. A division that could fail stays where it is used.
    /// </summary>
    private Scope HomeOf(Size.Term term)
    {
        if (term.Atoms.Any(MayFail)) return this;
        var home = Root;
        foreach (var name in term.Atoms.SelectMany(a => a.Variables()))
        {
            var scope = Lookup(name).Scope;
            if (scope.Depth > home.Depth) home = scope;
        }
        return home;
    }

    private static bool MayFail(Atom atom) => atom switch
    {
        FloorDivAtom d => !d.Divisor.IsConstant || MayFail(d.Dividend),
        MinAtom m => MayFail(m.Left) || MayFail(m.Right),
        MaxAtom m => MayFail(m.Left) || MayFail(m.Right),
        _ => false,
    };

    private static bool MayFail(Size size) => size.Terms.Any(t => t.Atoms.Any(MayFail));

    private (Expression Value, Scope Scope) Lookup(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope.names.TryGetValue(name, out var value)) return (value, scope);
        throw new InternalErrorException($"the kernel mentions '{name}', which has no value here");
    }
}
