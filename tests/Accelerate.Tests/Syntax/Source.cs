// Program text comes in; its tree, as printed, or its diagnostics, as one line each, go out: what these tests compare.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;

namespace Accelerate.Tests.Syntax;

internal static class Source
{
    /// <summary>The tree of a program without mistakes.</summary>
    public static FileSyntax Parse(string text, string path = "t.acc")
    {
        var bag = new DiagnosticBag();
        var file = Parser.Parse(new SourceText(path, text), bag);
        Assert.True(bag.Count == 0, PrettyRenderer.Render(bag.Sorted()));
        return file;
    }

    /// <summary>The printed tree of an expression.</summary>
    public static string Expression(string text)
    {
        var file = Parse($"let x = {text}");
        return SyntaxPrinter.Print(((ConstantSyntax)file.Items[0]).Value).TrimEnd('\n');
    }

    /// <summary>The printed tree of a function's statements.</summary>
    public static string Statements(string text)
    {
        var file = Parse($"fn f() {{\n{text}\n}}");
        return SyntaxPrinter.Print(((FunctionSyntax)file.Items[0]).Body).TrimEnd('\n');
    }

    /// <summary>The printed tree of a file.</summary>
    public static string File(string text) => SyntaxPrinter.Print(Parse(text)).TrimEnd('\n');

    /// <summary>`line:column+length code message` for each mistake.</summary>
    public static string[] Mistakes(string text)
    {
        var bag = new DiagnosticBag();
        Parser.Parse(new SourceText("t.acc", text), bag);
        return [.. bag.Sorted().Select(d => $"{d.Span.Line}:{d.Span.Column}+{d.Span.Length} {d.Code} {d.Message}")];
    }

    /// <summary>The only mistake of a text.</summary>
    public static Diagnostic Mistake(string text)
    {
        var bag = new DiagnosticBag();
        Parser.Parse(new SourceText("t.acc", text), bag);
        return Assert.Single(bag.Sorted());
    }
}
