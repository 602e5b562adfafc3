// Attention of awkward shapes, on LLVM with all register tiles against the interpreter: the same bytes.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm;

public sealed class AttentionTests
{
    private static readonly long[] Extents = [1, 1, 2, 4, 5, 7, 12, 13, 16, 17, 31, 33, 64, 70, 193, 300];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 24)];

    /// <summary>
    /// A seed decides dtype, shape, layout, which sizes are symbols, how many keys each row sees, mask, bias and
    /// epilogue.
    /// </summary>
    [LlvmTheory]
    [MemberData(nameof(Seeds))]
    public void LlvmGivesTheInterpretersBytes(int seed)
    {
        var random = new Random(seed);
        var type = seed % 5 == 4 ? "f64" : "f32";
        var sizes = new Dictionary<string, long>();
        // A size is a symbol or a number in the text: other code is printed for each.
        string Size(string name, long most)
        {
            var some = Extents.Where(e => e <= most).ToArray();
            var value = random.Next(20) == 0 ? 0 : some[random.Next(some.Length)];
            if (random.Next(2) == 0) return $"{value}";
            sizes[name] = value;
            return name;
        }
        var (m, s, e, k, b) = (Size("m", 300), Size("s", 300), Size("e", 70), Size("k", 70), Size("b", 4));
        var head = $"h*{m}*{k}+";
        var query = random.Next(3) == 0 ? $"{head}p*{m}+i" : $"{head}i*{k}+p";
        var key = random.Next(3) == 0 ? $"h*{s}*{k}+p*{s}+j" : $"h*{s}*{k}+j*{k}+p";
        var value = random.Next(3) == 0 ? $"h*{s}*{e}+c*{s}+j" : $"h*{s}*{e}+j*{e}+c";
        // Causal, or any number, negative and too large ones too.
        var until = random.Next(3) switch
        {
            0 => "",
            1 => "until { %20: i64 = index(i+1) yield(%20) }",
            _ => "until { %20: i64 = load(u[i]) yield(%20) }",
        };
        var score = random.Next(3) switch
        {
            0 => "%6: T = const(0.125) %7: T = mul(%5, %6) yield(%7)",
            1 => "%6: T = load(bias[j]) %7: T = add(%5, %6) yield(%7)",
            _ => "%6: T = const(-inf) %8: bool = load(seen[j]) %7: T = select(%8, %5, %6) yield(%7)",
        };
        // Merged heads, or rows of the next axis.
        var store = random.Next(3) == 0 ? $"h*{e}*{m}+c*{m}+i" : $"i*{b}*{e}+h*{e}+c";
        var text = $$"""
            kernel @c(x: in(T, {{b}}*{{m}}*{{k}}), y: in(T, {{b}}*{{s}}*{{k}}), z: in(T, {{b}}*{{s}}*{{e}}), u: in(i64, {{m}}), bias: in(T, {{s}}),
                seen: in(bool, {{s}}), r: out(T, {{b}}*{{m}}*{{e}}); sizes({{string.Join(", ", sizes.Keys)}})) {
              parallel(h < {{b}}) {
                attend(i < {{m}}, j < {{s}}, c < {{e}}; p < {{k}}; block {{(random.Next(2) == 0 ? 64 : 256)}}) {
                  query { %0: T = load(x[{{query}}]) yield(%0) }
                  key { %1: T = load(y[{{key}}]) yield(%1) }
                  value { %2: T = load(z[{{value}}]) yield(%2) }
                  {{until}}
                  score(%5: T) { {{score}} }
                  weight(%9: T) { %10: T = mul(%9, %9) %11: T = const(1.0) %12: T = add(%10, %11) %13: T = div(%11, %12) yield(%13) }
                  into(%14: T, %15: T) { %16: T = div(%14, %15) store(r[{{store}}], %16) }
                }
              }
            }
            """.Replace("T", type);
        var kernel = KernelReader.Read(text);
        KernelVerifier.Verify(kernel);
        var inputs = kernel.Buffers.Where(x => !x.IsOutput)
            .Select((x, i) => x.Name == "u" ? Counts(x.Count.Evaluate(sizes))
                : ContractionTests.Awkward(x.Type, x.Count.Evaluate(sizes), seed * 7 + i)).ToArray();
        Agreement.Check(kernel, inputs, sizes, $"seed {seed}", [.. NativeConfiguration.Three, new("x86-64-v3", 0)]);

        Tensor Counts(long count) =>
            Tensor.From([.. Enumerable.Range(0, (int)count).Select(_ => (long)random.Next(-3, 310))], count);
    }
}
