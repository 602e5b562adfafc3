// Loops, branches, assignments and effects: every backend gives what the hand-written graphs mean, in the same bytes.
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Kernels.Lowering;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Control;

public class ControlTests
{
    public static TheoryData<string> Names => [.. Programs.All.Keys];

    private static Program Lowered(string text)
    {
        var function = GraphReader.Read(text);
        Verifier.Verify(function);
        var program = Lowering.Lowered.Plain(function);
        foreach (var kernel in program.Kernels) KernelVerifier.Verify(kernel);
        return program;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheTextReadsBack(string name)
    {
        var program = Lowered(Programs.All[name].Text);
        var text = ProgramPrinter.Print(program);
        Assert.Equal(text, ProgramPrinter.Print(ProgramReader.Read(text)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void CopiesAreThoseThatHaveTo(string name)
    {
        var program = Lowered(Programs.All[name].Text);
        Assert.True(Programs.All[name].Copies == program.Copies,
            $"{program.Copies} copies\n{ProgramPrinter.Print(program)}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheInterpreterGivesWhatTheGraphMeans(string name) => Check(name, p => new InterpreterExecutable([p]));

    [LlvmFact]
    public void LlvmGivesTheSame()
    {
        foreach (var name in Programs.All.Keys)
            foreach (var target in new[] { "host", "x86-64-v3", "x86-64" }.Where(LlvmExecutable.CanRun))
                foreach (var level in new[] { 0, 3 })
                    foreach (var threads in new[] { 1, 3 })
                        Check(name, p =>
                            new LlvmExecutable([p], new(target, level, Threads: threads, UseCache: false)));
    }

    [LlvmFact]
    public void StepsAreTimedThroughLoops()
    {
        foreach (var name in Programs.All.Keys)
        {
            Check(name, p => new LlvmExecutable([p], new(TimeSteps: true, UseCache: false)));
        }
    }

    [OpenClFact]
    public void OpenClRunsWhatItHasKernelsFor()
    {
        var ran = 0;
        foreach (var name in Programs.All.Keys)
        {
            try
            {
                Check(name, p => new OpenClExecutable([p]));
                ran++;
            }
            catch (LimitationException)
            {
            }
        }
        Assert.True(ran >= 9, $"{ran} of {Programs.All.Count}");
    }

    private static void Check(string name, Func<Program, Executable> create)
    {
        var sample = Programs.All[name];
        using var executable = create(Lowered(sample.Text));
        using var session = executable.CreateSession();
        var printed = new StringWriter();
        session.Output = printed;
        foreach (var (make, expected) in sample.Calls)
        {
            var inputs = make();
            var spec = executable.Entries[0];
            Tensor[] results =
                [.. session.Run(spec.Name, inputs, sample.Sizes), .. inputs.Where((_, i) => spec.Inputs[i].IsInout)];
            Assert.Equal(expected.Length, results.Length);
            for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], results[i].ToDoubles());
        }
        Assert.Equal(sample.Printed, printed.ToString());
    }
}
