// A size that a call computes: how far an axis is in use.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Fusion;

/// <summary>
/// From here on the size Variable is the scalar integer operand + Plus, but at least 1 and at most Most. Made by
/// <see cref="MaskedAxes"/>, behind all passes; an effect, because what mentions the size does not have it as an
/// operand.
/// </summary>
internal sealed class Extent(Node limit, string variable, long plus, Size most) : Node("extent", [limit],
    TensorType.Scalar(DType.Bool))
{
    public override OpTraits Traits => OpTraits.None;

    public string Variable { get; } = variable;

    public long Plus { get; } = plus;

    public Size Most { get; } = most;

    public override string Attributes => $"{Variable},{Plus},{Most}";

    public override bool IsEffect => true;

    public override Node With(ImmutableArray<Node> operands) => new Extent(operands[0], Variable, Plus, Most);
}
