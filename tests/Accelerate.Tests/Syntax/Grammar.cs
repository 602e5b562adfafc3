// A program that uses every alternative of the grammar once: what the formatter and the recovery are tried on.
namespace Accelerate.Tests.Syntax;

internal static class Grammar
{
    public const string Everything = """
        # Everything once.

        use nn
        use blocks.attention

        # A layer.
        # Two lines.
        module Layer(i, o = 2 * i, biased: bool = true, act: fn = relu, of: [int] = [1, 2],) {
            param weight: f32[o, i] = kaiming(key, [o, i])  # behind code
            buffer count = 0
            let a, b: [T] = split(of, 2)
            if biased { param bias: f32[o] = 0 } else { let none = 1 }
            weights { "model.**" -> "$1"  "h.*.attn" -> _ }
            assert(len(of) > 0, "not {}", of)
            fn apply(x: f32[.., i], inout y: T[..s, _]) -> f32[.., o] = act(x @ transpose(weight))
            export fn both(x: f32[n, m], z: f32[k]) -> (a: f32[n], i32[]) where n == m, k < 2 * n {
                let v: f32[n, 2 * m] = 0
                x[:, 1:] = v
                a.b, c[0].d = g(x)
                n += 1  n -= 1  n *= 2  n /= 2
                if a { b = 1 } else if c { b = 2 } else { b = 3 }
                for i in 0:n:2 { print("{}", i) }
                for p, q in zip(a, b) { opt.step(p) }
                while not done and n < 3 or true { n = n + 1 }
                return [i, j < n, ..s, ..] => x[i, .., ..s, : j, a : b + 1 : 2, ::2], -2 ** -1
            }
        }

        fn f(a, b) = [..a, .., (1 + 2) * 3, 1.5e3, 0x1F, "s\n", false] |> g(axis: -1, inout c[0])
            |> h
        fn g() = [x ** 2 // y % z @ w for x, y in 0:3 if x != 1]
        fn h(x) = if x == 1 { 1 } else if x >= 2 { sum[i, j < n](x[i] / j) } else { [] }
        """;
}
