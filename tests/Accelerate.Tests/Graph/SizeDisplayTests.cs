// Sizes as users write them.
using Accelerate.Compiler.Types;

namespace Accelerate.Tests.Graph;

public class SizeDisplayTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("n", "n")]
    [InlineData("2*h+1", "2 * h + 1")]
    [InlineData("-n-3", "-n - 3")]
    [InlineData("h//2", "h // 2")]
    [InlineData("(h-1)//2+1", "(h + 1) // 2")]
    [InlineData("n*(h//2)+1", "(h // 2) * n + 1")]
    [InlineData("2*(h//2)", "2 * (h // 2)")]
    [InlineData("min(a,b)*c", "c * min(a, b)")]
    public void Display(string text, string expected)
    {
        var size = SizeReader.Read(text);
        Assert.Equal(expected, size.Display);
        if (!expected.Contains("min")) Assert.Equal(size, SizeReader.Read(expected));
    }
}
