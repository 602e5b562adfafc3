// In: a kernel. Out: nothing, or a KernelException that names the first violated constraint of KERNELS.md.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>A violated constraint of KERNELS.md, with its id there, such as `K3`.</summary>
internal sealed class KernelException(string constraint, string message) : Exception($"{constraint}: {message}")
{
    public string Constraint { get; } = constraint;
}

/// <summary>Checks names, order of definitions, types and structure. The tests run it on every kernel.</summary>
internal sealed partial class KernelVerifier
{
    /// <summary>
    /// The surroundings of the block being checked. Side: of a contraction, or a reduction in a vector loop.
    /// </summary>
    private enum Place
    {
        Plain, Vector, Reduction, Side, Epilogue,
    }

    private readonly Kernel kernel;
    private readonly Dictionary<int, Value> values = [];
    private readonly HashSet<int> everDefined = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    private KernelVerifier(Kernel kernel) => this.kernel = kernel;

    public static void Verify(Kernel kernel) => new KernelVerifier(kernel).Run();

    private void Run()
    {
        foreach (var name in kernel.Sizes) Require(names.Add(name), "K1", () => $"two sizes are called {name}");
        Require(kernel.Buffers.DistinctBy(b => b.Name).Count() == kernel.Buffers.Length, "K1",
            () => "two buffers have one name");
        foreach (var buffer in kernel.Buffers) Visible(buffer.Count, $"the count of {buffer.Name}");
        var (loops, inner) = kernel.ParallelNest();
        foreach (var loop in loops)
        {
            // All extents are checked before any variable: the jobs of the nest are numbered before the first one runs.
            Require(loop.Extent.Variables().All(kernel.Sizes.Contains), "K11",
                () => $"the extent {loop.Extent} of the parallel loop over {loop.Variable} is no function of sizes");
        }
        foreach (var loop in loops) Bind(loop.Variable);
        Check(inner, Place.Plain);
    }

    private void Check(Block block, Place place)
    {
        foreach (var statement in block.Statements) Check(statement, place);
    }

    private void Check(Statement statement, Place place)
    {
        switch (statement)
        {
            case Compute c:
                foreach (var argument in c.Arguments) Defined(argument);
                KernelTypes.Check(c);
                Define(c.Result);
                break;
            case Literal l:
                KernelTypes.Check(l);
                Define(l.Result);
                break;
            case IndexValue i:
                Visible(i.Index, "an index");
                Require(i.Result.Type == DType.I64, "K6",
                    () => $"the index %{i.Result.Id} is {i.Result.Type.Name()}, not i64");
                Define(i.Result);
                break;
            case Load l:
                Check(l);
                break;
            case Store s:
                Require(place is not (Place.Reduction or Place.Side), "K9",
                    () => $"a store to {BufferName(s.Buffer)} inside a value's computation");
                Visible(s.Offset, $"the offset into {BufferName(s.Buffer)}");
                foreach (var guard in s.Guards) Check(guard);
                Require(kernel.Buffers[s.Buffer].IsOutput, "K9", () => $"{BufferName(s.Buffer)} is an input");
                Require(Defined(s.Value).Type == kernel.Buffers[s.Buffer].Type, "K9",
                    () => $"%{s.Value.Id} of type {s.Value.Type.Name()} is stored to {BufferName(s.Buffer)}");
                break;
            case Flag f:
                Require(Defined(f.Condition).Type == DType.Bool, "K10",
                    () => $"the flag's condition %{f.Condition.Id} is not bool");
                break;
            case Loop l:
                Check(l, place);
                break;
            case Reduction r:
                Check(r, place);
                break;
            case Contract c:
                Check(c, place);
                break;
            case Attend a:
                Check(a, place);
                break;
            case Cumulation c:
                Require(place is Place.Plain or Place.Vector, "K17", () =>
                    $"a running value over {c.Variable} inside a value's computation");
                WithEpilogue(new Axis(c.Variable, c.Extent), c.Body, place == Place.Vector ? Place.Side
                    : Place.Reduction,
                    yield => KernelTypes.Check(c, yield), c.Yield, [c.Running], c.Epilogue);
                break;
            case Ordering o:
                Require(place == Place.Plain, "K18", () => $"an order over {o.Variable} inside straight-line code");
                WithEpilogue(new Axis(o.Variable, o.Extent), o.Body, Place.Reduction,
                    yield => KernelTypes.Check(o, yield), o.Yield, [o.Key, o.At], o.Epilogue);
                break;
        }
    }

    private void Check(Guard guard)
    {
        Visible(guard.Index, "a guard");
        Visible(guard.Extent, "a guard");
    }

    private void WithEpilogue(Axis axis, Block body, Place place, Action<Value> types, Value yield,
        ImmutableArray<Value> into,
        Block epilogue)
    {
        Visible(axis.Extent, $"the extent of {axis.Variable}");
        Inside(() =>
        {
            Bind(axis.Variable);
            Check(body, place);
            types(Defined(yield));
        });
        Inside(() =>
        {
            Bind(axis.Variable);
            foreach (var value in into) Define(value);
            Check(epilogue, Place.Epilogue);
        });
    }

    private void Check(Load l)
    {
        var type = kernel.Buffers[l.Buffer].Type;
        Visible(l.Offset, $"the offset into {BufferName(l.Buffer)}");
        foreach (var guard in l.Guards) Check(guard);
        Require(l.Result.Type == type, "K7",
            () => $"%{l.Result.Id}: {l.Result.Type.Name()} is loaded from {type.Name()}");
        Require(l.Guards.IsEmpty == l.Fill is null, "K8",
            () => $"%{l.Result.Id}: a load has a fill if and only if it has guards");
        if (l.Fill is not null)
            Require(Defined(l.Fill).Type == type, "K8",
                () => $"the fill %{l.Fill.Id} is {l.Fill.Type.Name()}, not {type.Name()}");
        Define(l.Result);
    }

    private void Check(Loop l, Place place)
    {
        Require(l.Kind != LoopKind.Parallel, "K11",
            () => $"the parallel loop over {l.Variable} is not part of a perfect nest on the outside");
        Require(place == Place.Plain, "K12", () => $"a loop over {l.Variable} inside straight-line code");
        Visible(l.Extent, $"the extent of {l.Variable}");
        Inside(() =>
        {
            Bind(l.Variable);
            Check(l.Body, l.Kind == LoopKind.Vector ? Place.Vector : Place.Plain);
        });
    }

    private void Check(Reduction r, Place place)
    {
        Require(!r.Lanes || place is Place.Plain or Place.Reduction, "K13",
            () => $"the lane reduction %{r.Result.Id} inside a vector loop, another one or a part of a contraction");
        Visible(r.Extent, $"the extent of {r.Variable}");
        Inside(() =>
        {
            Bind(r.Variable);
            // Inside lanes or a contraction, the body may hold no more than the surrounding block.
            Check(r.Body, r.Lanes || place is Place.Vector or Place.Side or Place.Epilogue ? Place.Side
                : Place.Reduction);
            KernelTypes.Check(r, Defined(r.Yield), r.Factor is { } factor ? Defined(factor) : null);
        });
        Define(r.Result);
    }

    private void Check(Contract c, Place place)
    {
        Require(place == Place.Plain, "K15", () => "a contraction inside straight-line code");
        foreach (var axis in c.K.Prepend(c.N).Prepend(c.M)) Visible(axis.Extent, $"the extent of {axis.Variable}");
        var type = c.Accumulator.Type;
        Require(type is DType.F32 or DType.F64 || type.IsInteger, "K16",
            () => $"an accumulator is f32, f64 or an integer, not {type.Name()}");
        Side(c.Left, c.LeftYield, [c.M, .. c.K]);
        Side(c.Right, c.RightYield, [c.N, .. c.K]);
        Inside(() =>
        {
            Bind(c.M.Variable);
            Bind(c.N.Variable);
            Define(c.Accumulator);
            Check(c.Epilogue, Place.Epilogue);
        });

        void Side(Block block, Value yield, Axis[] axes) => Inside(() =>
        {
            foreach (var axis in axes) Bind(axis.Variable);
            Check(block, Place.Side);
            Require(Defined(yield).Type == type, "K16",
                () => $"%{yield.Id} is {yield.Type.Name()}, the accumulator {type.Name()}");
        });
    }

    private void Check(Attend a, Place place)
    {
        Require(place == Place.Plain, "K19", () => "attention inside straight-line code");
        Require(a.KeyBlock is > 0 and <= 4096 && a.KeyBlock % 64 == 0, "K19",
            () => $"a block of {a.KeyBlock} keys is no multiple of 64 up to 4096");
        foreach (var axis in (Axis[])[a.M, a.S, a.E, a.K]) Visible(axis.Extent, $"the extent of {axis.Variable}");
        var type = a.Sum.Type;
        Require(type is DType.F32 or DType.F64, "K20", () => $"attention is f32 or f64, not {type.Name()}");
        foreach (var value in new[] { a.Product, a.Difference, a.Total, a.Greatest }.OfType<Value>())
            Require(value.Type == type, "K20", () => $"%{value.Id} is {value.Type.Name()}, the sum {type.Name()}");
        Side(a.Query, type, null, a.M, a.K);
        Side(a.Key, type, null, a.S, a.K);
        Side(a.Value, type, null, a.S, a.E);
        if (a.Until is { } until) Side(until, DType.I64, null, a.M);
        Side(a.Score, type, a.Product, a.M, a.S);
        Side(a.Weight, type, a.Difference);
        Inside(() =>
        {
            Bind(a.M.Variable);
            Bind(a.E.Variable);
            Define(a.Sum);
            Define(a.Total);
            if (a.Greatest is not null) Define(a.Greatest);
            Check(a.Epilogue, Place.Epilogue);
        });

        void Side(Part part, DType wanted, Value? argument, params Axis[] axes) => Inside(() =>
        {
            foreach (var axis in axes) Bind(axis.Variable);
            if (argument is not null) Define(argument);
            Check(part.Block, Place.Side);
            Require(Defined(part.Yield).Type == wanted, "K20",
                () => $"%{part.Yield.Id} is {part.Yield.Type.Name()}, not {wanted.Name()}");
        });
    }

    /// <summary>Names and values of the inner block are out of scope after it.</summary>
    private void Inside(Action check)
    {
        var (oldValues, oldNames) = (new Dictionary<int, Value>(values), new HashSet<string>(names));
        check();
        values.Clear();
        foreach (var (id, value) in oldValues) values[id] = value;
        names.Clear();
        names.UnionWith(oldNames);
    }

    private void Define(Value value)
    {
        Require(everDefined.Add(value.Id), "K2", () => $"%{value.Id} is defined twice");
        values[value.Id] = value;
        if (value.Type == DType.I64) names.Add(value.IndexName);
    }

    private Value Defined(Value value)
    {
        Require(values.TryGetValue(value.Id, out var known), "K3",
            () => $"%{value.Id} is not defined where it is used");
        Require(known == value, "K3",
            () => $"%{value.Id} is defined as {known!.Type.Name()} and used as {value.Type.Name()}");
        return value;
    }

    /// <summary>
    /// A name as users write them, or a letter, a number and `'` as lowering does; `v12'` is a value, and backends make
    /// names of other forms.
    /// </summary>
    [GeneratedRegex("^([A-Za-z_][A-Za-z0-9_.]*|[a-uw-z][0-9]+')$", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();

    private void Bind(string variable)
    {
        Require(VariableName().IsMatch(variable), "K1", () => $"{variable} is no name of a loop variable");
        Require(names.Add(variable), "K1", () => $"the loop variable {variable} hides another name");
    }

    private void Visible(Size size, string what)
    {
        foreach (var name in size.Variables())
            Require(names.Contains(name), "K4", () => $"{what}, {size}, mentions {name}, which is not visible here");
    }

    private string BufferName(int buffer) => kernel.Buffers[buffer].Name;

    private void Require(bool holds, string constraint, Func<string> message) =>
        KernelTypes.Require(holds, constraint, () => $"kernel @{kernel.Name}: {message()}");
}
