// In: a bound graph. Out: the same computation in Python with NumPy, using numpy_oracle.py.
using System.Globalization;
using System.Text;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>Prints a Python function for each function of the graph, and a line for each node.</summary>
internal sealed class NumPyPrinter
{
    private readonly StringBuilder text = new();
    private readonly Dictionary<Function, string> names = [];

    public static string Print(Function function)
    {
        var printer = new NumPyPrinter();
        foreach (var f in GraphPrinter.Closure(function))
        {
            if (f == function) continue;
            printer.Function(f, $"f{printer.names.Count}");
        }
        printer.Main(function);
        return printer.text.ToString();
    }

    private void Function(Function function, string name)
    {
        names[function] = name;
        text.Append($"def {name}(S, {string.Join(", ", function.Inputs.Select(i => $"v{i.Id}"))}):\n");
        foreach (var node in function.Nodes.Where(n => n is not Input)) Line(node);
        text.Append($"    return [{string.Join(", ", function.Results.Select(V))}]\n");
    }

    private void Main(Function function)
    {
        text.Append("def main(S, inputs, state):\n    A = {}\n");
        for (var i = 0; i < function.Inputs.Count; i++)
        {
            var input = function.Inputs[i];
            text.Append(CultureInfo.InvariantCulture, $"    v{input.Id} = inputs[{i}]\n");
            if (input.IsInout) text.Append($"    A['{input.Name}'] = (v{input.Id}, '{input.Type.DType.Name()}')\n");
        }
        foreach (var node in function.Nodes.Where(n => n is not Input)) Line(node);
        for (var i = 0; i < function.Results.Length; i++)
            text.Append(CultureInfo.InvariantCulture,
                $"    A['{i}'] = ({V(function.Results[i])}, '{function.Results[i].Type.DType.Name()}')\n");
        text.Append("    return A\n");
    }

    private void Line(Node node)
    {
        if (node is Assign a)
            text.Append($"    A['{a.Name}'] = ({V(a.Operands[0])}, '{a.Type.DType.Name()}')\n");
        text.Append($"    {V(node)} = {Expression(node)}\n");
    }

    private static string V(Node node) => $"v{node.Id}";

    private static string Of(Node node, int operand) => V(node.Operands[operand]);

    private string Expression(Node node)
    {
        var t = node.Type.DType.Name();
        var x = node.Operands.Length > 0 ? Of(node, 0) : "";
        var y = node.Operands.Length > 1 ? Of(node, 1) : "";
        string Rounded(string e) => $"as_dtype({e}, '{t}')";
        return node switch
        {
            State s => $"state['{s.Name}']",
            Const c => Literal(c),
            Iota i => Rounded($"iota({Sizes(node.Type.Shape)}, {i.Axis})"),
            Compiler.Graph.Random => $"philox({x}, {Sizes(node.Type.Shape)})",
            SizeValue s => Rounded(
                $"np.array({Text(s.Size)}).astype({(node.Type.DType.IsFloat ? "np.float64" : "np.int64")})"),
            Unary u => Rounded(Unary(u.Kind, x)),
            Compiler.Graph.Convert => $"convert({x}, '{t}')",
            Bitcast => $"bitcast({x}, '{node.OperandType(0).DType.Name()}', '{t}')",
            Binary b => Rounded(Binary(b.Kind, x, y, node.Type.DType)),
            Compare c => $"({x} {Relation(c.Kind)} {y})",
            Select => $"np.where({x}, {y}, {Of(node, 2)})",
            Reshape => $"{x}.reshape({Sizes(node.Type.Shape)})",
            Transpose p => $"np.transpose({x}, [{string.Join(", ", p.Permutation)}])",
            Broadcast b => $"broadcast({x}, {Sizes(node.Type.Shape)}, [{string.Join(", ", b.Axes)}])",
            Slice s => $"part({x}, {Sizes(s.Starts)}, {Sizes(node.Type.Shape)}, [{string.Join(", ", s.Steps)}])",
            Pad p => $"pad({x}, {y}, {Sizes(p.Before)}, {Sizes(p.After)}, [{string.Join(", ", p.Between)}])",
            Reverse r => $"np.flip({x}, ({string.Concat(r.Axes.Select(d => $"{d}, "))}))",
            Concat c => $"np.concatenate([{string.Join(", ", c.Operands.Select(V))}], axis={c.Axis})",
            Window w => $"window({x}, {w.Axis}, {Text(w.Count)}, {Text(w.Extent)}, {w.Stride}, {w.Dilation})",
            Fold f => Rounded($"fold({x}, {f.Axis}, {Text(node.Type.Shape[f.Axis])}, {f.Stride}, {f.Dilation})"),
            Gather g => $"gather({x}, {y}, {g.Axis})",
            Scatter s => Rounded(
                $"scatter('{s.Kind.ToString().ToLowerInvariant()}', {x}, {y}, {Of(node, 2)}, {s.Axis})"),
            DynamicSlice d => $"dynamic({x}, {Sizes(d.Starts)}, {Offsets(d, d.Axes, 1)}, {Sizes(node.Type.Shape)})",
            UpdateSlice u =>
                $"replaced({x}, {y}, {Sizes(u.Starts)}, {Offsets(u, u.Axes, 2)}, [{string.Join(", ", u.Steps)}])",
            Sort s => $"ordered({x}, {s.Axis}, {Bool(s.IsDescending)}, '{s.Index.Name()}')",
            Reduce r => Rounded($"reduce('{Ops.Name(r.Kind)}', {x}, [{string.Join(", ", r.Axes)}])"),
            ArgReduce a => Rounded($"place({Bool(a.Greatest)}, {x}, {a.Axis})"),
            Cumulate c => Rounded($"cumulate('{Ops.Name(c.Kind)}', {x}, {c.Axis}, {Bool(c.IsReversed)})"),
            Dot d => Rounded(Product(d)),
            Call { ResultTypes.Length: 1 } c => $"{names[c.Callee]}(S, {Operands(c)})[0]",
            Call c => $"{names[c.Callee]}(S, {Operands(c)})",
            If i => $"({names[i.Regions[0]]} if {x} else {names[i.Regions[1]]})"
                + $"(S, {string.Join(", ", i.Operands.Skip(1).Select(V))})",
            Scan s => $"loop(S, '{s.Variable}', {Text(s.Count)}, {names[s.Regions[0]]}, {s.Carried}, "
                + $"[{Operands(s)}], [{Outputs(s)}])",
            While w => $"repeat(S, {names[w.Regions[0]]}, {names[w.Regions[1]]}, {w.Carried}, [{Operands(w)}])",
            Result { Operands: [Call { ResultTypes.Length: 1 }] } => x,
            Result r => $"{x}[{r.Index}]",
            Compiler.Graph.Tuple => $"[{Operands(node)}]",
            Assert => $"check({x})",
            Compiler.Graph.Print => node.Operands.Length > 0 ? x : "np.array(True)",
            StopGradient or Compiler.Graph.Barrier or Assign => x,
            _ => throw new InvalidOperationException($"no NumPy for {node.Op}"),
        };
    }

    private static string Operands(Node node) => string.Join(", ", node.Operands.Select(V));

    private static string Bool(bool value) => value ? "True" : "False";

    private static string Outputs(Scan scan) => string.Join(", ", scan.ResultTypes.Skip(scan.Carried)
        .Select(t => $"({Sizes(t.Shape.RemoveAt(0))}, '{t.DType.Name()}')"));

    private static string Offsets(Node node, IEnumerable<int> axes, int first) =>
        $"[{string.Join(", ", axes.Select((axis, k) => $"({axis}, {Of(node, first + k)})"))}]";

    private static string Literal(Const c)
    {
        var values = c.Type.DType.IsFloat
            ? c.Floats.Select(v => double.IsNaN(v) ? "np.nan" : double.IsInfinity(v) ? v > 0 ? "np.inf" : "-np.inf"
                // In Python, -0 is an integer.
                : $"float('{v.ToString("R", CultureInfo.InvariantCulture)}')")
            // u64 values above 2^63 - 1 are stored as the negative number with the same bits.
            : c.Integers.Select(v => c.Type.DType == DType.U64 ? $"{(ulong)v}" : $"{v}");
        var type = c.Type.DType.IsFloat ? "'float64'" : $"INTS['{c.Type.DType.Name()}']";
        var array = $"np.array([{string.Join(", ", values)}], dtype={type})";
        return c.IsSplat ? $"np.full({Sizes(c.Type.Shape)}, {array}[0])" : $"{array}.reshape({Sizes(c.Type.Shape)})";
    }

    private static string Unary(UnaryOp op, string x) => op switch
    {
        UnaryOp.Neg or UnaryOp.Not => op == UnaryOp.Neg ? $"-{x}" : $"~{x}",
        UnaryOp.Abs => $"np.abs({x})",
        UnaryOp.Sign => $"sign({x})",
        UnaryOp.Round => $"np.rint({x})",
        UnaryOp.Rsqrt => $"(1 / np.sqrt({x}))",
        UnaryOp.Erf => $"erf({x})",
        _ => $"np.{Ops.Name(op)}({x})",
    };

    private static string Binary(BinaryOp op, string a, string b, DType type) => op switch
    {
        BinaryOp.Add => $"{a} + {b}",
        BinaryOp.Sub => $"{a} - {b}",
        BinaryOp.Mul => $"{a} * {b}",
        BinaryOp.Div => type.IsFloat ? $"{a} / {b}" : $"idiv({a}, {b})",
        BinaryOp.Rem => type.IsFloat ? $"np.fmod({a}, {b})" : $"irem({a}, {b})",
        BinaryOp.Pow => type.IsFloat ? $"np.power({a}, {b})" : $"ipow({a}, {b})",
        BinaryOp.Max => type == DType.Bool ? $"({a} | {b})" : $"larger({a}, {b})",
        BinaryOp.Min => type == DType.Bool ? $"({a} & {b})" : $"smaller({a}, {b})",
        BinaryOp.Atan2 => $"np.arctan2({a}, {b})",
        BinaryOp.And => $"({a} & {b})",
        BinaryOp.Or => $"({a} | {b})",
        BinaryOp.Xor => $"({a} ^ {b})",
        BinaryOp.Shl => $"shl({a}, {b})",
        _ => $"shr({a}, {b})",
    };

    private static string Relation(CompareOp op) => op switch
    {
        CompareOp.Eq => "==",
        CompareOp.Ne => "!=",
        CompareOp.Lt => "<",
        CompareOp.Le => "<=",
        CompareOp.Gt => ">",
        _ => ">=",
    };

    /// <summary>einsum with axis numbers: one for each axis of a; paired axes of b have the number of a's.</summary>
    private static string Product(Dot d)
    {
        var left = Enumerable.Range(0, d.OperandType(0).Rank).ToList();
        var right = Enumerable.Range(left.Count, d.OperandType(1).Rank).ToList();
        foreach (var (a, b) in d.BatchA.Zip(d.BatchB).Concat(d.ContractA.Zip(d.ContractB))) right[b] = left[a];
        var result = d.BatchA.Select(a => left[a])
            .Concat(left.Where((_, axis) => !d.BatchA.Contains(axis) && !d.ContractA.Contains(axis)))
            .Concat(right.Where((_, axis) => !d.BatchB.Contains(axis) && !d.ContractB.Contains(axis)));
        string List(IEnumerable<int> axes) => $"[{string.Join(", ", axes)}]";
        return $"dot({Of(d, 0)}, {Of(d, 1)}, '{d.Type.DType.Name()}', {List(left)}, {List(right)}, {List(result)})";
    }

    private static string Sizes(IEnumerable<Size> sizes) => $"[{string.Join(", ", sizes.Select(Text))}]";

    private static string Text(Size size) => size.Terms.IsEmpty ? "0"
        : string.Join(" + ", size.Terms.Select(term => string.Join(" * ",
            term.Atoms.Select(Text).Prepend($"{term.Coefficient}"))));

    private static string Text(Atom atom) => atom switch
    {
        VariableAtom v => $"S['{v.Name}']",
        FloorDivAtom d => $"(({Text(d.Dividend)}) // ({Text(d.Divisor)}))",
        MinAtom m => $"min({Text(m.Left)}, {Text(m.Right)})",
        MaxAtom m => $"max({Text(m.Left)}, {Text(m.Right)})",
        _ => throw new InvalidOperationException($"no NumPy for the size {atom.Text}"),
    };
}
