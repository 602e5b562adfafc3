// A name that PyTorch, NumPy or JAX users write comes in; what it is called here goes out, as a help line.
namespace Accelerate.Compiler.Binding;

internal static class ForeignNames
{
    private static readonly Dictionary<string, string> Table = new()
    {
        ["where"] = "`where` of arrays is `select(condition, a, b)`",
        ["cat"] = "`cat` is `concat([a, b], axis: 0)`",
        ["concatenate"] = "`concatenate` is `concat([a, b], axis: 0)`",
        ["chunk"] = "`chunk` is `split(x, parts, axis: 0)`",
        ["permute"] = "`permute` is `transpose(x, [0, 2, 1])`",
        ["swapaxes"] = "name the order: `transpose(x, [0, 2, 1])`, or an index form: `[i, j] => x[j, i]`",
        ["view"] = "`view` is `reshape(x, [n, d])`",
        ["squeeze"] = "subscript the axis: `x[:, 0]`",
        ["unsqueeze"] =
            "`unsqueeze` is `reshape(x, [n, 1, d])`, or an index form that repeats: `[i, j < m, k] => x[i, k]`",
        ["expand_dims"] = "`expand_dims` is `reshape(x, [n, 1, d])`",
        ["expand"] = "`expand` is `broadcast(x, [n, m])`",
        ["broadcast_to"] = "`broadcast_to` is `broadcast(x, [n, m])`",
        ["repeat_interleave"] = "`use nn` declares `repeat(x, count, axis: 0)`",
        ["flip"] = "`flip` is `reverse(x, axis: 0)`",
        ["arange"] = "`arange(n)` is the index form `[i < n] => i`",
        ["iota"] = "`iota` is the index form `[i < n] => i`",
        ["linspace"] = "use an index form: `[i < n] => a + (b - a) * i / (n - 1)`",
        ["zeros"] = "a number fills a declared type: `let y: f32[n, d] = 0`",
        ["ones"] = "a number fills a declared type: `let y: f32[n, d] = 1`",
        ["full"] = "a number fills a declared type: `let y: f32[n, d] = 7`",
        ["empty"] = "a number fills a declared type: `let y: f32[n, d] = 0`",
        ["zeros_like"] = "write `0 * x`, or `broadcast(f32(0), shape(x))`",
        ["ones_like"] = "`broadcast(f32(1), shape(x))`",
        ["einsum"] = "use an index form: `[i, j] => sum[k](a[i, k] * b[k, j])`",
        ["matmul"] = "`matmul(a, b)` is `a @ b`",
        ["dot"] = "`dot(a, b)` is `a @ b`",
        ["bmm"] = "`bmm(a, b)` is `a @ b`",
        ["gather"] = "use an index form: `[i, j] => x[i, id[i, j]]`; whole rows: `x[ids]`",
        ["take"] = "`take` is a subscript: `x[ids]`",
        ["take_along_axis"] = "use an index form: `[i, j] => x[i, id[i, j]]`",
        ["scatter"] = "assign to a part: `y[ids] = v`",
        ["scatter_add"] = "assign to a part: `y[ids] += v`",
        ["index_add"] = "assign to a part: `y[ids] += v`",
        ["masked_fill"] = "`masked_fill` is `select(mask, value, x)`",
        ["clip"] = "`use nn` declares `clamp(x, low, high)`",
        ["maximum"] = "`maximum(a, b)` is `max(a, b)`",
        ["minimum"] = "`minimum(a, b)` is `min(a, b)`",
        ["amax"] = "`amax` is `max(x, axis: -1)`",
        ["amin"] = "`amin` is `min(x, axis: -1)`",
        ["arcsin"] = "`use nn` declares `asin(x)`",
        ["arccos"] = "`use nn` declares `acos(x)`",
        ["arctan"] = "`use nn` declares `atan(x)`",
        ["arctan2"] = "`arctan2` is `atan2(y, x)`",
        ["power"] = "`power(a, b)` is `a ** b`",
        ["square"] = "`square(x)` is `x ** 2`",
        ["range"] = "a range is `a:b`, as in `for i in 0:n`",
        ["astype"] = "a dtype is the cast: `f32(x)`",
        ["cast"] = "a dtype is the cast: `f32(x)`",
        ["to"] = "a dtype is the cast: `f32(x)`",
        ["detach"] = "`detach` is `stop_gradient(x)`",
        ["numel"] = "`numel` is `size(x)`",
        ["logical_and"] = "`logical_and(a, b)` is `a and b`",
        ["logical_or"] = "`logical_or(a, b)` is `a or b`",
        ["logical_not"] = "`logical_not(a)` is `not a`",
        ["vmap"] = "functions work on any leading axes: `x: T[.., d]`",
        ["self"] = "members are seen bare, without `self`",
        ["None"] = "there is no `None`; leave the member out with `if`, or use `[]`, the layer that does nothing",
        ["True"] = "`True` is `true`",
        ["False"] = "`False` is `false`",
        ["lambda"] = "there are no lambdas; give a function a name",
        ["Sequential"] = "a list of layers is a layer: `[Linear(4, 8), relu]`",
        ["ModuleList"] = "a list of layers is a list: `[Block(h) for i in 0:n]`",
        ["Identity"] = "`[]` is the layer that does nothing",
        ["Parameter"] = "`param weight: f32[o, i] = 0`",
        ["ReLU"] = "functions stand in lists of layers: `relu`",
        ["GELU"] = "functions stand in lists of layers: `gelu`",
    };

    public static string? Find(string name) => Table.GetValueOrDefault(name)
        ?? (DType(name) is { } dtype ? $"did you mean `{dtype}`?" : null);

    /// <summary>A method or property of tensors: `x.T` => `transpose(x)`.</summary>
    public static string? Method(string name, string x) => name switch
    {
        "T" or "mT" or "t" => $"write `transpose({x})`",
        "view" or "reshape" or "flatten" => $"write `reshape({x}, [n, d])`, with its sizes",
        "to" or "type" or "astype" => $"a dtype is the cast: `f16({x})`",
        "contiguous" or "clone" or "copy" or "cpu" or "cuda" or "numpy" or "item" =>
            $"leave it out: tensors are values, `{x}` is one",
        "ndim" or "dim" => $"write `len(shape({x}))`",
        "numel" => $"write `size({x})`",
        _ => DType(name) is { } dtype ? $"a dtype is the cast: `{dtype}({x})`" : null,
    };

    /// <summary>What a dtype of NumPy, PyTorch or C is called here; null for all other names.</summary>
    public static string? DType(string name) => name switch
    {
        "double" => "f64",
        "float" or "single" or "fp32" => "f32",
        "half" or "fp16" => "f16",
        "bfloat16" => "bf16",
        "long" => "i64",
        "int" => "i32",
        "short" => "i16",
        "byte" => "u8",
        "boolean" or "bool_" => "bool",
        _ => Sized(name, "float", 'f') ?? Sized(name, "uint", 'u') ?? Sized(name, "int", 'i'),
    };

    /// <summary>`float32` => `f32`, where there is such a dtype.</summary>
    private static string? Sized(string name, string kind, char letter) =>
        name.StartsWith(kind, StringComparison.Ordinal) && $"{letter}{name[kind.Length..]}" is var dtype
            && DTypeNames.TryParse(dtype, out _) ? dtype : null;
}
