// In: a program, sizes, the machine's limits. Out: for each call of a kernel its least possible time, and the limit
// that sets it.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Bench;

/// <summary>The least time of a step, over all its executions in one call of the function.</summary>
/// <param name="Name">The limit that sets it: "FMA"; "L1", "L2", "L3" or "DRAM" for data movement; "start" for a
/// parallel loop.</param>
/// <param name="Ms">The largest of those times.</param>
internal sealed record Bound(string Name, double Ms);

/// <summary>
/// Arithmetic: each statement with a float result is an issue slot of the fma units, a contraction one a multiply-add;
/// the peak is two operations a slot. Traffic: each buffer of a call counts once, or as often as it is accessed if that
/// is less (a gather of a few rows), at the level that still holds it: the first one with room for everything that
/// other calls have touched since its last use, in a program that runs repeatedly. Data that a kernel reads twice by
/// itself is not counted.
/// </summary>
internal static class Roofline
{
    /// <summary>The bounds for each <see cref="CallStep"/> of <see cref="Program.AllSteps"/>, in that order.</summary>
    public static IReadOnlyList<Bound> Of(
        Program program, IReadOnlyDictionary<string, long> sizes, MachineLimits limits)
    {
        var values = WithVariables(program, sizes);
        var calls = Executions(program.Steps, values, 1)
            .Select(e => (e.Step, e.Times, Uses: Uses(program, e.Step, values))).ToList();
        var last = new Dictionary<string, (int Time, double Bytes)>();
        var time = 0;
        var bounds = new List<Bound>();
        // The second pass starts with the caches left by the first, like every call of the function but the first.
        for (var pass = 0; pass < 2; pass++)
        {
            foreach (var (step, times, uses) in calls)
            {
                if (pass == 1) bounds.Add(Highest(program.Kernels[step.Kernel], values, limits, uses, last, times));
                foreach (var use in uses) last[use.Place] = (time++, use.Bytes);
            }
        }
        return bounds;
    }

    /// <summary>
    /// The bytes that each kernel must read and write, over all its calls in one call of the function.
    /// </summary>
    public static double[] BytesByKernel(Program program, IReadOnlyDictionary<string, long> sizes)
    {
        var (values, sums) = (WithVariables(program, sizes), new double[program.Kernels.Length]);
        foreach (var (step, times) in Executions(program.Steps, values, 1))
            sums[step.Kernel] += times * Uses(program, step, values).Sum(u => u.Bytes);
        return sums;
    }

    /// <summary>
    /// A buffer of one call: its place (temporaries share slots), and the bytes that are read or written.
    /// </summary>
    private sealed record Use(string Place, double Bytes, bool IsWritten);

    private static Bound Highest(Kernel kernel, IReadOnlyDictionary<string, long> values, MachineLimits limits,
        IReadOnlyList<Use> uses, Dictionary<string, (int Time, double Bytes)> last, double times)
    {
        var floors = new Dictionary<string, double>
        {
            ["FMA"] = 2 * Slots(kernel, values) / limits.Gflops * 1e-6,
            ["start"] = kernel.ParallelNest().Loops.IsEmpty ? 0 : limits.StartMs,
        };
        var own = uses.Sum(u => u.Bytes);
        foreach (var level in uses.GroupBy(Level))
        {
            var read = level.Where(u => !u.IsWritten).Sum(u => u.Bytes);
            var written = level.Where(u => u.IsWritten).Sum(u => u.Bytes);
            var both = Math.Min(read, written);
            floors[level.Key.Name] = ((read - both) / level.Key.Read + (written + both) / level.Key.Move) * 1e-6;
        }
        var highest = floors.MaxBy(f => f.Value);
        return new(highest.Key, times * highest.Value);

        MemoryLevel Level(Use use)
        {
            // Never seen, for example state that is only written.
            var since = last.TryGetValue(use.Place, out var before)
                ? last.Where(l => l.Value.Time > before.Time && uses.All(u => u.Place != l.Key)).Sum(l => l.Value.Bytes)
                    : 0;
            return limits.Levels.First(l => own + since <= l.Bytes);
        }
    }

    private static List<Use> Uses(Program program, CallStep step, IReadOnlyDictionary<string, long> values)
    {
        var kernel = program.Kernels[step.Kernel];
        var accesses = new double[kernel.Buffers.Length];
        Iterations.Visit(kernel.Body, new(values, StringComparer.Ordinal), 1, (statement, times, _) =>
        {
            if (statement is Load l) accesses[l.Buffer] += times;
            else if (statement is Compiler.Kernels.Store s) accesses[s.Buffer] += times;
        });
        return [.. kernel.Buffers.Select((b, i) =>
        {
            var buffer = program.Buffers[step.Buffers[i]];
            var place = buffer.Kind != BufferKind.Temporary ? buffer.Name
                : $"slot {program.Plan.Temporaries.First(t => t.Buffer == step.Buffers[i]).Slot}";
            var bytes = Math.Min(accesses[i], buffer.Type.Count.Evaluate(values)) * buffer.Type.DType.Bytes();
            return new Use(place, bytes, b.IsOutput);
        })];
    }

    private static double Slots(Kernel kernel, IReadOnlyDictionary<string, long> values)
    {
        var sum = 0.0;
        Iterations.Visit(kernel.Body, new(values, StringComparer.Ordinal), 1, (statement, times, at) =>
        {
            switch (statement)
            {
                case Compute
                {
                    Result.Type.IsFloat: true,
                    Op: not (ScalarOp.Bitcast or ScalarOp.Select or ScalarOp.Convert)
                }:
                    sum += times;
                    break;
                case Reduction { Yield.Type.IsFloat: true } r:
                    sum += times * r.Extent.Evaluate(at);
                    break;
                case Contract { Accumulator.Type.IsFloat: true } c:
                    var (m, n, k) = Iterations.Extents(c, at);
                    sum += times * m * n * k;
                    break;
                case Attend a:
                    var (rows, keys, columns, depth) = Iterations.Extents(a, at);
                    sum += times * rows * keys * (depth + columns);
                    break;
            }
        });
        return sum;
    }

    /// <summary>`while` once, both sides of a branch, because more would need the values of a call.</summary>
    private static IEnumerable<(CallStep Step, double Times)> Executions(
        IEnumerable<Step> steps, IReadOnlyDictionary<string, long> values, double times) =>
            steps.SelectMany(step => step switch
        {
            CallStep c => [(c, times)],
            LoopStep l => Executions(l.Body, values, times * Math.Max(0, l.Count.Evaluate(values))),
            WhileStep w => Executions(w.Condition.Concat(w.Body), values, times),
            IfStep i => Executions(i.Then.Concat(i.Else), values, times),
            _ => Enumerable.Empty<(CallStep, double)>(),
        });

    /// <summary>Loop variables at their middle, masked extents at their maximum.</summary>
    private static Dictionary<string, long> WithVariables(Program program, IReadOnlyDictionary<string, long> sizes)
    {
        var values = new Dictionary<string, long>(sizes, StringComparer.Ordinal);
        foreach (var step in program.AllSteps)
        {
            if (step is LoopStep l) values[l.Variable] = Math.Max(0, l.Count.Evaluate(values)) / 2;
            else if (step is LetStep d) values[d.Variable] = d.Value.Evaluate(values);
            else if (step is SizeStep s) values[s.Variable] = s.Most.Evaluate(values);
        }
        return values;
    }
}
