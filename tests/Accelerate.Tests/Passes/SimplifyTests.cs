// Each rule of simplify: before => after, by the operations that are left, and the same values, NaN and zeros' signs
// included.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Compiler.Passes;
using Accelerate.Runtime;
using Accelerate.Tests.Graph;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Passes;

public sealed class SimplifyTests
{
    private const string X = "%0: f32[n,4] = input(; \"a\")\n";
    private const string V = "%0: i32[n] = input(; \"u\")\n";

    [Theory]
    // Movements.
    [InlineData(X
        + "%1: f32[2,4] = input(; \"b\")\n%2: f32[n+2,4] = concat(%0, %1; 0)\n%3: f32[n,3] = slice(%2; [0,1],[1,1])",
        "slice")]
    [InlineData(X
        + "%1: f32[2,4] = input(; \"b\")\n%2: f32[n+2,4] = concat(%1, %0; 0)\n%3: f32[n-1,4] = slice(%2; [3,0],[1,1])",
        "slice")]
    [InlineData(X
        + "%1: f32[2,4] = input(; \"b\")\n%2: f32[n+2,4] = concat(%1, %0; 0)\n%3: f32[n,4] = slice(%2; [1,0],[1,1])",
        "concat slice")]
    [InlineData(X
        + "%1: f32 = input(; \"b\")\n%2: f32[n+3,6] = pad(%0, %1; [1,2],[2,0],[0,0])\n%3: f32[n,4] = slice(%2; [1,2],[1,1])", "")]
    [InlineData(X
        + "%1: f32 = input(; \"b\")\n%2: f32[n+3,6] = pad(%0, %1; [1,2],[2,0],[0,0])\n%3: f32[n,4] = slice(%2; [1,1],[1,1])", "pad slice")]
    [InlineData(X + "%1: f32[3,n,4] = broadcast(%0; [1,2])\n%2: f32[2,n,4] = slice(%1; [1,0,0],[1,1,1])", "broadcast")]
    [InlineData(X + "%1: f32[3,n,4] = broadcast(%0; [1,2])\n%2: f32[n,3,4] = transpose(%1; [1,0,2])", "broadcast")]
    [InlineData(X + "%1: f32[3,n,4] = broadcast(%0; [1,2])\n%2: f32[4,n,3] = transpose(%1; [2,1,0])",
        "broadcast transpose")]
    [InlineData("%0: f32 = input(; \"a\")\n%1: f32[n,4] = broadcast(%0; [])\n%2: f32[4*n] = reshape(%1)", "broadcast")]
    [InlineData(X + "%1: f32[n,4] = reverse(%0; [0,1])\n%2: f32[n,4] = reverse(%1; [1])", "reverse")]
    [InlineData(X + "%1: f32[n,4] = reverse(%0; [1])\n%2: f32[n,4] = reverse(%1; [1])", "")]
    [InlineData(X + "%1: f32[3,n,4] = broadcast(%0; [1,2])\n%2: f32[3,n,4] = reverse(%1; [0])", "broadcast")]
    [InlineData(X + "%1: i64[n] = iota(; 0)\n%2: f32[n,4] = gather(%0, %1; 0)", "")]
    [InlineData(X + "%1: u8[3] = iota(; 0)\n%2: f32[n,3] = gather(%0, %1; 1)", "slice")]
    [InlineData(X + "%1: i32 = const(; [2])\n%2: f32[n,2] = dynamic_slice(%0, %1; [1],[0,0])", "slice")]
    [InlineData(X + "%1: i32 = const(; [3])\n%2: f32[n,2] = dynamic_slice(%0, %1; [1],[0,0])", "const dynamic_slice")]
    [InlineData("%0: f32[n,1] = input(; \"a\")\n%1: f32[n,1] = cumulate(%0; add,1)", "")]
    // Integers, where floats would differ.
    [InlineData(V + "%1: i32[n] = const(; [0])\n%2: i32[n] = mul(%0, %1)", "const")]
    [InlineData("%0: f32[n] = input(; \"u\")\n%1: f32[n] = const(; [0.0])\n%2: f32[n] = mul(%0, %1)", "const mul")]
    [InlineData(V + "%1: i32[n] = const(; [0])\n%2: i32[n] = add(%1, %0)", "")]
    [InlineData("%0: f32[n] = input(; \"u\")\n%1: f32[n] = const(; [0.0])\n%2: f32[n] = add(%0, %1)", "const add")]
    [InlineData(V + "%1: i32[n] = sub(%0, %0)", "const")]
    [InlineData("%0: f32[n] = input(; \"u\")\n%1: f32[n] = sub(%0, %0)", "sub")]
    [InlineData(V + "%1: i32[n] = const(; [-1])\n%2: i32[n] = and(%0, %1)", "")]
    [InlineData("%0: u8[n] = input(; \"u\")\n%1: u8[n] = const(; [255])\n%2: u8[n] = and(%0, %1)", "")]
    [InlineData("%0: bool[n] = input(; \"u\")\n%1: bool[n] = const(; [1])\n%2: bool[n] = or(%0, %1)", "const")]
    [InlineData(V + "%1: i32[n] = const(; [0])\n%2: i32[n] = xor(%1, %0)", "")]
    [InlineData(V + "%1: i32[n] = max(%0, %0)\n%2: i32[n] = or(%1, %1)", "")]
    [InlineData(V + "%1: i32[n] = const(; [0])\n%2: i32[n] = shr(%0, %1)", "")]
    [InlineData(V + "%1: i32[n] = not(%0)\n%2: i32[n] = not(%1)", "")]
    [InlineData(V + "%1: bool[n] = compare(%0, %0; le)\n%2: bool[n] = not(%1)", "const")]
    [InlineData("%0: f32[n] = input(; \"u\")\n%1: bool[n] = compare(%0, %0; eq)", "compare")]
    // Constants and exact conversions.
    [InlineData(V
        + "%1: f32[n] = const(; [nan])\n%2: bool[n] = compare(%1, %1; ge)\n%3: i32[n] = neg(%0)\n%4: i32[n] = select(%2, %0, %3)", "neg")]
    [InlineData(V
        + "%1: u8[n] = const(; [255])\n%2: u8[n] = const(; [1])\n%3: bool[n] = compare(%1, %2; gt)\n%4: i32[n] = neg(%0)\n%5: i32[n] = select(%3, %4, %0)", "neg")]
    [InlineData("%0: f16[n] = input(; \"u\")\n%1: f32[n] = convert(%0)\n%2: i8[n] = convert(%1)", "convert")]
    [InlineData("%0: f16[n] = input(; \"u\")\n%1: f32[n] = convert(%0)\n%2: f16[n] = convert(%1)", "")]
    [InlineData("%0: f32[n] = input(; \"u\")\n%1: f16[n] = convert(%0)\n%2: f32[n] = convert(%1)", "convert convert")]
    [InlineData("%0: i16[n] = input(; \"u\")\n%1: f32[n] = convert(%0)\n%2: i8[n] = convert(%1)", "convert convert")]
    [InlineData("%0: i16[n] = input(; \"u\")\n%1: f32[n] = convert(%0)\n%2: i32[n] = convert(%1)", "convert")]
    [InlineData("%0: i8[n] = input(; \"u\")\n%1: u16[n] = convert(%0)\n%2: i32[n] = convert(%1)", "convert convert")]
    [InlineData("%0: u8[n] = input(; \"u\")\n%1: i16[n] = convert(%0)\n%2: f16[n] = convert(%1)", "convert")]
    public void BeforeAndAfter(string body, string after)
    {
        var last = body[(body.LastIndexOf("\n%", StringComparison.Ordinal) + 1)..];
        Check($"graph @f {{\n{body}\nreturn({last[..last.IndexOf(':')]})\n}}", after);
    }

    private const string Regions = """
        graph @then {
          %0: f32[n] = input(; "x")
          %1: f32[n] = neg(%0)
          return(%1)
        }
        graph @else {
          %0: f32[n] = input(; "x")
          return(%0)
        }
        graph @body {
          %0: f32[n] = input(; "sum")
          %1: f32[n] = input(; "same")
          %2: f32[n] = input(; "x")
          %3: f32[n] = add(%0, %1)
          %4: f32[n] = max(%1, %2)
          return(%3, %1, %4)
        }

        """;

    [Theory]
    [InlineData("%1: bool = const(; [1])\n%2: f32[n] = if(%1, %0; @then,@else)\n%3: f32[n] = result(%2; 0)", "%3",
        "neg")]
    [InlineData("%1: bool = const(; [0])\n%2: f32[n] = if(%1, %0; @then,@else)\n%3: f32[n] = result(%2; 0)", "%3", "")]
    [InlineData("%1: f32[n] = scan(%0, %0, %0; @body,i.1<0,2)\n%2: f32[n] = result(%1; 0)\n%3: f32[0,n] = result(%1; 2)", "%2, %3", "const")]
    [InlineData("%1: f32[n] = scan(%0, %0, %0; @body,i.1<3,2)\n%2: f32[n] = result(%1; 0)\n%3: f32[n] = result(%1; 1)\n%4: f32[3,n] = result(%1; 2)",
        "%2, %3, %4", "scan result result")]
    public void ControlFlow(string body, string results, string after)
    {
        var simple = Check($"{Regions}graph @f {{\n%0: f32[n] = input(; \"a\")\n{body}\nreturn({results})\n}}", after);
        if (simple.Nodes.OfType<Scan>().SingleOrDefault() is { } scan)
            Assert.Equal((1, 2), (scan.Carried, scan.ResultTypes.Length));
    }

    private static Function Check(string text, string after)
    {
        var function = GraphReader.Read(text);
        Verifier.Verify(function);
        var simple = DeadCode.Run(Simplify.Run(function));
        Verifier.Verify(simple);
        Assert.Equal(after, string.Join(' ', simple.Nodes.Where(n => n is not Input).Select(n => n.Op)));
        var row = new OpCase("simplify", DType.F32, "", text, "", []);
        foreach (var n in (long[])[5, 1, 40])
        {
            var sizes = new Dictionary<string, long> { ["n"] = n };
            var inputs = row.Inputs(sizes);
            // An inexact conversion is one also in the reference.
            var options = new InterpreterOptions { RoundToDType = true };
            IReadOnlyList<ReferenceValue> Values(Function f) =>
                GraphInterpreter.Run(f, inputs, _ => throw new InvalidOperationException(), sizes, options);
            foreach (var (a, b) in Values(function).Zip(Values(simple)))
            {
                Assert.Equal(a.Shape, b.Shape);
                Assert.Equal(a.Integers, b.Integers);
                Assert.Equal(a.Values.Select(BitConverter.DoubleToInt64Bits),
                    b.Values.Select(BitConverter.DoubleToInt64Bits));
            }
        }
        return simple;
    }
}
