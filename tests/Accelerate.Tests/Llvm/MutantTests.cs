// The mutations of tests/mutants still apply: each `before` is exactly one line of its file.
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

public sealed class MutantTests
{
    [Theory]
    [InlineData("mutants.txt")]
    [InlineData("fuzzed.txt")]
    public void EveryMutationChangesExactlyOneLine(string list)
    {
        var text = File.ReadAllText(Path.Combine(Shared.Repository, "tests", "mutants", list));
        var blocks = text.Split("\n\n").Skip(1).ToList();
        Assert.True(blocks.Count >= 10);
        foreach (var block in blocks)
        {
            var fields = block.Trim().Split('\n').Select(l => l.Split(": ", 2)).ToDictionary(f => f[0], f => f[1]);
            Assert.Equal(["name", "breaks", "file", "before", "after", "tests"], fields.Keys);
            var lines = File.ReadAllLines(Path.Combine(Shared.Repository, fields["file"]));
            var count = lines.Count(l => l.TrimStart(' ') == fields["before"]);
            Assert.True(count == 1, $"{fields["name"]}: {fields["file"]} has its line {count} times");
            Assert.NotEqual(fields["before"], fields["after"]);
        }
    }
}
