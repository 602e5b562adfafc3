// Every example binds; the programs of the design either bind or answer with limitations, never a crash.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

public sealed class ExampleTests
{
    public static TheoryData<string> Examples =>
        [.. Directory.GetFiles(Path.Combine(Shared.Repository, "examples"), "*.acc", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(Shared.Repository, f)).Order()];

    [Theory]
    [MemberData(nameof(Examples))]
    public void ExamplesBind(string path)
    {
        var bag = new DiagnosticBag();
        var program = Binder.Bind(SourceText.Read(Path.Combine(Shared.Repository, path)), new BindOptions(), bag);
        // An example may show what this version cannot compile yet; it is no mistake.
        Assert.True(bag.ExitCode is 0 or 3, PrettyRenderer.Render(bag.Sorted()));
        if (program is null) return;
        Assert.All(program.Entries, Verifier.Verify);
    }

    [SharedFact("design/language/programs")]
    public void ProgramsOfTheDesignNeverCrash()
    {
        foreach (var file in Directory.GetFiles(Shared.PathTo("design", "language", "programs"), "*.acc").Order())
        {
            var bag = new DiagnosticBag();
            Binder.Bind(SourceText.Read(file), new BindOptions(), bag);
            Assert.DoesNotContain(bag.All, d => d.Class == DiagnosticClass.CompilerBug);
        }
    }
}
