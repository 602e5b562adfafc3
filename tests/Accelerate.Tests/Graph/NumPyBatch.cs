// In: graphs with inputs and a NumPy expression each. Out: where the interpreter and NumPy differ; one Python process
// in all.
using System.Globalization;
using System.Runtime.InteropServices;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Graph;

/// <summary>Floats travel as f64, integers as i64: NumPy computes floats in f64 and integers in their dtype.</summary>
internal sealed class NumPyBatch
{
    private const string Script = """
        import math
        np.seterr(all='ignore')
        folder = sys.argv[1]
        raw = np.fromfile(folder + '/in.bin', dtype=np.int64)
        at = 0
        out = open(folder + '/out.bin', 'wb')
        names = dict(i8='int8', i16='int16', i32='int32', i64='int64', bool='bool',
            u8='uint8', u16='uint16', u32='uint32', u64='uint64')
        def elementwise(f):
            def apply(*arrays):
                info = np.iinfo(arrays[0].dtype)
                wrap = lambda v: (v - int(info.min)) % (1 << info.bits) + int(info.min)
                rows = zip(*[x.ravel() for x in arrays])
                flat = [wrap(f(info, *[int(v) for v in row])) for row in rows]
                return np.array(flat, dtype=object).astype(arrays[0].dtype).reshape(arrays[0].shape)
            return apply
        def cut(a, b): return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        idiv = elementwise(lambda info, a, b: -1 if b == 0 else cut(a, b))
        irem = elementwise(lambda info, a, b: a if b == 0 else a - b * cut(a, b))
        shl = elementwise(lambda info, a, b: a << b if 0 <= b < info.bits else 0)
        shr = elementwise(lambda info, a, b: a >> (b if 0 <= b < info.bits else info.bits))
        erf = np.vectorize(math.erf, otypes=[np.float64])
        def toint(x, dtype):
            info = np.iinfo(dtype)
            low, high = int(info.min), int(info.max)
            one = lambda v: 0 if v != v else high if v > high else low if v < low else int(v)
            return np.array([one(float(v)) for v in x.ravel()], dtype=object).astype(dtype).reshape(x.shape)
        def windows(x, axis, count, extent, stride, dilation):
            at = np.arange(count)[:, None] * stride + np.arange(extent)[None, :] * dilation
            return np.take(x, at, axis=axis)
        def pad(x, value, before, after, between):
            shape = [b + a + n + (n - 1) * g for n, b, a, g in zip(x.shape, before, after, between)]
            y = np.full(shape, value, dtype=x.dtype)
            y[tuple(slice(b, b + (n - 1) * (g + 1) + 1, g + 1) for n, b, g in zip(x.shape, before, between))] = x
            return y
        for line in open(folder + '/cases.txt'):
            expression, *inputs = line.rstrip('\n').split('\t')
            arrays = {}
            for name, text in zip('abc', inputs):
                dtype, *shape = text.split(' ')
                shape = [int(s) for s in shape]
                count = int(np.prod(shape, dtype=np.int64))
                part = raw[at:at + count]
                at += count
                part = part.astype(names[dtype]) if dtype in names else part.view(np.float64)
                arrays[name] = part.reshape(shape)
            r = np.asarray(eval(expression, {**globals(), **arrays}))
            print(r.dtype.kind, *r.shape)
            out.write((r.astype(np.float64) if r.dtype.kind == 'f' else r.astype(np.int64)).tobytes())
        """;

    private readonly List<(Function Graph, ReferenceValue[] Inputs, string Expression)> cases = [];

    public int Count => cases.Count;

    /// <summary>A graph as text, and the expression of its last node over the inputs a, b, c.</summary>
    public void Add(string body, string expression, params ReferenceValue[] inputs)
    {
        var last = body[(body.LastIndexOf("\n%", StringComparison.Ordinal) + 1)..];
        var graph = GraphReader.Read($"graph @f {{\n{body}\nreturn({last[..last.IndexOf(':')]})\n}}");
        Verifier.Verify(graph);
        cases.Add((graph, inputs, expression));
    }

    /// <summary>One text for each difference.</summary>
    public List<string> Differences()
    {
        var folder = Directory.CreateTempSubdirectory("accelerate-numpy").FullName;
        try
        {
            using (var bytes = File.Create(Path.Combine(folder, "in.bin")))
            {
                foreach (var input in cases.SelectMany(c => c.Inputs))
                {
                    bytes.Write(input.DType.IsFloat
                        ? MemoryMarshal.AsBytes(input.Values.AsSpan())
                            : MemoryMarshal.AsBytes(input.Integers.AsSpan()));
                }
            }
            File.WriteAllLines(Path.Combine(folder, "cases.txt"), cases.Select(c => string.Join('\t',
                [c.Expression,
                    .. c.Inputs.Select(i => string.Join(' ', [i.DType.Name(), .. i.Shape.Select(s => $"{s}")]))])));
            var lines = NumPy.Run(Script, folder).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(cases.Count, lines.Length);
            return Compare(lines, File.ReadAllBytes(Path.Combine(folder, "out.bin")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private List<string> Compare(string[] lines, byte[] bytes)
    {
        var differences = new List<string>();
        var at = 0;
        foreach (var (test, line) in cases.Zip(lines))
        {
            var words = line.Split(' ');
            var shape = words[1..].Select(w => long.Parse(w, CultureInfo.InvariantCulture)).ToArray();
            var count = (int)shape.Aggregate(1L, (p, s) => p * s);
            var theirs = bytes.AsSpan(at, 8 * count);
            at += 8 * count;
            var ours = GraphInterpreter.Run(test.Graph, test.Inputs,
                _ => throw new InvalidOperationException(), new Dictionary<string, long>())[0];
            var title = $"{GraphPrinter.Print(test.Graph)}{test.Expression}: ";
            if (!ours.Shape.SequenceEqual(shape) || ours.DType.IsFloat != (words[0] == "f"))
            {
                differences.Add(
                    $"{title}NumPy gives {line}, the interpreter {ours.DType.Name()} [{string.Join(',', ours.Shape)}]");
                continue;
            }
            // Both compute in f64, so they are held to the bound of f64 whatever the dtype.
            var report = ours.DType.IsFloat
                ? Comparison.Compare(MemoryMarshal.Cast<byte, double>(theirs),
                    new ReferenceValue(DType.F64, ours.Shape, ours.Values, ours.Magnitude, [], ours.Terms))
                : Comparison.Compare(MemoryMarshal.Cast<byte, long>(theirs), ours);
            if (!report.Agrees) differences.Add(title + report);
        }
        return differences;
    }
}
