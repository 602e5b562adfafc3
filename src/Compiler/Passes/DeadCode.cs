// In: a function. Out: the function without what neither a result nor an effect needs.
using Accelerate.Compiler.Graph;

namespace Accelerate.Compiler.Passes;

public static class DeadCode
{
    public static Function Run(Function function) => new Rewriter((_, _) => null).Run(function);
}
