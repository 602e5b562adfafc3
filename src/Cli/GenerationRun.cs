// In: a step function, the lengths of prompt and text. Out: a line of JSON with the times of texts and of their tokens.
using System.Diagnostics;
using Accelerate.Bench;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>`accc time … --prompt 64 --tokens 16`.</summary>
internal sealed class GenerationRun
{
    private readonly Generation generation;
    private readonly int prompt;
    private readonly int count;
    private readonly string name;

    private GenerationRun(Program program, int prompt, int count) =>
        (generation, this.prompt, this.count, name) = (new(program), prompt, count, program.Name);

    /// <summary>The arguments that complete the user's.</summary>
    public Func<string[], IEnumerable<string>> Words => given => generation.Words(given, prompt, count);

    /// <summary>Null if no text is requested.</summary>
    /// <param name="isOther">Whether the command line also asks for another kind of measurement.</param>
    public static GenerationRun? Make(Program program, int? prompt, int? tokens, bool isOther)
    {
        if (prompt is null && tokens is null) return null;
        if (prompt is not { } length || tokens is not { } count)
            throw CommonOptions.Usage("--prompt and --tokens belong together", "--prompt 64 --tokens 16");
        if (length < 1) throw CommonOptions.Usage($"--prompt {length}: a prompt has 1 token or more", "--prompt 64");
        if (count < 2) throw CommonOptions.Usage($"--tokens {count}: a text has 2 tokens or more", "--tokens 16");
        if (isOther)
        {
            throw CommonOptions.Usage("--prompt is a measurement of its own",
                "leave --scenario, --kernels and --graph out");
        }
        try
        {
            return new(program, length, count);
        }
        catch (FormatException e)
        {
            throw CommonOptions.Usage(e.Message, "examples/models/gpt2.acc has one: last");
        }
    }

    /// <param name="output">The file for the first text, [batch, tokens]; null for none.</param>
    /// <exception cref="InternalErrorException">A later text differs.</exception>
    public Measurement Measure(Session session, Tensor[] inputs, IReadOnlyDictionary<string, long> sizes,
        double seconds, string? output)
    {
        GeneratedText Text() => generation.Run((given, at) => session.Run(name, given, at), inputs, sizes, count);
        var first = Text();
        var sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
        long[] tokens = [.. first.Tokens.Cast<long>()];
        if (output is not null)
        {
            using var written = Tensor.From(tokens, first.Tokens.GetLength(0), count);
            Npy.Write(output, written);
        }
        List<GeneratedText> texts = [];
        var samples = CallSamples.Take(seconds, () => texts.Add(Text()));
        if (!texts.All(t => t.Tokens.Cast<long>().SequenceEqual(tokens)))
            throw new InternalErrorException($"'{name}' gave another text in a later, timed call");
        // The last ones, because the earlier ones were warm-up.
        texts = texts[^Math.Min(texts.Count, samples.Elapsed.Count)..];
        return Measurement.Of(samples, 1) with
        {
            FirstTokenUs = 1e6 * SampleSummary.Of([.. texts.Select(t => t.First)]).Median,
            NextTokenUs = 1e6 * SampleSummary.Of([.. texts.SelectMany(t => t.Next)]).Median,
            Tokens = tokens.Length,
            Rechecked = texts.Count,
            Flops = generation.Flops(sizes, count),
            FirstResultMs = sinceStart.TotalMilliseconds,
        };
    }
}
