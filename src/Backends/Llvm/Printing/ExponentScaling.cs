// In: the last operation of an e^x in VectorMath's form. Out: its scaling by 2^n as AVX-512's single instruction for
// it.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// A result of exp may need 2^n beyond the range of f32, or round to a subnormal, so the text scales by two factors, in
/// nine of its 20 operations. vscalefps does the same in one, rounding once: the bits are equal. It only replaces the
/// text's own exp, recognised by comparing it with VectorMath's, operation by operation.
/// </summary>
internal static class ExponentScaling
{
    private static readonly Dictionary<int, Statement> Template = [];
    private static readonly Value Input;
    private static readonly Value Output;
    private static readonly Value Unscaled;
    private static readonly Value Power;

    static ExponentScaling()
    {
        // The range checks before it do not matter: the form with fewer represents both.
        var b = new BlockBuilder();
        var x = b.NewValue(DType.F32);
        Output = VectorMath.ExpOfDifference(b, x);
        foreach (var statement in b.ToBlock().Statements) Remember(Template, statement);
        // fma(bitcast(add(bitcast(p), shl(shr(bitcast(t), 1), 23))), …, x - x); p = fma(fma(…, r, 1), r, 1), r = fma(n,
        // low, fma(n, high, x))
        Value Argument(Value value, int i) => ((Compute)Template[value.Id]).Arguments[i];
        Unscaled = Argument(Argument(Argument(Argument(Output, 0), 0), 0), 0);
        Power = Argument(Argument(Unscaled, 1), 0);
        Input = Argument(Argument(Output, 2), 0);
    }

    /// <summary>Records the statement by the value it defines.</summary>
    public static void Remember(Dictionary<int, Statement> definitions, Statement statement)
    {
        if (statement is Compute c) definitions[c.Result.Id] = c;
        else if (statement is Literal l) definitions[l.Result.Id] = l;
    }

    /// <summary>The polynomial's value p and the power n, if the operation ends an exp; otherwise null.</summary>
    public static (Value P, Value N)? Find(Compute last, IReadOnlyDictionary<int, Statement> definitions)
    {
        if (last is not { Op: ScalarOp.Fma, Result.Type: DType.F32 }) return null;
        var bound = new Dictionary<int, Value>();
        return Same(last.Result, Output) ? (bound[Unscaled.Id], bound[Power.Id]) : null;

        bool Same(Value here, Value there)
        {
            if (bound.TryGetValue(there.Id, out var known)) return known.Id == here.Id;
            bound[there.Id] = here;
            if (there.Id == Input.Id) return here.Type == Input.Type;
            return definitions.TryGetValue(here.Id, out var statement) && (statement, Template[there.Id]) switch
            {
                (Compute a, Compute b) =>
                    a.Op == b.Op && a.Result.Type == b.Result.Type && a.Arguments.Length == b.Arguments.Length
                    && a.Arguments.Zip(b.Arguments).All(p => Same(p.First, p.Second)),
                (Literal a, Literal b) =>
                    a.Float.Equals(b.Float) && a.Integer == b.Integer && a.Result.Type == b.Result.Type,
                _ => false,
            };
        }
    }

    /// <summary>p 2^n, rounded once.</summary>
    public static Operand Print(Operand p, Operand n, LlvmText text)
    {
        const string name = "@llvm.x86.avx512.mask.scalef.ps.512";
        text.Declare($"declare <16 x float> {name}(<16 x float>, <16 x float>, <16 x float>, i16, i32 immarg)");
        // Every lane, rounded in the thread's mode: 4.
        return p with
        {
            Text = text.Value(
            $"call <16 x float> {name}(<16 x float> {p.Text}, <16 x float> {n.Text}, <16 x float> zeroinitializer, i16 -1, i32 4)")
        };
    }
}
