// What a size's variable stands for is its kind, whatever users call their sizes.
using System.Text.RegularExpressions;
using Accelerate.Backends.Llvm;
using Accelerate.Compiler;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Kernels;

public sealed class VariableNameTests
{
    [Theory]
    [InlineData("n", nameof(VariableKind.Size))]
    [InlineData("v1", nameof(VariableKind.Size))]
    [InlineData("v", nameof(VariableKind.Size))]
    [InlineData("i.1", nameof(VariableKind.Driver))]
    [InlineData("m.2", nameof(VariableKind.Driver))]
    [InlineData("j0'", nameof(VariableKind.Loop))]
    [InlineData("d3.2'", nameof(VariableKind.Loop))]
    [InlineData("value1'", nameof(VariableKind.Loop))]
    [InlineData("v'", nameof(VariableKind.Loop))]
    [InlineData("v12'", nameof(VariableKind.Loaded))]
    [InlineData("v12'3", nameof(VariableKind.Loaded))]
    public void ANameSaysItsKind(string name, string wanted)
    {
        var kind = Enum.Parse<VariableKind>(wanted);
        Assert.Equal(kind, VariableName.KindOf(name));
        Assert.Equal(kind, new[] { VariableKind.Size, VariableKind.Driver, VariableKind.Loop, VariableKind.Loaded }
            .Single(k => (Size.Variable(name) * 2 + 1).Mentions(k)));
    }

    [Fact]
    public void NamesReadBack()
    {
        Assert.Equal(VariableKind.Loop, VariableName.KindOf(VariableName.Loop("k", 3)));
        Assert.Equal(VariableKind.Driver, VariableName.KindOf(VariableName.Driver("i", 1)));
        Assert.Equal(12, VariableName.LoadedId(new Value(12, DType.I64).IndexName));
        Assert.Equal(12, VariableName.LoadedId(VariableName.Loaded(12, 3)));
    }

    /// <summary>A size called as a loaded value's number once lost the code for maps that turn, and rows fetched
    /// ahead.</summary>
    [LlvmTheory]
    [InlineData("export fn f(x: f32[A, B, 3]) -> f32[3, A, B] = transpose(x, [2, 0, 1]) + 1")]
    [InlineData("export fn f(x: f32[A, B]) -> f32[B, A] = transpose(x) * 2")]
    [InlineData("use nn\nexport fn f(x: f32[A, B]) -> f32[A, B] = softmax(x)")]
    public void SizesMayHaveAnyName(string text)
    {
        IEnumerable<string> Of(string a, string b)
        {
            var compilation = Compilation.FromSource(new("f.acc", text.Replace("A", a).Replace("B", b)));
            Assert.True(compilation.Diagnostics.IsEmpty, string.Join('\n', compilation.Diagnostics));
            return LlvmExecutable.Modules(compilation.Programs, "x86-64-v4").Select(m => Regex.Replace(
                Regex.Replace(m.Text, "_[0-9a-f]{16}", "_"), $@"\b({a}|{b})\b", m => m.Value == a ? "A" : "B"));
        }
        Assert.Equal(Of("u1", "u2"), Of("v1", "v2"));
    }
}
