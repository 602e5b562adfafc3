// In: statements of a kernel. Out: OpenCL C in which one work item executes all of them, in order.
using System.Text;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>
/// The text of one kernel function under construction. Every statement has a form here, so that every kernel can run;
/// the forms shared by several work items are printed by <see cref="GroupText"/> and <see cref="TileText"/>.
/// </summary>
internal sealed class StatementText
{
    // The number of the step with an index out of range, from 1, or 0 for none.
    private const string Flag = "acc_flag";
    private const string Step = "acc_step";

    private readonly StringBuilder text = new();
    private readonly ReductionText reductions;
    private readonly OrderText orders;

    public StatementText(Kernel kernel)
    {
        Kernel = kernel;
        Index = new IndexText(Prelude);
        reductions = new ReductionText(this);
        orders = new OrderText(this);
    }

    public Kernel Kernel { get; }

    public OpenClPrelude Prelude { get; } = new();

    public IndexText Index { get; }

    public static string Use(Value value) => $"v{value.Id}";

    public void Insert(int at, string lines) => text.Insert(at, lines);

    /// <summary>The lines so far, without the surrounding function.</summary>
    public override string ToString() => text.ToString();

    public void Line(int depth, string line) => text.Append(' ', 2 * depth).Append(line).Append('\n');

    public void Block(Block block, int depth)
    {
        foreach (var statement in block.Statements) Statement(statement, depth);
    }

    public void Statement(Statement statement, int depth)
    {
        switch (statement)
        {
            case Compute c:
                // The type of a select is that of its last two arguments, whatever its condition is.
                Define(c.Result, OpenClOps.Compute(c.Op, c.Result.Type, c.Arguments[^1].Type,
                    [.. c.Arguments.Select(Use)], Prelude), depth);
                break;
            case Literal l:
                Define(l.Result, l.Result.Type.IsFloat
                    ? OpenClTypes.Float(l.Float, l.Result.Type)
                    : OpenClTypes.Integer(l.Integer, l.Result.Type), depth);
                break;
            case IndexValue i:
                Define(i.Result, Index.Of(i.Index), depth);
                break;
            case Load l:
                Define(l.Result, Load(l), depth);
                break;
            case Store s:
                var stored = OpenClOps.Stored(Use(s.Value), s.Value.Type, Prelude);
                var when = s.Guards.IsEmpty ? "" : $"if ({Index.Holds(s.Guards)}) ";
                Line(depth, $"{when}{Buffer(s.Buffer)}[{Index.Of(s.Offset)}] = {stored};");
                break;
            case Flag f:
                // The first step that finds one is kept; this is rare, so the atomic costs nothing.
                Line(depth, $"if ({Use(f.Condition)}) atomic_cmpxchg({Flag}, 0, {Step});");
                break;
            case Loop l:
                For(l.Variable, l.Extent, depth, () => Block(l.Body, depth + 1));
                break;
            case Reduction r:
                reductions.Print(r, depth);
                break;
            case Cumulation c:
                orders.Print(c, depth);
                break;
            case Ordering o:
                orders.Print(o, depth);
                break;
            case Contract c:
                For(c.M.Variable, c.M.Extent, depth, () =>
                    For(c.N.Variable, c.N.Extent, depth + 1, () => Element(c, depth + 2)));
                break;
            case Attend a:
                For(a.M.Variable, a.M.Extent, depth, () =>
                    For(AttentionText.Chunks(a).Variable, AttentionText.Chunks(a).Extent, depth + 1, () =>
                        Element(a, depth + 2)));
                break;
            default:
                throw new InternalErrorException($"no OpenCL form of {statement.GetType().Name}");
        }
    }

    /// <summary>
    /// One element of a contraction, for the current m and n, or of an order, for the current index; or a row of
    /// attention.
    /// </summary>
    public void Element(Statement statement, int depth)
    {
        if (statement is Ordering o)
        {
            orders.Ranked(o, depth);
            return;
        }
        if (statement is Attend a)
        {
            new AttentionText(this).Row(a, depth);
            return;
        }
        var c = (Contract)statement;
        var (type, sum) = (c.Accumulator.Type, Use(c.Accumulator));
        Line(depth, $"{OpenClTypes.Value(type)} {sum} = {OpenClOps.Identity(ReduceKind.Add, type)};");
        Over(0, depth);
        Line(depth, "{");
        Block(c.Epilogue, depth + 1);
        Line(depth, "}");

        void Over(int k, int inside)
        {
            if (k < c.K.Length)
            {
                For(c.K[k].Variable, c.K[k].Extent, inside, () => Over(k + 1, inside + 1));
                return;
            }
            Block(c.Left, inside);
            Block(c.Right, inside);
            Line(inside, $"{sum} = {Fma(type, Use(c.LeftYield), Use(c.RightYield), sum)};");
        }
    }

    public string Fma(DType type, string a, string b, string c) =>
        OpenClOps.Compute(ScalarOp.Fma, type, type, [a, b, c], Prelude);

    public void For(string variable, Size extent, int depth, Action body)
    {
        var name = IndexText.Variable(variable);
        Line(depth, $"for (long {name} = 0; {name} < {Index.Of(extent)}; ++{name}) {{");
        Index.Inside(() =>
        {
            Index.Add(variable, extent);
            body();
        });
        Line(depth, "}");
    }

    /// <summary>
    /// The whole text: a comment, the functions that the kernel calls, the function with these arguments after the
    /// kernel's own.
    /// </summary>
    public OpenClSource ToSource(string name, string comment, IndexSpace space, string attributes = "",
        params ReadOnlySpan<string> extra)
    {
        var statements = Kernel.Statements(Kernel.Body).ToList();
        var flags = statements.Any(s => s is Flag);
        List<string> arguments = [.. Kernel.Buffers.Select((b, i) =>
                $"__global {(b.IsOutput ? "" : "const ")}{OpenClTypes.Stored(b.Type)}* {Buffer(i)}"),
            .. Kernel.Sizes.Select(s => $"const long {IndexText.Variable(s)}"), .. extra];
        if (flags) arguments.AddRange($"const int {Step}", $"__global int* {Flag}");
        var f64 = Prelude.NeedsF64 || Kernel.Buffers.Any(b => b.Type == DType.F64)
            || statements.SelectMany(s => s.Defines).Any(v => v.Type == DType.F64);
        var source = $"/* {Kernel.Name}: {comment} */\n"
            + "#pragma OPENCL FP_CONTRACT OFF\n"
            + (f64 ? "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n" : "") + "\n"
            + Prelude.Text()
            + $"__kernel {attributes}void {name}({string.Join(", ", arguments)}) {{\n{text}}}\n";
        return new OpenClSource(name, source, space, flags, f64);
    }

    private string Load(Load load)
    {
        var element = OpenClOps.Loaded($"{Buffer(load.Buffer)}[{Index.Of(load.Offset)}]", load.Result.Type, Prelude);
        return load.Guards.IsEmpty ? element : $"{Index.Holds(load.Guards)} ? {element} : {Use(load.Fill!)}";
    }

    public void Define(Value value, string expression, int depth) =>
        Line(depth, $"const {OpenClTypes.Value(value.Type)} {Use(value)} = {expression};");

    private string Buffer(int buffer) => OpenClTypes.Name("b", Kernel.Buffers[buffer].Name);
}
