// In: a map kernel. Out: its OpenCL C text, the one that is compiled. Row kernels and contractions are a limitation.
using System.Collections.Immutable;
using System.Text;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.OpenCl;

/// <summary>A kernel as source text, and what a caller must know to launch it.</summary>
/// <param name="Name">The name of the `__kernel` function.</param>
/// <param name="Source">Self-contained OpenCL C 1.2.</param>
/// <param name="Range">Its index space.</param>
/// <param name="Flags">Whether the last argument is the int that an index out of range makes non-zero.</param>
/// <param name="NeedsF64">Whether only a device with f64 can compile it.</param>
internal sealed record OpenClSource(string Name, string Source, NdRange Range, bool Flags, bool NeedsF64);

/// <summary>
/// Arguments are the kernel's buffers, then its sizes as longs, then the flag if the kernel has one. The text depends
/// on
/// the kernel alone: no device, no sizes.
/// </summary>
public static class OpenClPrinter
{
    private const string Flag = "acc_flag";

    /// <summary>The text of every kernel of a program, in the program's order: what `dump --stage cl` shows.</summary>
    /// <exception cref="LimitationException">A kernel is not a map kernel.</exception>
    public static string Print(Program program) => string.Join('\n', program.Kernels.Select(Print));

    /// <summary>The text of one kernel.</summary>
    /// <exception cref="LimitationException">The kernel is not a map kernel.</exception>
    public static string Print(Kernel kernel) => Source(kernel).Source;

    internal static OpenClSource Source(Kernel kernel)
    {
        if (kernel.Kind != KernelKind.Map)
        {
            throw new LimitationException("OpenCL",
                kernel.Kind == KernelKind.Row ? "row kernels" : "contraction kernels", kernel.Name);
        }
        return new Printer(kernel).ToSource();
    }

    private sealed class Printer(Kernel kernel)
    {
        private readonly StringBuilder text = new();
        private readonly OpenClPrelude prelude = new();
        private readonly NdRange range = NdRange.Of(kernel);
        private IndexRanges ranges = new();

        public OpenClSource ToSource()
        {
            var statements = Kernel.Statements(kernel.Body).ToList();
            var flags = statements.Any(s => s is Flag);
            var name = OpenClTypes.Name("k", kernel.Name);
            var arguments = kernel.Buffers.Select((b, i) =>
                $"__global {(b.IsOutput ? "" : "const ")}{OpenClTypes.Stored(b.Type)}* {Buffer(i)}")
                .Concat(kernel.Sizes.Select(s => $"const long {Variable(s)}"));
            if (flags) arguments = arguments.Append($"__global int* {Flag}");

            text.Append($"__kernel void {name}({string.Join(", ", arguments)}) {{\n");
            Indices();
            Block(range.Body, 1);
            text.Append("}\n");

            var f64 = prelude.NeedsF64 || kernel.Buffers.Any(b => b.Type == DType.F64)
                || statements.Any(s => Result(s)?.Type == DType.F64);
            var head = $"/* {kernel.Name}: {range.Dimensions} dimension{(range.Dimensions == 1 ? "" : "s")} */\n"
                + "#pragma OPENCL FP_CONTRACT OFF\n"
                + (f64 ? "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n" : "") + "\n";
            return new OpenClSource(name, head + prelude.Text() + text, range, flags, f64);
        }

        private static Value? Result(Statement statement) => statement switch
        {
            Compute c => c.Result,
            Literal l => l.Result,
            Load l => l.Result,
            Reduction r => r.Result,
            _ => null,
        };

        /// <summary>
        /// Loop variables from the global ids; the launch rounds up to whole groups, so tails leave here.
        /// </summary>
        private void Indices()
        {
            if (range.FirstUnshared > 0) SharedIndices();
            for (var k = 0; k < range.Loops.Length; k++)
            {
                var loop = range.Loops[k];
                foreach (var statement in range.Before(k)) Statement(statement, 1);
                ranges.Add(loop.Variable, loop.Extent);
                if (k < range.FirstUnshared) continue;
                Line(1, $"const long {Variable(loop.Variable)} = (long)get_global_id({range.Loops.Length - 1 - k});");
                Line(1, $"if ({Variable(loop.Variable)} >= {Index(loop.Extent)}) return;");
            }
        }

        /// <summary>
        /// The outer loops' variables from the last dimension. None of their extents is 0, or nothing is launched.
        /// </summary>
        private void SharedIndices()
        {
            Line(1, $"long acc_rest = (long)get_global_id({NdRange.MaxDimensions - 1});");
            foreach (var loop in range.Loops.Take(range.FirstUnshared).Reverse())
            {
                Line(1, $"const long {Variable(loop.Variable)} = acc_rest % {Bracketed(loop.Extent)};");
                Line(1, $"acc_rest /= {Bracketed(loop.Extent)};");
            }
            Line(1, "if (acc_rest > 0) return;");
        }

        private void Block(Block block, int depth)
        {
            foreach (var statement in block.Statements) Statement(statement, depth);
        }

        private void Statement(Statement statement, int depth)
        {
            switch (statement)
            {
                case Compute c:
                    // A select's type is that of its last two arguments, whatever its condition is.
                    Define(c.Result, OpenClOps.Compute(c.Op, c.Result.Type, c.Arguments[^1].Type,
                        [.. c.Arguments.Select(Use)], prelude), depth);
                    break;
                case Literal l:
                    Define(l.Result, l.Result.Type.IsFloat
                        ? OpenClTypes.Float(l.Float, l.Result.Type)
                        : OpenClTypes.Integer(l.Integer, l.Result.Type), depth);
                    break;
                case IndexValue i:
                    Define(i.Result, Index(i.Index), depth);
                    break;
                case Load l:
                    Define(l.Result, Load(l), depth);
                    break;
                case Store s:
                    var stored = OpenClOps.Stored(Use(s.Value), s.Value.Type, prelude);
                    var when = s.Guards.IsEmpty ? "" : $"if ({string.Join(" && ", s.Guards.SelectMany(Guard))}) ";
                    Line(depth, $"{when}{Buffer(s.Buffer)}[{Index(s.Offset)}] = {stored};");
                    break;
                case Flag f:
                    // Rare, so the atomic costs nothing; plain stores of several items would be a race.
                    Line(depth, $"if ({Use(f.Condition)}) atomic_or({Flag}, 1);");
                    break;
                case Loop l:
                    For(l.Variable, l.Extent, depth, () => Block(l.Body, depth + 1));
                    break;
                case Reduction { Lanes: false } r:
                    Reduce(r, depth);
                    break;
                default:
                    throw new InternalErrorException($"no OpenCL form of {statement.GetType().Name}");
            }
        }

        private string Load(Load load)
        {
            var element = OpenClOps.Loaded($"{Buffer(load.Buffer)}[{Index(load.Offset)}]", load.Result.Type, prelude);
            var guards = load.Guards.SelectMany(g => Guard(g)).ToList();
            return guards.Count == 0 ? element : $"{string.Join(" && ", guards)} ? {element} : {Use(load.Fill!)}";
        }

        private IEnumerable<string> Guard(Guard guard)
        {
            var index = Index(guard.Index);
            if (!IsNonNegative(guard.Index)) yield return $"{index} >= 0L";
            yield return $"{index} < {Index(guard.Extent)}";
        }

        private void Reduce(Reduction r, int depth)
        {
            var (result, term) = (Use(r.Result), Use(r.Yield));
            var type = OpenClTypes.Value(r.Result.Type);
            if (r.Kind is not (ReduceKind.ArgMax or ReduceKind.ArgMin))
            {
                Line(depth, $"{type} {result} = {OpenClOps.Identity(r.Kind, r.Result.Type)};");
                For(r.Variable, r.Extent, depth, () =>
                {
                    Block(r.Body, depth + 1);
                    Line(depth + 1, $"{result} = {OpenClOps.Combine(r.Kind, r.Result.Type, result, term, prelude)};");
                });
                return;
            }
            var (best, at) = ($"{result}_best", Variable(r.Variable));
            Line(depth, $"{type} {result} = 0;");
            Line(depth, $"{OpenClTypes.Value(r.Yield.Type)} {best} = 0;");
            For(r.Variable, r.Extent, depth, () =>
            {
                Block(r.Body, depth + 1);
                Line(depth + 1, $"if ({at} == 0L || {OpenClOps.Beats(r.Kind, r.Yield.Type, term, best)}) {{");
                Line(depth + 2, $"{result} = ({type}){at};");
                Line(depth + 2, $"{best} = {term};");
                Line(depth + 1, "}");
            });
        }

        private void For(string variable, Size extent, int depth, Action body)
        {
            var name = Variable(variable);
            Line(depth, $"for (long {name} = 0; {name} < {Index(extent)}; ++{name}) {{");
            var outer = ranges;
            ranges = new IndexRanges(outer);
            ranges.Add(variable, extent);
            body();
            ranges = outer;
            Line(depth, "}");
        }

        private void Define(Value value, string expression, int depth) =>
            Line(depth, $"const {OpenClTypes.Value(value.Type)} {Use(value)} = {expression};");

        private void Line(int depth, string line) => text.Append(' ', 2 * depth).Append(line).Append('\n');

        private static string Use(Value value) => $"v{value.Id}";

        private string Buffer(int buffer) => OpenClTypes.Name("b", kernel.Buffers[buffer].Name);

        /// <summary>A size, a loop index, or the i64 value behind an indirection.</summary>
        private static string Variable(string name) =>
            name is ['v', .. var id, '\''] && id.All(char.IsAsciiDigit) ? $"v{id}" : OpenClTypes.Name("i", name);

        private string Index(Size size)
        {
            if (size.Terms.IsEmpty) return "0L";
            var sum = new StringBuilder();
            foreach (var term in size.Terms)
            {
                var negative = term.Coefficient < 0;
                if (sum.Length > 0) sum.Append(negative ? " - " : " + ");
                else if (negative) sum.Append('-');
                // The least long has no negation, so it keeps its sign.
                if (term.Coefficient == long.MinValue) return Expanded(size);
                sum.Append(Product(Math.Abs(term.Coefficient), term.Atoms));
            }
            return sum.ToString();
        }

        private string Expanded(Size size) => string.Join(" + ", size.Terms.Select(t =>
            OpenClTypes.Index(t.Coefficient) + (t.Atoms.IsEmpty ? "" : $" * {Product(1, t.Atoms)}")));

        private string Product(long coefficient, ImmutableArray<Atom> atoms)
        {
            var factors = atoms.Select(Factor);
            return string.Join(" * ", coefficient == 1 && !atoms.IsEmpty
                ? factors : factors.Prepend(OpenClTypes.Index(coefficient)));
        }

        private string Factor(Atom atom) => atom switch
        {
            VariableAtom v => Variable(v.Name),
            FloorDivAtom { Divisor: { IsConstant: true } q } d when IsNonNegative(d.Dividend) =>
                $"({Bracketed(d.Dividend)} / {Index(q)})",
            FloorDivAtom d => $"{prelude.Use("acc_floor_div")}({Index(d.Dividend)}, {Index(d.Divisor)})",
            // Overloaded on every integer type; both sides are longs, since a constant carries its L.
            MinAtom m => $"min({Index(m.Left)}, {Index(m.Right)})",
            MaxAtom m => $"max({Index(m.Left)}, {Index(m.Right)})",
            _ => throw new InvalidOperationException($"no OpenCL form of {atom.GetType().Name}"),
        };

        private string Bracketed(Size size) =>
            size is { Terms: [{ Coefficient: 1, Atoms: [VariableAtom v] }] } ? Variable(v.Name) : $"({Index(size)})";

        /// <summary>Proved for all values in range; an index that was loaded has no known range.</summary>
        private bool IsNonNegative(Size size) =>
            !size.Variables().Any(v => v.EndsWith('\'')) && ranges.NonNegative(size);
    }
}
