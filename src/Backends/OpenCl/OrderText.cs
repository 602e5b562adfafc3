// In: a running value, or an order of keys. Out: OpenCL C with which one work item computes it, without scratch memory.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

internal sealed class OrderText(StatementText statements)
{
    public void Print(Cumulation c, int depth)
    {
        var type = c.Running.Type;
        var value = OpenClTypes.Value(type);
        // -0 preserves every first term; +0 would turn -0 into +0.
        var start = c.Kind == ReduceKind.Add && type.IsFloat ? OpenClTypes.Float(-0.0, type)
            : OpenClOps.Identity(c.Kind, type);
        statements.Line(depth, "{");
        statements.Line(depth + 1, $"{value} acc_running = {start};");
        statements.For(c.Variable, c.Extent, depth + 1, () =>
        {
            statements.Block(c.Body, depth + 2);
            statements.Line(depth + 2, "acc_running = "
                + $"{OpenClOps.Combine(c.Kind, type, "acc_running", StatementText.Use(c.Yield), statements.Prelude)};");
            statements.Define(c.Running, "acc_running", depth + 2);
            statements.Block(c.Epilogue, depth + 2);
        });
        statements.Line(depth, "}");
    }

    public void Print(Ordering o, int depth) =>
        statements.For(o.Variable, o.Extent, depth, () => Ranked(o, depth + 1));

    /// <summary>
    /// The position of a key is the number of keys before it: n comparisons a key, but no memory, and each key can
    /// belong to another work item.
    /// </summary>
    public void Ranked(Ordering o, int depth)
    {
        var (at, type) = (IndexText.Variable(o.Variable), OpenClTypes.Value(o.Key.Type));
        var key = StatementText.Use(o.Yield);
        statements.Block(o.Body, depth);
        statements.Line(depth, $"const {type} acc_key = {key};");
        statements.Line(depth, $"const long acc_from = {at};");
        statements.Line(depth, "long acc_place = 0;");
        statements.For(o.Variable, o.Extent, depth, () =>
        {
            statements.Block(o.Body, depth + 1);
            var (before, behind) = (Precedes(key, "acc_key"), Precedes("acc_key", key));
            statements.Line(depth + 1, $"if ({before} || ({at} < acc_from && !({behind}))) ++acc_place;");
        });
        statements.Line(depth, "{");
        statements.Line(depth + 1, $"const long {at} = acc_place;");
        statements.Define(o.Key, "acc_key", depth + 1);
        statements.Define(o.At, $"({OpenClTypes.Value(o.At.Type)})acc_from", depth + 1);
        statements.Block(o.Epilogue, depth + 1);
        statements.Line(depth, "}");

        // NaN comes last in both directions.
        string Precedes(string a, string b)
        {
            var order = $"{a} {(o.IsDescending ? ">" : "<")} {b}";
            return o.Yield.Type.IsFloat ? $"{order} || ({a} == {a} && {b} != {b})" : order;
        }
    }
}
