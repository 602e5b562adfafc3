// In: a kernel. Out: a delegate that runs a range of its jobs, one scalar at a time, with every access checked.
using System.Linq.Expressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Interpreter;

/// <summary>The report of a range of jobs.</summary>
internal sealed class JobReport
{
    public bool Flagged;
    public (long Index, long Last)? OutOfRange;
    public long StoredBytes;

    /// <summary>Only the first one is kept.</summary>
    public void Flag(long index, long last)
    {
        if (!Flagged) OutOfRange = (index, last);
        Flagged = true;
    }
}

/// <summary>
/// Runs the jobs [begin, end), with addresses and element counts by buffer, and sizes in the kernel's order.
/// </summary>
internal delegate void KernelBody(nint[] data, long[] counts, long[] sizes, long begin, long end, JobReport report);

internal sealed partial class KernelCompiler
{
    // Names in a kernel's text never contain blanks.
    private const string Job = "the job";

    private readonly Kernel kernel;
    private readonly bool countStores;
    private readonly Scope root = new(null);
    private readonly ParameterExpression report = Expression.Parameter(typeof(JobReport), "report");
    private readonly List<(ParameterExpression Data, ParameterExpression Count)> buffers = [];

    private KernelCompiler(Kernel kernel, bool countStores)
    {
        this.kernel = kernel;
        this.countStores = countStores;
    }

    /// <summary>Throws a LimitationException for a dtype that kernels do not compute in.</summary>
    public static KernelBody Compile(Kernel kernel, bool countStores) =>
        new KernelCompiler(kernel, countStores).Compile();

    private KernelBody Compile()
    {
        var data = Expression.Parameter(typeof(nint[]), "data");
        var counts = Expression.Parameter(typeof(long[]), "counts");
        var sizes = Expression.Parameter(typeof(long[]), "sizes");
        var begin = Expression.Parameter(typeof(long), "begin");
        var end = Expression.Parameter(typeof(long), "end");
        for (var b = 0; b < kernel.Buffers.Length; b++)
        {
            var name = kernel.Buffers[b].Name;
            buffers.Add((root.Local(name, Expression.ArrayIndex(data, Expression.Constant(b))),
                root.Local($"{name}.count", Expression.ArrayIndex(counts, Expression.Constant(b)))));
        }
        for (var s = 0; s < kernel.Sizes.Length; s++)
            root.Name(kernel.Sizes[s], root.Local(kernel.Sizes[s], Expression.ArrayIndex(sizes,
                Expression.Constant(s))));

        var (loops, inner) = kernel.ParallelNest();
        For(root, Job, begin, end, scope =>
        {
            // The last loop varies fastest: jobs are in row-major order.
            var rest = scope.Local("rest", scope.Find(Job));
            foreach (var loop in loops.Reverse())
            {
                var extent = scope.Evaluate(loop.Extent);
                scope.Name(loop.Variable, scope.Local(loop.Variable, Expression.Modulo(rest, extent)));
                scope.Add(Expression.Assign(rest, Expression.Divide(rest, extent)));
            }
            Emit(inner, scope);
        });
        return Expression.Lambda<KernelBody>(root.ToExpression(), data, counts, sizes, begin, end, report).Compile();
    }

    private void Emit(Block block, Scope scope)
    {
        foreach (var statement in block.Statements) Emit(statement, scope);
    }

    private void Emit(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case Compute c:
                // Select's operands are the last two; the condition is always bool.
                scope.Define(c.Result, ScalarEmitter.Compute(
                    c.Op, c.Result.Type, c.Arguments[^1].Type, [.. c.Arguments.Select(scope.Use)]));
                break;
            case Literal l:
                scope.Define(l.Result, ScalarEmitter.Literal(l.Result.Type, l.Float, l.Integer));
                break;
            case IndexValue i:
                scope.Define(i.Result, scope.Evaluate(i.Index));
                break;
            case Load l:
                scope.Define(l.Result, Load(l, scope));
                break;
            case Store s:
                Store(s, scope);
                break;
            case Loop l:
                For(scope, l.Variable, Expression.Constant(0L), scope.Evaluate(l.Extent), inner => Emit(l.Body, inner));
                break;
            case Reduction { Kind: ReduceKind.ArgMax or ReduceKind.ArgMin } r:
                ArgReduction(r, scope);
                break;
            case Reduction { Lanes: true } r:
                LaneReduction(r, scope);
                break;
            case Reduction r:
                SerialReduction(r, scope);
                break;
            case Cumulation c:
                Cumulation(c, scope);
                break;
            case Ordering o:
                Ordering(o, scope);
                break;
            case Contract c:
                Contraction(c, scope);
                break;
            case Attend a:
                Attention(a, scope);
                break;
            case Flag f:
                scope.Add(Expression.IfThen(scope.Use(f.Condition), Watched(f.Condition) is var (index, last, excess)
                    ? Expression.Call(report, nameof(JobReport.Flag), null, scope.Use(index),
                        Expression.Subtract(scope.Use(last), Expression.Constant(excess)))
                    : Expression.Assign(Expression.Field(report, nameof(JobReport.Flagged)),
                        Expression.Constant(true))));
                break;
            default:
                throw new InternalErrorException($"the kernel interpreter does not know {statement.GetType().Name}");
        }
    }

    /// <summary>
    /// The index in `index &lt; 0 or index &gt; last`, possibly combined with other conditions. Null if it is not the
    /// program's own: several conditions were merged, or it was deliberately sent out of range.
    /// </summary>
    private (Value Index, Value Last, long Excess)? Watched(Value condition)
    {
        if (!Computed.TryGetValue(condition.Id, out var c)) return null;
        if (c.Op == ScalarOp.And) return Watched(c.Arguments[0]) ?? Watched(c.Arguments[1]);
        if (c.Op != ScalarOp.Or || !Computed.TryGetValue(c.Arguments[0].Id, out var low)
            || !Computed.TryGetValue(c.Arguments[1].Id, out var high) || low.Op != ScalarOp.Lt
            || high.Op is not (ScalarOp.Gt or ScalarOp.Ge) || low.Arguments[0] != high.Arguments[0]) return null;
        var index = low.Arguments[0];
        return index.Type != DType.I64 || IsMade(index) ? null
            : (index, high.Arguments[1], high.Op == ScalarOp.Ge ? 1L : 0L);
    }

    private bool IsMade(Value index) => Computed.TryGetValue(index.Id, out var c)
        && (c.Op == ScalarOp.Select || (c.Op == ScalarOp.Convert && IsMade(c.Arguments[0])));

    private Dictionary<int, Compute> Computed => computed ??= Kernel.Statements(kernel.Body).OfType<Compute>()
        .DistinctBy(c => c.Result.Id).ToDictionary(c => c.Result.Id);

    private Dictionary<int, Compute>? computed;

    private Expression Load(Load load, Scope scope)
    {
        var type = load.Result.Type;
        var (data, _) = buffers[load.Buffer];
        var offset = Expression.Variable(typeof(long), "offset");
        var element = Expression.Block([offset],
            Expression.Assign(offset, scope.Evaluate(load.Offset)),
            InBounds(load.Buffer, offset),
            type == DType.Bool
                ? Expression.Call(typeof(Memory), nameof(Memory.ReadBool), null, data, offset)
                : Expression.Call(typeof(Memory), nameof(Memory.Read), [ScalarEmitter.TypeOf(type)], data, offset));
        if (load.Guards.IsEmpty) return element;
        return Expression.Condition(Holds(load.Guards, scope), element, scope.Use(load.Fill!));
    }

    private static Expression Holds(IEnumerable<Guard> guards, Scope scope) => guards.Select(g =>
    {
        var index = Expression.Variable(typeof(long), "index");
        return (Expression)Expression.Block([index],
            Expression.Assign(index, scope.Evaluate(g.Index)),
            Expression.AndAlso(Expression.GreaterThanOrEqual(index, Expression.Constant(0L)),
                Expression.LessThan(index, scope.Evaluate(g.Extent))));
    }).Aggregate(Expression.AndAlso);

    private void Store(Store store, Scope scope)
    {
        var type = store.Value.Type;
        var (data, _) = buffers[store.Buffer];
        var offset = Expression.Variable(typeof(long), "offset");
        var value = scope.Use(store.Value);
        var written = Expression.Block([offset],
            Expression.Assign(offset, scope.Evaluate(store.Offset)),
            InBounds(store.Buffer, offset),
            type == DType.Bool
                ? Expression.Call(typeof(Memory), nameof(Memory.WriteBool), null, data, offset, value)
                : Expression.Call(typeof(Memory), nameof(Memory.Write), [ScalarEmitter.TypeOf(type)], data, offset,
                    value));
        if (countStores)
            written = Expression.Block(written, Expression.AddAssign(
                Expression.Field(report, nameof(JobReport.StoredBytes)), Expression.Constant((long)type.Bytes())));
        scope.Add(store.Guards.IsEmpty ? written : Expression.IfThen(Holds(store.Guards, scope), written));
    }

    private Expression InBounds(int buffer, Expression offset) => Expression.IfThen(
        Expression.GreaterThanOrEqual(
            Expression.Convert(offset, typeof(ulong)), Expression.Convert(buffers[buffer].Count, typeof(ulong))),
        Expression.Call(typeof(Memory), nameof(Memory.OutOfBounds), null, Expression.Constant(kernel.Name),
            Expression.Constant(kernel.Buffers[buffer].Name), offset, buffers[buffer].Count));

    /// <summary>for (variable = begin; variable &lt; end; variable++) body</summary>
    private static void For(Scope outer, string variable, Expression begin, Expression end, Action<Scope> body)
    {
        var index = outer.Local(variable, begin);
        var limit = outer.Local($"{variable}.end", end);
        var inner = new Scope(outer);
        inner.Name(variable, index);
        body(inner);
        inner.Add(Expression.PreIncrementAssign(index));
        var done = Expression.Label();
        outer.Add(Expression.Loop(
            Expression.IfThenElse(Expression.LessThan(index, limit), inner.ToExpression(), Expression.Break(done)),
                done));
    }

    private void SerialReduction(Reduction r, Scope scope)
    {
        var type = r.Result.Type;
        var total = scope.Local("total", ScalarEmitter.Identity(r.Kind, type));
        For(scope, r.Variable, Expression.Constant(0L), scope.Evaluate(r.Extent), inner =>
        {
            Emit(r.Body, inner);
            inner.Add(Expression.Assign(total, r.Factor is { } factor
                ? Expression.Call(ScalarEmitter.Method(nameof(ScalarOp.Fma), type), inner.Use(r.Yield),
                    inner.Use(factor), total)
                : Expression.Call(ScalarEmitter.Method(r.Kind.ToString(), type), total, inner.Use(r.Yield))));
        });
        scope.Define(r.Result, total);
    }

    /// <summary>
    /// Indices are not rounded, so the order of the terms has no effect: lanes and in-order give the same.
    /// </summary>
    private void ArgReduction(Reduction r, Scope scope)
    {
        var best = scope.Local(ScalarEmitter.TypeOf(r.Yield.Type), "best");
        var at = scope.Local("at", Expression.Constant(0L));
        For(scope, r.Variable, Expression.Constant(0L), scope.Evaluate(r.Extent), inner =>
        {
            Emit(r.Body, inner);
            var (index, term) = (inner.Find(r.Variable), inner.Use(r.Yield));
            inner.Add(Expression.IfThen(
                Expression.OrElse(
                    Expression.Equal(index, Expression.Constant(0L)),
                    Expression.Call(ScalarEmitter.Method(r.Kind.ToString(), r.Yield.Type), best, term)),
                Expression.Block(Expression.Assign(best, term), Expression.Assign(at, index))));
        });
        scope.Define(r.Result, Expression.Convert(at, ScalarEmitter.TypeOf(r.Result.Type)));
    }

    private void LaneReduction(Reduction r, Scope scope)
    {
        var type = ScalarEmitter.TypeOf(r.Result.Type);
        var method = ScalarEmitter.Method(r.Kind.ToString(), r.Result.Type);
        var function = typeof(Func<,,>).MakeGenericType(type, type, type);
        var stateType = typeof(LaneReduction<>).MakeGenericType(type);
        var state = root.Local("state", Expression.New(stateType.GetConstructors()[0],
            Expression.Constant(method.CreateDelegate(function), function), ScalarEmitter.Identity(r.Kind,
                r.Result.Type)));
        var lanes = root.Local("lanes", Expression.Field(state, nameof(LaneReduction<>.Lanes)));

        scope.Add(Expression.Call(state, nameof(LaneReduction<>.Begin), null));
        var extent = scope.Local("extent", scope.Evaluate(r.Extent));
        var size = Expression.Constant((long)LaneReduction<int>.BlockSize);
        var blocks = Expression.Divide(Expression.AddChecked(extent, Expression.Subtract(size,
            Expression.Constant(1L))), size);
        For(scope, $"block of {r.Variable}", Expression.Constant(0L), blocks, block =>
        {
            block.Add(Expression.Call(state, nameof(LaneReduction<>.BeginBlock), null));
            var begin = block.Local("begin", Expression.Multiply(block.Find($"block of {r.Variable}"), size));
            var end = Expression.Call(typeof(Math), nameof(Math.Min), null, Expression.Add(begin, size), extent);
            For(block, r.Variable, begin, end, inner =>
            {
                Emit(r.Body, inner);
                var lane = Expression.ArrayAccess(lanes, Expression.Convert(
                    Expression.And(inner.Find(r.Variable), Expression.Constant(LaneReduction<int>.Width - 1L)),
                        typeof(int)));
                inner.Add(Expression.Assign(lane, Expression.Call(method, lane, inner.Use(r.Yield))));
            });
            block.Add(Expression.Call(state, nameof(LaneReduction<>.EndBlock), null));
        });
        scope.Define(r.Result, Expression.Call(state, nameof(LaneReduction<>.End), null));
    }

    private void Cumulation(Cumulation c, Scope scope)
    {
        var type = c.Running.Type;
        // The identity that preserves every first term: +0 would turn -0 into +0.
        var start = c.Kind == ReduceKind.Add && type.IsFloat ? ScalarEmitter.Literal(type, -0.0, 0)
            : ScalarEmitter.Identity(c.Kind, type);
        var total = scope.Local("total", start);
        For(scope, c.Variable, Expression.Constant(0L), scope.Evaluate(c.Extent), inner =>
        {
            Emit(c.Body, inner);
            inner.Add(Expression.Assign(total,
                Expression.Call(ScalarEmitter.Method(c.Kind.ToString(), type), total, inner.Use(c.Yield))));
            inner.Define(c.Running, total);
            Emit(c.Epilogue, inner);
        });
    }

    private void Ordering(Ordering o, Scope scope)
    {
        var type = ScalarEmitter.TypeOf(o.Key.Type);
        var stateType = typeof(SortedRow<>).MakeGenericType(type);
        var row = root.Local("row", Expression.New(stateType.GetConstructors()[0],
            Comparison("Lt"), Comparison("Eq"), Expression.Constant(o.IsDescending)));
        Expression Comparison(string name) => Expression.Constant(
            ScalarEmitter.Method(name, o.Key.Type)
                .CreateDelegate(typeof(Func<,,>).MakeGenericType(type, type, typeof(bool))));
        var extent = scope.Local("extent", scope.Evaluate(o.Extent));
        scope.Add(Expression.Call(row, nameof(SortedRow<>.Begin), null, extent));
        For(scope, o.Variable, Expression.Constant(0L), extent, inner =>
        {
            Emit(o.Body, inner);
            inner.Add(Expression.Call(row, nameof(SortedRow<>.Add), null, inner.Use(o.Yield)));
        });
        scope.Add(Expression.Call(row, nameof(SortedRow<>.End), null));
        For(scope, o.Variable, Expression.Constant(0L), extent, inner =>
        {
            inner.Define(o.Key, Expression.Call(row, nameof(SortedRow<>.KeyAt), null, inner.Find(o.Variable)));
            inner.Define(o.At,
                Expression.Convert(Expression.Call(row, nameof(SortedRow<>.IndexAt), null, inner.Find(o.Variable)),
                ScalarEmitter.TypeOf(o.At.Type)));
            Emit(o.Epilogue, inner);
        });
    }

    private void Contraction(Contract c, Scope scope)
    {
        var type = c.Accumulator.Type;
        Nest(scope, [c.M, c.N], tile =>
        {
            var total = tile.Local("total", ScalarEmitter.Literal(type, 0, 0));
            Nest(tile, [.. c.K], inner =>
            {
                Emit(c.Left, inner);
                var left = inner.Use(c.LeftYield);
                Emit(c.Right, inner);
                var right = inner.Use(c.RightYield);
                inner.Add(Expression.Assign(total, Expression.Call(ScalarEmitter.Method("Fma", type), left, right,
                    total)));
            });
            tile.Define(c.Accumulator, total);
            Emit(c.Epilogue, tile);
        });
    }

    private static void Nest(Scope scope, ReadOnlySpan<Axis> axes, Action<Scope> body)
    {
        if (axes.IsEmpty)
        {
            var inner = new Scope(scope);
            body(inner);
            scope.Add(inner.ToExpression());
            return;
        }
        var rest = axes[1..].ToArray();
        For(scope, axes[0].Variable, Expression.Constant(0L), scope.Evaluate(axes[0].Extent), inner =>
        {
            if (rest.Length == 0) body(inner);
            else Nest(inner, rest, body);
        });
    }
}
