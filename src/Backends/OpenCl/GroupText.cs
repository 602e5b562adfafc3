// In: a kernel with rows. Out: OpenCL C in which the work items of a row share its lane reductions and its vector
// loops.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// Item l of a team is lane l: it reads every 16th element, so that adjacent items read adjacent elements, and takes
/// its terms in the order defined in KERNELS.md. Lanes are combined in local memory. Statements outside reductions and
/// vector loops are computed by every item, so that no value has to be communicated; the first item stores the result.
/// Needs no subgroups.
/// </summary>
internal sealed class GroupText
{
    private const int Lanes = ReductionText.Lanes;
    private const int MaxTeams = RowSpace.MaxTeams;

    // The condition for the first item of an existing row.
    private const string First = "acc_live && acc_item == 0";

    private readonly Kernel kernel;
    private readonly StatementText text;
    private readonly ReductionText reductions;
    private readonly SortedDictionary<string, int> locals = new(StringComparer.Ordinal);
    private readonly bool readsWhatItWrites;
    private bool hasRead;

    private GroupText(Kernel kernel)
    {
        this.kernel = kernel;
        text = new StatementText(kernel);
        reductions = new ReductionText(text);
        var statements = Kernel.Statements(kernel.Body).ToList();
        readsWhatItWrites = statements.OfType<Load>().Any(l => kernel.Buffers[l.Buffer].IsOutput);
    }

    public static OpenClSource? Print(Kernel kernel, string suffix) => new GroupText(kernel).ToSource(suffix);

    private OpenClSource? ToSource(string suffix)
    {
        var (loops, inner) = kernel.ParallelNest();
        var shared = Shared(inner).ToList();
        var vectors = shared.Where(s => s is Loop { Kind: LoopKind.Vector }).Select(Extent).ToImmutableArray();
        var reductions = shared.OfType<Reduction>().Select(r => r.Extent).ToImmutableArray();
        if (reductions.IsEmpty && vectors.IsEmpty) return null;
        var rows = loops.Select(l => new Axis(l.Variable, l.Extent)).ToImmutableArray();
        // Rows of a group pass the same barriers if the number of iterations depends on sizes only.
        var mayShare = shared.All(
            s => s is Loop { Kind: LoopKind.Vector } || Extent(s).Variables().All(kernel.Sizes.Contains));
        var space = new RowSpace(kernel, reductions, vectors, mayShare);

        Prologue(rows);
        foreach (var row in rows) text.Index.Add(row.Variable, row.Extent);
        Uniform(inner, 1);
        text.Insert(0, string.Concat(locals.OrderBy(l => l.Value).Select(l => $"  __local {l.Key};\n")));
        return text.ToSource(OpenClTypes.Name("k", kernel.Name) + suffix,
            "16 work items a row, or more; a group has one row, or more", space, "", "const int acc_teams");
    }

    /// <summary>
    /// The statements that the items of a row execute together; reductions and serial loops have barriers inside.
    /// </summary>
    private static IEnumerable<Statement> Shared(Block block) => block.Statements.SelectMany(s => s switch
    {
        Reduction { Lanes: true } or Loop { Kind: LoopKind.Vector } => [s],
        Loop { Kind: LoopKind.Serial } l => Shared(l.Body).Prepend(s),
        _ => Array.Empty<Statement>(),
    });

    private static Size Extent(Statement statement) => statement is Loop l ? l.Extent : ((Reduction)statement).Extent;

    private void Prologue(ImmutableArray<Axis> rows)
    {
        text.Line(1, $"const int acc_l = (int)get_local_id(0) % {Lanes};");
        text.Line(1, $"const int acc_g = (int)get_local_id(0) / {Lanes};");
        text.Line(1, "const int acc_t = acc_g & (acc_teams - 1);");
        text.Line(1, "const int acc_first = acc_g - acc_t;");
        text.Line(1, $"const int acc_item = acc_t * {Lanes} + acc_l;");
        text.Line(1, $"const int acc_items = acc_teams * {Lanes};");
        text.Line(1,
            $"long acc_rest = ((long)get_group_id(0) * (long)get_local_size(0) + acc_first * {Lanes}) / acc_items;");
        var count = rows.Length == 0 ? "1L" : string.Join(" * ", rows.Select(r => text.Index.Bracketed(r.Extent)));
        text.Line(1, $"const int acc_live = acc_rest < {count};");
        // After the last row, repeats the last one without its stores, because every item must reach every barrier.
        text.Line(1, $"if (!acc_live) acc_rest = {count} - 1L;");
        ItemText.Split(text, rows);
    }

    private void Uniform(Block block, int depth)
    {
        foreach (var statement in block.Statements) Uniform(statement, depth);
    }

    private void Uniform(Statement statement, int depth)
    {
        switch (statement)
        {
            case Flag:
                Alone(statement, depth);
                break;
            case Loop { Kind: LoopKind.Vector } l:
                Writing(depth, () => Spread(l, depth));
                break;
            case Loop l:
                // What the last iteration has read, the next one may write.
                hasRead |= Kernel.Statements(l.Body).Any(s => s is Load);
                text.For(l.Variable, l.Extent, depth, () => Uniform(l.Body, depth + 1));
                break;
            case Reduction { Lanes: true } r:
                Shared(r, depth);
                break;
            case Contract c:
                Writing(depth, () => Spread(c, depth));
                break;
            case Ordering o:
                Writing(depth, () => Spread(o, depth));
                break;
            case Reduction:
                hasRead = true;
                text.Statement(statement, depth);
                break;
            case Compute or Literal or IndexValue:
                text.Statement(statement, depth);
                break;
            case Load:
                hasRead = true;
                text.Statement(statement, depth);
                break;
            default:
                Writing(depth, () => Alone(statement, depth));
                break;
        }
    }

    /// <summary>One item executes it, in order.</summary>
    private void Alone(Statement statement, int depth)
    {
        text.Line(depth, $"if ({First}) {{");
        text.Statement(statement, depth + 1);
        text.Line(depth, "}");
    }

    /// <summary>
    /// Stores wait until every item has read what they may overwrite (an operand may share an output's memory), and are
    /// visible to later reads.
    /// </summary>
    private void Writing(int depth, Action print)
    {
        if (hasRead || readsWhatItWrites) Barrier(depth);
        hasRead = false;
        print();
        if (readsWhatItWrites) Barrier(depth);
    }

    private void Barrier(int depth) => text.Line(depth,
        readsWhatItWrites ? "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);" : "barrier(CLK_LOCAL_MEM_FENCE);");

    private void Spread(Loop l, int depth)
    {
        var at = IndexText.Variable(l.Variable);
        text.Line(depth,
            $"if (acc_live) for (long {at} = acc_item; {at} < {text.Index.Of(l.Extent)}; {at} += acc_items) {{");
        text.Index.Inside(() =>
        {
            text.Index.Add(l.Variable, l.Extent);
            text.Block(l.Body, depth + 1);
        });
        text.Line(depth, "}");
    }

    /// <summary>Each key belongs to one item.</summary>
    private void Spread(Ordering o, int depth)
    {
        var at = IndexText.Variable(o.Variable);
        text.Line(depth,
            $"if (acc_live) for (long {at} = acc_item; {at} < {text.Index.Of(o.Extent)}; {at} += acc_items) {{");
        text.Index.Inside(() =>
        {
            text.Index.Add(o.Variable, o.Extent);
            text.Element(o, depth + 1);
        });
        text.Line(depth, "}");
    }

    /// <summary>Each element of the contraction belongs to one item.</summary>
    private void Spread(Contract c, int depth)
    {
        var (m, n) = (text.Index.Count(c.M.Extent), text.Index.Count(c.N.Extent));
        text.Line(depth, $"if (acc_live) for (long acc_e = acc_item; acc_e < ({m}) * ({n}); acc_e += acc_items) {{");
        text.Index.Inside(() =>
        {
            text.Line(depth + 1, $"const long {IndexText.Variable(c.M.Variable)} = acc_e / ({n});");
            text.Line(depth + 1, $"const long {IndexText.Variable(c.N.Variable)} = acc_e % ({n});");
            text.Index.Add(c.M.Variable, c.M.Extent);
            text.Index.Add(c.N.Variable, c.N.Extent);
            text.Element(c, depth + 1);
        });
        text.Line(depth, "}");
    }

    private void Shared(Reduction r, int depth)
    {
        text.Line(depth, $"{OpenClTypes.Value(r.Result.Type)} {StatementText.Use(r.Result)};");
        text.Line(depth, "{");
        if (ReductionText.IsArg(r.Kind)) Index(r, depth + 1);
        else if (ReductionText.IsOrdered(r)) Ordered(r, depth + 1);
        else Unordered(r, depth + 1);
        text.Line(depth, "}");
        hasRead = false; // the reduction's own barriers come after its reads
    }

    /// <summary>
    /// Team t takes every block whose index is t modulo the number of teams; the results go on each item's own stack.
    /// </summary>
    private void Ordered(Reduction r, int depth)
    {
        var (type, extent) = (OpenClTypes.Value(r.Result.Type), text.Index.Of(r.Extent));
        var (lanes, teams) = Locals(r.Result.Type);
        if (ReductionText.IsOneBlock(r.Extent))
        {
            Lane("0", extent, depth);
            text.Line(depth, $"{StatementText.Use(r.Result)} = {teams}[acc_first];");
            return;
        }
        reductions.Stack(r, depth);
        var block = ReductionText.BlockSize;
        text.Line(depth, $"for (long acc_block = 0; acc_block * {block} < {extent}; acc_block += acc_teams) {{");
        Lane($"(acc_block + acc_t) * {block}", $"min({extent}, (acc_block + acc_t + 1) * {block})", depth + 1);
        text.Line(depth + 1,
            $"for (int acc_i = 0; acc_i < acc_teams && (acc_block + acc_i) * {block} < {extent}; ++acc_i) {{");
        reductions.Push(r, depth + 2, "acc_block + acc_i", $"{teams}[acc_first + acc_i]");
        text.Line(depth + 1, "}");
        text.Line(depth, "}");
        reductions.Fold(r, depth);

        void Lane(string begin, string end, int inside)
        {
            text.Line(inside, $"{type} acc_sum = {OpenClOps.Identity(r.Kind, r.Result.Type)};");
            var from = begin == "0" ? $"acc_t == 0 ? (long)acc_l : {extent}" : $"{begin} + acc_l";
            Over(r, from, end, $"{Lanes}", inside, () => text.Line(inside + 1,
                $"acc_sum = {reductions.Combine(r, "acc_sum", StatementText.Use(r.Yield))};"));
            Meet(r, lanes, teams, "acc_sum", inside);
        }
    }

    /// <summary>Integers give the same in any order, so the items take the terms in turn.</summary>
    private void Unordered(Reduction r, int depth)
    {
        var (type, result) = (OpenClTypes.Value(r.Result.Type), StatementText.Use(r.Result));
        var (lanes, teams) = Locals(r.Result.Type);
        text.Line(depth, $"{type} acc_sum = {OpenClOps.Identity(r.Kind, r.Result.Type)};");
        Over(r, "acc_item", text.Index.Of(r.Extent), "acc_items", depth, () => text.Line(depth + 1,
            $"acc_sum = {reductions.Combine(r, "acc_sum", StatementText.Use(r.Yield))};"));
        Meet(r, lanes, teams, "acc_sum", depth);
        text.Line(depth, $"{result} = {teams}[acc_first];");
        text.Line(depth, $"for (int acc_i = 1; acc_i < acc_teams; ++acc_i) {result} = "
            + $"{reductions.Combine(r, result, $"{teams}[acc_first + acc_i]")};");
    }

    /// <summary>
    /// Combines the lanes of each team and stores the result in its place; all items may read it until the next
    /// barrier.
    /// </summary>
    private void Meet(Reduction r, string lanes, string teams, string value, int depth)
    {
        text.Line(depth, $"{lanes}[acc_g * {Lanes} + acc_l] = {value};");
        text.Line(depth, "barrier(CLK_LOCAL_MEM_FENCE);");
        text.Line(depth, "if (acc_l == 0) {");
        text.Line(depth + 1, $"{OpenClTypes.Value(r.Result.Type)} acc_lane[{Lanes}];");
        text.Line(depth + 1,
            $"for (int acc_i = 0; acc_i < {Lanes}; ++acc_i) acc_lane[acc_i] = {lanes}[acc_g * {Lanes} + acc_i];");
        text.Line(depth + 1, $"{teams}[acc_g] = {reductions.Tree(r)}(acc_lane);");
        text.Line(depth, "}");
        text.Line(depth, "barrier(CLK_LOCAL_MEM_FENCE);");
    }

    /// <summary>
    /// Each item finds the first best of its terms; then the team's items are combined, then the teams.
    /// </summary>
    private void Index(Reduction r, int depth)
    {
        var (type, result, term) =
            (OpenClTypes.Value(r.Yield.Type), StatementText.Use(r.Result), StatementText.Use(r.Yield));
        var (lanes, teams) = Locals(r.Yield.Type);
        var (lanesAt, teamsAt) = Locals(DType.I64, "_at");
        var at = IndexText.Variable(r.Variable);
        text.Line(depth, $"{type} acc_best = 0;");
        text.Line(depth, "long acc_at = -1L;");
        Over(r, "acc_item", text.Index.Of(r.Extent), "acc_items", depth, () =>
        {
            text.Line(depth + 1, $"if (acc_at < 0 || {OpenClOps.Beats(r.Kind, r.Yield.Type, term, "acc_best")}) {{");
            text.Line(depth + 2, $"acc_at = {at};");
            text.Line(depth + 2, $"acc_best = {term};");
            text.Line(depth + 1, "}");
        });
        text.Line(depth, $"{lanes}[acc_g * {Lanes} + acc_l] = acc_best;");
        text.Line(depth, $"{lanesAt}[acc_g * {Lanes} + acc_l] = acc_at;");
        text.Line(depth, "barrier(CLK_LOCAL_MEM_FENCE);");
        text.Line(depth, "if (acc_l == 0) {");
        Best(Lanes.ToString(System.Globalization.CultureInfo.InvariantCulture), lanes, lanesAt, $"acc_g * {Lanes}",
            depth + 1);
        text.Line(depth + 1, $"{teams}[acc_g] = acc_best;");
        text.Line(depth + 1, $"{teamsAt}[acc_g] = acc_at;");
        text.Line(depth, "}");
        text.Line(depth, "barrier(CLK_LOCAL_MEM_FENCE);");
        text.Line(depth, $"acc_best = {teams}[acc_first];");
        text.Line(depth, $"acc_at = {teamsAt}[acc_first];");
        Best("acc_teams", teams, teamsAt, "acc_first", depth);
        text.Line(depth, $"{result} = ({OpenClTypes.Value(r.Result.Type)})(acc_at < 0 ? 0 : acc_at);");

        void Best(string count, string values, string indices, string start, int inside)
        {
            text.Line(inside, $"for (int acc_i = 1; acc_i < {count}; ++acc_i) {{");
            text.Line(inside + 1, $"const {type} acc_b = {values}[{start} + acc_i];");
            text.Line(inside + 1, $"const long acc_j = {indices}[{start} + acc_i];");
            // Better, or as good and earlier; an item without terms has no index.
            var (better, worse) = (OpenClOps.Beats(r.Kind, r.Yield.Type, "acc_b", "acc_best"),
                OpenClOps.Beats(r.Kind, r.Yield.Type, "acc_best", "acc_b"));
            text.Line(inside + 1,
                $"if (acc_j >= 0 && (acc_at < 0 || ({better}) || (acc_j < acc_at && !({worse})))) {{");
            text.Line(inside + 2, "acc_at = acc_j;");
            text.Line(inside + 2, "acc_best = acc_b;");
            text.Line(inside + 1, "}");
            text.Line(inside, "}");
        }
    }

    private void Over(Reduction r, string from, string to, string step, int depth, Action combine)
    {
        var at = IndexText.Variable(r.Variable);
        text.Line(depth, $"for (long {at} = {from}; {at} < {to}; {at} += {step}) {{");
        text.Index.Inside(() =>
        {
            text.Index.Add(r.Variable, r.Extent);
            text.Block(r.Body, depth + 1);
        });
        combine();
        text.Line(depth, "}");
    }

    /// <summary>
    /// The arrays in local memory for a type of value: one element for each item, and one for each team.
    /// </summary>
    private (string Lanes, string Teams) Locals(DType type, string suffix = "")
    {
        var value = OpenClTypes.Value(type);
        var (lanes, teams) = ($"acc_lanes_{value}{suffix}", $"acc_teams_{value}{suffix}");
        locals.TryAdd($"{value} {lanes}[{Lanes * MaxTeams}]", locals.Count);
        locals.TryAdd($"{value} {teams}[{MaxTeams}]", locals.Count);
        return (lanes, teams);
    }
}
