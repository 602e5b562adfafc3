// In: two sides. Out: their cases side by side, with verdicts and counts, and the overall outcome.
using Accelerate.Bench.Records;
using Accelerate.Bench.Statistics;

namespace Accelerate.Bench.Reports;

/// <summary>The outcome of a comparison; its number is the exit code.</summary>
internal enum Outcome
{
    /// <summary>Every case is the same or faster.</summary>
    Passed = 0,

    Regression = 3,
    Inconclusive = 4,
}

/// <param name="Threshold">A slower case is a regression if its ratio is above 1 + threshold.</param>
/// <param name="Gates">Counts whose increase is a regression.</param>
internal sealed record CompareSettings(ComparisonOptions Statistics, double Threshold, IReadOnlyList<string> Gates);

/// <summary>A case on both sides.</summary>
/// <param name="A">The arm of A; null if A does not have it.</param>
/// <param name="B">The arm of B; null if B does not have it.</param>
/// <param name="Comparison">Null if there is nothing to compare.</param>
/// <param name="Gates">Counts of both arms.</param>
/// <param name="IsBroken">Whether B is wrong or fails where A was measured.</param>
/// <param name="Note">Why there is no comparison, or what it leaves out.</param>
/// <param name="Aa">If both sides are the same results: the noise of the measurement, from comparing a binary with
/// itself.</param>
internal sealed record CompareRow(ArmKey? A, ArmKey? B, Comparison? Comparison, IReadOnlyList<Gate> Gates,
    bool IsBroken, string? Note, AaArm? Aa = null)
{
    /// <summary>"gemm m512_k512_n512_f32, llvm x2", with both contenders if they differ.</summary>
    public string Case
    {
        get
        {
            var a = A ?? B!.Value;
            var b = B ?? a;
            var what = a.Benchmark == b.Benchmark ? a.Benchmark : $"{a.Benchmark} / {b.Benchmark}";
            var who = Who(a) == Who(b) ? Who(a) : $"{Who(a)} / {Who(b)}";
            var scenario = a.Scenario == "single-stream" ? "" : $", {a.Scenario}";
            return $"{what} {a.CaseKey}, {who}{scenario}";
        }
    }

    private static string Who(ArmKey arm) => arm.Threads is { } t ? $"{arm.Contender} x{t}" : arm.Contender;
}

/// <summary>
/// Results that are on both sides are not compared with themselves, which could only give "same". Instead, processes
/// that ran one after the other are dealt to two arms, which compares one binary with itself.
/// </summary>
internal sealed record CompareReport(Side A, Side B, CompareSettings Settings, IReadOnlyList<CompareRow> Rows)
{
    // For each of a hundred deals of a case: their intervals may be less smooth than the one that is printed.
    private const int DealResamples = 500;

    public Outcome Outcome =>
        Rows.Any(IsRegression) ? Outcome.Regression
            : Rows.Any(r => r.A is not null && r.Comparison?.Verdict is null or Verdict.Inconclusive)
                ? Outcome.Inconclusive : Outcome.Passed;

    public bool IsRegression(CompareRow row) => row.IsBroken
        || (row.Comparison is { Verdict: Verdict.Slower } c && c.Ratio > 1 + Settings.Threshold)
        || row.Gates.Any(g => g.Result == GateResult.More && Settings.Gates.Contains(g.Name));

    /// <summary>Whether both sides are of one machine: ratios between machines say nothing about the code.</summary>
    public bool IsOneMachine =>
        A.Runs.Concat(B.Runs).Select(r => r.Hardware.Fingerprint).Distinct().Count() == 1;

    /// <exception cref="HarnessException">No case is on both sides.</exception>
    public static CompareReport Of(Side a, Side b, CompareSettings settings)
    {
        var (left, right) = (Arms(a), Arms(b));
        var pairs = new List<(Arm? A, Arm? B)>();
        foreach (var arm in left)
        {
            var others = right.Where(other => Match(arm.Key, other.Key, a.Selection, b.Selection)).ToList();
            if (others.Count == 0) pairs.Add((arm, null));
            else pairs.AddRange(others.Select(other => ((Arm?)arm, (Arm?)other)));
        }
        pairs.AddRange(right.Where(other => pairs.All(p => p.B != other)).Select(other => ((Arm?)null, (Arm?)other)));
        var compared = pairs.Where(p => p is { A.Processes.Count: > 0, B.Processes.Count: > 0 }).ToList();
        if (compared.Count == 0 && !pairs.Any(p => p.A is { Processes.Count: > 0 } && p.B is { IsBroken: true }))
            throw new HarnessException($"'{a.Name}' and '{b.Name}' have no measured case in common",
                $"A has {Cases(left)}; B has {Cases(right)}");
        List<(IReadOnlyList<ProcessMedian> A, IReadOnlyList<ProcessMedian> B)> arms =
            [.. compared.Select(p => IsOne(p.A!, p.B!) ? Dealt(p.A!, settings.Statistics.Seed)
                : (p.A!.Processes, p.B!.Processes))];
        var results = new Queue<Comparison>(Comparison.Suite(arms, settings.Statistics));
        var itself = new Queue<AaArm?>(compared.Zip(arms, (p, arm) => IsOne(p.A!, p.B!) && arm.B.Count > 0
            ? AaArm.Of(arm.A, arm.B, settings.Statistics with { Resamples = DealResamples }) : null));
        List<CompareRow> rows = [];
        foreach (var (x, y) in pairs)
        {
            var isMeasured = (x?.Processes.Count > 0, y?.Processes.Count > 0);
            // A case that was measured on neither side is not part of the comparison.
            if (isMeasured == (false, false)) continue;
            var isCompared = isMeasured == (true, true);
            var (comparison, aa) = isCompared ? (results.Dequeue(), itself.Dequeue()) : (null, null);
            var note = Note(x, y);
            if (comparison is { CountB: 0 }) (comparison, note) = (null, "one process cannot be dealt to two arms");
            rows.Add(new(x?.Key, y?.Key, comparison, x is null || y is null ? [] : Gate.Of(x.Measured, y.Measured),
                isMeasured.Item1 && y is { IsBroken: true }, note, aa));
        }
        // Rows without A affect nothing and come last.
        return new(a, b, settings, [.. rows.OrderBy(r => r.A is null).ThenBy(r => r.Case, StringComparer.Ordinal)]);
    }

    /// <summary>The results of one arm, including those without figures.</summary>
    private sealed record Arm(ArmKey Key, IReadOnlyList<ResultRecord> Results)
    {
        public IReadOnlyList<ResultRecord> Measured { get; } =
            [.. Results.Where(r => r is { Status: ResultStatus.Measured, Median: > 0 })];

        public IReadOnlyList<ProcessMedian> Processes =>
            [.. Measured.Select(r => new ProcessMedian(r.Median!.Value, r.Neighbours))];

        public bool IsBroken => Results.Any(r => r.Status == ResultStatus.Wrong)
            || (Measured.Count == 0 && Results.Any(r => r.Status == ResultStatus.Failed));
    }

    private static bool IsOne(Arm a, Arm b) => a.Measured.Select(r => r.Id).ToHashSet()
        .SetEquals(b.Measured.Select(r => r.Id));

    /// <summary>
    /// Each pair of consecutive processes is a block, and a random bit decides which one belongs to A.
    /// </summary>
    private static (IReadOnlyList<ProcessMedian> A, IReadOnlyList<ProcessMedian> B) Dealt(Arm arm, int seed)
    {
        var random = new Random(seed);
        List<ProcessMedian> a = [], b = [];
        foreach (var (two, i) in arm.Processes.Chunk(2).Select((two, i) => (two, i)))
        {
            random.Shuffle(two);
            a.Add(two[0] with { Block = $"{i}" });
            if (two.Length > 1) b.Add(two[1] with { Block = $"{i}" });
        }
        return (a, b);
    }

    private static List<Arm> Arms(Side side) =>
        [.. side.Results.GroupBy(r => r.Arm).Select(g => new Arm(g.Key, [.. g]))];

    /// <summary>Cases are matched without the properties that distinguish the sides.</summary>
    private static bool Match(ArmKey a, ArmKey b, Selection left, Selection right)
    {
        var isContenders = left.NamesContender || right.NamesContender;
        var isModels = left.NamesModel && right.NamesModel;
        return a.CaseKey == b.CaseKey && a.Scenario == b.Scenario
            && (isModels || a.Benchmark == b.Benchmark)
            && (isContenders ? a.Threads is null || b.Threads is null || a.Threads == b.Threads
                : a.Contender == b.Contender && a.Threads == b.Threads);
    }

    private static string? Note(Arm? a, Arm? b)
    {
        string?[] notes = [Missing("A", a), Missing("B", b)];
        return notes.Any(n => n is not null) ? string.Join("; ", notes.OfType<string>()) : null;
    }

    private static string? Missing(string side, Arm? arm)
    {
        if (arm is null) return $"not in {side}";
        var without = arm.Results.Where(r => r.Status != ResultStatus.Measured).ToList();
        if (without.Count == 0) return null;
        var worst = without.MaxBy(r => r.Status)!;
        var count = arm.Measured.Count == 0 ? "" : $"{without.Count} of {arm.Results.Count} processes ";
        return $"{side}: {count}{worst.Status.ToString().ToLowerInvariant()}"
            + (worst.Reason is { } reason ? $" ({reason})" : "");
    }

    private static string Cases(List<Arm> arms)
    {
        var names = arms.Where(a => a.Processes.Count > 0)
            .Select(a => $"{a.Key.Benchmark} {a.Key.CaseKey} of {a.Key.Contender}").Distinct().ToList();
        return names.Count == 0 ? "none"
            : string.Join(", ", names.Take(3)) + (names.Count > 3 ? $" and {names.Count - 3} more" : "");
    }
}
