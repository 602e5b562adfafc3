// The size algebra: the normal-form facts that shape arithmetic needs, and random polynomials against direct
// evaluation.
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Graph;

public sealed class SizeTests
{
    private static readonly string[] Names = ["h", "n", "w"];

    [Theory]
    [InlineData("(h+2*1-1*(3-1)-1)//2+1", "(h-1)//2+1")] // a 3x3 window with padding 1 is a 1x1 window with none
    [InlineData("(h+2*3-1*(7-1)-1)//4+1", "(h+2*0-1*(1-1)-1)//4+1")]
    [InlineData("(h+2*1-1*(3-1)-1)//1+1", "h")]
    [InlineData("h//1", "h")]
    [InlineData("(h*w-1)//w", "h-1")]
    [InlineData("(pos+t)-pos", "t")]
    [InlineData("8*(f//8)+mod(f,8)", "f")]
    [InlineData("(8*g+0)//8", "g")]
    [InlineData("h*d//d", "h")]
    [InlineData("mod(h*d,d)", "0")]
    [InlineData("10+10+10", "30")]
    [InlineData("n*m-m*n", "0")]
    [InlineData("(n+1)*(n-1)", "n*n-1")]
    [InlineData("(n*n-1)//(n+1)", "n-1")]
    [InlineData("h//2//3", "h//6")]
    [InlineData("(h//2+1)//3", "(h+2)//6")]
    [InlineData("(2*h+4)//6", "(h+2)//3")]
    [InlineData("min(n,n+1)", "n")]
    [InlineData("max(n,n+1)", "n+1")]
    [InlineData("min(a,b)", "min(b,a)")]
    [InlineData("-h//2", "(0-h)//2")]
    [InlineData("-7//2", "-4")]
    public void EqualSizesHaveOneNormalForm(string left, string right) =>
        Assert.Equal(SizeReader.Read(right).Text, SizeReader.Read(left).Text);

    [Theory]
    [InlineData("2*((h-1)//2+1)", "h")] // holds for even h only: an entry check
    [InlineData("n", "m")]
    [InlineData("h//2", "(h+1)//2")]
    public void UnequalSizesDiffer(string left, string right) =>
        Assert.NotEqual(SizeReader.Read(right), SizeReader.Read(left));

    [Fact]
    public void AnAxisSplitAndJoinedIsItself()
    {
        var ranges = new IndexRanges();
        ranges.Add("i", Size.Variable("n"));
        ranges.Add("j", 8);
        var (i, j) = (Size.Variable("i"), Size.Variable("j"));
        var joined = SizeReader.Read("f//8").Substitute(name => name == "f" ? i * 8 + j : null, ranges);
        Assert.Equal(i, joined);
        Assert.Equal(j, SizeReader.Read("mod(f,8)").Substitute(name => name == "f" ? i * 8 + j : null, ranges));
    }

    [Fact]
    public void AConstantDivisorMustBePositive()
    {
        Assert.Throws<DivideByZeroException>(() => Size.FloorDiv(Size.Variable("n"), 0));
        Assert.Throws<OverflowException>(() => Size.Constant(long.MaxValue) + 1);
        Assert.Throws<OverflowException>(() => SizeReader.Read("n*n").Evaluate(_ => 1L << 40));
    }

    [Fact]
    public void NormalFormsEvaluateAsTheExpressionsTheyCameFrom()
    {
        var seed = Environment.TickCount;
        var random = new System.Random(seed);
        for (var trial = 0; trial < 3000; trial++)
        {
            var (size, direct, text) = Expression(random, 4);
            var read = SizeReader.Read(size.Text);
            Assert.True(read.Equals(size), $"seed {seed}: {text} prints {size.Text}, which reads as {read.Text}");
            for (var sample = 0; sample < 8; sample++)
            {
                var at = Names.ToDictionary(n => n, _ => (long)random.Next(1, 30));
                Assert.True(direct(at) == size.Evaluate(at),
                    $"seed {seed}: {text} is {direct(at)}, its normal form {size} {size.Evaluate(at)}, "
                    + $"at {string.Join(' ', at)}");
                // The runtime reads the sizes of signatures by the same grammar, into numbers.
                Assert.Equal(direct(at), new SizeText<long, SizeValues>(size.Text, 0, new SizeValues(at)).All());
                var point = size.Substitute(n => at[n]);
                Assert.True(point.Is(direct(at)),
                    $"seed {seed}: {text} at {string.Join(' ', at)} substitutes to {point}");
            }
        }
    }

    [Fact]
    public void ProofsOfIndexRangesAreNeverFalse() => ProofsAreNeverFalse(Environment.TickCount);

    /// <summary>Seeds that once found a false proof.</summary>
    [Theory]
    [InlineData(7807942)]
    public void ProofsThatWereOnceFalse(int seed) => ProofsAreNeverFalse(seed);

    private static void ProofsAreNeverFalse(int seed)
    {
        var random = new System.Random(seed);
        var proved = 0;
        for (var trial = 0; trial < 4000; trial++)
        {
            var ranges = new IndexRanges();
            // h is an index below n, w a size, n a size: extents may be symbolic.
            var extent = random.Next(2) == 0 ? Size.Variable("n") : random.Next(1, 12);
            ranges.Add("h", extent);
            var (size, direct, text) = Expression(random, 3);
            var holds = ranges.NonNegative(size);
            var replaced = size.Substitute(_ => null, ranges);
            if (holds) proved++;
            for (var sample = 0; sample < 12; sample++)
            {
                var at = new Dictionary<string, long> { ["n"] = random.Next(1, 12), ["w"] = random.Next(1, 12) };
                at["h"] = random.NextInt64(extent.Evaluate(at));
                Assert.True(!holds || direct(at) >= 0,
                    $"seed {seed}: 0 <= {text} was proved, h < {extent}, and fails at {string.Join(' ', at)}");
                Assert.True(replaced.Evaluate(at) == direct(at),
                    $"seed {seed}: {text} became {replaced} for h < {extent}, and differs at {string.Join(' ', at)}");
            }
        }
        Assert.True(proved > 300, $"seed {seed}: only {proved} proofs");
    }

    private static (Size Size, Func<Dictionary<string, long>, long> Direct, string Text) Expression(
        System.Random random, int depth)
    {
        if (depth == 0 || random.Next(5) == 0)
        {
            if (random.Next(2) == 0)
            {
                long value = random.Next(-9, 10);
                return (value, _ => value, $"{value}");
            }
            var name = Names[random.Next(Names.Length)];
            return (Size.Variable(name), at => at[name], name);
        }
        var (a, da, ta) = Expression(random, depth - 1);
        var kind = random.Next(7);
        if (kind is 3 or 4)
        {
            // Divisors are positive: a constant, or a size that is.
            Size b = random.Next(1, 9);
            if (random.Next(3) == 0) b *= Size.Variable("w");
            long Quotient(Dictionary<string, long> at) => (long)Math.Floor((decimal)da(at) / b.Evaluate(at));
            return kind == 3
                ? (Size.FloorDiv(a, b), Quotient, $"({ta})//({b})")
                : (Size.Mod(a, b), at => da(at) - b.Evaluate(at) * Quotient(at), $"mod({ta},{b})");
        }
        var (c, dc, tc) = Expression(random, depth - 1);
        return kind switch
        {
            0 => (a + c, at => da(at) + dc(at), $"({ta}+{tc})"),
            1 => (a - c, at => da(at) - dc(at), $"({ta}-({tc}))"),
            2 => (a * c, at => da(at) * dc(at), $"({ta})*({tc})"),
            5 => (Size.Min(a, c), at => Math.Min(da(at), dc(at)), $"min({ta},{tc})"),
            _ => (Size.Max(a, c), at => Math.Max(da(at), dc(at)), $"max({ta},{tc})"),
        };
    }
}
