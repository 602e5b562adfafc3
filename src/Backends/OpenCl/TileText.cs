// In: a kernel that is one contraction inside parallel loops. Out: OpenCL C that computes tiles of it through local
// memory.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// A group loads a slab of both sides, each element once, through their accessors; then every item adds the slab's
/// products to its registers, with k in order starting from +0, so that tiles do not change a bit. Indices beyond the
/// last row, column or k are clamped: those elements are read twice, and their results are not stored.
/// </summary>
internal sealed class TileText
{
    private readonly Contract contract;
    private readonly TileShape tile;
    private readonly StatementText text;

    private TileText(Kernel kernel, Contract contract, TileShape tile) =>
        (this.contract, this.tile, text) = (contract, tile, new StatementText(kernel));

    /// <summary>Null if the kernel has another form, or its sizes are not known before the launch.</summary>
    public static OpenClSource? Print(Kernel kernel, TileShape tile, string suffix)
    {
        var (loops, inner) = kernel.ParallelNest();
        if (inner.Statements is not [.. var before, Contract contract]
            || !before.All(s => s is Compute or Literal or IndexValue or Load)
            || !contract.K.Append(contract.M).Append(contract.N)
                .All(a => a.Extent.Variables().All(kernel.Sizes.Contains))
            || IsLong(contract.Left) || IsLong(contract.Right))
            return null;
        var outer = loops.Select(l => new Axis(l.Variable, l.Extent)).ToImmutableArray();
        var printer = new TileText(kernel, contract, tile);
        printer.Body(outer, before);
        return printer.text.ToSource(OpenClTypes.Name("k", kernel.Name) + suffix,
            $"tiles of {tile.M} x {tile.N} in groups of "
            + $"{tile.X} x {tile.Y}", new TileSpace(outer, contract, tile),
            $"__attribute__((reqd_work_group_size({tile.X}, {tile.Y}, 1))) ");
    }

    /// <summary>
    /// A side that contains a reduction for every element is better recomputed for each element of the output.
    /// </summary>
    private static bool IsLong(Block side) =>
        side.Statements.Any(s => s is not (Compute or Literal or IndexValue or Load));

    private void Body(ImmutableArray<Axis> outer, ImmutableArray<Statement> before)
    {
        var type = OpenClTypes.Value(contract.Accumulator.Type);
        // An odd stride, so that items that store a column use different banks.
        text.Line(1, $"__local {type} acc_left[{tile.K * (tile.M + 1)}];");
        text.Line(1, $"__local {type} acc_right[{tile.K * (tile.N + 1)}];");
        text.Line(1, "const int acc_x = (int)get_local_id(0);");
        text.Line(1, "const int acc_y = (int)get_local_id(1);");
        text.Line(1, $"const int acc_item = acc_x + {tile.X} * acc_y;");
        text.Line(1, $"const long acc_m = {text.Index.Of(contract.M.Extent)};");
        text.Line(1, $"const long acc_n = {text.Index.Of(contract.N.Extent)};");
        var depth = contract.K.Select(k => $"({text.Index.Count(k.Extent)})").DefaultIfEmpty("1L");
        text.Line(1, $"const long acc_k = {string.Join(" * ", depth)};");
        text.Line(1, $"const long acc_m0 = ((long)get_global_id(1) - acc_y) * {tile.ItemM};");
        text.Line(1, $"const long acc_panels = (acc_n + {tile.N - 1}) / {tile.N};");
        text.Line(1, $"const long acc_n0 = (long)get_group_id(0) % acc_panels * {tile.N};");
        if (outer.Length > 0)
        {
            text.Line(1, "long acc_rest = (long)get_group_id(0) / acc_panels;");
            ItemText.Split(text, outer);
            foreach (var axis in outer) text.Index.Add(axis.Variable, axis.Extent);
        }
        foreach (var statement in before) text.Statement(statement, 1);
        for (var r = 0; r < tile.ItemM; r++)
        {
            var zero = OpenClOps.Identity(ReduceKind.Add, contract.Accumulator.Type);
            var zeros = Enumerable.Range(0, tile.ItemN).Select(c => $"{Sum(r, c)} = {zero}");
            text.Line(1, $"{type} {string.Join(", ", zeros)};");
        }
        text.Line(1, $"for (long acc_k0 = 0; acc_k0 < acc_k; acc_k0 += {tile.K}) {{");
        Slab(contract.Left, contract.LeftYield, contract.M, "acc_m", "acc_left", tile.M);
        Slab(contract.Right, contract.RightYield, contract.N, "acc_n", "acc_right", tile.N);
        text.Line(2, "barrier(CLK_LOCAL_MEM_FENCE);");
        // A whole slab has a constant count, which compilers unroll.
        text.Line(2, $"if (acc_k - acc_k0 >= {tile.K}) {{");
        text.Line(3, $"for (int acc_i = 0; acc_i < {tile.K}; ++acc_i) {{");
        Step(4);
        text.Line(3, "}");
        text.Line(2, "} else {");
        text.Line(3, "for (int acc_i = 0; acc_i < (int)(acc_k - acc_k0); ++acc_i) {");
        Step(4);
        text.Line(3, "}");
        text.Line(2, "}");
        text.Line(2, "barrier(CLK_LOCAL_MEM_FENCE);");
        text.Line(1, "}");
        Epilogue(type);
    }

    /// <summary>Loads the slab as [k][row]. Adjacent items read along the axis with contiguous elements.</summary>
    private void Slab(Block side, Value yield, Axis axis, string name, string local, int rows)
    {
        var variable = IndexText.Variable(axis.Variable);
        text.Line(2, $"for (int acc_e = acc_item; acc_e < {rows * tile.K}; acc_e += {tile.Items}) {{");
        var alongK = rows == 1 || IsContiguousInK(side);
        text.Line(3, alongK ? $"const int acc_r = acc_e / {tile.K}, acc_c = acc_e % {tile.K};"
            : $"const int acc_r = acc_e % {rows}, acc_c = acc_e / {rows};");
        text.Line(3, $"const long {variable} = min({name}0 + acc_r, {name} - 1);");
        text.Index.Inside(() =>
        {
            text.Index.Add(axis.Variable, axis.Extent);
            switch (contract.K.Length)
            {
                case 1:
                    text.Line(3,
                        $"const long {IndexText.Variable(contract.K[0].Variable)} = min(acc_k0 + acc_c, acc_k - 1);");
                    break;
                case > 1:
                    text.Line(3, "long acc_rest = min(acc_k0 + acc_c, acc_k - 1);");
                    ItemText.Split(text, contract.K, 3);
                    break;
            }
            foreach (var k in contract.K) text.Index.Add(k.Variable, k.Extent);
            text.Block(side, 3);
        });
        text.Line(3, $"{local}[acc_c * {rows + 1} + acc_r] = {StatementText.Use(yield)};");
        text.Line(2, "}");
    }

    private bool IsContiguousInK(Block side)
    {
        if (contract.K.LastOrDefault(k => !k.Extent.Is(1)) is not { } last) return false;
        return side.Statements.OfType<Load>()
            .Any(l => l.Offset.AffineIn(last.Variable) is var (coefficient, _) && coefficient.Is(1));
    }

    private void Step(int depth)
    {
        var type = OpenClTypes.Value(contract.Accumulator.Type);
        for (var r = 0; r < tile.ItemM; r++)
            text.Line(depth, $"const {type} acc_a{r} = acc_left[acc_i * {tile.M + 1} + acc_y{Plus(r * tile.Y)}];");
        for (var c = 0; c < tile.ItemN; c++)
            text.Line(depth, $"const {type} acc_b{c} = acc_right[acc_i * {tile.N + 1} + acc_x{Plus(c * tile.X)}];");
        for (var r = 0; r < tile.ItemM; r++)
            for (var c = 0; c < tile.ItemN; c++)
                text.Line(depth,
                    $"{Sum(r, c)} = {text.Fma(contract.Accumulator.Type, $"acc_a{r}", $"acc_b{c}", Sum(r, c))};");
    }

    /// <summary>The epilogue is printed once; selects, not an array, keep the accumulators in registers.</summary>
    private void Epilogue(string type)
    {
        var (m, n) = (IndexText.Variable(contract.M.Variable), IndexText.Variable(contract.N.Variable));
        var count = tile.ItemM * tile.ItemN;
        text.Line(1, $"for (int acc_i = 0; acc_i < {count}; ++acc_i) {{");
        text.Line(2, $"const long {m} = acc_m0 + acc_y + acc_i / {tile.ItemN} * {tile.Y};");
        text.Line(2, $"const long {n} = acc_n0 + acc_x + acc_i % {tile.ItemN} * {tile.X};");
        var choice = string.Concat(Enumerable.Range(0, count - 1)
            .Select(i => $"acc_i == {i} ? {Sum(i / tile.ItemN, i % tile.ItemN)} : "));
        text.Line(2,
            $"const {type} {StatementText.Use(contract.Accumulator)} = {choice}{Sum(tile.ItemM - 1, tile.ItemN - 1)};");
        text.Line(2, $"if ({m} < acc_m && {n} < acc_n) {{");
        text.Index.Inside(() =>
        {
            text.Index.Add(contract.M.Variable, contract.M.Extent);
            text.Index.Add(contract.N.Variable, contract.N.Extent);
            text.Block(contract.Epilogue, 3);
        });
        text.Line(2, "}");
        text.Line(1, "}");
    }

    private static string Plus(int constant) => constant == 0 ? "" : $" + {constant}";

    private static string Sum(int row, int column) => $"acc_{row}_{column}";
}
