// Sorts of rows that are merged and rows that go by the bytes of their keys: the interpreter's bytes for every dtype.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm;

public sealed class OrderTests
{
    public static TheoryData<string> Types() => [.. Enum.GetValues<DType>().Select(t => t.Name())];

    /// <summary>
    /// Three rows: special values among ordinary ones, few values that are often equal, and keys that differ in one
    /// byte alone.
    /// </summary>
    [LlvmTheory]
    [MemberData(nameof(Types))]
    public void RowsOfEveryLengthAreSortedAsTheInterpreterDoes(string name)
    {
        var type = DType.Parse(name);
        foreach (var direction in (string[])["ascending", "descending"])
        {
            var text = $$"""
                kernel @s(x: in(T, n*m), y: out(T, n*m), p: out(i32, n*m); sizes(m, n)) {
                  parallel(r < m) {
                    sort.{{direction}}(i < n) { %0: T = load(x[n*r+i]) yield(%0) } into(%1: T, %2: i32) { store(y[n*r+i], %1) store(p[n*r+i], %2) }
                  }
                }
                """.Replace("T", name);
            using var any = new Comparison(KernelReader.Read(text), NativeConfiguration.All);
            foreach (var length in (long[])[0, 1, 2, 31, 47, 48, 49, 100, 257, 3000]) Check(any, length);
            foreach (var length in (long[])[33, 300])
            {
                using var known =
                    new Comparison(KernelReader.Read(text.Replace("n*m", $"{length}*m").Replace("n*r", $"{length}*r")
                    .Replace("< n)", $"< {length})").Replace("sizes(m, n)", "sizes(m)")), NativeConfiguration.All);
                Check(known, length);
            }

            void Check(Comparison comparison, long length)
            {
                var random = new Random((int)length);
                var values = ContractionTests.Awkward(type, 3 * length, (int)length).ToDoubles();
                double[] special = type.IsFloat ? [0, -0.0, double.NaN, double.NegativeInfinity, 1e-45, -1]
                    : [0, 1, type.IsSigned ? -1 : 2, 100];
                for (var i = 0; i < length; i++)
                {
                    if (type != DType.Bool) values[length + i] = special[random.Next(special.Length)];
                    values[2 * length + i] = type == DType.Bool ? 1 : 64 + random.Next(4);
                }
                comparison.Check([Tensor.FromDoubles(type, values, 3 * length)],
                    new Dictionary<string, long> { ["n"] = length, ["m"] = 3 },
                        $"{direction} {name}, {length} keys a row");
            }
        }
    }
}
