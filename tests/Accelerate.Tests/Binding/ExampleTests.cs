// Every example binds, but the one that shows a mistake; the programs of the design either bind or answer with
// limitations, never a crash.
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
        if (Path.GetFileName(path) == "mistake.acc")
        {
            Assert.Equal("ACC2004", Assert.Single(bag.All).Code.Id);
            return;
        }
        Assert.True(bag.ExitCode == 0, PrettyRenderer.Render(bag.Sorted()));
        Assert.All(program!.Entries, Verifier.Verify);
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
