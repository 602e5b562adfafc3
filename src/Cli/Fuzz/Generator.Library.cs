// Steps that call the library on random arguments.
using System.Collections.Immutable;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

internal sealed partial class Generator
{
    private static ImmutableArray<Step> LibrarySteps =>
    [
        new("nn.elementwise", 5, g => g.Activation()), new("nn.rows", 4, g => g.Rows()),
        new("nn.norm", 2, g => g.Norm()), new("nn.topk", 2, g => g.TopK()), new("nn.pool", 2, g => g.Pool()),
        new("nn.conv", 3, g => g.Convolution()), new("nn.loss", 2, g => g.Loss()), new("nn.resize", 1, g => g.Resize()),
        new("nn.stack", 2, g => g.Stack()), new("nn.one_hot", 1, g => g.OneHot()), new("nn.random", 1, g => g.Random()),
        new("nn.attention", 2, g => g.Attention()), new("nn.math", 2, g => g.OfOneElement()),
        new("nn.arrays", 3, g => g.Arrays()), new("nn.var", 1, g => g.Variance()),
    ];

    /// <summary>The grade of a library function, which contains sums, elementary functions and jumps.</summary>
    private static Grade Composite(params ReadOnlySpan<FuzzValue> values) =>
        Jump(values) == Grade.Exact ? Grade.Rounded : Grade.Loose;

    private bool Activation()
    {
        if (Find(v => v.Type.IsFloat) is not { } x) return false;
        var f = Pick("relu(X)", "relu6(X)", "leaky_relu(X)", "leaky_relu(X, slope: 0.2)", "clamp(X, -1, 2)",
            "hardtanh(X)", "hardsigmoid(X)", "hardswish(X)", "hardshrink(X)", "softshrink(X, by: 1)", "softsign(X)",
            "elu(X, alpha: 2)", "celu(X)", "selu(X)", "sigmoid(X)", "log_sigmoid(X)", "softplus(X)", "silu(X)",
            "mish(X)", "tanhshrink(X)", "gelu(X)", "gelu_tanh(X)", "quick_gelu(X)", "nn.wide(X)");
        var type = f == "nn.wide(X)" && x.Type.Bytes() == 2 ? DType.F32 : x.Type;
        var name = f[..f.IndexOf('(')].Replace("nn.", "");
        return Let($"nn.{name}", type, x.Shape, name == "wide" ? x.Grade : Composite(x), f.Replace("X", x.Name), x);
    }

    private bool Rows()
    {
        if (Axis(v => v.Type.IsFloat) is not var (x, axis)) return false;
        var f = Pick("softmax", "softmin", "log_softmax", "logsumexp", "normalize", "glu");
        var extent = x.Shape[axis];
        if (f == "normalize")
            return Let("nn.normalize", x.Type, x.Shape, Composite(x), $"normalize({x.Name})", x);
        if (f == "glu" && !(extent.IsConstant && extent.Value % 2 == 0)) return false;
        var shape = f switch
        {
            "logsumexp" => x.Shape.RemoveAt(axis),
            "glu" => x.Shape.SetItem(axis, extent.Value / 2),
            _ => x.Shape,
        };
        return Let($"nn.{f}", x.Type, shape, Composite(x), $"{f}({x.Name}, axis: {AxisText(x, axis)})", x);
    }

    private bool Norm()
    {
        if (Find(v => v.Type.IsFloat && v.Rank > 1) is not { } x) return false;
        switch (random.Next(4))
        {
            case 0:
                var (w, b) = (FindOr(x.Type, [x.Shape[^1]]), FindOr(x.Type, [x.Shape[^1]]));
                return Let("nn.layer_norm", x.Type, x.Shape, Composite(x, w, b),
                    $"layer_norm({x.Name}, {w.Name}, {b.Name})", x, w, b);
            case 1:
                var v = FindOr(x.Type, [x.Shape[^1]]);
                return Let("nn.rms_norm", x.Type, x.Shape, Composite(x, v), $"rms_norm({x.Name}, {v.Name})", x, v);
            case 2:
                return x.Rank > 2
                    && Let("nn.instance_norm", x.Type, x.Shape, Composite(x), $"instance_norm({x.Name})", x);
            default:
                if (!x.Shape[1].IsConstant || x.Shape[1].Is(0)) return false;
                var groups = Pick(Enumerable.Range(1, 6).Where(g => x.Shape[1].Value % g == 0).ToList());
                var (c, d) = (FindOr(x.Type, [x.Shape[1]]), FindOr(x.Type, [x.Shape[1]]));
                return Let("nn.group_norm", x.Type, x.Shape, Composite(x, c, d),
                    $"group_norm({x.Name}, {groups}, {c.Name}, {d.Name})", x, c, d);
        }
    }

    private bool TopK()
    {
        if (Axis() is not var (x, axis)) return false;
        var value = Value(x.Shape[axis]);
        var k = random.Next((int)Zero(), (int)Math.Min(value, 5) + 1);
        if (k > value) return false;
        var part = random.Next(2);
        return Let("nn.topk", part == 0 ? x.Type : DType.I32, x.Shape.SetItem(axis, k), Jump(x),
            $"topk({x.Name}, {k}, axis: {AxisText(x, axis)})[{part}]", x);
    }

    private bool Pool()
    {
        var x = Find(v => v.Rank is 3 or 4 && v.Type != DType.F64 && v.Type.IsFloat)
            ?? Parameter(Pick(DType.F32, DType.F16, DType.BF16), [1, random.Next(1, 4), Pick(palette), Pick(palette)]);
        var (k, stride, padding) = (random.Next(1, 4), random.Next(1, 4), 0);
        if (k > 1) padding = random.Next(0, k / 2 + 1);
        if (x.Shape.Skip(2).Any(s => Value(s) == 0 || Value(s) + 2 * padding < k)) return false;
        var f = Pick("max_pool", "avg_pool") + (x.Rank == 3 ? "1d" : "");
        ImmutableArray<Size> shape =
            [.. x.Shape[..2], .. x.Shape.Skip(2).Select(s => Size.FloorDiv(s + (2 * padding - k), stride) + 1)];
        return Let($"nn.{f}", x.Type, shape, f.StartsWith("max", StringComparison.Ordinal) ? x.Grade : Composite(x),
            $"{f}({x.Name}, {k}, stride: {stride}, padding: {padding})", x);
    }

    private bool Convolution()
    {
        var places = random.Next(1, 3);
        var x = Find(v => v.Rank == places + 2 && v.Type.IsFloat && v.Shape[1].IsConstant && v.Shape[1].Value > 0)
            ?? Parameter(mainFloat, [random.Next(1, 3), random.Next(1, 5),
                .. Enumerable.Range(0, places).Select(_ => Pick(palette))]);
        var channels = x.Shape[1].Value;
        if (channels > 40) return false;
        var (k, stride) = (random.Next(1, 4), random.Next(1, 3));
        var (padding, dilation) = (random.Next(0, 2), random.Next(1, 3));
        var groups = Chance(3) ? (int)channels : 1;
        var o = groups * random.Next(1, 4);
        var span = dilation * (k - 1) + 1;
        if (x.Shape.Skip(2).Any(s => Value(s) == 0 || Value(s) + 2 * padding < span)) return false;
        var weight = Parameter(x.Type, [o, channels / groups, .. Enumerable.Repeat(Size.Constant(k), places)]);
        ImmutableArray<Size> shape = [x.Shape[0], o,
            .. x.Shape.Skip(2).Select(s => Size.FloorDiv(s + (2 * padding - span), stride) + 1)];
        return Let($"nn.conv{places}d", x.Type, shape, Composite(x, weight),
            $"conv{places}d({x.Name}, {weight.Name}, stride: {stride}, padding: {padding}, dilation: {dilation}, "
            + $"groups: {groups})",
            x, weight);
    }

    private bool Loss()
    {
        if (Find(v => v.Type.IsFloat && v.Rank > 0) is not { } x) return false;
        if (Chance(3))
        {
            if (Value(x.Shape[^1]) == 0 || Places(x.Shape[^1], x.Shape[..^1]) is not { } labels) return false;
            return Let("nn.cross_entropy", x.Type, labels.Shape, Composite(x),
                $"cross_entropy({x.Name}, {labels.Name})", x, labels);
        }
        var y = FindOr(x.Type, x.Shape);
        var f = Pick("mse", "l1", "smooth_l1", "huber", "bce", "bce_with_logits", "kl_div", "hinge",
            "cosine_similarity", "swiglu", "geglu");
        return Let($"nn.{f}", x.Type, f == "cosine_similarity" ? x.Shape[..^1] : x.Shape, Composite(x, y),
            $"{f}({x.Name}, {y.Name})", x, y);
    }

    private bool Resize()
    {
        var type = Pick(DType.F32, DType.F16);
        var x = Find(v => v.Rank == 4 && v.Type == type && v.Shape.Skip(2).All(s => Value(s) > 0))
            ?? Parameter(type, [1, random.Next(1, 3), random.Next(1, 6), random.Next(1, 6)]);
        var (h, w) = (random.Next(1, 8), random.Next(1, 8));
        var f = Pick("resize_nearest", "resize_bilinear", "adaptive_avg_pool", "adaptive_max_pool");
        return Let($"nn.{f}", x.Type, [x.Shape[0], x.Shape[1], h, w], Composite(x), $"{f}({x.Name}, {h}, {w})", x);
    }

    private bool Stack()
    {
        if (Find(v => v.Rank < 5) is not { } x) return false;
        var y = FindOr(x.Type, x.Shape);
        var axis = random.Next(x.Rank + 1);
        return Let("nn.stack", x.Type, x.Shape.Insert(axis, 2), Worst(x, y),
            $"stack([{x.Name}, {y.Name}], axis: {axis})", x, y);
    }

    private bool OneHot()
    {
        if (Find(v => v.Type.IsInteger && v.Rank < 4) is not { } x) return false;
        var count = random.Next(1, 9);
        return Let("nn.one_hot", mainFloat, x.Shape.Add(count), Jump(x),
            $"one_hot({x.Name}, {count}, {mainFloat.Name()})", x);
    }

    private bool Random()
    {
        var key = Parameter(DType.I64, [], Uniform(0, 100_000));
        var shape = AnyShape();
        var f = Pick("uniform", "normal", "gumbel");
        return Let("nn.random", mainFloat, shape, Grade.Loose,
            $"{f}({key.Name}, {Shape(shape)}, {mainFloat.Name()})", key);
    }

    private bool Attention()
    {
        var type = Pick(DType.F32, DType.F16, DType.BF16);
        var (t, s, d, e) = (Pick(palette), Pick(palette), random.Next(1, 20), random.Next(1, 20));
        // More than one block of keys, none of which the first rows see.
        if (Chance(3)) (t, s) = (random.Next(200, 280), random.Next(257, 300));
        // The reference keeps several copies of all scores.
        if (Value(s) == 0 || Value(t) * Value(s) > 20 * MostElements) return false;
        var heads = random.Next(1, 3);
        var q = Parameter(type, [1, heads, t, d], $"random:seed={random.Next(1000)}");
        var k = Parameter(type, [1, heads, s, d], $"random:seed={random.Next(1000)}");
        var v = Parameter(type, [1, heads, s, e], $"random:seed={random.Next(1000)}");
        switch (random.Next(4))
        {
            // Every query sees the keys of all earlier ones: a row that sees none would be NaN throughout.
            case 0 when Value(t) <= Value(s):
                return Let("nn.attention", type, [1, heads, t, e], Grade.Rounded,
                    $"attention({q.Name}, {k.Name}, {v.Name}, mask: causal({t.Display}, {s.Display}))", q, k, v);
            case 1:
                var limit = Number(0, (int)Value(s) - 1);
                return Let("nn.attention", type, [1, heads, t, e], Grade.Rounded,
                    $"attention({q.Name}, {k.Name}, {v.Name}, "
                    + $"mask: [i < {t.Display}, j < {s.Display}] => {Seen(limit.Name)})", q, k, v, limit);
            default:
                return Let("nn.attention", type, [1, heads, t, e], Grade.Rounded,
                    $"attention({q.Name}, {k.Name}, {v.Name})", q, k, v);
        }
    }

    /// <summary>
    /// The condition that a query sees a key, in the forms that people write: either side first, strict or not.
    /// </summary>
    private string Seen(string limit) => Pick($"j <= {limit} + i", $"{limit} + i >= j", $"j < {limit} + i + 1",
        $"i + 1 + {limit} > j", "i >= j", "j <= i", "i + 1 > j", "j < i + 1", $"j <= i and i - j < {random.Next(1, 6)}",
        $"i - j < {random.Next(1, 6)} and i >= j", $"j <= i + {limit} and j >= i - 2");

    /// <summary>Elementwise functions that the library composes of others.</summary>
    private bool OfOneElement()
    {
        if (Find(v => v.Type.IsFloat) is not { } x) return false;
        var f = Pick("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "log2", "log10", "exp2",
            "erfc");
        return Let($"nn.{f}", x.Type, x.Shape, Composite(x), $"{f}({x.Name})", x);
    }

    /// <summary>Arrays rolled, repeated, and padded with their own elements.</summary>
    private bool Arrays()
    {
        if (Axis() is not var (x, axis)) return false;
        var (extent, value) = (x.Shape[axis], Value(x.Shape[axis]));
        var (count, before, after) = (random.Next(1, 4), random.Next(0, 3), random.Next(0, 3));
        var f = Pick("roll", "repeat", "tile", "pad_edge", "pad_circular", "pad_reflect");
        var room = f == "pad_reflect" ? value - 1 : value;
        if (f.StartsWith("pad", StringComparison.Ordinal) && (value == 0 || Math.Max(before, after) > room))
            return false;
        var (size, text) = f switch
        {
            "roll" => (extent, $"roll({x.Name}, {random.Next(-3, 4)}, axis: {axis})"),
            "repeat" => (extent * count, $"repeat({x.Name}, {count}, axis: {AxisText(x, axis)})"),
            "tile" => (extent * count,
                $"tile({x.Name}, [{string.Join(", ", x.Shape.Select((_, d) => d == axis ? count : 1))}])"),
            _ => (extent + before + after, $"{f}({x.Name}, axis: {axis}, before: {before}, after: {after})"),
        };
        return Let($"nn.{f}", x.Type, x.Shape.SetItem(axis, size), x.Grade, text, x);
    }

    private bool Variance()
    {
        if (Axis(v => v.Type.IsFloat) is not var (x, axis)) return false;
        var f = Pick("var", "std");
        return Let($"nn.{f}", x.Type, x.Shape.RemoveAt(axis), Composite(x),
            $"{f}({x.Name}, axis: {axis}, correction: {random.Next(2)})", x);
    }
}
