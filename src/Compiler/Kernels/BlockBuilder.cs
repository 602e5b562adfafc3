// In: scalar operations one by one. Out: a block in single assignment form, with equal operations merged and constants
// shared.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Writes one block. Values of outer blocks may be used; an operation that this or an outer block already has is not
/// emitted again.
/// </summary>
internal sealed class BlockBuilder
{
    private readonly Ids ids;
    private readonly BlockBuilder? outer;
    private readonly List<Statement> statements = [];
    private readonly Dictionary<string, Value> known = [];

    private sealed class Ids
    {
        public int Next;
    }

    public BlockBuilder()
        : this(null, new Ids())
    {
    }

    private BlockBuilder(BlockBuilder? outer, Ids ids)
    {
        this.outer = outer;
        this.ids = ids;
    }

    /// <summary>A block inside this one.</summary>
    public BlockBuilder Inner() => new(this, ids);

    public BlockBuilder? Outer => outer;

    public Block ToBlock() => new([.. statements]);

    public void Emit(Statement statement) => statements.Add(statement);

    /// <summary>Flags the condition, once in a block.</summary>
    public void Flag(Value condition)
    {
        if (!statements.Contains(new Flag(condition))) statements.Add(new Flag(condition));
    }

    public Value NewValue(DType type) => new(ids.Next++, type);

    public Value Float(double value, DType type)
    {
        value = ConstText.Round(value, type);
        return Define($"const {type.Name()} {ConstText.Float(value)}", type, r => new Literal(r, value, 0));
    }

    public Value Integer(long value, DType type) =>
        Define($"const {type.Name()} {value}", type, r => new Literal(r, 0, value));

    /// <summary>A literal of any dtype.</summary>
    public Value Constant(double value, DType type) => type.IsFloat ? Float(value, type) : Integer((long)value, type);

    public Value Index(Size index) => Define($"index {index}", DType.I64, r => new IndexValue(r, index));

    public Value Load(DType type, int buffer, Size offset, ImmutableArray<Guard> guards, Value? fill) =>
        Define($"load {buffer} {offset} {string.Join(',', guards.Select(g => $"{g.Index}<{g.Extent}"))} {fill?.Id}",
            type,
            r => new Load(r, buffer, offset, guards, guards.IsEmpty ? null : fill));

    public Value Compute(ScalarOp op, DType type, params ImmutableArray<Value> arguments) =>
        Define($"{op} {type.Name()} {string.Join(',', arguments.Select(a => a.Id))}", type, r =>
            new Compute(r, op, arguments));

    public Value Unary(ScalarOp op, Value a) => Compute(op, a.Type, a);

    public Value Binary(ScalarOp op, Value a, Value b) => Compute(op, a.Type, a, b);

    public Value Compare(ScalarOp op, Value a, Value b) => Compute(op, DType.Bool, a, b);

    public Value Select(Value condition, Value a, Value b) => Compute(ScalarOp.Select, a.Type, condition, a, b);

    public Value Fma(Value a, Value b, Value c) => Compute(ScalarOp.Fma, a.Type, a, b, c);

    public Value Convert(Value a, DType type) => a.Type == type ? a : Compute(ScalarOp.Convert, type, a);

    public Value Bitcast(Value a, DType type) => a.Type == type ? a : Compute(ScalarOp.Bitcast, type, a);

    /// <summary>Defines a value once, under a key that identifies it; the outer blocks are searched first.</summary>
    public Value Define(string key, DType type, Func<Value, Statement> statement)
    {
        for (var block = this; block is not null; block = block.outer)
            if (block.known.TryGetValue(key, out var value)) return value;
        var result = NewValue(type);
        statements.Add(statement(result));
        known[key] = result;
        return result;
    }
}
