// In: the reference networks. Out: each gives PyTorch's stored outputs on every executor; LLVM gives the interpreter's
// bytes.
using Accelerate.Backends;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Models;

public class NetworkTests(ITestOutputHelper output)
{
    private const double Allowed = 1e-4; // of the largest value: the issue's measure for f32 networks

    public static TheoryData<string> Names => [.. Network.All.Select(n => n.Name)];

    private static Network Find(string name) => Network.All.Single(n => n.Name == name);

    /// <summary>
    /// PyTorch's f64 outputs by the graph interpreter, its f32 outputs and the reference's by the others.
    /// </summary>
    [SharedTheory("data/models")]
    [MemberData(nameof(Names))]
    public void TheStoredOutputs(string name)
    {
        var network = Find(name);
        using var llvm = Executables.Create("llvm", network.Model.Compilation, null, network.Model.State);
        using var interpreter = Executables.Create("interpreter", network.Model.Compilation, null, network.Model.State);
        foreach (var call in network.Calls)
        {
            var reference = network.Reference(call);
            Assert.Equal(call.Outputs.Length, reference.Count);
            for (var i = 0; i < reference.Count; i++)
            {
                if (call.Outputs[i] is { } file && reference[i].DType.IsFloat)
                    Near($"{call.Entry}: graph interpreter, {file}", reference[i].Values, network.Read(file + "_f64"));
            }
            foreach (var executable in new[] { llvm, interpreter })
            {
                using var session = executable.CreateSession();
                Held(network, call, executable.Backend.Name(), [.. session.Run(call.Entry, network.Read(call))],
                    reference);
            }
        }
    }

    private void Held(Network network, NetworkCall call, string backend, Tensor[] results,
        IReadOnlyList<ReferenceValue> reference)
    {
        for (var i = 0; i < results.Length; i++)
        {
            var what = $"{call.Entry}[{i}] on {backend}";
            if (call.Outputs[i] is { } file) Near($"{what}, {file}", results[i].ToDoubles(), network.Read(file));
            if (!results[i].Type.IsFloat) continue;
            Near($"{what} against f64", results[i].ToDoubles(), reference[i].Values);
            var report = Comparison.Compare(results[i], reference[i]);
            Assert.True(report.Agrees, $"{network.Name} {what}: {report.Text}");
        }
    }

    /// <summary>Every target that runs here; x86-64-v4 where the processor has AVX-512.</summary>
    public static TheoryData<string, string> Machines()
    {
        var data = new TheoryData<string, string>();
        foreach (var network in Network.All)
            foreach (var target in new[] { "host", "x86-64-v4", "x86-64-v3", "x86-64" })
                if (target == "host" || LlvmExecutable.CanRun(target)) data.Add(network.Name, target);
        return data;
    }

    /// <summary>
    /// On the stored inputs and, where they are floats, on NaN, infinities, subnormals and signed zeros.
    /// </summary>
    [SharedTheory("data/models")]
    [MemberData(nameof(Machines))]
    public void TheSameBytesAsTheKernelInterpreter(string name, string target)
    {
        var network = Find(name);
        var cases = Expected(name);
        foreach (var (level, threads) in target == "x86-64" ? new[] { (0, 3), (3, 1) } : [(3, 3)])
        {
            using var executable = new LlvmExecutable(network.Model.Compilation.Programs,
                new LlvmOptions(target, level, Threads: threads), network.Model.State);
            using var session = executable.CreateSession();
            foreach (var (entry, inputs, expected) in cases)
            {
                var actual = session.Run(entry, inputs);
                for (var i = 0; i < actual.Count; i++)
                {
                    Assert.True(actual[i].SameBits(expected[i]),
                        $"{name}.{entry}[{i}] on {target} -O{level}, {threads} threads:\n{actual[i]}\n{expected[i]}");
                    Compared.Add(actual[i].Count);
                }
            }
        }
    }

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<string,
        Lazy<List<(string Entry, Tensor[] Inputs, Tensor[] Expected)>>> Interpreted = new();

    private static List<(string Entry, Tensor[] Inputs, Tensor[] Expected)> Expected(string name) =>
        Interpreted.GetOrAdd(name, n => new(() => Interpret(Find(n)))).Value;

    private static List<(string Entry, Tensor[] Inputs, Tensor[] Expected)> Interpret(Network network)
    {
        using var executable = Executables.Create("interpreter", network.Model.Compilation, null, network.Model.State);
        using var session = executable.CreateSession();
        var cases = new List<(string, Tensor[], Tensor[])>();
        foreach (var call in network.Calls)
        {
            var inputs = network.Read(call);
            cases.Add((call.Entry, inputs, [.. session.Run(call.Entry, inputs)]));
            if (!inputs.Any(i => i.Type.IsFloat)) continue;
            Tensor[] awkward = [.. inputs.Select(i => i.Type.IsFloat ? Awkward.Tensor([.. i.Shape], 300) : i)];
            cases.Add((call.Entry, awkward, [.. session.Run(call.Entry, awkward)]));
        }
        return cases;
    }

    /// <summary>Every graph and program prints a text that reads back to the same text.</summary>
    [SharedTheory("data/models")]
    [MemberData(nameof(Names))]
    public void DumpsReadBack(string name)
    {
        foreach (var program in Find(name).Model.Compilation.Programs)
        {
            var text = ProgramPrinter.Print(program);
            Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(text)));
            foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
        }
    }

    /// <summary>
    /// OpenCL within the bound of NUMERICS, every kernel on the device; where that is exact, the interpreter's bits.
    /// </summary>
    [OpenClFact]
    public void OpenClAgrees()
    {
        if (Shared.Folder is null) return; // counted as skipped by the tests above
        var kinds = new SortedDictionary<KernelKind, int>();
        var drawn = TargetMatrix.Some(Network.All.Select(n => n.Name));
        foreach (var network in Network.All.Where(n => drawn.Contains(n.Name)))
        {
            using var executable = new OpenClExecutable(network.Model.Compilation.Programs, network.Model.State);
            using var session = executable.CreateSession();
            foreach (var call in network.Calls)
                Held(network, call, "opencl", [.. session.Run(call.Entry, network.Read(call))],
                    network.Reference(call));
            SameBits(network, executable, session);
            foreach (var kernel in network.Model.Compilation.Programs.SelectMany(p => p.Kernels))
                kinds[kernel.Kind] = kinds.GetValueOrDefault(kernel.Kind) + 1;
        }
        output.WriteLine(
            $"OpenCL: {drawn.Count} of {Network.All.Count()} networks, {string.Join(", ", kinds.Select(k => $"{k.Value} {k.Key} kernels"))}");
    }

    /// <summary>
    /// What a GPU is given, tiles and teams, by networks that have every kind of kernel; the others take minutes on a
    /// CPU.
    /// </summary>
    [OpenClFact]
    public void OpenClAgreesInGroups()
    {
        if (Shared.Folder is null) return;
        var asked = Environment.GetEnvironmentVariable("ACC_OPENCL_GROUPS") ?? "bert";
        foreach (var network in Network.All.Where(n => asked == "all" || n.Name == asked))
        {
            using var executable =
                new OpenClExecutable(network.Model.Compilation.Programs, network.Model.State, WorkShape.Group);
            using var session = executable.CreateSession();
            SameBits(network, executable, session);
        }
    }

    private void SameBits(Network network, OpenClExecutable executable, Session session)
    {
        // On NaN and infinities too.
        foreach (var (entry, inputs, expected) in OpenClDevice.Default.IsExact ? Expected(network.Name) : [])
        {
            var actual = session.Run(entry, inputs);
            for (var i = 0; i < actual.Count; i++)
            {
                Assert.True(actual[i].SameBits(expected[i]),
                    $"{network.Name}.{entry}[{i}] on OpenCL:\n{actual[i]}\n{expected[i]}");
                Compared.Add(actual[i].Count);
            }
        }
        output.WriteLine($"{network.Name}: {executable.KernelsLaunched} kernels launched on {executable.DeviceName}");
        Assert.True(executable.KernelsLaunched > 0);
        Assert.Equal(0, executable.KernelsEmpty); // every kernel of every call was launched
    }

    private void Near(string who, ReadOnlySpan<double> actual, Tensor expected) =>
        Near(who, actual, expected.ToDoubles());

    private void Near(string who, ReadOnlySpan<double> actual, double[] expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        var worst = 0.0;
        for (var i = 0; i < expected.Length; i++) worst = Math.Max(worst, Math.Abs(actual[i] - expected[i]));
        output.WriteLine($"{who}: max|d| {worst:G3} = {worst / largest:G2} of max|y| {largest:G4}");
        Assert.True(worst <= Allowed * largest, $"{who}: {worst} is more than {Allowed} of {largest}");
    }
}
