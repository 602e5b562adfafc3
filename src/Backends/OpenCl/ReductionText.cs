// In: a reduction. Out: OpenCL C with which one work item computes it, in the order defined in KERNELS.md.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

internal sealed class ReductionText(StatementText statements)
{
    /// <summary>The lanes of a lane reduction and the elements of a block, as defined in KERNELS.md.</summary>
    public const int Lanes = 16;

    public const int BlockSize = 4096;

    public static bool IsArg(ReduceKind kind) => kind is ReduceKind.ArgMax or ReduceKind.ArgMin;

    /// <summary>Whether the order affects the result: only of floats, and not of an index.</summary>
    public static bool IsOrdered(Reduction r) => r.Lanes && r.Yield.Type.IsFloat && !IsArg(r.Kind);

    /// <summary>Whether the terms are known to fit one block.</summary>
    public static bool IsOneBlock(Size extent) => extent.IsConstant && extent.Value <= BlockSize;

    public void Print(Reduction r, int depth)
    {
        if (IsArg(r.Kind)) Index(r, depth);
        else if (IsOrdered(r)) Laned(r, depth);
        else InOrder(r, depth);
    }

    private void InOrder(Reduction r, int depth)
    {
        var (type, result) = (r.Result.Type, StatementText.Use(r.Result));
        statements.Line(depth, $"{OpenClTypes.Value(type)} {result} = {OpenClOps.Identity(r.Kind, type)};");
        statements.For(r.Variable, r.Extent, depth, () =>
        {
            statements.Block(r.Body, depth + 1);
            statements.Line(depth + 1, $"{result} = {Step(r, result)};");
        });
    }

    /// <summary>The 16 lanes are an array of the work item; the block results go on a stack.</summary>
    private void Laned(Reduction r, int depth)
    {
        var (value, result) = (OpenClTypes.Value(r.Result.Type), StatementText.Use(r.Result));
        var at = IndexText.Variable(r.Variable);
        var extent = statements.Index.Of(r.Extent);
        statements.Line(depth, $"{value} {result};");
        statements.Line(depth, "{");
        if (IsOneBlock(r.Extent))
        {
            Block(depth + 1, "0", extent);
            statements.Line(depth + 1, $"{result} = {Tree(r)}(acc_lanes);");
        }
        else
        {
            Stack(r, depth + 1);
            statements.Line(depth + 1, $"for (long acc_block = 0; acc_block * {BlockSize} < {extent}; ++acc_block) {{");
            Block(depth + 2, $"acc_block * {BlockSize}", $"min({extent}, acc_block * {BlockSize} + {BlockSize})");
            Push(r, depth + 2, "acc_block", $"{Tree(r)}(acc_lanes)");
            statements.Line(depth + 1, "}");
            Fold(r, depth + 1);
        }
        statements.Line(depth, "}");

        void Block(int inside, string begin, string end)
        {
            statements.Line(inside, $"{value} acc_lanes[{Lanes}];");
            statements.Line(inside,
                $"for (int acc_l = 0; acc_l < {Lanes}; ++acc_l) acc_lanes[acc_l] = {OpenClOps.Identity(r.Kind, r.Result.Type)};");
            statements.Line(inside, $"for (long {at} = {begin}; {at} < {end}; ++{at}) {{");
            statements.Index.Inside(() =>
            {
                statements.Index.Add(r.Variable, r.Extent);
                statements.Block(r.Body, inside + 1);
            });
            var lane = $"acc_lanes[{at} & {Lanes - 1}]";
            statements.Line(inside + 1, $"{lane} = {Combine(r, lane, StatementText.Use(r.Yield))};");
            statements.Line(inside, "}");
        }
    }

    private void Index(Reduction r, int depth)
    {
        var (result, term) = (StatementText.Use(r.Result), StatementText.Use(r.Yield));
        var (best, at) = ($"{result}_best", IndexText.Variable(r.Variable));
        var type = OpenClTypes.Value(r.Result.Type);
        statements.Line(depth, $"{type} {result} = 0;");
        statements.Line(depth, $"{OpenClTypes.Value(r.Yield.Type)} {best} = 0;");
        statements.For(r.Variable, r.Extent, depth, () =>
        {
            statements.Block(r.Body, depth + 1);
            statements.Line(depth + 1, $"if ({at} == 0L || {OpenClOps.Beats(r.Kind, r.Yield.Type, term, best)}) {{");
            statements.Line(depth + 2, $"{result} = ({type}){at};");
            statements.Line(depth + 2, $"{best} = {term};");
            statements.Line(depth + 1, "}");
        });
    }

    private string Step(Reduction r, string sum) => r.Factor is { } factor
        ? $"fma({StatementText.Use(r.Yield)}, {StatementText.Use(factor)}, {sum})"
        : Combine(r, sum, StatementText.Use(r.Yield));

    public string Combine(Reduction r, string sum, string term) =>
        OpenClOps.Combine(r.Kind, r.Result.Type, sum, term, statements.Prelude);

    /// <summary>The stack on which block results wait to be combined: 2^47 blocks are beyond any memory.</summary>
    public void Stack(Reduction r, int depth)
    {
        statements.Line(depth, $"{OpenClTypes.Value(r.Result.Type)} acc_stack[48];");
        statements.Line(depth, "int acc_depth = 0;");
    }

    public void Push(Reduction r, int depth, string block, string value)
    {
        statements.Line(depth, $"acc_stack[acc_depth++] = {value};");
        // Like the carries of a binary counter: a block with index ...0111 completes three pairs.
        statements.Line(depth, $"for (long acc_carry = {block}; acc_carry & 1; acc_carry >>= 1) {{");
        statements.Line(depth + 1, "--acc_depth;");
        statements.Line(depth + 1,
            $"acc_stack[acc_depth - 1] = {Combine(r, "acc_stack[acc_depth - 1]", "acc_stack[acc_depth]")};");
        statements.Line(depth, "}");
    }

    public void Fold(Reduction r, int depth)
    {
        var result = StatementText.Use(r.Result);
        statements.Line(depth,
            $"{result} = acc_depth > 0 ? acc_stack[--acc_depth] : {OpenClOps.Identity(r.Kind, r.Result.Type)};");
        statements.Line(depth, "while (acc_depth > 0) {");
        statements.Line(depth + 1, "--acc_depth;");
        statements.Line(depth + 1, $"{result} = {Combine(r, "acc_stack[acc_depth]", result)};");
        statements.Line(depth, "}");
    }

    /// <summary>The function that combines 16 lanes as 8-4-2-1.</summary>
    public string Tree(Reduction r) => statements.Prelude.LaneTree(r.Kind, r.Result.Type);
}
