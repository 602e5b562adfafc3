// In: nothing. Out: all bundled benchmarks, with our calls, the peers' and the comparisons of tables.
using System.Globalization;
using Accelerate.Bench.Records;

namespace Accelerate.Bench.Registry;

/// <summary>The kernels in the table of bench/RESULTS.md; networks are in <see cref="BuiltinModels"/>.</summary>
internal static class Builtin
{
    private static readonly BenchmarkParameter Precision = new("precision", "f32", "");

    public static IReadOnlyList<BenchmarkDefinition> Kernels { get; } =
    [
        new("gemm", "kernels", "matrix product m×k by k×n; B is a parameter, packed once, or an input",
            [new("m", "512", "m"), new("k", "512", "k"), new("n", "512", "n"), Precision],
            v => At(v, true, Gemm(v), ProductsInBf16(v))),
        new("gelu_chain", "kernels", "gelu(a·x + b)·c + r on n floats",
            [new("n", "65536", "n"), Precision], v => At(v, false, Elementwise(v, "gelu_chain", "chain"))),
        new("relu", "kernels", "relu on n floats", [new("n", "65536", "n"), Precision],
            v => At(v, false, Elementwise(v, "rectify", "relu"))),
        new("softmax", "kernels", "softmax of rows", [new("rows", "1024", "r"), new("columns", "1024", "c"), Precision],
            v => At(v, false, Softmax(v))),
        new("layernorm", "kernels", "layer norm of rows of 768", [new("rows", "512", "r"), Precision],
            v => At(v, false, LayerNorm(v))),
        new("conv", "kernels", "convolution of square images; with and without Winograd, channels last and first",
            [
                new("batch", "1", "b"), new("channels", "64", "i"), new("size", "56", "h"), new("filters", "64", "o"),
                new("kernel", "3", "k"), new("stride", "1", "s"), new("padding", "1", "p"), new("groups", "1", "g"),
                Precision,
            ], v => At(v, true, Conv(v))),
    ];

    public static IReadOnlyList<BenchmarkDefinition> All { get; } =
        [.. Kernels, .. BuiltinModels.All, .. BuiltinTraining.All, .. BuiltinLlama.All];

    /// <summary>
    /// The case at another precision than f32: contractions round their operands to it, which few peers do; cases
    /// without a contraction do not exist at other precisions.
    /// </summary>
    private static CaseDefinition At(ParameterValues v, bool isContraction, CaseDefinition f32, PeerCall[]? bf16 = null)
    {
        PeerCall[] peers = v["precision"] == "bf16" ? bf16 ?? [] : [];
        var precision = v["precision"];
        if (precision == "f32") return f32;
        if (precision is not ("bf16" or "f16"))
            throw new FormatException($"there is no precision '{precision}': f32, bf16, f16");
        var title = $"{f32.Title}, {precision}";
        if (!isContraction)
            return new(title, []) { Unsupported = $"not supported: only contractions are computed in {precision}" };
        return f32 with
        {
            Title = title,
            Ours = [.. f32.Ours.Select(o => o with
            {
                Arguments = [.. o.Arguments.Select(Seeded).Where(a => a != "--weights" && !a.StartsWith("{data}", Any)),
                    "--compute", precision],
            })],
            Peers = peers,
            Lines = [.. f32.Lines.Select(l => l with
            {
                Title = $"{l.Title}, {precision}",
                Peers = [.. peers.Select(p => p.Name)],
            })],
            HasData = false,
        };
    }

    /// <summary>Replaces `x=@{data}/x.npy` by `x=random`, for cases without files.</summary>
    internal static string Seeded(string argument) =>
        argument.IndexOf("=@{data}", Any) is > 0 and var at ? argument[..at] + "=random" : argument;

    private const StringComparison Any = StringComparison.Ordinal;

    /// <summary>ONNX Runtime on the case's model.</summary>
    internal static PeerCall Ort(string name = "onnxruntime", string suffix = "") =>
        new(name, "ort", ["{threads}", "{models}/{case}" + suffix + ".onnx", "{data}"]);

    private static PeerCall Dnnl(string name, string variant, string op, params long[] numbers) =>
        new(name, "dnnl", ["{threads}", variant, op, .. numbers.Select(n => n.ToString(CultureInfo.InvariantCulture))]);

    /// <summary>oneDNN 3.7 as contained in libtorch 2.10; its result is compared with the case's.</summary>
    private static PeerCall Dnnl3(string name, string op, string how, params long[] numbers) =>
        new(name, "onednn3",
        [
            "{threads}", "{libtorch}/libtorch_cpu.so", "{data}", op,
            .. numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)), how,
        ])
        { Results = Y };

    /// <summary>libtorch 2.10; its results are compared with the case's.</summary>
    internal static PeerCall Torch(string name, params string[] words) =>
        new(name, "libtorch", ["{threads}", "{data}", .. words]) { Results = Y };

    private static Dictionary<string, string> Y { get; } = new() { ["y"] = "y" };

    private static PeerCall[] ProductsInBf16(ParameterValues v)
    {
        var (m, k, n) = (v.Number("m"), v.Number("k"), v.Number("n"));
        // A product of bf16 in f32 differs from one of f32 by a few parts in a thousand of its largest element.
        PeerCall In(PeerCall peer) => peer with { Data = $"gemm_m{m}_k{k}_n{n}_f32", Bound = 0.02 };
        return
        [
            In(Dnnl3("onednn3_bf16", "gemm", "bf16", m, k, n)) with { Needs = "avx512_bf16" },
            In(Torch("libtorch_bf16", "linear", "bf16")),
        ];
    }

    private static CaseDefinition Gemm(ParameterValues v)
    {
        var (m, k, n) = (v.Number("m"), v.Number("k"), v.Number("n"));
        var title = m == k && k == n ? $"{m}³" : $"{m}×{k}×{n}";
        string[] shape = [$"{m}", $"{k}", $"{n}"];
        PeerCall Blas(string name, string library, string op = "gemm", bool isSlow = false) =>
            new(name, "blas", [name, library, "{threads}", op, .. shape], isSlow);
        PeerCall Xsmm(string how, bool isSingle = false) =>
            new($"libxsmm_{how}", "xsmm", ["{threads}", how, "gemm", .. shape], IsSingle: isSingle);
        List<PeerCall> peers =
        [
            Blas("openblas", "{openblas}"), Blas("openblas_haswell", "{openblas}", isSlow: true), Blas("blis", "{blis}"),
            Ort("ort_dynamic", "_dynamic"), Dnnl("onednn_sgemm", "sgemm", "gemm", m, k, n) with { IsSlow = m > 1 },
            Ort("ort_constant", "_constant"), Dnnl("onednn_packed", "packed", "gemm", m, k, n),
            Dnnl3("onednn3_packed", "gemm", "f32", m, k, n), Torch("libtorch_linear", "linear"),
            Torch("libtorch_matmul", "matmul"),
        ];
        if (m == 1)
            peers.AddRange([Blas("openblas_gemv", "{openblas}", "gemv"), Blas("blis_gemv", "{blis}", "gemv")]);
        else peers.Add(Xsmm("brgemm64"));
        if (m is > 1 and <= 128) peers.Add(Xsmm("direct", isSingle: true));
        // Their B is packed before the first call, like the weights of a layer.
        string[] packed =
            ["ort_constant", "onednn_packed", "onednn3_packed", "libtorch_linear", "libxsmm_brgemm64"];
        string[] all = [.. peers.Select(p => p.Name)];
        return new($"GEMM {title}",
        [
            new("constant", ["bench/gemm.acc", "constant", "a=@{data}/a.npy", "--weights", "{data}/weights.safetensors",
                "--set", $"k={k}", "--set", $"n={n}", "--dim", $"m={m}"]),
            new("dynamic", ["bench/gemm.acc", "dynamic", "a=@{data}/a.npy", "b=@{data}/b.npy", "--dim", $"m={m}",
                "--dim", $"k={k}", "--dim", $"n={n}"]),
        ])
        {
            HasData = true,
            Peers = peers,
            Flops = 2.0 * m * k * n,
            Bytes = 4.0 * (m * k + k * n + m * n),
            Lines =
            [
                new($"GEMM {title}, constant B", "constant", all, "GEMM, constant B"),
                new($"GEMM {title}, dynamic B", "dynamic", [.. all.Except(packed)], "GEMM, dynamic B"),
            ],
        };
    }

    private static CaseDefinition Elementwise(ParameterValues v, string function, string op)
    {
        var n = v.Number("n");
        var size = n % (1 << 20) == 0 ? $"{n >> 20}M" : n % 1024 == 0 ? $"{n >> 10}K" : $"{n}";
        var isChain = op == "chain";
        var title = isChain ? $"gelu(a·x + b)·c + r on {size}" : $"relu on {size}";
        var loop = new PeerCall("gcc_loop", "loops", ["{threads}", "plain", op, $"{n}"]);
        PeerCall[] peers = isChain
            ? [loop, Ort(), Dnnl("onednn_fused", "fused", op, n) with { IsSlow = true }]
            : [new PeerCall("gcc_streamed", "loops", ["{threads}", "streamed", op, $"{n}"]), loop, Ort(),
                Dnnl("onednn_plain", "plain", op, n) with { IsSlow = true }];
        string[] inputs = isChain ? ["x=@{data}/x.npy", "r=@{data}/r.npy"] : ["x=@{data}/x.npy"];
        return new(title, [new("", ["bench/rows.acc", function, .. inputs, "--dim", $"n={n}"])])
        {
            HasData = true,
            Peers = peers,
            Flops = 0,
            Bytes = (isChain ? 12.0 : 8.0) * n,
            Lines = [new(title, "", [.. peers.Select(p => p.Name)], "rows and maps")],
        };
    }

    private static CaseDefinition Softmax(ParameterValues v) =>
        Rows(v.Number("rows"), v.Number("columns"), "softmax", "softmax", "probabilities",
            ["--dim", $"c={v.Number("columns")}"]);

    private static CaseDefinition LayerNorm(ParameterValues v) =>
        Rows(v.Number("rows"), 768, "layer norm", "layernorm", "normalize", ["--weights", "{data}/weights.safetensors"]);

    private static CaseDefinition Rows(long rows, long columns, string title, string op, string function,
        string[] arguments)
    {
        PeerCall[] peers =
        [
            new("gcc_loop", "loops", ["{threads}", "plain", op, $"{rows}", $"{columns}"]), Ort(),
            Dnnl("onednn_plain", "plain", op, rows, columns), Torch("libtorch", op),
        ];
        title = $"{title} {rows}×{columns}";
        return new(title, [new("", ["bench/rows.acc", function, "x=@{data}/x.npy", "--dim", $"r={rows}", .. arguments])])
        {
            HasData = true,
            Peers = peers,
            Flops = 0,
            Bytes = 8.0 * rows * columns,
            Lines = [new(title, "", [.. peers.Select(p => p.Name)], "rows and maps")],
        };
    }

    private static CaseDefinition Conv(ParameterValues v)
    {
        var (n, c, h, o) = (v.Number("batch"), v.Number("channels"), v.Number("size"), v.Number("filters"));
        var (k, stride, groups) = (v.Number("kernel"), v.Number("stride"), v.Number("groups"));
        var padding = v.Number("padding");
        var side = (h + 2 * padding - k) / stride + 1;
        long[] numbers = [n, c, h, o, k, stride, padding, groups];
        string[] sizes =
        [
            .. new[] { $"i={c}", $"o={o}", $"k={k}", $"stride={stride}", $"padding={padding}", $"groups={groups}" }
                .SelectMany(s => new[] { "--set", s }),
            .. new[] { $"b={n}", $"h={h}", $"w={h}" }.SelectMany(s => new[] { "--dim", s }),
            "--weights", "{data}/weights.safetensors",
        ];
        OurCall Call(string name, string function, string file, string result, params string[] more) =>
            new(name, ["bench/conv.acc", function, "x=@{data}/" + file, .. sizes, .. more])
            {
                Results = new Dictionary<string, string> { ["0"] = result },
            };
        List<OurCall> ours = [Call("nhwc", "nhwc", "x_nhwc.npy", "@y"), Call("nchw", "nchw", "x.npy", "y")];
        List<PeerCall> peers =
        [
            Dnnl("onednn_blocked", "blocked", "conv", numbers), Dnnl("onednn_nhwc", "nhwc", "conv", numbers),
            Dnnl("onednn_nchw", "nchw", "conv", numbers), Ort(),
            Dnnl3("onednn3_blocked", "conv", "direct", numbers),
            Torch("libtorch_nhwc", "conv", $"{stride}", $"{padding}", $"{groups}", "last"),
            Torch("libtorch_nchw", "conv", $"{stride}", $"{padding}", $"{groups}", "first"),
        ];
        string[] direct = [.. peers.Select(p => p.Name)];
        var title = $"conv {(groups > 1 ? "depthwise " : "")}{k}×{k}{(stride > 1 ? $" s{stride}" : "")} {c}→{o} @{h}²";
        var lines = new List<ComparisonLine>();
        if (k == 3 && stride == 1 && groups == 1)
        {
            ours.Add(Call("nhwc direct", "nhwc", "x_nhwc.npy", "@y", "--conv", "direct"));
            peers.Add(Dnnl("onednn_winograd", "winograd", "conv", numbers));
            peers.Add(Dnnl3("onednn3_winograd", "conv", "winograd", numbers));
            lines.Add(new($"{title}, Winograd", "nhwc", [.. peers.Select(p => p.Name)], "convolution", "nhwc direct"));
            lines.Add(new($"{title}, direct", "nhwc direct", direct, "without Winograd"));
        }
        else
        {
            lines.Add(new(title, "nhwc", direct, "convolution"));
        }
        lines.Add(new($"{title}, NCHW", "nchw", ["onednn_nchw", "onnxruntime", "libtorch_nchw"],
            "convolution, NCHW"));
        var weights = (double)o * (c / groups) * k * k;
        return new(title, ours)
        {
            HasData = true,
            Peers = peers,
            Flops = 2.0 * n * side * side * weights,
            Bytes = 4.0 * (n * c * h * h + n * o * side * side + weights + o),
            Items = n,
            Lines = lines,
        };
    }
}
