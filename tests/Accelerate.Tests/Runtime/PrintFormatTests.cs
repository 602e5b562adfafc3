// Values that are no numbers come in; both kinds of places write them in one spelling.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime;

public sealed class PrintFormatTests
{
    [Theory]
    [InlineData(double.NaN, "nan")]
    [InlineData(double.PositiveInfinity, "inf")]
    [InlineData(double.NegativeInfinity, "-inf")]
    public void WhatIsNoNumberHasOneSpelling(double value, string text)
    {
        var tensor = Tensor.From([value]);
        Assert.Equal($"{text} {text} {text}", PrintFormat.Format("{} {:.2f} {:.3}", [tensor, tensor, tensor]));
    }
}
