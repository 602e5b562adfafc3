// Program text comes in; graphs, or diagnostics as one line each, go out: what the tests of the binder compare.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Binding;

internal static class Bound
{
    /// <summary>A program without mistakes, verified.</summary>
    public static BoundProgram Program(string text, BindOptions? options = null)
    {
        var bag = new DiagnosticBag();
        var program = Binder.Bind(new SourceText("t.acc", text), options ?? new BindOptions(), bag);
        Assert.True(bag.Count == 0, PrettyRenderer.Render(bag.Sorted()));
        foreach (var entry in program!.Entries) Verifier.Verify(entry);
        foreach (var state in program.State) Verifier.Verify(state.Initializer);
        return program;
    }

    /// <summary>The graph of the first exported function.</summary>
    public static Function Function(string text, BindOptions? options = null) => Program(text, options).Entries[0];

    /// <summary>The operations of the first exported function but inputs, in order.</summary>
    public static string Ops(string text) =>
        string.Join(' ', Function(text).Nodes.Where(n => n is not Input).Select(n => n.Op));

    /// <summary>The diagnostics: `ACC2004 1:49 cannot contract 784 with 768`.</summary>
    public static IReadOnlyList<string> Errors(string text)
    {
        var bag = new DiagnosticBag();
        Binder.Bind(new SourceText("t.acc", text), new BindOptions(), bag);
        return [.. bag.Sorted().Select(d => $"{d.Code.Id} {d.Span.Line}:{d.Span.Column} {d.Headline}")];
    }

    /// <summary>The first result of the first exported function.</summary>
    public static ReferenceValue Run(string text, params ReferenceValue[] inputs) =>
        GraphInterpreter.Run(Function(text), inputs, _ => throw new InvalidOperationException("no state"),
            new Dictionary<string, long>())[0];

    /// <summary>f32 values of a shape: 0, 1, 2 …</summary>
    public static ReferenceValue Count(params long[] shape) =>
        ReferenceValue.Of(DType.F32, shape, [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b))
            .Select(i => (double)i)]);

    public static ReferenceValue Integers(params long[] values) =>
        ReferenceValue.Of(DType.I32, [values.Length], values);
}
