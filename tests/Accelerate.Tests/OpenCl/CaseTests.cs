// Every exported function of examples/ and bench/ on the device: run and compared, or counted as skipped by kernel kind.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.OpenCl;

public class CaseTests(ITestOutputHelper output)
{
    /// <summary>The table may grow but not shrink: nothing falls back to another backend.</summary>
    [OpenClFact]
    public void CasesRunOnTheDeviceOrAreSkippedByKind()
    {
        var (ran, skipped) = (0, new SortedDictionary<string, int>());
        foreach (var folder in new[] { "examples", "bench" })
        {
            foreach (var file in Directory.GetFiles(Path.Combine(Shared.Repository, folder), "*.acc", SearchOption.AllDirectories).Order())
            {
                var compilation = Compilation.FromFile(file);
                foreach (var program in compilation.Programs)
                {
                    try
                    {
                        Compare(program);
                        ran++;
                    }
                    catch (LimitationException e)
                    {
                        skipped[e.Construct!] = skipped.GetValueOrDefault(e.Construct!) + 1;
                        output.WriteLine($"skipped: {Path.GetFileName(file)} {program.Name}: {e.Message}");
                    }
                }
            }
        }
        output.WriteLine($"ran {ran}, skipped {string.Join(", ", skipped.Select(s => $"{s.Value} for {s.Key}"))}");
        Assert.Empty(skipped);
    }

    private void Compare(Program program)
    {
        using var device = new OpenClExecutable([program]);
        using var reference = new InterpreterExecutable([program]);
        var random = new System.Random(5);
        var inputs = program.Of(BufferKind.Input).Select(b =>
        {
            long[] shape = [.. b.Type.Shape.Select((s, axis) => s.Evaluate(_ => 17))];
            var values = Enumerable.Range(0, (int)shape.Aggregate(1L, (a, c) => a * c)).Select(_ => random.NextDouble() * 8 - 4).ToArray();
            return Tensor.FromDoubles(b.Type.DType, values, shape);
        }).ToArray();
        var expected = reference.CreateSession().Run(program.Name, inputs);
        var actual = device.CreateSession().Run(program.Name, inputs);
        Assert.Equal(program.Steps.OfType<CallStep>().Count(), device.KernelsLaunched);
        foreach (var (a, e) in actual.Zip(expected))
        {
            foreach (var (x, y) in a.ToDoubles().Zip(e.ToDoubles())) Assert.InRange(x, y - 1e-6 * Math.Abs(y), y + 1e-6 * Math.Abs(y));
            Compared.Add(a.Count);
        }
        output.WriteLine($"ran: {program.Name}, {device.KernelsLaunched} kernels on {device.DeviceName}");
    }
}
