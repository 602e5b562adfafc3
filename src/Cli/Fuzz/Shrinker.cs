// In: a program with a difference. Out: a smaller program with the same difference.
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Accelerate.Cli.Fuzz;

/// <summary>
/// Greedy: fewer results, parameters in place of statements, smaller sizes and constants, plainer inputs, one call;
/// repeated until nothing helps. A candidate counts if it shows the same kind of difference on the same backend; an
/// invalid program is refused, and so does not count.
/// </summary>
internal sealed class Shrinker(Func<FuzzProgram, bool> has)
{
    // As many as a person is willing to wait for; most programs are small after a third of it.
    private const int MostCandidates = 150;
    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(5);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private int tried;

    public static FuzzProgram Shrink(WorkerProcess worker, FuzzFind find, FuzzProgram program)
    {
        bool Has(FuzzProgram candidate, FuzzConfig? config) =>
            worker.Run(candidate.Source(), config is null ? [] : [config]).Finds.Any(f => Same(f, find));
        if (find.IsOfEveryRun) return new Shrinker(c => Has(c, null)).Shrink(program);
        var config = FuzzConfig.Parse(find.Config);
        // Most differences do not depend on the level or the threads, and -O0 compiles many times faster.
        var plain = config with { Level = 0, Threads = 1 };
        if (config.Backend == "llvm" && config != plain && Has(program, plain)) config = plain;
        return new Shrinker(c => Has(c, config)).Shrink(program);
    }

    private static bool Same(FuzzFind a, FuzzFind b) =>
        a.Kind == b.Kind && (a.Kind is "value" or "hang" or "memory" || Words(a.Message) == Words(b.Message));

    /// <summary>The kind of an exception or a reference's message, without places and numbers.</summary>
    private static string Words(string message) =>
        Regex.Replace(message, "[^A-Za-z ]", "") is var w && w.Length > 24 ? w[..24] : w;

    public FuzzProgram Shrink(FuzzProgram program)
    {
        while (tried < MostCandidates && clock.Elapsed < MostTime)
        {
            var smaller = Candidates(program).Select(c => c.Live()).FirstOrDefault(Holds);
            if (smaller is null) break;
            program = smaller;
        }
        return program;
    }

    private bool Holds(FuzzProgram candidate)
    {
        var isPossible = candidate.Parameters.Select(p => p.Value).Concat(candidate.Results).SelectMany(v => v.Shape)
            .All(s => s.Evaluate(candidate.Sizes) >= 0);
        return isPossible && ++tried <= MostCandidates && clock.Elapsed < MostTime && has(candidate);
    }

    private static IEnumerable<FuzzProgram> Candidates(FuzzProgram p)
    {
        if (p.IsGradient) yield return p with { IsGradient = false };
        if (p.Calls > 1) yield return p with { Calls = 1 };
        if (p.Results.Length > 1)
            foreach (var result in p.Results) yield return p with { Results = [result] };
        // Effects, then definitions from the last one; an operand of a removed definition may become the result
        // instead.
        for (var i = p.Statements.Length - 1; i >= 0; i--)
        {
            var statement = p.Statements[i];
            var without = p with { Statements = p.Statements.RemoveAt(i) };
            if (statement.Defines is not { } value)
            {
                yield return without;
                // A value that only this statement needed becomes a result in its place.
                var used = p.Statements[..i].Select(s => s.Defines).OfType<FuzzValue>()
                    .Where(d => statement.Uses.Contains(d.Name) && !p.Results.Contains(d));
                yield return without with { Results = [.. p.Results, .. used] };
                continue;
            }
            if (p.Results.Contains(value))
            {
                var earlier = p.Statements[..i].Where(s => s.Defines is { } d && statement.Uses.Contains(d.Name))
                    .Select(s => s.Defines!);
                foreach (var e in earlier) yield return without with { Results = [e] };
            }
            else if (p.Statements.Any(s => s.Uses.Contains(value.Name)))
                foreach (var fill in (string[])["random:seed=1", "mixed:seed=1,every=3"])
                    yield return without with { Parameters = [.. p.Parameters, new(value, fill)] };
        }
        if (p.State.Length > 0 && p.Statements.All(s => s.Defines is not null))
            yield return p with
            {
                State = [],
                Parameters = [.. p.Parameters, .. p.State.Select(s => new FuzzParameter(s.Value, "random:seed=1"))],
            };
        if (p.IsPinned) yield return p with { IsPinned = false };
        foreach (var (name, value) in p.Sizes)
            foreach (var less in Less(value)) yield return p with { Sizes = p.Sizes.SetItem(name, less) };
        foreach (var parameter in p.Parameters)
        {
            if (parameter.IsInout) yield return Replaced(p, parameter, parameter with { IsInout = false });
            if (parameter.Fill.StartsWith("mixed", StringComparison.Ordinal))
                yield return Replaced(p, parameter, parameter with { Fill = "random:seed=1" });
            else if (parameter.Fill != "random:seed=1"
                && !parameter.Fill.Contains("high=", StringComparison.Ordinal))
                yield return Replaced(p, parameter, parameter with { Fill = "random:seed=1" });
        }
        foreach (var constant in Constants(p))
            foreach (var less in Less(constant))
                if (less > 0) yield return Rewritten(p, constant, less);
    }

    private static IEnumerable<long> Less(long value) =>
        new[] { 1L, 2, 3, value / 2, value - 1 }.Where(v => v < value && v > 0).Distinct();

    private static FuzzProgram Replaced(FuzzProgram p, FuzzParameter old, FuzzParameter by) =>
        p with { Parameters = p.Parameters.Replace(old, by) };

    /// <summary>The constant sizes of parameters.</summary>
    private static IEnumerable<long> Constants(FuzzProgram p) =>
        p.Parameters.SelectMany(v => v.Value.Shape).Where(s => s.IsConstant && s.Value > 2).Select(s => s.Value)
            .Distinct().OrderDescending();

    /// <summary>Replaces a constant size everywhere: in types and in texts.</summary>
    private static FuzzProgram Rewritten(FuzzProgram p, long from, long to)
    {
        FuzzValue Value(FuzzValue v) =>
            v with { Shape = [.. v.Shape.Select(s => s.IsConstant && s.Value == from ? to : s)] };
        var word = new Regex($@"(?<![\w.]){from}(?![\w.])");
        return p with
        {
            Parameters = [.. p.Parameters.Select(x => x with { Value = Value(x.Value) })],
            Results = [.. p.Results.Select(Value)],
            State = [.. p.State.Select(s => s with { Value = Value(s.Value) })],
            Statements = [.. p.Statements.Select(s => s with
            {
                Text = word.Replace(s.Text, to.ToString(CultureInfo.InvariantCulture)),
                Defines = s.Defines is { } d ? Value(d) : null,
            })],
        };
    }
}
