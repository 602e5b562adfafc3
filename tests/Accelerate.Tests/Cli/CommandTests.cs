// check, dump, fmt, explain, env and the commands that are not built: outputs, exit codes, determinism.
using Accelerate.Cli;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Cli;

public sealed class CommandTests : CommandLine
{
    /// <summary>Sizes that are parameters stand among the others, as they are declared.</summary>
    [Fact]
    public void CheckShowsParametersInTheirOrder()
    {
        Write("order.acc", "export fn f(k: int, x: f32[n, 2 * m], y: f32[m]) -> f32[n] = [i] => k * x[i, 0] + y[0]\n");
        Assert.StartsWith("export fn f(k: int, x: f32[n, 2 * m], y: f32[m]) -> f32[n]\n", Output("check", "order.acc"));
    }

    [Fact]
    public void CheckListsSignaturesChecksAndWhatWasNotElaborated()
    {
        var output = Output("check", "net.acc");
        Assert.StartsWith("""
            export fn apply(x: f32[n, 4]) -> f32[n, 3]
            export fn pair(x: f32[n, m], y: i32[n]) -> (twice: f32[n, m], same: i32[n])
            export fn scale(x: f32[n], k: int) -> f32[n]
            export fn even(x: f32[h], y: f32[2 * (h // 2)]) -> f32[h]
                checked in the call: 
            """, output);
        Assert.EndsWith("""
            state: 3 tensors, 18 values
            not elaborated, as no exported function calls them: unused

            """, output);
    }

    [Theory]
    [InlineData("pretty", "error[ACC2")]
    [InlineData("msbuild", "bad.acc(1,39): error ACC2")]
    [InlineData("json", "{\"code\":\"ACC2")]
    public void CheckReportsErrors(string format, string expected)
    {
        Write("bad.acc", "export fn f(x: f32[n]) -> f32[n] = x @ x @ y\n");
        var error = Error(1, "check", "bad.acc", "--diagnostics", format);
        Assert.Contains(format == "msbuild" ? "bad.acc(1," : expected, error);
    }

    [Fact]
    public void ManyErrorsAreCutShort()
    {
        Write("bad.acc",
            string.Concat(Enumerable.Range(0, 30).Select(i => $"export fn f{i}(x: f32[n]) -> f32[n] = x + y{i}\n")));
        var pretty = Error(1, "check", "bad.acc");
        Assert.Equal(20, pretty.Split("error[").Length - 1);
        Assert.EndsWith("… and 10 more; --diagnostics msbuild lists all, a line each\n", pretty);
        Assert.Equal(30, Error(1, "check", "bad.acc", "--diagnostics", "msbuild").Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("syntax", "file\n")]
    [InlineData("graph", "graph @apply {")]
    [InlineData("opt", "graph @apply {")]
    [InlineData("kernels", "# apply\nkernel @k0(")]
    [InlineData("program", "program @apply {")]
    public void DumpsAreDeterministic(string stage, string start)
    {
        var text = Output("dump", "net.acc", "--stage", stage);
        Assert.StartsWith(start, text);
        Assert.Equal(text, Output("dump", "net.acc", "--stage", stage));
        Assert.DoesNotContain(this[""], text);
    }

    [LlvmTheory]
    [InlineData("llvm", "; module acc_")]
    [InlineData("asm", "# module acc_")]
    public void DumpsOfCodeAreDeterministic(string stage, string start)
    {
        string[] command = ["dump", "net.acc", "--stage", stage, "--target", "x86-64-v3", "--function", "scale"];
        var text = Output(command);
        Assert.StartsWith(start, text);
        Assert.Equal(text, Output(command));
    }

    [Fact]
    public void DumpOfOneFunction()
    {
        Assert.DoesNotContain("@pair", Output("dump", "net.acc", "--stage", "graph", "--function", "scale"));
        Assert.Contains("__kernel", Output("dump", "net.acc", "--stage", "cl", "--function", "scale"));
        Assert.StartsWith("fn unused", Output("dump", "net.acc", "--stage", "syntax", "--function", "unused"));
        Assert.Contains("did you mean 'scale'?", Error(1, "dump", "net.acc", "--stage", "graph", "--function", "scal"));
    }

    [Fact]
    public void DumpAfterEachPass()
    {
        var text = Output("dump", "net.acc", "--stage", "opt", "--each", "--function", "scale");
        Assert.StartsWith("# after decompose\ngraph @scale {", text);
        Assert.Contains("# after dead-code\ngraph @scale {", text);
    }

    [Fact]
    public void ADumpedGraphRuns()
    {
        Write("scale.graph", Output("dump", "net.acc", "--stage", "graph", "--function", "scale"));
        Assert.Equal("f32[2]\n[2. 4.]\n",
            Output("run", "scale.graph", "scale", "x=[1,2]", "k=2", "--backend", "interpreter"));
        Write("no.graph", "nothing");
        Assert.Contains("this is no graph", Error(1, "check", "no.graph"));
    }

    [Theory]
    [InlineData("ptx", 3, "not supported: dump --stage ptx")]
    [InlineData("grpah", 2, "did you mean 'graph'?")]
    public void StagesThatDoNotExist(string stage, int code, string expected) =>
        Assert.Contains(expected, Error(code, "dump", "net.acc", "--stage", stage));

    [Fact]
    public void FmtRewritesOrChecks()
    {
        Write("ugly.acc", "export  fn f(x:f32[n])->f32[n]=x+1\n");
        Assert.Equal(1, Run("fmt", "--check", "ugly.acc").Code);
        Assert.Equal(0, Run("fmt", "ugly.acc").Code);
        Assert.Equal("export fn f(x: f32[n]) -> f32[n] = x + 1\n", File.ReadAllText(this["ugly.acc"]));
        Assert.Equal("", Output("fmt", "--check", "ugly.acc"));
        Write("broken.acc", "export fn f(\n");
        Assert.Contains("error[ACC1", Error(1, "fmt", "broken.acc"));
        Assert.Equal("export fn f(\n", File.ReadAllText(this["broken.acc"]));
        Assert.Equal(["broken.acc", "net.acc", "ugly.acc"],
            Directory.GetFiles(this["."]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void ExplainKnowsEveryCode()
    {
        foreach (var code in Codes.All) Assert.StartsWith($"{code.Id}: {code.Title}\n\n", Output("explain", code.Id));
        Assert.Equal(Output("explain", "ACC2004"), Output("explain", "2004"));
        Assert.Contains("there is no code 'ACC0000'", Error(1, "explain", "ACC0000"));
    }

    [Fact]
    public void EnvSaysWhatIsThere()
    {
        var lines = Output("env").Split('\n').Select(l => l.Split(' ')[0]).ToList();
        foreach (var name in (string[])["accc", ".NET", "cpu", "threads", "llvm", "opencl", "cache"])
            Assert.Contains(name, lines);
    }

    [Theory]
    [InlineData("build")]
    [InlineData("inspect")]
    [InlineData("quantize")]
    [InlineData("tune")]
    [InlineData("lsp")]
    [InlineData("serve")]
    public void PlannedCommandsSaySo(string name)
    {
        var error = Error(3, name, "net.acc", "--whatever", "1");
        Assert.StartsWith($"error: not supported: accc {name}\n  = help: ", error);
    }

    [Fact]
    public void ABugLeavesAReproducer()
    {
        var text =
            Reproducer.Write(["run", this["net.acc"], "apply", "x=[1, 2]"], new InvalidOperationException("boom"));
        Assert.StartsWith("error[ACC9001]: compiler bug: boom\n  = help: ", text);
        var folder = text.Split("help: ")[1].Split(" has the source")[0];
        Assert.Equal(Model, File.ReadAllText(Path.Combine(folder, "net.acc")));
        Assert.EndsWith("apply 'x=[1, 2]'\n", File.ReadAllText(Path.Combine(folder, "command.txt")));
        Assert.Contains("boom", File.ReadAllText(Path.Combine(folder, "stack.txt")));
        Directory.Delete(folder, recursive: true);
    }
}
