// The table of operations: every operation of Ops.All in every dtype that OPS.md allows, as small graphs.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Tests.Graph;

/// <summary>A row is made for each dtype of its operation; `T` in the texts stands for the dtype's name.</summary>
internal static partial class OpCases
{
    public static readonly DType[] Every = Enum.GetValues<DType>();
    public static readonly DType[] Floats = [DType.F16, DType.BF16, DType.F32, DType.F64];
    public static readonly DType[] Integers =
        [DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64];
    public static readonly DType[] Numbers = [.. Integers, .. Floats];
    public static readonly DType[] Bits = [DType.Bool, .. Integers];

    public static IReadOnlyList<OpCase> All { get; } = Make();

    /// <summary>The dtypes of each operation, as the rows have them.</summary>
    public static IReadOnlyDictionary<string, HashSet<DType>> DTypes { get; } =
        All.GroupBy(c => c.Op).ToDictionary(g => g.Key, g => g.Select(c => c.DType).ToHashSet());

    private static List<OpCase> Make()
    {
        var cases = new List<OpCase>();
        var table = new Table(cases);
        Sources(table);
        Elementwise(table);
        Movement(table);
        Parts(table);
        Reductions(table);
        Structure(table);
        return cases;
    }

    /// <summary>Collects rows.</summary>
    private sealed class Table(List<OpCase> cases)
    {
        /// <param name="op">The operation.</param>
        /// <param name="dtypes">A row for each.</param>
        /// <param name="inputs">As `a: T[n,m]; i&lt;n: i32[k]`.</param>
        /// <param name="nodes">One a line, numbered behind the inputs: `T[n] = neg(%0)`.</param>
        /// <param name="numpy">A Python expression.</param>
        /// <param name="runs">Sizes, as `n=3 m=0; n=1 m=1`.</param>
        /// <param name="variant">Tells rows apart.</param>
        /// <param name="results">What is returned; the last node if null.</param>
        /// <param name="regions">Functions before it.</param>
        public void Add(string op, IEnumerable<DType> dtypes, string inputs, string nodes, string numpy, string runs,
            string variant = "", string? results = null, string regions = "")
        {
            foreach (var dtype in dtypes)
            {
                var body = new StringBuilder();
                var id = 0;
                foreach (var input in inputs.Split("; ", StringSplitOptions.RemoveEmptyEntries))
                {
                    var colon = input.IndexOf(':');
                    body.Append(CultureInfo.InvariantCulture,
                        $"  %{id++}: {input[(colon + 1)..].Trim()} = input(; \"{input[..colon].Trim()}\")\n");
                }
                foreach (var node in nodes.Split('\n',
                    StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                    body.Append(CultureInfo.InvariantCulture, $"  %{id++}: {node}\n");
                var graph = $"{regions}graph @f {{\n{body}  return({results ?? $"%{id - 1}"})\n}}\n";
                cases.Add(new(op, dtype, variant, graph, Regex.Replace(numpy, @"\bT\b", $"'{dtype.Name()}'"),
                    [.. runs.Split(';', StringSplitOptions.TrimEntries)]));
            }
        }
    }

    private static void Sources(Table table)
    {
        table.Add("input", Every, "a: T[n,3]", "", "a", "n=5; n=0", results: "%0");
        table.Add("param", Every, "", "T[4,3] = param(; \"w\")", "w", "n=0");
        table.Add("buffer", Every, "", "T[4,3] = buffer(; \"w\")", "w", "n=0");
        table.Add("const", Floats, "", "T[n,2] = const(; [-0.75])\nT[4] = const(; [-0.0,nan,-inf,1.5])",
            "(np.full((n,2),-0.75), np.array([-0.0,np.nan,-np.inf,1.5]))", "n=3; n=0", results: "%0, %1");
        table.Add("const", Bits, "", "T[n,2] = const(; [1])\nT[4] = const(; [1,0,0,1])",
            "(np.full((n,2),1).astype(INTS[T]), np.array([1,0,0,1]).astype(INTS[T]))", "n=3; n=0", results: "%0, %1");
        table.Add("iota", Integers, "", "T[n,3] = iota(; 0)\nT[2,n] = iota(; 1)",
            "(as_dtype(iota([n,3],0),T), as_dtype(iota([2,n],1),T))",
            "n=300; n=0; n=1", results: "%0, %1");
        table.Add("iota", Floats, "", "T[n,3] = iota(; 0)",
            "rounded(iota([n,3],0),T)", "n=300; n=0; n=1");
        table.Add("random", [DType.U32], "k: i64", "T[n,3] = random(%0)", "philox(k,[n,3])",
            "n=3; n=0; n=50");
        table.Add("size", Bits, "", "T = size(; 70*n+1)", "np.array(70*n+1,dtype=np.int64).astype(INTS[T])",
            "n=5; n=0");
        table.Add("size", Floats, "", "T = size(; 70*n+1)", "rounded(70.0*n+1,T)", "n=5; n=0");
    }

    private static void Elementwise(Table table)
    {
        const string Unary = "n=120; n=0; n=1; n=37";
        foreach (var op in Enum.GetValues<UnaryOp>())
        {
            var expression = op switch
            {
                UnaryOp.Neg => "-u",
                UnaryOp.Round => "np.rint(u)",
                UnaryOp.Erf => "erf(u)",
                UnaryOp.Rsqrt => "1/np.sqrt(u)",
                UnaryOp.Not => "~u",
                _ => $"np.{Ops.Name(op)}(u)",
            };
            var dtypes = op switch
            {
                UnaryOp.Not => Bits,
                UnaryOp.Neg or UnaryOp.Abs or UnaryOp.Sign => Numbers,
                _ => Floats,
            };
            table.Add(Ops.Name(op), dtypes, "u: T[n]", $"T[n] = {Ops.Name(op)}(%0)", expression, Unary);
        }
        foreach (var from in Every)
        {
            table.Add("convert", [from], "u: T[n]",
                string.Concat(Every.Where(d => d != from).Select(to => $"{to.Name()}[n] = convert(%0)\n")),
                $"({string.Join(", ", Every.Where(d => d != from).Select(to => $"convert(u,'{to.Name()}')"))})", Unary,
                results: string.Join(", ", Enumerable.Range(1, Every.Length - 1).Select(i => $"%{i}")));
            foreach (var to in Every.Where(
                d => d != from && d.Bytes() == from.Bytes() && d != DType.Bool && from != DType.Bool))
                table.Add("bitcast", [from], "v: T[n]", $"{to.Name()}[n] = bitcast(%0)",
                    $"bitcast(v,T,'{to.Name()}')", Unary, to.Name());
        }
        table.Add("stop_gradient", Every, "u: T[n]", "T[n] = stop_gradient(%0)", "u", Unary);
        const string Pairs = "n=676; n=0; n=1; n=130";
        foreach (var op in Enum.GetValues<BinaryOp>())
        {
            var (dtypes, floats, others) = op switch
            {
                BinaryOp.Add => (Numbers, "p+q", "p+q"),
                BinaryOp.Sub => (Numbers, "p-q", "p-q"),
                BinaryOp.Mul => (Numbers, "p*q", "p*q"),
                BinaryOp.Div => (Numbers, "p/q", "idiv(p,q)"),
                BinaryOp.Rem => (Numbers, "np.fmod(p,q)", "irem(p,q)"),
                BinaryOp.Pow => (Numbers, "np.power(p,q)", "ipow(p,q)"),
                BinaryOp.Atan2 => (Floats, "np.arctan2(p,q)", ""),
                BinaryOp.Max => (Every, "np.maximum(p,q)", "np.maximum(p,q)"),
                BinaryOp.Min => (Every, "np.minimum(p,q)", "np.minimum(p,q)"),
                BinaryOp.And => (Bits, "", "p&q"),
                BinaryOp.Or => (Bits, "", "p|q"),
                BinaryOp.Xor => (Bits, "", "p^q"),
                BinaryOp.Shl => (Integers, "", "shl(p,q)"),
                _ => (Integers, "", "shr(p,q)"),
            };
            foreach (var dtype in dtypes)
                table.Add(Ops.Name(op), [dtype], "p: T[n]; q: T[n]", $"T[n] = {Ops.Name(op)}(%0, %1)", dtype.IsFloat
                    ? floats : others, Pairs);
        }
        table.Add("compare", Every, "p: T[n]; q: T[n]",
            string.Concat(Enum.GetValues<CompareOp>().Select(c => $"bool[n] = compare(%0, %1; {Ops.Name(c)})\n")),
            "(p==q, p!=q, p<q, p<=q, p>q, p>=q)", Pairs, results: "%2, %3, %4, %5, %6, %7");
        table.Add("select", Every, "p: T[n]; q: T[n]; c: bool[n]", "T[n] = select(%2, %0, %1)", "np.where(c,p,q)",
            Pairs);
    }
}
