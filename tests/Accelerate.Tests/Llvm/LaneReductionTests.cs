// Reductions at every length where blocks, lanes or the tree change, on LLVM against the interpreter: the same bytes.
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm;

public sealed class LaneReductionTests
{
    private static readonly long[] Lengths = [0, 1, 15, 16, 17, 4095, 4096, 4097, 8192, 8193, 12289, 16385, 28673];

    public static TheoryData<string> Types =>
        ["f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool"];

    /// <summary>
    /// All kinds in one kernel, both forms, over two rows; the length is a symbol or a number in the text.
    /// </summary>
    [LlvmTheory]
    [MemberData(nameof(Types))]
    public void LlvmGivesTheInterpretersBytes(string name)
    {
        var type = DType.Parse(name);
        string[] kinds = type == DType.Bool ? ["max", "min", "and", "or", "argmax", "argmin"]
            : type.IsFloat ? ["add", "mul", "max", "min", "argmax", "argmin"]
            : ["add", "mul", "max", "min", "and", "or", "argmax", "argmin"];
        string Result(string kind) => kind == "argmax" ? "i32" : kind == "argmin" ? "i64" : name;
        var forms = kinds.SelectMany(k => new[] { ("reduce", k), ("serial", k) }).ToList();
        string Text(string length) => $$"""
            kernel @r(x: in({{name}}, 2*{{length}}), {{string.Join(", ", forms.Select((f, i) => $"y{i}: out({Result(f.Item2)}, 2)"))}};
                sizes({{(length == "n" ? "n" : "")}})) {
              parallel(i < 2) {
                {{string.Join("\n", forms.Select((f, i) => One(length, f.Item1, f.Item2, i)))}}
              }
            }
            """;
        string One(string length, string form, string kind, int i) => $$"""
            %{{2 * i}}: {{Result(kind)}} = {{form}}.{{kind}}(r < {{length}}) {
              %{{2 * i + 1}}: {{name}} = load(x[i*{{length}}+r])
              yield(%{{2 * i + 1}})
            }
            store(y{{i}}[i], %{{2 * i}})
            """;
        var numbers = new Dictionary<string, long>();
        using var symbolic = new Comparison(
            KernelReader.Read(Text("n")), [.. NativeConfiguration.Three.AsSpan(0, 2), new("x86-64-v3", 0)]);
        foreach (var length in Lengths)
        {
            var inputs = new[] { Terms(type, 2 * length, (int)length) };
            symbolic.Check(inputs, new Dictionary<string, long> { ["n"] = length }, $"{name} x n");
            // Numbers take other paths than symbols up to one block, and no others behind it.
            if (length is 0 or 15 or 16 or 17 or 4096 or 4097)
                Agreement.Check(KernelReader.Read(Text($"{length}")), inputs, numbers, $"{name} x {length}",
                    NativeConfiguration.Three[1]);
        }
    }

    private static Tensor Terms(DType type, long count, int seed)
    {
        // Of f32 and f64 few are special, else one NaN decides every reduction; the second half has none.
        var terms = ContractionTests.Awkward(type, count, seed);
        if (!type.IsFloat) return terms;
        var values = terms.ToDoubles();
        for (var i = count / 2; i < count; i++) if (!double.IsFinite(values[i])) values[i] = -0.0;
        return Tensor.FromDoubles(type, values, count);
    }
}
