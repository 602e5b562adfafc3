// Guards and their form without a division: the same condition for every index.
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Tests.Kernels;

public sealed class GuardTests
{
    [Theory]
    [InlineData(3, -3, 5)]
    [InlineData(1, 0, 4)]
    [InlineData(4, 2, 3)]
    [InlineData(5, -7, 0)]
    public void WithoutADivisionItHoldsForTheSameIndices(long divisor, long apart, long extent)
    {
        var (x, y) = (Size.Variable("x"), Size.Variable("y"));
        var guard = new Guard(Size.FloorDiv(x, divisor) + y + apart, extent);
        var undivided = guard.Undivided();
        Assert.Empty(undivided.Index.Terms.SelectMany(t => t.Atoms).OfType<FloorDivAtom>());
        for (var i = -40; i <= 40; i++)
            for (var j = -3; j <= 3; j++) Assert.Equal(Holds(guard, i, j), Holds(undivided, i, j));
    }

    [Fact]
    public void TwoDivisionsStay()
    {
        var x = Size.Variable("x");
        var guard = new Guard(Size.FloorDiv(x, 3) - Size.FloorDiv(x, 12) * 4, 2);
        Assert.Same(guard, guard.Undivided());
    }

    private static bool Holds(Guard guard, long x, long y)
    {
        var index = guard.Index.Evaluate(name => name == "x" ? x : y);
        return index >= 0 && index < guard.Extent.Evaluate(_ => throw new KeyNotFoundException());
    }
}
