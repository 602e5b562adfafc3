// In: instructions one by one. Out: the text of one LLVM function: names, blocks, loops, stack slots in the entry
// block.
using System.Globalization;
using System.Text;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Writes one function. Operands are texts such as `%t12` or `0`; the caller keeps track of their types.
/// </summary>
internal sealed class LlvmText
{
    private readonly StringBuilder entry = new();
    private readonly StringBuilder body = new();
    private readonly SortedSet<string> declarations = new(StringComparer.Ordinal);
    private readonly List<int> open = [0];
    private int names;
    private int regions;

    /// <summary>
    /// The innermost current branch or loop body, as a unique number. Definitions of a region are valid until it ends,
    /// there and in regions inside it.
    /// </summary>
    public int Region => open[^1];

    /// <summary>True while definitions of the region are valid.</summary>
    public bool IsOpen(int region) => open.Contains(region);

    public string Block { get; private set; } = "start";

    /// <summary>Appends an instruction with a result; returns the result's name.</summary>
    public string Value(string instruction)
    {
        var name = $"%t{names++}";
        body.Append($"  {name} = {instruction}\n");
        return name;
    }

    public void Do(string instruction) => body.Append($"  {instruction}\n");

    /// <summary>A stack slot; mem2reg turns it into registers.</summary>
    public string Slot(string type, int align = 64)
    {
        var name = $"%s{names++}";
        entry.Append($"  {name} = alloca {type}, align {align}\n");
        return name;
    }

    /// <summary>Adds an instruction after the stack slots, before everything else.</summary>
    public void AtEntry(string instruction) => entry.Append($"  {instruction}\n");

    public void Declare(string declaration) => declarations.Add(declaration);

    /// <summary>Adds a table of constants next to the function.</summary>
    public string Table(string type, IEnumerable<long> values)
    {
        var name = $"@table{names++}";
        long[] all = [.. values];
        declarations.Add(
            $"{name} = private unnamed_addr constant [{all.Length} x {type}] [{string.Join(", ", all.Select(v => $"{type} {v}"))}]");
        return name;
    }

    /// <summary>An entry of a table of i32 or i64, as i64; entries are never negative.</summary>
    public string Entry(string table, string type, string at)
    {
        var read = Value(
            $"load {type}, ptr {Value($"getelementptr {type}, ptr {table}, i64 {at}")}, align {(type == "i32" ? 4 : 8)}");
        return type == "i64" ? read : Value($"zext {type} {read} to i64");
    }

    public string Label(string stem) => $"{stem}{names++}";

    public void Place(string label)
    {
        body.Append($"{label}:\n");
        Block = label;
    }

    public void Branch(string label) => Do($"br label %{label}");

    public void Branch(string condition, string yes, string no) => Do($"br i1 {condition}, label %{yes}, label %{no}");

    /// <summary>for (i = from; i &lt; to; i += step) over i64; the body receives i.</summary>
    public void For(string from, string to, string step, Action<string> inside)
    {
        var (head, loop, done) = (Label("head"), Label("loop"), Label("done"));
        var before = Block;
        Branch(head);
        Place(head);
        var (i, next) = ($"%i{names++}", $"%n{names++}");
        var at = body.Length;
        var more = Value($"icmp slt i64 {i}, {to}");
        Branch(more, loop, done);
        Place(loop);
        Inside(() => inside(i));
        Do($"{next} = add nsw i64 {i}, {step}");
        body.Insert(at, $"  {i} = phi i64 [ {from}, %{before} ], [ {next}, %{Block} ]\n");
        Branch(head);
        Place(done);
    }

    /// <summary>while (condition) body; the condition is printed again before each iteration.</summary>
    public void While(Func<string> condition, Action inside)
    {
        var (head, loop, done) = (Label("head"), Label("loop"), Label("done"));
        Branch(head);
        Place(head);
        Branch(condition(), loop, done);
        Place(loop);
        Inside(inside);
        Branch(head);
        Place(done);
    }

    public void If(string condition, Action yes, Action? no = null)
    {
        var (then, otherwise, end) = (Label("then"), Label("else"), Label("end"));
        Branch(condition, then, no is null ? end : otherwise);
        Place(then);
        Inside(yes);
        Branch(end);
        if (no is not null)
        {
            Place(otherwise);
            Inside(no);
            Branch(end);
        }
        Place(end);
    }

    private void Inside(Action print)
    {
        open.Add(++regions);
        print();
        open.RemoveAt(open.Count - 1);
    }

    /// <summary>The whole function with the declarations it needs.</summary>
    public string Function(string header)
    {
        var text = new StringBuilder();
        foreach (var declaration in declarations) text.Append(declaration).Append('\n');
        return text.Append($"\n{header} {{\nentry:\n").Append(entry).Append("  br label %start\nstart:\n").Append(body)
            .Append("}\n").ToString();
    }

    /// <summary>
    /// A float constant in LLVM's exact hexadecimal form, which uses the bits of the double even for f32.
    /// </summary>
    public static string Float(double value) =>
        "0x" + BitConverter.DoubleToUInt64Bits(value).ToString("X16", CultureInfo.InvariantCulture);
}
