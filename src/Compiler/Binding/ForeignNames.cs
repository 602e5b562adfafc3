// In: a name from PyTorch, NumPy or JAX. Out: its name here, as a help line.
namespace Accelerate.Compiler.Binding;

internal static class ForeignNames
{
    private static readonly Dictionary<string, string> Table = new()
    {
        ["where"] = "`where` of arrays is `select(condition, a, b)`; how many places hold is data, and no size: keep "
            + "the mask",
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
        ["MaxPool1d"] = Pool,
        ["MaxPool2d"] = Pool,
        ["MaxPool3d"] = Pool,
        ["AvgPool1d"] = Pool,
        ["AvgPool2d"] = Pool,
        ["AvgPool3d"] = Pool,
        ["AdaptiveAvgPool2d"] = Pool,
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
        ["array"] = "a list becomes a tensor by `stack([1.0, 2.0])` of `use nn`",
        ["asarray"] = "a list becomes a tensor by `stack([1.0, 2.0])` of `use nn`",
        ["tensor"] = "a list becomes a tensor by `stack([1.0, 2.0])` of `use nn`",
        ["from_numpy"] = "data come in by an exported function's parameters",
        ["hstack"] = "`hstack` is `concat([a, b], axis: 1)`",
        ["vstack"] = "`vstack` is `concat([a, b], axis: 0)`",
        ["append"] = "a list grows by `xs = [..xs, x]`, a tensor by `concat([x, y])`",
        ["triu"] = "use an index form: `[i, j] => if j >= i { x[i, j] } else { 0 }`",
        ["outer"] = "use an index form: `[i, j] => x[i] * y[j]`",
        ["tensordot"] = "use an index form: `[i, j] => sum[k](a[i, k] * b[k, j])`",
        ["mm"] = "`mm(a, b)` is `a @ b`",
        ["mv"] = "`mv(a, b)` is `a @ b`",
        ["addmm"] = "`addmm(c, a, b)` is `c + a @ b`",
        ["norm"] = "the length is `sqrt(sum(x * x))`",
        ["std"] = "the deviation is `sqrt(mean((x - mean(x)) ** 2))`; along an axis both take `axis: 1, keep: true`",
        ["median"] = "the middle of `sort(x)`",
        ["average"] = "`average` is `mean(x)`",
        ["count_nonzero"] = "count with `sum(i32(x != 0))`",
        ["nonzero"] = "a shape cannot depend on data: choose with `select(c, a, b)`",
        ["unique"] = "a shape cannot depend on data",
        ["isnan"] = "`isnan(x)` is `x != x`",
        ["isinf"] = "`isinf(x)` is `abs(x) == inf`",
        ["isfinite"] = "`isfinite(x)` is `abs(x) < inf`",
        ["nan_to_num"] = "write `select(x != x, 0, x)`",
        ["searchsorted"] = "count with an index form: `[i] => sum[k](i32(a[k] < v[i]))`",
        ["add"] = "`add(a, b)` is `a + b`",
        ["subtract"] = "`subtract(a, b)` is `a - b`",
        ["sub"] = "`sub(a, b)` is `a - b`",
        ["multiply"] = "`multiply(a, b)` is `a * b`",
        ["mul"] = "`mul(a, b)` is `a * b`",
        ["divide"] = "`divide(a, b)` is `a / b`",
        ["div"] = "`div(a, b)` is `a / b`, or `a // b` for the floor",
        ["floor_divide"] = "`floor_divide(a, b)` is `a // b`",
        ["remainder"] = "`remainder(a, b)` is `a % b`",
        ["fmod"] = "`a % b` has the divisor's sign",
        ["mod"] = "`mod(a, b)` is `a % b`",
        ["negative"] = "`negative(x)` is `-x`",
        ["reciprocal"] = "`reciprocal(x)` is `1 / x`",
        ["equal"] = "`equal(a, b)` is `a == b`",
        ["eq"] = "`eq(a, b)` is `a == b`",
        ["not_equal"] = "`not_equal(a, b)` is `a != b`",
        ["greater"] = "`greater(a, b)` is `a > b`",
        ["gt"] = "`gt(a, b)` is `a > b`",
        ["less"] = "`less(a, b)` is `a < b`",
        ["lt"] = "`lt(a, b)` is `a < b`",
        ["log2"] = "`log2(x)` is `log(x) / log(2)`",
        ["log10"] = "`log10(x)` is `log(x) / log(10)`",
        ["exp2"] = "`exp2(x)` is `exp(x * log(2))`",
        ["tan"] = "`tan(x)` is `sin(x) / cos(x)`",
        ["arctan"] = "`arctan(x)` is `atan2(x, 1)`",
        ["atan"] = "`atan(x)` is `atan2(x, 1)`",
        ["meshgrid"] = "use an index form: `[i < n, j < m] => i`",
        ["no_grad"] = "leave it out: nothing is recorded",
        ["manual_seed"] = "random functions take a key, an i64: `normal(key, [n])`",
        ["seed"] = "random functions take a key, an i64: `normal(key, [n])`",
        ["PRNGKey"] = "a key is an i64; `fold(key, 1)` makes another",
        ["randn"] = "`use nn` declares `normal(key, [n])`, with a key, an i64",
        ["rand"] = "`use nn` declares `uniform(key, [n])`, with a key, an i64",
        ["randint"] = "`use nn` declares `integers(key, [n], high)`, with a key, an i64",
        ["randperm"] = "`use nn` declares `permutation(key, n)`, with a key, an i64",
        ["shuffle"] = "`use nn` declares `permutation(key, n)`: `x[permutation(key, n)]`",
        ["inv"] = NoLinearAlgebra,
        ["pinv"] = NoLinearAlgebra,
        ["solve"] = NoLinearAlgebra,
        ["lstsq"] = NoLinearAlgebra,
        ["det"] = NoLinearAlgebra,
        ["svd"] = NoLinearAlgebra,
        ["eig"] = NoLinearAlgebra,
        ["eigh"] = NoLinearAlgebra,
        ["qr"] = NoLinearAlgebra,
        ["cholesky"] = NoLinearAlgebra,
        ["fft"] = "there is no fft: a transform is a matrix, `x @ w`",
        ["conv"] = "`use nn` declares `conv1d`, `conv2d` and `conv3d`",
        ["convolve"] = "use an index form: `[i < n - k + 1] => sum[j < k](x[i + j] * w[j])`",
        ["reduce"] = "tensors have `sum`, `prod`, `max`; a list goes through `for x in xs { … }`",
        ["scan"] = "a loop is a scan: `for k in 0:n { s = f(s, x[k]) }`",
        ["fori_loop"] = "write the loop: `for i in 0:n { … }`",
        ["while_loop"] = "write the loop: `while c { … }`",
        ["cond"] = "write `if c { a } else { b }`",
        ["super"] = "leave it out: a module has no base",
        ["isinstance"] = "types are known where a function is called: leave it out",
        ["map"] = "use a comprehension: `[f(x) for x in xs]`",
        ["filter"] = "use a comprehension: `[x for x in xs if c]`",
        ["list"] = "a list is written `[a, b]`",
        ["tuple"] = "a list is written `[a, b]`",
        ["dict"] = "there are no dictionaries; a list is `[a, b]`",
        ["str"] = "`print(\"{}\", x)` prints a value as text",
        ["input"] = "data come in by an exported function's parameters",
        ["open"] = "data come in by an exported function's parameters, weights by `--weights`",
        ["load"] = "data come in by an exported function's parameters, weights by `--weights`",
        ["load_state_dict"] = "weights come in by `--weights model.safetensors`",
        ["state_dict"] = "`--save-state after.safetensors` writes the state",
        ["jit"] = "leave it out: every function is compiled",
        ["compile"] = "leave it out: every function is compiled",
        ["null"] = "there is no `null`; leave the member out with `if`, or use `[]`, the layer that does nothing",
        ["newaxis"] = "an axis of 1 is made by `reshape(x, [n, 1])`",
        ["NULL"] = "there is no `NULL`; leave the member out with `if`",
    };

    private const string Pool = "pooling is a function, called between lists of layers: `max_pool(x, 2)`, "
        + "`avg_pool(x, 2)`; "
        + "`global_avg_pool` stands in a list as it is";

    private const string NoLinearAlgebra = "beyond `@` there is no linear algebra: write the method in loops, or "
        + "compute it "
        + "outside and give the result as an argument";

    /// <summary>Other libraries' names for members of layers; the first that the layer has is meant.</summary>
    private static readonly ILookup<string, string> Members = Pairs("""
        kernel weight  w weight  W weight  weights weight  b bias  gamma weight  beta bias  scale weight  offset bias
        moving_mean running_mean  moving_variance running_var  running_variance running_var  embedding weight
        """).ToLookup(p => p.Key, p => p.Value);

    /// <summary>The known member that a name probably means.</summary>
    public static string? Member(string name, IEnumerable<string> known) =>
        Members[name].FirstOrDefault(known.Contains);

    /// <summary>The function that makes a tensor from a list.</summary>
    public const string Stack = "stack";

    /// <summary>Names that are synonyms of ours.</summary>
    private static readonly Dictionary<string, string> Renamed = Pairs("""
        absolute abs  fabs abs  arctan2 atan2  sorted sort  reversed reverse
        max_pool2d max_pool  avg_pool2d avg_pool  adaptive_avg_pool2d adaptive_avg_pool
        adaptive_max_pool2d adaptive_max_pool
      
        GlobalAveragePooling2D global_avg_pool  BatchNorm1d BatchNorm  BatchNorm2d BatchNorm  BatchNorm3d BatchNorm
        InstanceNorm1d InstanceNorm  InstanceNorm2d InstanceNorm  BatchNormalization BatchNorm
        LayerNormalization LayerNorm  Conv2D Conv2d  Dense Linear  FullyConnected Linear  Flatten flatten
        ReLU relu  ReLU6 relu6  GELU gelu  SiLU silu  Swish silu  swish silu  Sigmoid sigmoid  Tanh tanh
        Softmax softmax  LogSoftmax log_softmax  Softplus softplus  ELU elu  SELU selu  CELU celu  Mish mish
        LeakyReLU leaky_relu  Hardswish hardswish  Hardsigmoid hardsigmoid  Hardtanh hardtanh  Softsign softsign
        log_sum_exp logsumexp  Upsample upsample  PixelShuffle pixel_shuffle  interpolate resize_bilinear
        CrossEntropyLoss cross_entropy  MSELoss mse  mse_loss mse  L1Loss l1  l1_loss l1  NLLLoss nll  nll_loss nll
        smooth_l1_loss smooth_l1  huber_loss huber  BCELoss bce  binary_cross_entropy bce
        BCEWithLogitsLoss bce_with_logits  binary_cross_entropy_with_logits bce_with_logits  KLDivLoss kl_div
        scaled_dot_product_attention attention  multinomial categorical  xavier_uniform xavier
        xavier_uniform_ xavier  xavier_normal_ xavier_normal
        kaiming_uniform_ kaiming_uniform  kaiming_normal_ kaiming_normal  trunc_normal_ trunc_normal
        glorot_uniform xavier  he_normal kaiming_normal  adam Adam  adamw AdamW  sgd SGD  rmsprop RMSprop
        RMSProp RMSprop  adagrad Adagrad  AdaGrad Adagrad  adafactor Adafactor  lion Lion  Lamb LAMB  lamb LAMB
        muon Muon  EMA Ema  ExponentialMovingAverage Ema  GradScaler LossScale  StepLR step_decay
        ExponentialLR exponential_decay  OneCycleLR one_cycle  LinearLR linear  CosineAnnealingLR cosine
        clip_grad_norm_ clip  clip_grad_value_ clip_value
        """);

    /// <summary>Other libraries' names for parameters; the first that the called function has is meant.</summary>
    private static readonly ILookup<string, string> Parameters = Pairs("""
        dim axis  dims axis  axes axis  keepdim keep  keepdims keep  keep_dims keep  bias biased  use_bias biased
        affine biased  kernel_size k  kernel k  in_features i  out_features o  in_channels i  out_channels o
        num_embeddings count  embedding_dim h  embed_dim h  normalized_shape h  num_features c  num_channels c
        num_groups groups  num_heads heads  n_heads heads  hidden_size h  input_size i  num_layers layers  p rate
        epsilon eps  lr rate  learning_rate rate  weight_decay decay  label_smoothing smoothing
        size shape  newshape shape  repeats times  tensors parts  arrays parts  input x  a_min low  a_max high
        min low  max high  dilation_rate dilation  strides stride  align_corners corners  temp temperature
        """).ToLookup(p => p.Key, p => p.Value);

    private static Dictionary<string, string> Pairs(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Chunk(2).ToDictionary(p => p[0], p => p[1]);
    }

    /// <summary>Names under which the functions of other libraries are imported.</summary>
    private static readonly HashSet<string> Packages =
        ["torch", "np", "numpy", "jnp", "jax", "lax", "tf", "keras", "F", "nn", "functional", "math", "scipy",
            "torchvision"];

    public static bool IsPackage(string name) => Packages.Contains(name);

    /// <summary>Our name for another library's function, if it is a mere synonym.</summary>
    public static string? Rename(string name) => Renamed.GetValueOrDefault(name);

    /// <summary>All of our names in the table, for a test that they exist.</summary>
    public static IEnumerable<string> Renames => Renamed.Values;

    /// <summary>The known parameter that a named argument probably means.</summary>
    public static string? Parameter(string name, IEnumerable<string> known) =>
        Parameters[name].FirstOrDefault(known.Contains);

    public static string? Find(string name) => Table.GetValueOrDefault(name)
        ?? (Rename(name) is { } ours ? $"`{name}` is `{ours}` here" : null)
        ?? (DType(name) is { } dtype ? $"did you mean `{dtype}`?" : null);

    /// <summary>A method or property of tensors: `x.T` => `transpose(x)`, `x.view(n, d)` => `reshape(x, [n,
    /// d])`.</summary>
    /// <param name="name">The method.</param>
    /// <param name="x">The tensor, as written.</param>
    /// <param name="arguments">The arguments, as written; null for a property.</param>
    public static string? Method(string name, string x, IReadOnlyList<string>? arguments)
    {
        var all = string.Join(", ", arguments ?? []).Trim('[', ']', '(', ')');
        var first = arguments is [var only, ..] ? only : "";
        return name switch
        {
            "T" or "mT" or "H" or "mH" or "t" => $"write `transpose({x})`",
            "permute" => $"write `transpose({x}, [{all}])`",
            "transpose" or "swapaxes" or "swapdims" =>
                $"write `transpose({x}, [0, 2, 1])`: it takes all axes in their new order",
            "view" or "reshape" => $"write `reshape({x}, [{(all.Length > 0 ? all : "n, d")}])`",
            "flatten" or "ravel" => $"write `reshape({x}, [size({x})])`; all axes but the first: `flatten({x})` of "
                + $"`use nn`",
            "expand" or "expand_as" or "broadcast_to" => $"write `broadcast({x}, [{(all.Length > 0 ? all : "n, d")}])`",
            "size" when all.Length > 0 => $"write `size({x}, axis: {all})`",
            "size" or "shape" => $"write `shape({x})`: `shape({x})[0]` is its first size",
            "to" or "type" or "astype" or "cast" => Last(first) is var word && (DType(word) ?? word) is var dtype
                && DTypeNames.TryParse(dtype, out _) ? $"a dtype is the cast: `{dtype}({x})`"
                : $"a dtype is the cast, `f16({x})`; there are no devices: leave that out",
            "contiguous" or "clone" or "copy" or "cpu" or "cuda" or "numpy" or "item" or "tolist" or "detach_"
                or "block_until_ready" => $"leave it out: tensors are values, `{x}` is one",
            "ndim" or "dim" => $"write `len(shape({x}))`",
            "numel" or "nelement" => $"write `size({x})`",
            "dtype" => "the dtype of a parameter is its type's name: `T` in `x: T[n]`",
            "at" => "assign to a part: `x[i] = v`, `x[i] += v`",
            "backward" or "grad" or "requires_grad" or "requires_grad_" => "a gradient is of a function: `grad(loss, wrt: params)(x, y)`",
            _ => DType(name) is { } cast ? $"a dtype is the cast: `{cast}({x})`" : null,
        };

        static string Last(string text) => text[(text.LastIndexOf('.') + 1)..].Trim('"');
    }

    /// <summary>Our name for a dtype of NumPy, PyTorch or C; null for all other names.</summary>
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

    /// <summary>`float32` => `f32`, if there is such a dtype.</summary>
    private static string? Sized(string name, string kind, char letter) =>
        name.StartsWith(kind, StringComparison.Ordinal) && $"{letter}{name[kind.Length..]}" is var dtype
            && DTypeNames.TryParse(dtype, out _) ? dtype : null;
}
