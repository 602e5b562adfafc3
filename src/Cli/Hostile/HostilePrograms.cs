// In: a random generator and programs. Out: a hostile .acc file, and a command that reads it.
using System.Text;
using System.Text.RegularExpressions;

namespace Accelerate.Cli.Hostile;

/// <summary>Mutants of programs, and texts with an excessive structure.</summary>
internal static partial class HostilePrograms
{
    // The graph interpreter keeps several doubles for each element.
    private const string CaseMemory = "4M";

    // A whole network of the paper's size legitimately takes seconds to compile.
    private const int LongestCompiled = 1500;

    private static readonly string[] Stages = ["syntax", "graph", "opt", "kernels", "program", "llvm", "cl"];

    public static HostileInput Make(Random random, Corpus corpus)
    {
        var text = random.Next(4) > 0
            ? Mutation.Text(random, random.Pick(corpus.Programs), corpus.Words)
            : Encoding.UTF8.GetBytes(Structure(random));
        List<HostileFile> files = [new RegularFile("a.acc", text)];
        if (random.Next(16) == 0) files.Add(Used(random));
        var command = Command(random, Encoding.UTF8.GetString(text));
        return new("acc", files, command)
        {
            Written = ["a.acc"],
            IsCommandWrong = command.Contains("--set") || command.Contains("--dim"),
        };
    }

    /// <summary>A case of <c>accc test</c> with a mutated header; the program itself is unchanged.</summary>
    public static HostileInput Case(Random random, Corpus corpus)
    {
        var text = random.Pick(corpus.Cases);
        var end = text.IndexOf("\n\n", StringComparison.Ordinal) is > 0 and var i ? i : text.Length;
        var header = Mutation.Words(random, text[..end], corpus.Words);
        return new("case", [new RegularFile("a.acc", header + text[end..])],
            ["test", "--backends", "llvm", "--memory", CaseMemory, "a.acc"]);
    }

    private static string[] Command(Random random, string text) => random.Next(10) switch
    {
        0 => ["fmt", "a.acc"],
        1 => ["fmt", "--check", "a.acc"],
        2 => ["check", "a.acc", "--diagnostics", random.Pick(["pretty", "msbuild", "json"])],
        3 or 4 => ["dump", "a.acc", "--stage", random.Pick(text.Length <= LongestCompiled ? Stages : Stages[..1])],
        5 => ["check", "a.acc", "--set", $"{random.Pick(["width", "n", "layers"])}={random.Pick(Mutation.Numbers)}"],
        6 => ["check", "a.acc", "--dim", $"{random.Pick(["n", "m", "k"])}={random.Pick(Mutation.Numbers)}"],
        7 or 8 => Run(random, text),
        _ => ["check", "a.acc"],
    };

    /// <summary>
    /// A call of a function that the text exports, without loops, which might legitimately run forever.
    /// </summary>
    private static string[] Run(Random random, string text)
    {
        var entries = Entry().Matches(text);
        if (entries.Count == 0 || text.Length > LongestCompiled || text.Contains("while") || text.Contains("for "))
            return ["check", "a.acc"];
        var entry = entries[random.Next(entries.Count)];
        var arguments = new List<string>();
        foreach (Match p in Parameter().Matches(entry.Groups["parameters"].Value))
        {
            var name = p.Groups["name"].Value;
            var value = p.Groups["type"].Value == "int" ? Small(random)
                : random.Pick(["zeros", "ones", "random:seed=1"]);
            arguments.Add($"{name}={value}");
            foreach (Match size in Size().Matches(p.Groups["shape"].Value))
                arguments.Add($"{size.Value}={Small(random)}");
        }
        return ["run", "./a.acc", entry.Groups["name"].Value, .. arguments.DistinctBy(a => a.Split('=')[0]),
            "--backend", random.Pick(["interpreter", "llvm"]), "--memory", "256M"];
    }

    private static string Small(Random random) => random.Pick(["0", "1", "2", "3", "5", "17"]);

    /// <summary>The file that `use b` finds next to the program.</summary>
    private static HostileFile Used(Random random) => random.Next(5) switch
    {
        0 => new FolderFile("b.acc"),
        1 => new PipeFile("b.acc"),
        2 => new LinkFile("b.acc", "b.acc"),
        3 => new DeviceFile("b.acc", 5),
        _ => new RegularFile("b.acc", "use a\nfn helper(x: f32[n]) -> f32[n] = x\n"),
    };

    /// <summary>A text that is deep, long or large in one respect.</summary>
    private static string Structure(Random random)
    {
        var n = random.Pick(["1", "2", "10", "60", "300", "1000", "3000"]);
        var count = int.Parse(n, System.Globalization.CultureInfo.InvariantCulture);
        string Times(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
        string Each(Func<int, string> text) => string.Concat(Enumerable.Range(0, count).Select(text));
        var number = random.Pick(Mutation.Numbers);
        const string F = "export fn f(x: f32[n]) -> f32[n]";
        const string G = "export fn f(x: f32[n], k: int) -> f32[n]";
        var few = Math.Min(count, 300);
        string List(string text) => string.Join(", ", Enumerable.Repeat(text, count));
        return random.Next(34) switch
        {
            0 => $"{F} = {Times("(", count)}x{Times(")", count)}\n",
            1 => $"{F} = {Times("-", count)}x\n",
            2 => $"{F} = x{Times(" + x", count)}\n",
            3 => $"{F} = x{Times("[:]", count)}\n",
            4 => $"{F} = {Times("relu(", count)}x{Times(")", count)}\n",
            5 => $"{F} {{\n let y = {Times("[", count)}1{Times("]", count)}\n return x }}\n",
            6 => $"{F} {{ {Each(i => $"let y{i} = x + {i}\n")} return y{count - 1} }}\n",
            7 => $"{G} = {Times("if k > 0 { x } else { ", few)}x{Times(" }", few)}\n",
            8 => $"{G} {{ {Times("if k > 0 { ", few)}{Times(" }", few)} return x }}\n",
            9 => $"{F} = concat({List("x")}, axis: 0)\n",
            10 => $"export fn f({Each(i => $"x{i}: f32[n], ")}x: f32[n]) -> f32[n] = x0\n",
            11 => Each(i => $"export fn f{i}(x: f32[n]) -> f32[n] = x + {i}\n"),
            12 => $"export fn f(x: f32[{number}]) -> f32[{number}] = x + 1\n",
            13 => $"export fn f(x: f32[n, {number}]) -> f32[n] = sum(x, axis: 1)\n",
            14 => $"export fn f(x: f32[{List("n")}]) -> f32[{List("n")}] = x\n",
            15 => $"export fn f(x: f32[n{Times(" * n", count)}]) -> f32[n{Times(" * n", count)}] = x\n",
            16 => $"export fn f(x: f32[n]) -> f32[n{Times(" * 99999", count)}] = x\n",
            17 => $"{F} = x + {Times("9", count)}\n",
            18 => $"fn {Times("a", count)}(x: f32[n]) -> f32[n] = x\n{F} = {Times("a", count)}(x)\n",
            19 => $"{F} {{ print(\"{Times(random.Pick(Mutation.Characters), count)}\")\n return x }}\n",
            20 => $"# {Times(random.Pick(Mutation.Characters), count)}\n{F} = x\n",
            21 => Each(i => $"module M{i}() {{ let c = M{i + 1}() fn g(x: f32[n]) -> f32[n] = x }}\n")
                + $"module M{count}() {{ }}\n{F} = x\n",
            22 => $"module M() {{ let a = M() let b = M() }}\nmodule N() {{ let m = M() {F} = x }}\n",
            23 => $"fn g(x: f32[n], k: int) -> f32[n] = g(x, k + 1)\n{F} = g(x, 0)\n",
            24 => "export fn f(x: f32[a, 0]) -> f32[a] = "
                + $"{random.Pick(["sum", "max", "mean", "argmax"])}(x, axis: 1)\n",
            25 when Math.Min(count, 4) is var loops =>
                $"{F} {{ {Times("for i in 0:n { ", loops)}{Times("}", loops)} return x }}\n",
            26 => $"use {string.Join(".", Enumerable.Repeat("b", count))}\n{F} = x\n",
            27 => $"use b\n{F} = x\n",
            28 => $"param w: f32[{number}] = zeros\nexport fn f(x: f32) -> f32 = x\n",
            29 => $"module M(k: int = {number}) {{ param w: f32[k, k]\n export fn f(x: f32[k]) -> f32[k] = x @ w }}\n",
            30 => $"{F} = x[{number}:{random.Pick(Mutation.Numbers)}]\n",
            31 => $"export fn f(x: f32[n]) -> f32[{number}, n] = broadcast(x, [{number}, n])\n",
            32 => $"export fn f(x: i32[n]) -> i32[n] = x {random.Pick(["//", "%", "<<", ">>", "**", "/"])} {number}\n",
            _ => Times(random.Pick(Mutation.Characters), count * 10) + $"\n{F} = x\n",
        };
    }

    [GeneratedRegex(@"export\s+fn\s+(?<name>\w+)\s*\((?<parameters>[^)]*)\)")]
    private static partial Regex Entry();

    [GeneratedRegex(@"(?<name>\w+)\s*:\s*(?<type>\w+)\s*(\[(?<shape>[^\]]*)\])?")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"(?<![\w])[a-z]\w*")]
    private static partial Regex Size();
}
