// In: how often each operation, dtype, rank and kind of size occurs in graphs. Out: a table of the counts.
using System.Text;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>One row an operation: its count for each dtype and rank, and with constant and symbolic shapes.</summary>
internal sealed class Coverage
{
    private static readonly string[] Columns =
        [.. Enum.GetValues<DType>().Select(t => t.Name()), .. Enumerable.Range(0, 6).Select(r => $"r{r}"), "const",
            "sym"];

    private readonly SortedDictionary<string, long[]> rows = new(StringComparer.Ordinal);

    /// <summary>Counts by `OP|DTYPE|RANK|c` or `…|s`, for constant and symbolic shapes.</summary>
    public static Dictionary<string, int> Of(Function function)
    {
        var counts = new Dictionary<string, int>();
        foreach (var node in GraphPrinter.Closure(function).SelectMany(f => f.Nodes))
        {
            var kind = node is Reduce or Cumulate or Compare or Scatter
                ? $"{node.Op} {node.Attributes.Split([',', ' '])[0]}" : node.Op;
            var symbolic = node.Type.Shape.Any(s => !s.IsConstant) ? 's' : 'c';
            var key = $"{kind}|{node.Type.DType.Name()}|{node.Type.Rank}|{symbolic}";
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }
        return counts;
    }

    public void Add(IReadOnlyDictionary<string, int> counts)
    {
        foreach (var (key, count) in counts)
        {
            var words = key.Split('|');
            if (!rows.TryGetValue(words[0], out var row)) rows[words[0]] = row = new long[Columns.Length];
            foreach (var column in (string[])[words[1], $"r{words[2]}", words[3] == "c" ? "const" : "sym"])
                if (Array.IndexOf(Columns, column) is >= 0 and var at) row[at] += count;
        }
    }

    /// <summary>The count in a column with the table's name for it: `f16`, `r3`, `sym`.</summary>
    public long this[string op, string column] =>
        rows.TryGetValue(op, out var row) ? row[Array.IndexOf(Columns, column)] : 0;

    public string Table()
    {
        var text = new StringBuilder();
        text.Append($"{"",-14}{string.Concat(Columns.Select(c => $"{c,6}"))}\n");
        foreach (var (op, row) in rows)
            text.Append($"{op,-14}{string.Concat(row.Select(c => $"{Short(c),6}"))}\n");
        return text.ToString();
    }

    private static string Short(long count) => count switch
    {
        0 => ".",
        < 100_000 => $"{count}",
        _ => $"{count / 1000}k",
    };
}
