// In: a straight-line block, one column of numbers for each of its inputs. Out: the column of any of its values.
using System.Numerics;
using System.Runtime.InteropServices;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Tests.Support;

/// <summary>
/// Evaluates Compute and Literal statements column by column with .NET's own arithmetic. It shares no code with the
/// kernel interpreter. A column of bools is a column of masks, as wide as what was compared.
/// </summary>
internal sealed class BlockEvaluator
{
    private readonly Dictionary<int, Column> columns = [];
    private readonly Block block;
    private readonly int count;

    private sealed record Column(byte[] Data, int Width)
    {
        public Span<T> As<T>()
            where T : unmanaged => MemoryMarshal.Cast<byte, T>(Data.AsSpan());
    }

    /// <summary>Count: a multiple of 16, so that columns are whole vectors.</summary>
    public BlockEvaluator(Block block, int count)
    {
        Assert.Equal(0, count % 16);
        this.block = block;
        this.count = count;
        foreach (var statement in block.Statements)
        {
            if (statement is not Literal l) continue;
            var column = New(l.Result);
            switch (l.Result.Type)
            {
                case DType.F32: column.As<float>().Fill((float)l.Float); break;
                case DType.F64: column.As<double>().Fill(l.Float); break;
                case DType.I32 or DType.U32: column.As<int>().Fill((int)l.Integer); break;
                default: column.As<long>().Fill(l.Integer); break;
            }
        }
    }

    /// <summary>The column of an input, to be filled, or of a result, to be read.</summary>
    public Span<T> ColumnOf<T>(Value value)
        where T : unmanaged => (columns.TryGetValue(value.Id, out var column) ? column : New(value)).As<T>();

    public void Run()
    {
        foreach (var statement in block.Statements)
        {
            if (statement is Literal) continue;
            var c = Assert.IsType<Compute>(statement);
            var operand = c.Op == ScalarOp.Select ? c.Result.Type : c.Arguments[0].Type;
            switch (operand)
            {
                case DType.F32: Apply<float>(c); break;
                case DType.F64: Apply<double>(c); break;
                case DType.I32: Integers<int>(c); break;
                case DType.U32: Integers<uint>(c); break;
                case DType.I64: Integers<long>(c); break;
                case DType.U64: Integers<ulong>(c); break;
                default: throw new NotSupportedException($"{c.Op} of {operand}");
            }
        }
    }

    private Column New(Value value)
    {
        var width = value.Type == DType.Bool ? 8 : value.Type.Bytes();
        return columns[value.Id] = new Column(new byte[count * width], width);
    }

    private Column Result(Value value) => columns.TryGetValue(value.Id, out var column) ? column : New(value);

    private Span<Vector<T>> Vectors<T>(Value value)
        where T : unmanaged => MemoryMarshal.Cast<byte, Vector<T>>(columns[value.Id].Data.AsSpan());

    private void Integers<T>(Compute c)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (c.Op is ScalarOp.Shl or ScalarOp.Shr)
        {
            Shift<T>(c);
        }
        else
        {
            Apply<T>(c);
        }
    }

    private void Shift<T>(Compute c)
        where T : unmanaged, IBinaryInteger<T>
    {
        var a = columns[c.Arguments[0].Id].As<T>();
        var n = columns[c.Arguments[1].Id].As<T>();
        var r = Result(c.Result).As<T>();
        var width = T.CreateChecked(Marshal.SizeOf<T>() * 8);
        for (var i = 0; i < r.Length; i++)
        {
            var inside = n[i] >= T.Zero && n[i] < width;
            var by = inside ? int.CreateChecked(n[i]) : 0;
            r[i] = c.Op == ScalarOp.Shl ? inside ? a[i] << by : T.Zero
                : inside ? a[i] >> by : T.IsNegative(a[i]) ? -T.One : T.Zero;
        }
    }

    private void Apply<T>(Compute c)
        where T : unmanaged, INumber<T>
    {
        switch (c.Op)
        {
            case ScalarOp.Bitcast:
                columns[c.Result.Id] = columns[c.Arguments[0].Id];
                return;
            case ScalarOp.Convert:
                Convert<T>(c);
                return;
            case ScalarOp.Select:
                Select<T>(c);
                return;
            case >= ScalarOp.Eq and <= ScalarOp.Ge:
                if (!columns.TryGetValue(c.Result.Id, out var mask) || mask.Width != Marshal.SizeOf<T>())
                    columns[c.Result.Id] = new Column(new byte[count * Marshal.SizeOf<T>()], Marshal.SizeOf<T>());
                break;
            default:
                Result(c.Result);
                break;
        }
        var a = Vectors<T>(c.Arguments[0]);
        var r = Vectors<T>(c.Result);
        var b = c.Arguments.Length > 1 ? Vectors<T>(c.Arguments[1]) : a;
        var d = c.Arguments.Length > 2 ? Vectors<T>(c.Arguments[2]) : a;
        for (var i = 0; i < r.Length; i++) r[i] = One(c.Op, a[i], b[i], d[i]);
    }

    private static Vector<T> One<T>(ScalarOp op, Vector<T> a, Vector<T> b, Vector<T> c)
        where T : unmanaged, INumber<T> => op switch
        {
            ScalarOp.Fma => Fma(a, b, c),
            ScalarOp.Add => a + b,
            ScalarOp.Sub => a - b,
            ScalarOp.Mul => a * b,
            ScalarOp.Div => a / b,
            ScalarOp.Neg => -a,
            ScalarOp.Abs => Vector.Abs(a),
            ScalarOp.Sqrt => Vector.SquareRoot(a),
            ScalarOp.Floor => Floor(a),
            ScalarOp.And => a & b,
            ScalarOp.Or => a | b,
            ScalarOp.Xor => a ^ b,
            ScalarOp.Not => ~a,
            ScalarOp.Eq => Vector.Equals(a, b),
            ScalarOp.Ne => ~Vector.Equals(a, b),
            ScalarOp.Lt => Vector.LessThan(a, b),
            ScalarOp.Le => Vector.LessThanOrEqual(a, b),
            ScalarOp.Gt => Vector.GreaterThan(a, b),
            ScalarOp.Ge => Vector.GreaterThanOrEqual(a, b),
            _ => throw new NotSupportedException(op.ToString()),
        };

    private static Vector<T> Fma<T>(Vector<T> a, Vector<T> b, Vector<T> c)
        where T : unmanaged => typeof(T) == typeof(float)
        ? Vector.FusedMultiplyAdd(a.As<T, float>(), b.As<T, float>(), c.As<T, float>()).As<float, T>()
        : Vector.FusedMultiplyAdd(a.As<T, double>(), b.As<T, double>(), c.As<T, double>()).As<double, T>();

    private static Vector<T> Floor<T>(Vector<T> a)
        where T : unmanaged => typeof(T) == typeof(float)
        ? Vector.Floor(a.As<T, float>()).As<float, T>()
        : Vector.Floor(a.As<T, double>()).As<double, T>();

    private void Select<T>(Compute c)
        where T : unmanaged
    {
        Result(c.Result);
        var mask = columns[c.Arguments[0].Id];
        var a = Vectors<T>(c.Arguments[1]);
        var b = Vectors<T>(c.Arguments[2]);
        var r = Vectors<T>(c.Result);
        if (mask.Width != Marshal.SizeOf<T>()) mask = Rewiden(mask, Marshal.SizeOf<T>());
        var condition = MemoryMarshal.Cast<byte, Vector<T>>(mask.Data);
        for (var i = 0; i < r.Length; i++) r[i] = Vector.ConditionalSelect(condition[i], a[i], b[i]);
    }

    private Column Rewiden(Column mask, int width)
    {
        var result = new Column(new byte[count * width], width);
        if (width == 8)
            for (var i = 0; i < count; i++) result.As<long>()[i] = mask.As<int>()[i];
        else
            for (var i = 0; i < count; i++) result.As<int>()[i] = (int)mask.As<long>()[i];
        return result;
    }

    private void Convert<TFrom>(Compute c)
        where TFrom : unmanaged, INumber<TFrom>
    {
        var a = columns[c.Arguments[0].Id].As<TFrom>();
        var r = Result(c.Result);
        switch (c.Result.Type)
        {
            case DType.F32: Into(a, r.As<float>()); break;
            case DType.F64: Into(a, r.As<double>()); break;
            case DType.I32: Into(a, r.As<int>()); break;
            case DType.U32: Into(a, r.As<uint>()); break;
            case DType.I64: Into(a, r.As<long>()); break;
            case DType.U64: Into(a, r.As<ulong>()); break;
            default: throw new NotSupportedException($"convert to {c.Result.Type}");
        }

        void Into<TTo>(Span<TFrom> from, Span<TTo> to)
            where TTo : unmanaged, INumber<TTo>
        {
            // Floats saturate, integers wrap.
            var saturates = c.Arguments[0].Type.IsFloat && c.Result.Type.IsInteger;
            for (var i = 0; i < to.Length; i++)
                to[i] = saturates ? TTo.CreateSaturating(from[i]) : TTo.CreateTruncating(from[i]);
        }
    }
}
