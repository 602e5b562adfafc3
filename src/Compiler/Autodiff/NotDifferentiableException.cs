// Why a gradient cannot be taken: the operation without one, and what to write instead.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Autodiff;

/// <summary>
/// A value depends on a leaf through an operation whose derivative does not exist or is not implemented.
/// </summary>
/// <param name="what">The operation, in the user's terms: `the gradient of a \`while\` loop`.</param>
/// <param name="origin">Where it stands.</param>
/// <param name="help">What to write instead; null where there is nothing.</param>
internal sealed class NotDifferentiableException(string what, Origin origin, string? help = null) : Exception(what)
{
    public Origin Origin { get; } = origin;

    public string? Help { get; } = help;
}
