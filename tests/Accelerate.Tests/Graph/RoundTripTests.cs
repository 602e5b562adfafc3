// Graphs printed, stripped of white space and comments, read back and printed again: the same text.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Assert = Xunit.Assert;
using EntryCheck = Accelerate.Compiler.Graph.EntryCheck;

namespace Accelerate.Tests.Graph;

public sealed class RoundTripTests
{
    public static string Strip(string text) =>
        Regex.Replace(Regex.Replace(text, "#[^\n]*", "", RegexOptions.None), @"\s+", "");

    [Theory]
    [InlineData("f16")]
    [InlineData("bf16")]
    [InlineData("f32")]
    [InlineData("f64")]
    public void FloatConstantsKeepTheirBits(string name)
    {
        var dtype = DType.Parse(name);
        double[] values =
            [-0.0, 0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, 1e-45, 6e-8,
            -9.1e-41, 1.17549435e-38, 5e-39, 65504, 3.4028235e38, double.MaxValue, 0.1, -1e-7, 1.0 / 3, 1e15,
                123456789];
        var function = new Function("f");
        var node = function.Add(Const.Of(new TensorType(dtype, [values.Length]), [.. values]));
        function.Results = [node];
        var again = (Const)Back(function).Nodes[0];
        Assert.Equal(node.Floats.Select(BitConverter.DoubleToInt64Bits),
            again.Floats.Select(BitConverter.DoubleToInt64Bits));
    }

    [Fact]
    public void IntegerConstantsKeepTheirValues()
    {
        var function = new Function("f");
        long[] values = [long.MinValue, long.MaxValue, 0, -1];
        foreach (var dtype in (DType[])[DType.I64, DType.U64])
            function.Add(Const.Of(new TensorType(dtype, [4]), [.. values]));
        function.Results = [function.Nodes[0]];
        Assert.All(Back(function).Nodes.Cast<Const>(), c => Assert.Equal(values, c.Integers));
    }

    [Fact]
    public void NamesMessagesChecksAndCommentsSurvive()
    {
        var function = new Function("nn.Linear.apply");
        var x = function.Add(new Input("a \"b\" # c\t\r\n\\s\u00a0", new TensorType(DType.F32, [Size.Variable("h")])),
            new Origin("mlp.acc:6:44", ["relu"]));
        function.Add(new State(StorageClass.Buffer, "layers[0].run ning", x.Type));
        function.Add(new Assign(StorageClass.Param, "w #1", x));
        function.Add(new Print("{} of # {:.4}\n", [x]));
        function.Add(new Print("done", []));
        function.Require(new EntryCheck(CheckKind.Equal, SizeReader.Read("2*((h-1)//2+1)"), Size.Variable("h"),
            "h must be even"));
        function.Require(new EntryCheck(CheckKind.AtMost, SizeReader.Read("min(h,max(3,w))-5"), 7, "small \"h\""));
        function.Add(new SizeValue(SizeReader.Read("-3*h*h//(w+1)-7"), DType.I64));
        function.Results = [x, x];
        function.ResultNames = ["the first", ""];
        var again = Back(function);
        Assert.Equal(((Input)x).Name, again.Inputs[0].Name);
        Assert.Equal("the first,", string.Join(',', again.ResultNames));
        Assert.Equal("h must be even", again.Checks[0].Message);
    }

    [Fact]
    public void AllOperationsInOneText()
    {
        var text = string.Concat(OpsDocument.Sections.Select(s =>
            Regex.Replace(s.Example, "@([a-z]+)", $"@$1_{s.Op}")));
        Assert.NotNull(GraphReader.Read(Strip(text)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("graph @f {")]
    [InlineData("graph @f { %0: f33 = input(; \"x\") return(%0) }")]
    [InlineData("graph @f { %0: f32 = neg() return(%0) }")]
    [InlineData("graph @f { %0: f32 = input(; \"x\") %1: f32 = neg(%0, %0) return(%0) }")]
    [InlineData("graph @f { %0: f32 = unfold() return(%0) }")]
    [InlineData("graph @f { %0: f32 = call(; @g) return(%0) }")]
    [InlineData("graph @f { %0: i8 = const(; [99999999999999999999]) return(%0) }")]
    [InlineData("graph @f { %0: i8 = const(; [1.5]) return(%0) }")]
    [InlineData("graph @f { %0: f32[n//0] = input(; \"x\") return(%0) }")]
    [InlineData("graph @f { %0: f32 = input(; \"x\") return(%1) }")]
    [InlineData("graph @f { %0: f32 = input(; \"x\") %1: f64 = neg(%0) return(%1) }")]
    [InlineData("graph @f { %0: f32 = input(; \"x\") return(%0) } graph @f { %0: f32 = input(; \"x\") return(%0) }")]
    public void TextsThatAreNoneGiveAFormatException(string text) =>
        Assert.Throws<FormatException>(() => GraphReader.Read(text));

    private static Function Back(Function function)
    {
        var text = GraphPrinter.Print(function);
        var again = GraphReader.Read(Strip(text));
        Assert.Equal(Regex.Replace(text, " *  #[^\n]*", ""), GraphPrinter.Print(again));
        Verifier.Verify(again);
        return again;
    }
}
