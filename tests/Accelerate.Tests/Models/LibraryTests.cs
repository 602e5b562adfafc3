// In: the library's functions and layers in small programs. Out: NumPy says the same, and the executors agree.
using System.Runtime.InteropServices;
using Accelerate.Backends;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class LibraryTests(ITestOutputHelper output)
{
    public static TheoryData<string> Files => [.. Directory.GetFiles(LibraryCase.Folder, "*.acc")
        .Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    /// <summary>Reads arrays and expressions, writes the values of the expressions.</summary>
    private const string Script = """
        np.seterr(all='ignore')
        folder = sys.argv[1]
        def arrays(line):
            global at
            found = {}
            for text in line.split('\t') if line else []:
                name, kind, *shape = text.split(' ')
                shape = [int(v) for v in shape]
                count = int(np.prod(shape, dtype=np.int64))
                part = raw[at:at + count]
                at += count
                found[name] = (part.astype(np.int64) if kind == 'i' else part).reshape(shape)
            return found
        raw = np.fromfile(folder + '/in.bin', dtype=np.float64)
        at = 0
        out = open(folder + '/out.bin', 'wb')
        lines = open(folder + '/cases.txt').read().split('\n')
        s = arrays(lines[0])
        for k in range(1, len(lines) - 1, 2):
            r = eval(lines[k], {**globals(), **arrays(lines[k + 1])})
            for a in r if isinstance(r, tuple) else (r,):
                a = np.asarray(a)
                print(*a.shape)
                out.write(a.astype(np.float64).tobytes())
        """;

    /// <summary>
    /// The graph interpreter gives NumPy's values, the kernels the graph interpreter's, LLVM the kernels' bytes.
    /// </summary>
    [NumPyTheory]
    [MemberData(nameof(Files))]
    public void AgreesWithNumPy(string file)
    {
        var test = new LibraryCase(file);
        var runs =
            test.Compilation.Entries.SelectMany(e => LibraryCase.Sizes(e).Select(sizes => (Entry: e, Sizes: sizes,
            Inputs: test.Inputs(e, sizes)))).ToList();
        var expected =
            NumPyValues(test,
                [.. runs.Select(r => (r.Entry.Name, r.Entry.Bound.Inputs.Select(i => i.Name).ToArray(), r.Inputs))]);
        using var llvm = Executables.Create("llvm", test.Compilation, null, test.State);
        using var kernels = Executables.Create("interpreter", test.Compilation, null, test.State);
        using var fast = llvm.CreateSession();
        using var exact = kernels.CreateSession();
        var (next, worst) = (0, 0.0);
        foreach (var (entry, sizes, inputs) in runs)
        {
            var what = $"{file}.{entry.Name} [{string.Join(", ", sizes.Select(s => $"{s.Key}={s.Value}"))}]";
            var reference = GraphInterpreter.Run(entry.Optimised!, [.. inputs.Select(ReferenceValue.Of)],
                path => ReferenceValue.Of(test.State[path]), sizes, new InterpreterOptions { RoundToDType = false });
            var results = exact.Run(entry.Name, inputs);
            var native = fast.Run(entry.Name, inputs);
            for (var i = 0; i < results.Count; i++)
            {
                var (shape, values) = expected[next++];
                Assert.True(shape.SequenceEqual(reference[i].Shape),
                    $"{what}: NumPy's shape is [{string.Join(", ", shape)}], ours [{string.Join(", ", reference[i].Shape)}]");
                worst = Math.Max(worst, Near(what, reference[i], values));
                var report = Comparison.Compare(results[i], reference[i]);
                Assert.True(report.Agrees, $"{what}: {report.Text}");
                Assert.True(native[i].SameBits(results[i]),
                    $"{what}: LLVM\n{native[i]}\nis not the interpreter's\n{results[i]}");
                Compared.Add(native[i].Count);
            }
        }
        output.WriteLine(
            $"{file}: {test.Compilation.Entries.Length} functions, {runs.Count} calls, {worst:G2} from NumPy");
    }

    /// <summary>
    /// Constants of an f32 program are rounded to f32: 1e-6 of the largest value tells a wrong one still.
    /// </summary>
    private static double Near(string what, ReferenceValue actual, double[] expected)
    {
        var numbers = actual.DType.IsFloat ? actual.Values : Array.ConvertAll(actual.Integers, v => (double)v);
        var largest = expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        var worst = 0.0;
        for (var i = 0; i < expected.Length; i++)
        {
            if (numbers[i] == expected[i] || (double.IsNaN(numbers[i]) && double.IsNaN(expected[i]))) continue;
            var error = Math.Abs(numbers[i] - expected[i]) / largest;
            Assert.True(error <= 1e-6, $"{what}: element {i} is {numbers[i]:R}, NumPy's {expected[i]:R}");
            worst = Math.Max(worst, error);
        }
        return worst;
    }

    private static List<(long[] Shape, double[] Values)> NumPyValues(LibraryCase test,
        List<(string Name, string[] Names, Tensor[] Inputs)> runs)
    {
        using var folder = new TemporaryFolder();
        var lines = new List<string>();
        using (var bytes = File.Create(Path.Combine(folder.Root, "in.bin")))
        {
            string Written(string name, Tensor t)
            {
                bytes.Write(MemoryMarshal.AsBytes(t.ToDoubles().AsSpan()));
                return string.Join(' ', [name, t.Type.IsFloat ? "f" : "i", .. t.Shape.ToArray().Select(d => $"{d}")]);
            }
            lines.Add(string.Join('\t', test.State.Select(s => Written(s.Key, s.Value))));
            foreach (var (name, names, inputs) in runs)
            {
                lines.Add(test.Meanings[name]);
                lines.Add(string.Join('\t', names.Zip(inputs, Written)));
            }
        }
        File.WriteAllText(Path.Combine(folder.Root, "cases.txt"), string.Join('\n', lines) + "\n");
        var printed =
            NumPy.Run(File.ReadAllText(Path.Combine(LibraryCase.Folder, "numpy_reference.py")) + "\n" + Script,
                folder.Root);
        var result = MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(Path.Combine(folder.Root, "out.bin")));
        var found = new List<(long[], double[])>();
        foreach (var line in printed.Split('\n')[..^1])
        {
            long[] shape = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
            var count = (int)shape.Aggregate(1L, (a, b) => a * b);
            found.Add((shape, result[..count].ToArray()));
            result = result[count..];
        }
        return found;
    }
}
