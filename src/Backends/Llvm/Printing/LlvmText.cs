// In: instructions one by one. Out: the text of one LLVM function: names, blocks, loops, stack slots in the entry
// block.
using System.Globalization;
using System.Text;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Writes one function. Operands are texts such as `%t12` or `0`; their types are the writer's to know.
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
    /// The innermost branch or loop body under way, as a number that no other one has. What is defined in a region is
    /// there until it ends, and in no other but those inside it.
    /// </summary>
    public int Region => open[^1];

    /// <summary>True while what is defined in the region is there.</summary>
    public bool IsOpen(int region) => open.Contains(region);

    public string Block { get; private set; } = "start";

    /// <summary>Appends an instruction with a result; the result's name.</summary>
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

    /// <summary>An instruction behind the stack slots, before everything else.</summary>
    public void AtEntry(string instruction) => entry.Append($"  {instruction}\n");

    public void Declare(string declaration) => declarations.Add(declaration);

    /// <summary>A table of constants beside the function.</summary>
    public string Table(string type, IEnumerable<long> values)
    {
        var name = $"@table{names++}";
        long[] all = [.. values];
        declarations.Add(
            $"{name} = private unnamed_addr constant [{all.Length} x {type}] [{string.Join(", ", all.Select(v => $"{type} {v}"))}]");
        return name;
    }

    /// <summary>An entry of a table of i32 or i64, as i64; none is negative.</summary>
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

    /// <summary>for (i = from; i &lt; to; i += step) over i64; the body gets i.</summary>
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

    /// <summary>while (condition) body; the condition is printed anew before each iteration.</summary>
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
    /// A float constant in LLVM's exact hexadecimal form, which is the bits of the double for f32 too.
    /// </summary>
    public static string Float(double value) =>
        "0x" + BitConverter.DoubleToUInt64Bits(value).ToString("X16", CultureInfo.InvariantCulture);
}
