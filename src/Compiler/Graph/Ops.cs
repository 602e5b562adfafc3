// The names of the operations, as the text form and OPS.md spell them.
namespace Accelerate.Compiler.Graph;

internal static class Ops
{
    public static string Name(UnaryOp op) => op.ToString().ToLowerInvariant();

    public static string Name(BinaryOp op) => op.ToString().ToLowerInvariant();

    public static string Name(CompareOp op) => op.ToString().ToLowerInvariant();

    public static string Name(ReduceOp op) => op.ToString().ToLowerInvariant();

    /// <summary>
    /// Every operation of the graph, in OPS.md's order. A test checks that OPS.md and this list agree.
    /// </summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "input", "param", "buffer", "const", "iota", "random", "size",
        .. Enum.GetValues<UnaryOp>().Select(Name), "convert", "bitcast", "stop_gradient",
        .. Enum.GetValues<BinaryOp>().Select(Name), "compare", "select",
        "reshape", "transpose", "broadcast", "slice", "pad", "reverse", "concat", "window", "fold",
        "gather", "scatter", "dynamic_slice", "update_slice", "sort",
        "reduce", "arg_reduce", "cumulate", "dot",
        "call", "if", "scan", "while", "tuple", "result", "barrier", "extent", "print", "assert", "assign",
    ];
}
