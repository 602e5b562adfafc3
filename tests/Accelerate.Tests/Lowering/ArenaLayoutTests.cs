// The arena: nothing that is alive at the same step shares memory, and no more is taken than that needs, on every
// model.
using Accelerate.Compiler;
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Xunit.Abstractions;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Lowering;

public sealed class ArenaLayoutTests(ITestOutputHelper output)
{
    /// <summary>
    /// PERFORMANCE.md: with sizes pinned, the arena is at most 1.05 x the largest set of live values, in whole lines.
    /// </summary>
    [Theory]
    [InlineData("models/resnet50", "classify", "n=1 x_2=224 x_3=224")]
    [InlineData("models/mobilenetv2", "classify", "n=1 x_2=224 x_3=224")]
    [InlineData("models/vit", "classify", "n=1")]
    [InlineData("models/bert", "encode", "b=1 t=128")]
    [InlineData("models/gpt2", "forward", "b=1 t=1 cap=128")]
    [InlineData("models/gpt2", "generate", "b=1 p=5 count=20")]
    [InlineData("models/llama", "forward", "b=1 t=1 cap=128")]
    [InlineData("models/unet", "denoise", "n=1 h=32 w=32")]
    [InlineData("models/t5", "run", "b=1 s=20 t=10")]
    [InlineData("models/whisper", "run", "b=1 t=10")]
    [InlineData("models/lstm", "run", "n=2 t=30 i=40 h=50")]
    [InlineData("models/gru", "run", "n=2 t=30 i=40 h=50")]
    [InlineData("models/qwen", "forward", "b=1 t=1 cap=128")]
    [InlineData("models/clip", "similarity", "n=1 m=2 t=20")]
    [InlineData("models/detr", "detect", "n=1 x_2=256 x_3=256")]
    [InlineData("models/wav2vec2", "encode", "n=1 samples=16000")]
    [InlineData("models/yolov5", "detect", "n=1 h=256 w=256")]
    [InlineData("mnist_cnn", "log_probs", "n=32")]
    [InlineData("mlp", "predict", "n=64")]
    public void TakesHardlyMoreThanWhatIsAlive(string file, string entry, string given)
    {
        var values = given.Split(' ').Select(s => s.Split('=')).ToDictionary(s => s[0], s => long.Parse(s[1]));
        var compilation = Compilation.FromFile(Path.Combine(Shared.Repository, "examples", file + ".acc"),
            new CompilationOptions { Entries = [entry] });
        Assert.Empty(compilation.Diagnostics);
        var program = Assert.Single(compilation.Programs);
        foreach (var part in (Program?[])[program, program.Setup])
        {
            if (part is null) continue;
            var layout = new ArenaLayout(part, name => values[name]);
            output.WriteLine($"{file} {part.Name} {given}: alive at once {layout.LiveMaximum} B, {layout.LiveMaximumInLines} in lines, "
                + $"arena {layout.Bytes}, {layout.Bytes / Math.Max(1.0, layout.LiveMaximumInLines):0.000}");
            Assert.InRange(layout.Bytes, layout.LiveMaximumInLines, (long)(1.05 * layout.LiveMaximumInLines));
            Assert.True(layout.LiveMaximum <= layout.LiveMaximumInLines);
            Apart(part, layout, name => values[name]);
            // The same sizes as constants: the compiler comes to the offsets that a call does.
            var pinned = CallPlan.Of([], part.Plan.Temporaries.Select(t =>
                t with { Bytes = t.Bytes.Substitute(name => values[name]) }), []);
            Assert.Equal(layout.Bytes, pinned.Arena!.Bytes);
            Assert.Equal(part.Plan.Temporaries.Select(t => layout.Offsets[t.Buffer]), pinned.Arena.Offsets);
        }
    }

    /// <summary>Lives by hand, whose best arrangement is known: 3 lines at most are alive, and 3 hold all.</summary>
    [Fact]
    public void PacksByLivesWhateverTheSlots()
    {
        var program = ProgramReader.Trusted("""
            program @f {
              sizes(n)
              temporary(t0: f32[n], "")
              temporary(t1: f32[2*n], "")
              temporary(t2: f32[n], "")
              temporary(t3: f32[2*n], "")
              temporary(t4: f32[0], "")
              plan {
                slot(0, 4*n)
                live(t0, 4*n, 0, 1, slot 0)
                live(t1, 8*n, 1, 2, slot 0)
                live(t2, 4*n, 2, 3, slot 0)
                live(t3, 8*n, 3, 4, slot 0)
                live(t4, 0, 0, 4, slot 0)
              }
            }
            """);
        var layout = new ArenaLayout(program, _ => 16);
        Assert.Equal(3 * 64, layout.Bytes);
        Assert.Equal(3 * 64, layout.LiveMaximum);
        // 15 floats are 60 bytes in a line of 64.
        layout = new ArenaLayout(program, _ => 15);
        Assert.Equal((180, 192, 192), (layout.LiveMaximum, layout.LiveMaximumInLines, layout.Bytes));
        Assert.Equal(ProgramPrinter.Print(program),
            ProgramPrinter.Print(ProgramReader.Trusted(ProgramPrinter.Print(program))));
        Assert.Throws<OverflowException>(() => new ArenaLayout(program, _ => long.MaxValue / 8));
    }

    /// <summary>Sizes that are pinned make the arena a constant of the program, which its text has.</summary>
    [Fact]
    public void PinnedSizesPinTheArena()
    {
        const string source = """
            use nn
            export fn f(x: f32[n, 300], w: f32[300, 40]) -> f32[n, 40] = softmax(x @ w)
            """;
        Program Of(params (string, long)[] dims)
        {
            var compilation = Compilation.FromSource(new("f.acc", source), new CompilationOptions
            {
                Binding = new BindOptions { Dims = dims.ToDictionary(d => d.Item1, d => d.Item2) },
            });
            Assert.Empty(compilation.Diagnostics);
            return Assert.Single(compilation.Programs);
        }
        Assert.Null(Of().Plan.Arena);
        Assert.DoesNotContain("arena(", ProgramPrinter.Print(Of()), StringComparison.Ordinal);
        var pinned = Of(("n", 7));
        Assert.NotEmpty(pinned.Plan.Temporaries);
        Assert.Equal(new ArenaLayout(Of(), _ => 7).Bytes, pinned.Plan.Arena!.Bytes);
        Assert.Contains($"arena({pinned.Plan.Arena.Bytes})", ProgramPrinter.Print(pinned), StringComparison.Ordinal);
    }

    /// <summary>
    /// From the steps alone: outside of loops and branches, a temporary keeps its memory from the first step that names
    /// it to the last. The lives of the program must cover that, and the memory of two such must not overlap.
    /// </summary>
    private static void Apart(Program program, ArenaLayout layout, Func<string, long> sizes)
    {
        var uses = new Dictionary<int, (int First, int Last)>();
        var steps = program.Steps;
        for (var at = 0; at < steps.Length; at++)
            foreach (var buffer in Named(program, steps[at])
                .Where(b => program.Buffers[b].Kind == BufferKind.Temporary))
                uses[buffer] = uses.TryGetValue(buffer, out var known) ? (known.First, at) : (at, at);
        (long Begin, long End) Place(int b) =>
            (layout.Offsets[b], layout.Offsets[b]
                + (program.Buffers[b].Type.Count.Evaluate(sizes) * program.Buffers[b].Type.DType.Bytes()));
        var all = uses.ToList();
        // Used in one and the same loop or branch, two may take turns; what is used in two steps of the outside may
        // not.
        bool Inside((int First, int Last) life) =>
            life.First == life.Last && steps[life.First] is LoopStep or WhileStep or IfStep;
        for (var i = 0; i < all.Count; i++)
        {
            var ((b, life), place) = ((all[i].Key, all[i].Value), Place(all[i].Key));
            Assert.True(place.End <= layout.Bytes
                && place.Begin % ArenaPacker.Line == 0, $"{program.Buffers[b].Name} at {place}");
            for (var j = 0; j < i; j++)
            {
                var (other, otherLife) = (all[j].Key, all[j].Value);
                if (life.First > otherLife.Last || otherLife.First > life.Last || (Inside(life) && Inside(otherLife)))
                    continue;
                var second = Place(other);
                Assert.True(place.End <= second.Begin || second.End <= place.Begin,
                    $"{program.Buffers[b].Name} at {place} and {program.Buffers[other].Name} at {second}");
            }
        }
    }

    private static IEnumerable<int> Named(Program program, Step step) => step switch
    {
        CallStep c => c.Buffers,
        CopyStep c => [c.From, c.To],
        SizeStep s => [s.From],
        LoopStep l => l.Body.SelectMany(s => Named(program, s)),
        WhileStep w => w.Condition.Concat(w.Body).SelectMany(s => Named(program, s)).Append(w.Test),
        IfStep i => i.Then.Concat(i.Else).SelectMany(s => Named(program, s)).Append(i.Test),
        PrintStep p => p.Buffers,
        AssertStep a => a.Buffers.Append(a.Test),
        _ => [],
    };
}
