// Every row of the numerics table on the kernel interpreter, alone and with workers; and KERNELS.md has the same rows.
using Accelerate.Backends.Interpreter;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

public sealed class NumericsTableTests
{
    public static TheoryData<string> Ids => [.. NumericsTable.Rows.Select(r => r.Id).Distinct()];

    [Theory]
    [MemberData(nameof(Ids))]
    public void TheInterpreterGivesTheTablesBytes(string id)
    {
        using var pool = new WorkerPool(3);
        foreach (var row in NumericsTable.Rows.Where(r => r.Id == id))
        {
            row.Run((kernel, buffers, sizes) => new CompiledKernel(kernel).Run(buffers, sizes));
            row.Run((kernel, buffers, sizes) => new CompiledKernel(kernel).Run(buffers, sizes, pool));
        }
    }

    [Fact]
    public void TheTableInTheDocumentAndTheRowsHaveTheSameIds()
    {
        var text = File.ReadAllText(Path.Combine(Support.Shared.Repository, "grammar", "KERNELS.md"));
        var documented = System.Text.RegularExpressions.Regex.Matches(text, @"^\| (N\d+) \|",
            System.Text.RegularExpressions.RegexOptions.Multiline)
            .Select(m => m.Groups[1].Value);
        Assert.Equal(documented, NumericsTable.Rows.Select(r => r.Id).Distinct().OrderBy(id => int.Parse(id[1..])));
    }
}
