// In: a function and a dtype of 16 bits. Out: the function with the f32 operands of its contractions rounded to that
// dtype.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Passes;

/// <summary>
/// dot(a: f32, b: f32) => dot(convert(a), convert(b); f32): matmuls, convolutions and the two products of attention
/// take bf16 (f16) operands and still accumulate in f32. State, inputs and results stay as declared; all other
/// operations (norms, softmax, losses and every reduction) compute in f32. It trades accuracy, about 2^-8 (2^-11) of
/// each operand, for half of the bytes a contraction reads.
/// </summary>
internal static class ComputePrecision
{
    /// <exception cref="ArgumentException">The dtype is neither bf16 nor f16.</exception>
    public static Function Run(Function function, DType type, Rewrites? rewrites = null)
    {
        if (type is not (DType.BF16 or DType.F16))
            throw new ArgumentException($"contractions compute in bf16 or f16, not {type.Name()}", nameof(type));
        // An operand of several contractions is rounded once.
        var known = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        return new Rewriter((node, rewriter) => Rule(node, rewriter, type, known), rewrites, "compute-precision")
            .Run(function);
    }

    private static Node? Rule(Node node, Rewriter rewriter, DType type, Dictionary<Node, Node> known)
    {
        if (node is not Dot { Type.DType: DType.F32 } dot || dot.OperandType(0).DType != DType.F32) return null;
        var (a, b) = (Narrow(dot.Operands[0]), Narrow(dot.Operands[1]));
        return rewriter.By("dot of f32",
            rewriter.Add(new Dot(a, b, dot.BatchA, dot.BatchB, dot.ContractA, dot.ContractB, DType.F32)));

        // Rounding goes below the movements: a window repeats its elements, and can be read in place only where nothing
        // computes it.
        Node Narrow(Node x)
        {
            if (known.TryGetValue(x, out var narrow)) return narrow;
            return known[x] = x switch
            {
                Graph.Convert { Operands: [var wide] } when wide.Type.DType == type => wide, // it had that dtype before
                _ when x.Is(OpTraits.View) || x is Pad =>
                    rewriter.Add(x.With([.. x.Operands.Select(Narrow)])),
                _ => rewriter.Add(new Graph.Convert(x, type)),
            };
        }
    }
}
