// In: attention. Out: OpenCL C with which one work item computes one row of queries, for up to 64 columns of the
// values.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The scores of a block of keys and the sums are in the item's private memory. Rows of more than 64 values are several
/// items, each of which recomputes the scores.
/// </summary>
internal sealed class AttentionText(StatementText statements)
{
    /// <summary>The sums of one item: as many as the heads of most models have.</summary>
    private const int Columns = 64;

    /// <summary>The loop over the chunks of columns, one for each item.</summary>
    public static Axis Chunks(Attend a) =>
        new($"{a.E.Variable}.chunk", Size.FloorDiv(a.E.Extent + (Columns - 1), Columns));

    /// <summary>Prints the current row and chunk.</summary>
    public void Row(Attend a, int depth)
    {
        var (type, name) = (a.Sum.Type, OpenClTypes.Value(a.Sum.Type));
        var (s, e, chunk) =
            (IndexText.Variable(a.S.Variable), IndexText.Variable(a.E.Variable),
                IndexText.Variable(Chunks(a).Variable));
        string Op(ScalarOp op, string x, string y) => OpenClOps.Compute(op, type, type, [x, y], statements.Prelude);
        var lane = $"acc_lanes[({s} - acc_from) & {ReductionText.Lanes - 1}]";
        var lowest = OpenClOps.Identity(ReduceKind.Max, type);
        var zero = OpenClOps.Identity(ReduceKind.Add, type);
        Line(0, "{");
        Line(1, $"long acc_keys = {statements.Index.Of(a.S.Extent)};");
        if (a.Until is { } until)
        {
            Line(1, "{");
            statements.Block(until.Block, depth + 2);
            Line(2, $"acc_keys = min(acc_keys, {StatementText.Use(until.Yield)});");
            Line(1, "}");
        }
        Line(1, $"const int acc_columns = (int)min({Columns}L, {statements.Index.Of(a.E.Extent)} - {chunk} * {Columns});");
        Line(1, $"{name} acc_sums[{Columns}], acc_scores[{a.KeyBlock}], acc_lanes[{ReductionText.Lanes}];");
        Line(1, $"{name} acc_greatest = {lowest}, acc_total = {zero};");
        Line(1, $"for (int acc_c = 0; acc_c < {Columns}; ++acc_c) acc_sums[acc_c] = {zero};");
        Line(1, $"for (long acc_from = 0; acc_from < acc_keys; acc_from += {a.KeyBlock}) {{");
        Line(2, $"const long acc_to = min(acc_keys, acc_from + {a.KeyBlock});");
        Line(2, $"{name} acc_highest = acc_greatest;");
        Keys(() =>
        {
            Line(3, $"{name} acc_product = {zero};");
            statements.For(a.K.Variable, a.K.Extent, depth + 3, () =>
            {
                statements.Block(a.Query.Block, depth + 4);
                statements.Block(a.Key.Block, depth + 4);
                Line(4, $"acc_product = {statements.Fma(type, StatementText.Use(a.Query.Yield), StatementText.Use(a.Key.Yield), "acc_product")};");
            });
            statements.Define(a.Product, "acc_product", depth + 3);
            statements.Block(a.Score.Block, depth + 3);
            Line(3, $"acc_scores[{s} - acc_from] = {StatementText.Use(a.Score.Yield)};");
            Line(3, $"if ({StatementText.Use(a.Score.Yield)} > acc_highest) acc_highest = {StatementText.Use(a.Score.Yield)};");
        });
        Line(2, $"acc_highest = {Op(ScalarOp.Add, "acc_highest", zero)};");
        Line(2, $"const {name} acc_shift = acc_highest == {lowest} ? {zero} : acc_highest;");
        Line(2, $"{name} acc_scale;");
        Line(2, "{");
        Weight("acc_greatest", 3);
        Line(3, $"acc_scale = acc_from == 0 ? {zero} : {StatementText.Use(a.Weight.Yield)};");
        Line(2, "}");
        Line(2, $"for (int acc_l = 0; acc_l < {ReductionText.Lanes}; ++acc_l) acc_lanes[acc_l] = {zero};");
        Keys(() =>
        {
            Weight($"acc_scores[{s} - acc_from]", 3);
            Line(3, $"acc_scores[{s} - acc_from] = {StatementText.Use(a.Weight.Yield)};");
            Line(3, $"{lane} = {OpenClOps.Combine(ReduceKind.Add, type, lane, StatementText.Use(a.Weight.Yield), statements.Prelude)};");
        });
        Line(2, $"acc_total = {statements.Fma(type, "acc_scale", "acc_total", $"{statements.Prelude.LaneTree(ReduceKind.Add, type)}(acc_lanes)")};");
        Line(2, $"for (int acc_c = 0; acc_c < acc_columns; ++acc_c) acc_sums[acc_c] = {Op(ScalarOp.Mul, "acc_scale", "acc_sums[acc_c]")};");
        Keys(() => ForColumns(3, () =>
        {
            statements.Block(a.Value.Block, depth + 4);
            Line(4, $"acc_sums[acc_c] = {statements.Fma(type, $"acc_scores[{s} - acc_from]", StatementText.Use(a.Value.Yield), "acc_sums[acc_c]")};");
        }));
        Line(2, "acc_greatest = acc_highest;");
        Line(1, "}");
        ForColumns(1, () =>
        {
            statements.Define(a.Sum, "acc_sums[acc_c]", depth + 2);
            statements.Define(a.Total, "acc_total", depth + 2);
            if (a.Greatest is not null) statements.Define(a.Greatest, "acc_greatest", depth + 2);
            statements.Block(a.Epilogue, depth + 2);
        });
        Line(0, "}");

        void Line(int inside, string line) => statements.Line(depth + inside, line);

        void Keys(Action body)
        {
            Line(2, $"for (long {s} = acc_from; {s} < acc_to; ++{s}) {{");
            statements.Index.Inside(() =>
            {
                statements.Index.Add(a.S.Variable, a.S.Extent);
                body();
            });
            Line(2, "}");
        }

        void ForColumns(int inside, Action body)
        {
            Line(inside, "for (int acc_c = 0; acc_c < acc_columns; ++acc_c) {");
            Line(inside + 1, $"const long {e} = {chunk} * {Columns} + acc_c;");
            statements.Index.Inside(() =>
            {
                statements.Index.Add(a.E.Variable, a.E.Extent);
                body();
            });
            Line(inside, "}");
        }

        void Weight(string score, int inside)
        {
            statements.Define(a.Difference, Op(ScalarOp.Sub, score, "acc_shift"), depth + inside);
            statements.Block(a.Weight.Block, depth + inside);
        }
    }
}
