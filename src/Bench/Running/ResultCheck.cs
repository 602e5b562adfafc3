// In: the results of an arm's first call, as files. Out: the largest error against the case's reference, or an
// exception.
using System.Globalization;
using Accelerate.Bench.Registry;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;

namespace Accelerate.Bench.Running;

/// <summary>
/// If `bench/peers/build` has made inputs, the reference is ONNX Runtime's, NumPy's or PyTorch's result on them, an
/// independent source, which is also used to check peers that write their results. An error is |ours − theirs| / max
/// |theirs|: sums of thousands of products in another order, and Winograd's transforms, give a few units of 10⁻⁶, and a
/// wrong index 0.1 and more. Otherwise the reference is our kernel interpreter's result, or for long calls LLVM's at
/// -O0 on one thread, which must give the same bits.
/// </summary>
internal sealed class ResultCheck(HarnessPlaces places, ProcessRunner runner) : IDisposable
{
    /// <summary>The largest acceptable error of ours against files.</summary>
    public const double Bound = 1e-4;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    // About ten seconds of the interpreter.
    private const double InterpreterFlops = 1e9;

    private readonly Dictionary<string, (string Folder, string Name)> references = [];
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("accc-bench-");

    /// <summary>A new empty folder for results, inside the one that is deleted at the end.</summary>
    public string NewFolder() => folder.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;

    /// <param name="arm">The source of the results.</param>
    /// <param name="results">The folder of the results.</param>
    /// <param name="flops">Floating-point operations per call.</param>
    /// <returns>The reference's name, and the largest error.</returns>
    /// <exception cref="InternalErrorException">They differ by more than is allowed.</exception>
    /// <exception cref="NoMeasurementException">The reference itself does not run.</exception>
    public (string With, double Error) Check(Arm arm, string results, double flops)
    {
        var definition = arm.Case.Definition;
        if (arm.Peer is { } peer)
            return (definition.Reference, AgainstFiles(peer.Data ?? arm.Case.Name, results, peer.Results,
                peer.BoundOf ?? (_ => peer.Bound)));
        if (definition.HasData)
            return (definition.Reference, AgainstFiles(arm.Case.Name, results, arm.Ours!.Results, _ => Bound));
        var (expected, with) = Reference(arm, flops);
        var owes = arm.Backend is "opencl" or "graph" ? Owes.Bound : Owes.Bits;
        var (theirs, ours) = (Read(expected), Read(results));
        try
        {
            return (with, Agreement.Check(arm.Contender, owes, theirs, ours));
        }
        finally
        {
            foreach (var (_, tensor) in theirs.Concat(ours)) tensor.Dispose();
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    private (string Folder, string Name) Reference(Arm arm, double flops)
    {
        // The way is part of the key, because `--conv direct` rounds differently.
        var key = $"{arm.Case.Name} {arm.Ours!.Name}";
        if (references.TryGetValue(key, out var found)) return found;
        var isQuick = flops <= InterpreterFlops;
        var reference = isQuick ? arm with { Backend = "interpreter", Threads = 1, OptLevel = null, Build = null }
            : arm with { Backend = "llvm", Threads = 1, OptLevel = 0, Build = null };
        var made = NewFolder();
        runner.Run(reference, 0.001, made);
        return references[key] = (made, isQuick ? "interpreter" : "llvm -O0");
    }

    private double AgainstFiles(string data, string results, IReadOnlyDictionary<string, string> names,
        Func<string, double> bounds)
    {
        var worst = 0.0;
        var expected = Path.Combine(places.Data(data), "expected");
        if (names == PeerCall.Every)
        {
            names = Directory.EnumerateFiles(expected, "*.npy").Select(f => Path.GetFileNameWithoutExtension(f))
                .ToDictionary(f => f);
        }
        foreach (var (file, name) in names)
        {
            var path = Path.Combine(results, file + ".npy");
            if (!File.Exists(path)) throw new InternalErrorException($"wrong result: there is no {file}");
            using var ours = Npy.Read(path);
            using var theirs = Npy.Read(Path.Combine(expected, name.TrimStart('@') + ".npy"));
            var isLast = name.StartsWith('@');
            long[] shape = isLast ? [.. Last(theirs.Shape.ToArray())] : [.. theirs.Shape];
            if (!ours.Shape.SequenceEqual(shape))
            {
                throw new InternalErrorException($"wrong result: {file} is [{string.Join(", ", ours.Shape.ToArray())}] "
                    + $"where [{string.Join(", ", shape)}] is expected");
            }
            var right = theirs.ToDoubles();
            var error = Error(ours.ToDoubles(), isLast ? ChannelsLast(right, [.. theirs.Shape]) : right);
            var bound = bounds(name);
            if (!(error <= bound))
                throw new InternalErrorException(string.Create(Invariant,
                    $"wrong result: {file} has an error of {error:G2} where {bound:G1} is allowed; nothing was timed"));
            worst = Math.Max(worst, error);
        }
        return worst;
    }

    /// <summary>NaN if either side has one, so that no comparison accepts it.</summary>
    private static double Error(double[] ours, double[] theirs)
    {
        var (largest, difference) = (0.0, 0.0);
        for (var i = 0; i < theirs.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(theirs[i]));
            difference = Math.Max(difference, Math.Abs(ours[i] - theirs[i])); // Math.Max keeps a NaN
        }
        return difference / largest;
    }

    /// <summary>[n, c, h, w] → [n, h, w, c].</summary>
    private static long[] Last(long[] s) => [s[0], s[2], s[3], s[1]];

    private static double[] ChannelsLast(double[] values, long[] shape)
    {
        var (n, c, area) = (shape[0], shape[1], shape[2] * shape[3]);
        var moved = new double[values.Length];
        for (var i = 0L; i < n; i++)
            for (var j = 0L; j < c; j++)
                for (var p = 0L; p < area; p++)
                    moved[(i * area + p) * c + j] = values[(i * c + j) * area + p];
        return moved;
    }

    private static IReadOnlyList<(string, Tensor)> Read(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.npy").Order(StringComparer.Ordinal)
            .Select(f => (Path.GetFileNameWithoutExtension(f), Npy.Read(f)))];
}
