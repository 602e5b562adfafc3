// In: folders with .acc files. Out: small valid texts to mutate: programs, and their graphs and kernels.
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;

namespace Accelerate.Cli.Hostile;

/// <summary>
/// The texts that mutations start from. The first programs are built in, so that the command works anywhere; files of
/// the folders follow in the order of their names.
/// </summary>
internal sealed class Corpus
{
    // A mutant of a long file is mostly the original: it takes time and finds little.
    private const int Longest = 6000;

    // A case runs on every backend, so long ones legitimately take seconds.
    private const int LongestCase = 900;

    // Lowered once at the start: enough for every kind of step and statement.
    private const int Lowered = 12;

    public static readonly string[] BuiltIn =
    [
        "export fn add(x: f32[n, m], y: f32[m]) -> f32[n, m] = relu(x + y)\n",
        "export fn mean(x: f32[n, m]) -> f32[n] = sum(x, axis: 1) / f32(m)\n",
        "export fn take(x: f32[n, 4], at: i32[k]) -> f32[k, 4] = x[at]\n",
        "export fn mul(a: f32[n, k], b: f32[k, m]) -> f32[n, m] = a @ b\n",
        "export fn part(x: f32[n], i: i32) -> f32 { assert(i >= 0, \"negative {}\", i)\n    return x[i] }\n",
        """
        use nn

        module Net(width: int = 3) {
            let fc = Linear(4, width)
            buffer calls: i32 = 0
            export fn apply(x: f32[n, 4]) -> f32[n, width] {
                calls = calls + 1
                print("call {}", calls)
                return softmax(fc(x), axis: 1)
            }
        }

        """,
        "export fn img(x: f32[1, 6, 6, 2], w: f32[3, 3, 2, 4]) -> f32[1, 6, 6, 4] = conv2d(x, w, padding: 1)\n",
        "export fn roll(x: f32[n, m]) -> f32[m, n] = transpose(concat(x[1:], x[:1], axis: 0))\n",
        "export fn best(x: f32[n, 9]) -> (values: f32[n, 3], at: i32[n, 3]) = topk(x, 3)\n",
        "export fn form(x: f32[n]) -> f32[n, n] = [i, j] => x[i] - x[j]\n",
    ];

    private readonly List<string> programs = [.. BuiltIn];
    private readonly List<string> cases = [];
    private readonly Lazy<(List<string> Graphs, List<string> Kernels, List<string> Programs)> lowered;

    public Corpus(IEnumerable<string> folders)
    {
        foreach (var path in folders.SelectMany(f => Directory.GetFiles(f, "*.acc", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal))
        {
            var text = File.ReadAllText(path);
            if (text.Length > Longest) continue;
            programs.Add(text);
            if (text.Length <= LongestCase && text.StartsWith("# ---", StringComparison.Ordinal)) cases.Add(text);
        }
        if (cases.Count == 0)
            cases.Add("# --- adds\n# run: f x=[1, 2] == [2, 3]\n\nexport fn f(x: f32[n]) -> f32[n] = x + 1\n");
        // Lazy, because most kinds do not need these texts.
        lowered = new(() => Lower(Spread(programs, Lowered)));
        Words = [.. programs.SelectMany(p => Mutation.Token().Matches(p)).Select(m => m.Value).Distinct()
            .Order(StringComparer.Ordinal)];
    }

    public IReadOnlyList<string> Programs => programs;

    /// <summary>Programs with a header that <c>accc test</c> reads.</summary>
    public IReadOnlyList<string> Cases => cases;

    public IReadOnlyList<string> Graphs => lowered.Value.Graphs;

    public IReadOnlyList<string> Kernels => lowered.Value.Kernels;

    /// <summary>Texts of lowered programs, with their kernels.</summary>
    public IReadOnlyList<string> LoweredPrograms => lowered.Value.Programs;

    /// <summary>Every token of the programs.</summary>
    public IReadOnlyList<string> Words { get; }

    private static (List<string>, List<string>, List<string>) Lower(IEnumerable<string> texts)
    {
        var (graphs, kernels, programs) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var text in texts)
        {
            var compilation = Compilation.FromSource(new SourceText("corpus.acc", text));
            // A program with errors or limitations can still be mutated as text.
            if (!compilation.Diagnostics.IsEmpty) continue;
            foreach (var entry in compilation.Entries)
            {
                graphs.Add(GraphPrinter.Print(entry.Bound));
                graphs.Add(GraphPrinter.Print(entry.Optimised!));
                programs.Add(ProgramPrinter.Print(entry.Program!));
                kernels.AddRange(entry.Program!.Kernels.Select(KernelPrinter.Print));
            }
        }
        return (graphs, kernels, programs);
    }

    /// <summary>The built-in ones and this many others, evenly spread.</summary>
    private static IEnumerable<string> Spread(List<string> all, int count)
    {
        var others = all.Count - BuiltIn.Length;
        var step = Math.Max(1, others / count);
        return all.Where((_, i) => i < BuiltIn.Length || (i - BuiltIn.Length) % step == 0);
    }
}
