// In: a case file and the backends to run it on. Out: whether all agree with the reference and with the header.
using Accelerate.Backends;
using Accelerate.Backends.OpenCl;
using Accelerate.Bench;
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli.Cases;

/// <summary>A backend under test and its options.</summary>
internal sealed record CaseBackend(string Name, ExecutableOptions Options)
{
    public override string ToString() =>
        Name == "llvm" ? $"llvm {Options.Target} -O{Options.OptLevel}, {Options.Threads} threads" : Name;
}

/// <summary>
/// The outcome of one case: failures (none means that it passed), limitations by backend and construct, elements
/// compared.
/// </summary>
internal sealed record CaseReport(IReadOnlyList<string> Failures,
    IReadOnlyList<(string Backend, string Construct)> Skipped, long Elements,
    IReadOnlyList<string> Ran);

/// <summary>
/// The kernel interpreter is compared with the f64 graph interpreter (within its bound), and LLVM with the kernel
/// interpreter's bytes; so is OpenCL if the device's arithmetic is exact, otherwise within the bound of `accc bench`.
/// The calls of a case share one session, so that state carries over; before each call the reference gets the kernel
/// interpreter's state.
/// </summary>
/// <param name="file">The case.</param>
/// <param name="memory">The maximum bytes of a call; null for the machine's memory.</param>
internal sealed class CaseRun(CaseFile file, long? memory = null)
{
    private readonly List<string> failures = [];
    private readonly List<(string, string)> skipped = [];
    private readonly HashSet<string> ran = [];
    private long elements;

    public CaseReport Run(IReadOnlyList<CaseBackend> backends)
    {
        var compilation =
            Compilation.FromFile(file.Path, new CompilationOptions { Binding = new BindOptions { Set = file.Set } });
        if (!compilation.Diagnostics.IsEmpty)
        {
            failures.Add(PrettyRenderer.Render(compilation.Diagnostics));
            return Report();
        }
        foreach (var count in file.Counts) Check(count, compilation);
        var (expected, reference) =
            Results("interpreter", new ExecutableOptions { Threads = 1, MemoryLimit = memory }, compilation,
                withReference: true);
        if (expected is null) return Report();
        ran.Add("interpreter");
        foreach (var (actual, wanted) in expected.Zip(reference!)) HoldToReference(actual, wanted);
        foreach (var backend in backends)
        {
            try
            {
                var (actual, _) = Results(backend.Name, backend.Options, compilation, withReference: false);
                if (actual is null) continue;
                foreach (var (a, e) in actual.Zip(expected)) Compare(backend, a, e);
                ran.Add(backend.Name);
            }
            catch (LimitationException e) when (e.Backend is not null)
            {
                skipped.Add((e.Backend, e.Construct!));
            }
        }
        return Report();
    }

    private CaseReport Report() => new(failures, skipped, elements, [.. ran]);

    /// <summary>The outcome of one call: results, then the `inout` inputs after the call; or the error.</summary>
    private sealed record Outcome(CaseCall Call, IReadOnlyDictionary<string, long> Sizes, Tensor[] Values,
        string? Failure)
    {
        public string Where =>
            $"line {Call.Line}: {Call.Function} {string.Join(' ', Sizes.Select(s => $"{s.Key}={s.Value}"))}";
    }

    /// <param name="Exact">Computed in f64 throughout.</param>
    /// <param name="Rounded">With every node rounded to its dtype; computed on demand.</param>
    private sealed record Reference(ReferenceRun Exact, Lazy<ReferenceRun> Rounded);

    private sealed record ReferenceRun(IReadOnlyList<ReferenceValue> Values, string? Failure);

    private (List<Outcome>?, List<Reference>?) Results(string backend, ExecutableOptions options,
        Compilation compilation, bool withReference)
    {
        var outcomes = new List<Outcome>();
        var references = new List<Reference>();
        using var executable = Executables.Create(backend, compilation, options);
        var initial = withReference ? Executables.InitialState(backend, compilation.Model, options, whole: true) : null;
        foreach (var dims in file.Sizes())
        {
            using var session = executable.CreateSession();
            using var printed = new StringWriter();
            session.Output = printed;
            foreach (var call in file.Calls)
            {
                if (compilation.Entries.FirstOrDefault(e => e.Name == call.Function) is not { } entry)
                {
                    failures.Add($"line {call.Line}: there is no exported function {call.Function}");
                    return (null, null);
                }
                var program = entry.Program!;
                var arguments = new InputValues(program, memory);
                var open = Open(call, program);
                var inputs = arguments.Read([.. call.Arguments,
                    .. dims.Where(d => open.Contains(d.Key)).Select(d => $"{d.Key}={d.Value}")]);
                if (withReference)
                    references.Add(Refer(entry, inputs, WholeState.Of(session, initial!), arguments.Sizes));
                outcomes.Add(Invoke(session, call, program, inputs, arguments.Sizes));
                if (outcomes[^1].Failure is not null) session.Reset();
            }
            if (file.Prints.Count > 0 && !Lines(printed).SequenceEqual(file.Prints))
                failures.Add($"{backend} prints {string.Join(" | ", Lines(printed))}, "
                    + $"not {string.Join(" | ", file.Prints)}");
        }
        return (outcomes, references);
    }

    private static IEnumerable<string> Lines(StringWriter printed) =>
        printed.ToString().Split('\n').Select(l => l.Trim()).SkipLast(1);

    /// <summary>
    /// The sizes that no argument of the call determines: those of filled parameters, and `int` parameters.
    /// </summary>
    private static HashSet<string> Open(CaseCall call, Program program)
    {
        var open = program.Sizes.ToHashSet();
        foreach (var argument in call.Arguments)
        {
            var at = argument.IndexOf('=');
            var (name, value) = (argument[..Math.Max(at, 0)], argument[(at + 1)..]);
            open.Remove(name);
            if (InputValues.IsFill(value)
                || program.Of(BufferKind.Input).FirstOrDefault(b => b.Label == name) is not { } buffer)
                continue;
            open.ExceptWith(
                buffer.Type.Shape.Where(s => s.Terms is [{ Coefficient: 1, Atoms: [Compiler.Types.VariableAtom] }])
                .Select(s => s.Text));
        }
        return open;
    }

    private static Outcome Invoke(Session session, CaseCall call, Program program, Tensor[] inputs,
        IReadOnlyDictionary<string, long> sizes)
    {
        try
        {
            var results = session.Run(program.Name, inputs, sizes);
            return new(call, sizes, [.. results, .. Inout(program).Select(i => inputs[i])], null);
        }
        catch (Exception e) when (e is ExecutionException or MemoryException)
        {
            return new(call, sizes, [], e.Message);
        }
    }

    private static IEnumerable<int> Inout(Program program)
    {
        var inputs = program.Of(BufferKind.Input).ToList();
        return Enumerable.Range(0, inputs.Count).Where(i => inputs[i].IsInout);
    }

    private static Reference Refer(CompiledEntry entry, Tensor[] inputs, IReadOnlyDictionary<string, Tensor> whole,
        IReadOnlyDictionary<string, long> sizes)
    {
        // Copied, because the call changes its inputs and the state, and the rounded run may come later.
        ReferenceValue[] given = [.. inputs.Select(ReferenceValue.Of)];
        var state = GraphPrinter.Closure(entry.Bound).SelectMany(f => f.Nodes).OfType<State>().Select(s => s.Name)
            .Distinct().ToDictionary(n => n, n => ReferenceValue.Of(whole[n]));
        return new(Refer(entry, given, state, sizes, isRounded: false),
            new(() => Refer(entry, given, state, sizes, isRounded: true)));
    }

    private static ReferenceRun Refer(CompiledEntry entry, ReferenceValue[] inputs,
        Dictionary<string, ReferenceValue> state, IReadOnlyDictionary<string, long> sizes, bool isRounded)
    {
        var assigned = new Dictionary<string, ReferenceValue>();
        try
        {
            var results = GraphInterpreter.Run(entry.Bound, inputs, path => state[path], sizes, new InterpreterOptions
            {
                RoundToDType = isRounded,
                Assign = (assign, value) =>
                {
                    if (assign.Storage == StorageClass.Inout) assigned[assign.Name] = value;
                },
            });
            return new([.. results, .. entry.Bound.Inputs.Zip(inputs).Where(i => i.First.IsInout)
                .Select(i => assigned.GetValueOrDefault(i.First.Name) ?? i.Second)], null);
        }
        catch (ReferenceException e)
        {
            return new([], e.Message);
        }
    }

    private void HoldToReference(Outcome actual, Reference reference)
    {
        var call = actual.Call;
        if (call.Failure is { } part)
        {
            if (actual.Failure is null) failures.Add($"{actual.Where} does not fail");
            else if (!actual.Failure.Contains(part, StringComparison.Ordinal))
                failures.Add($"{actual.Where} fails with '{actual.Failure}', not '{part}'");
            return;
        }
        if (actual.Failure is not null)
        {
            failures.Add($"{actual.Where}: {actual.Failure}");
            return;
        }
        // If a condition is at its threshold, only the rounded run takes the same branch as the call.
        var exact = reference.Exact.Failure is null ? reference.Exact : reference.Rounded.Value;
        if (exact.Failure is not null)
        {
            failures.Add($"{actual.Where}: the graph interpreter fails: {exact.Failure}");
            return;
        }
        for (var i = 0; i < actual.Values.Length; i++)
        {
            var wanted = exact.Values[i];
            var report = Compiler.Graph.Interpreter.Comparison.Compare(actual.Values[i], wanted,
                () => reference.Rounded.Value is { Failure: null } rounded ? rounded.Values[i] : wanted);
            if (!report.Agrees) failures.Add($"{actual.Where}: the kernel interpreter against f64: {report.Text}");
        }
        if (call.Expected is null) return;
        if (call.Expected.Count != actual.Values.Length)
            failures.Add($"{actual.Where} has {actual.Values.Length} results, {call.Expected.Count} are expected");
        foreach (var (value, text) in actual.Values.Zip(call.Expected))
            HoldToText(actual.Where, value, text, call.Tolerance);
    }

    private void HoldToText(string where, Tensor value, string text, double? tolerance)
    {
        Tensor wanted;
        try
        {
            wanted = Literals.Parse(text, value.Type);
        }
        catch (FormatException e)
        {
            failures.Add($"{where}: '{text}': {e.Message}");
            return;
        }
        // A single number applies to every element; at least one of the sizes must give some elements.
        var filled = wanted.Rank == 0 && value.Rank > 0 && (value.Count > 0 || file.Dims.Count > 0);
        if (!filled && !wanted.Shape.SequenceEqual(value.Shape))
        {
            failures.Add($"{where} is {value}, not of the shape of {text}");
            return;
        }
        // Large u64 values are stored as negative numbers.
        string Whole(long number) => value.Type == DType.U64 ? $"{(ulong)number}" : $"{number}";
        // Integers are compared as integers: as doubles, neighbouring 64-bit values would be equal.
        var (found, numbers) = (ReferenceValue.Of(value), ReferenceValue.Of(wanted));
        for (var i = 0; i < found.Count; i++)
        {
            var at = filled ? 0 : i;
            var isGood = value.Type.IsFloat ? IsGood(found.Values[i], numbers.Values[at], tolerance)
                : found.Integers[i] == numbers.Integers[at]
                    || (tolerance is not null && IsGood(found.Integers[i], numbers.Integers[at], tolerance));
            if (isGood) continue;
            var (what, not) = value.Type.IsFloat ? ($"{found.Values[i]:R}", $"{numbers.Values[at]:R}")
                : (Whole(found.Integers[i]), Whole(numbers.Integers[at]));
            failures.Add($"{where}: element {i} is {what}, not {not}\n{value}");
            return;
        }
    }

    /// <summary>Equal, or within the tolerance; an expected -0 must be -0, an expected 0 may be either.</summary>
    private static bool IsGood(double found, double expected, double? tolerance) =>
        (found.Equals(expected) && !(expected == 0 && double.IsNegative(expected) && !double.IsNegative(found)))
        || (tolerance is { } t && Math.Abs(found - expected) <= t * Math.Max(1, Math.Abs(expected)));

    private void Compare(CaseBackend backend, Outcome actual, Outcome expected)
    {
        if (actual.Failure != expected.Failure)
        {
            failures.Add(
                $"{actual.Where} on {backend}: {actual.Failure ?? "no failure"}; the kernel interpreter: {expected.Failure ?? "no failure"}");
            return;
        }
        try
        {
            Agreement.Check(backend.ToString(), backend.Name == "llvm" || OpenClDevice.Default.IsExact ? Owes.Bits
                : Owes.Bound,
                [.. expected.Values.Select((v, i) => ($"{i}", v))], [.. actual.Values.Select((v, i) => ($"{i}", v))]);
            elements += actual.Values.Sum(v => v.Count);
        }
        catch (InternalErrorException e)
        {
            failures.Add($"{actual.Where}: {e.Message}");
        }
    }

    private void Check(CaseCount count, Compilation compilation)
    {
        if (count.Function is { } name && compilation.Entries.All(e => e.Name != name))
            failures.Add($"line {count.Line}: there is no exported function {name}");
        foreach (var entry in compilation.Entries.Where(e => count.Function is null || e.Name == count.Function))
        {
            var program = entry.Program!;
            var found = count.What switch
            {
                "kernels" => program.AllSteps.OfType<CallStep>().Count(),
                "copies" => program.AllSteps.OfType<CopyStep>().Count(),
                "checks" => program.Plan.Checks.Length + program.AllSteps.OfType<CheckStep>().Count(),
                "dissolved" => entry.FindDissolved().Count,
                "slots" => program.Plan.Slots.Length,
                "distinct kernels" => program.Kernels.Length,
                _ when Ops.All.Contains(count.What) =>
                    GraphPrinter.Whole(entry.Optimised!).Sum(f => f.Nodes.Count(n => n.Op == count.What)),
                _ => -1,
            };
            if (found < 0) failures.Add($"line {count.Line}: '{count.What}' cannot be counted");
            else if (found != count.Count)
                failures.Add($"line {count.Line}: {entry.Name} has {count.What} {found}, not {count.Count}");
        }
    }
}
