// In: the text of a generated program and the ways to run it. Out: where two executors differ, and what was compared.
using System.Text.Json.Serialization;
using Accelerate.Backends;
using Accelerate.Backends.OpenCl;
using Accelerate.Bench;
using Accelerate.Cli.Cases;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>A difference: its kind, the configuration that shows it, and its description.</summary>
internal sealed record FuzzFind(string Kind, string Config, string Message)
{
    /// <summary>True if the find does not depend on the configuration.</summary>
    [JsonIgnore]
    public bool IsOfEveryRun => Config is "compile" or "interpreter 1" or "start";
}

/// <summary>
/// The outcome of one program. A refused program was not run: the compiler rejects a text that the generator considers
/// valid.
/// </summary>
internal sealed record FuzzReport
{
    public List<FuzzFind> Finds { get; init; } = [];

    public string? Refused { get; set; }

    /// <summary>Constructs that a backend does not support, each once.</summary>
    public HashSet<string> Limits { get; init; } = [];

    public long Elements { get; set; }

    public long NumPyElements { get; set; }

    /// <summary>1 if NumPy has computed the program.</summary>
    public int NumPyPrograms { get; set; }

    /// <summary>True if the calls failed, with the same message on all backends.</summary>
    public bool Failed { get; set; }

    /// <summary>The counts of <see cref="Fuzz.Coverage.Of"/>.</summary>
    public Dictionary<string, int> Coverage { get; init; } = [];
}

/// <summary>
/// The kernel interpreter is compared with the f64 graph interpreter except for loose results; the other backends with
/// the kernel interpreter's bits, OpenCL within its bound if the device rounds differently. Results, `inout`
/// parameters, state, prints and the messages of failing calls are compared. <paramref name="at"/> is called with the
/// name of each step that begins, so that a watcher knows what killed the process.
/// </summary>
internal sealed class FuzzRun(Action<string> at)
{
    // Starting it takes a tenth of a second, so it is kept for later programs unless one of them ends it.
    private static NumPyProcess? numPyProcess;

    private readonly FuzzReport report = new();

    /// <summary>The outcome of a series of calls.</summary>
    private sealed record Outcome(List<(string Name, Tensor Value)> Values, string? Failure, string Printed);

    public FuzzReport Run(string text, IReadOnlyList<FuzzConfig> configs)
    {
        var header = FuzzHeader.Read(text);
        try
        {
            at("compile");
            var compilation = Compilation.FromSource(new SourceText("fuzz.acc", text),
                new CompilationOptions { Binding = new BindOptions { Dims = header.Dims } });
            if (!compilation.Diagnostics.IsEmpty)
            {
                var first = compilation.Diagnostics[0];
                var headline = $"{first.Code.Id}: {first.Headline}";
                if (compilation.ExitCode == ExitCodes.Bug) Find("compiler bug", "compile", headline);
                else if (compilation.ExitCode == ExitCodes.Limitation) report.Limits.Add(headline);
                else
                {
                    report.Refused = headline;
                    Find("refused", "compile", headline);
                }
                return report;
            }
            foreach (var (key, count) in Coverage.Of(compilation.Entries[0].Bound)) report.Coverage[key] = count;
            Compare(header, compilation, configs);
        }
        catch (LimitationException e)
        {
            report.Limits.Add(e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Find("compiler bug", "compile", Text(e));
        }
        return report;
    }

    private void Compare(FuzzHeader header, Compilation compilation, IReadOnlyList<FuzzConfig> configs)
    {
        at("interpreter 1");
        var options = new FuzzConfig("interpreter").Options;
        var state = Executables.InitialState("interpreter", compilation.Model, options, whole: true);
        Outcome expected;
        try
        {
            expected = Call("interpreter", options, compilation, state, header, withReference: true,
                configs.Any(c => c.Backend == "numpy"));
        }
        catch (Exception e) when (e is not (LimitationException or OutOfMemoryException))
        {
            Find("crash", "interpreter 1", Text(e));
            return;
        }
        report.Failed = expected.Failure is not null;
        foreach (var config in configs.Where(c => c.Backend != "numpy"))
        {
            at(config.ToString());
            try
            {
                Same(config,
                    Call(config.Backend, config.Options, compilation, state, header, withReference: false), expected);
            }
            catch (LimitationException e)
            {
                report.Limits.Add(e.Message);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Find("crash", config.ToString(), Text(e));
            }
        }
        at("");
    }

    private Outcome Call(string backend, ExecutableOptions options, Compilation compilation,
        IReadOnlyDictionary<string, Tensor> state, FuzzHeader header, bool withReference, bool withNumPy = false)
    {
        var entry = compilation.Entries[0];
        var program = entry.Program!;
        using var executable = Executables.Create(backend, compilation, options, state);
        using var session = executable.CreateSession();
        using var printed = new StringWriter();
        session.Output = printed;
        var values = new List<(string, Tensor)>();
        string? failure = null;
        for (var call = 0; call < header.Calls.Count && failure is null; call++)
        {
            var arguments = new InputValues(program);
            var inputs = arguments.Read(header.Calls[call]);
            var before = WholeState.Of(session, state);
            var reference = withReference ? Reference.Of(entry, inputs, before, arguments.Sizes) : null;
            if (withNumPy) HoldNumPy(entry, inputs, before, arguments.Sizes, reference!, header.Loose);
            Tensor[] results = [];
            try
            {
                results = [.. session.Run(program.Name, inputs, arguments.Sizes)];
            }
            catch (ExecutionException e)
            {
                failure = e.Message;
            }
            var named = results.Select((r, i) => ($"{i}", r)).ToList();
            if (failure is null)
            {
                var buffers = program.Of(BufferKind.Input).ToList();
                named.AddRange(buffers.Zip(inputs).Where(b => b.First.IsInout)
                    .Select(b => (b.First.Label, b.Second)));
                named.AddRange(session.State.OrderBy(s => s.Key, StringComparer.Ordinal)
                    .Select(s => (s.Key, s.Value.Clone())));
            }
            reference?.Hold(named, failure, header.Loose, why => Find("reference", "interpreter 1", why));
            values.AddRange(named.Select(v => ($"call {call}, {v.Item1}", v.Item2)));
        }
        return new(values, failure, printed.ToString());
    }

    /// <summary>
    /// NumPy and the graph interpreter compute the same graph; the kernels are compared with the latter.
    /// </summary>
    private void HoldNumPy(CompiledEntry entry, Tensor[] inputs, IReadOnlyDictionary<string, Tensor> state,
        IReadOnlyDictionary<string, long> sizes, Reference reference, IReadOnlySet<string> loose)
    {
        at("numpy");
        // The sizes bound by inputs are not among those given by the caller.
        var all = new Dictionary<string, long>(sizes);
        foreach (var (input, value) in entry.Bound.Inputs.Zip(inputs))
            for (var d = 0; d < value.Rank; d++)
                if (FuzzProgram.IsVariable(input.Type.Shape[d])) all[input.Type.Shape[d].Display] = value.Shape[d];
        try
        {
            if (numPyProcess is null or { HasEnded: true })
            {
                numPyProcess?.Dispose();
                numPyProcess = new();
            }
            var answer = numPyProcess.Run(entry.Bound, inputs, state, all);
            report.NumPyElements += answer.Values.Values.Sum(v => v.Count);
            report.NumPyPrograms = 1;
            // NumPy runs the graph's nodes without its size checks and index errors: its functions clamp indices
            // instead.
            if (reference.Failure is null || answer.Failure is not null)
                (reference with { Needed = false }).Hold([.. answer.Values.Select(v => (v.Key, v.Value))],
                    answer.Failure, loose, why => Find("numpy", "numpy", why));
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            Find("numpy", "numpy", e.Message);
        }
        at("interpreter 1");
    }

    private void Same(FuzzConfig config, Outcome actual, Outcome expected)
    {
        if (actual.Failure != expected.Failure)
        {
            Find("failure", config.ToString(),
                $"{actual.Failure ?? "no failure"}; the kernel interpreter: {expected.Failure ?? "no failure"}");
            return;
        }
        if (actual.Printed != expected.Printed)
            Find("print", config.ToString(), $"prints '{actual.Printed}', not '{expected.Printed}'");
        foreach (var ((name, a), (_, e)) in actual.Values.Zip(expected.Values))
        {
            report.Elements += a.Count;
            if (e.SameBits(a)) continue;
            if (config.Backend == "opencl" && !OpenClDevice.Default.IsExact && e.Type.IsFloat)
            {
                try
                {
                    Agreement.Check("opencl", Owes.Bound, [(name, e)], [(name, a)]);
                    continue;
                }
                catch (InternalErrorException)
                {
                    // Beyond the bound: reported below.
                }
            }
            Find("value", config.ToString(), Difference(name, a, e));
            return;
        }
    }

    private static string Difference(string name, Tensor actual, Tensor expected)
    {
        var (a, e) = (actual.ToDoubles(), expected.ToDoubles());
        var bytes = actual.Type.Bytes();
        var different = 0;
        var first = -1;
        for (var i = 0; i < a.Length; i++)
        {
            var same = double.IsNaN(a[i]) ? double.IsNaN(e[i])
                : actual.ReadOnlyBytes.Slice(i * bytes, bytes).SequenceEqual(
                    expected.ReadOnlyBytes.Slice(i * bytes, bytes));
            if (same) continue;
            if (different++ == 0) first = i;
        }
        return string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{name} is {expected.Type.Name()}[{string.Join(',', expected.Shape.ToArray())}], {different} elements "
            + $"differ, the first at {first}: {(first < 0 ? 0 : a[first]):R}, the kernel interpreter's "
            + $"{(first < 0 ? 0 : e[first]):R}");
    }

    private void Find(string kind, string config, string message) => report.Finds.Add(new(kind, config, message));

    /// <summary>
    /// An exception on one line: its type, its message, and the first of our own methods in the stack trace.
    /// </summary>
    private static string Text(Exception e)
    {
        var from = (e.StackTrace ?? "").Split('\n').Select(l => l.Trim())
            .FirstOrDefault(l => l.Contains("Accelerate.", StringComparison.Ordinal)) ?? "";
        var end = from.IndexOf(" in ", StringComparison.Ordinal);
        return $"{e.GetType().Name}: {e.Message.Split('\n')[0]} {(end < 0 ? from : from[..end])}";
    }
}
