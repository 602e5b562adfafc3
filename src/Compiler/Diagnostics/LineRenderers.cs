// In: diagnostics. Out: one line for each, for tools: MSBuild's form, or a JSON object.
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>The form that MSBuild and editors recognise: `path(line,col): error ACC2004: message`.</summary>
internal static class MsBuildRenderer
{
    /// <summary>One line, without its end.</summary>
    public static string Render(Diagnostic d) =>
        VisibleText.Word($"{d.Span.Source.Path}({d.Span.Line},{d.Span.Column}): error {d.Code}: {d.Headline}");
}

/// <summary>One JSON object per line. Lines and columns count from 1; `length` is in UTF-16 units.</summary>
internal static class JsonRenderer
{
    // Quotes and non-ASCII letters of the user's text stay readable, as the output is not HTML. Control characters that
    // the encoder would leave are escaped afterwards.
    private static readonly JsonSerializerOptions Options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One line, without its end.</summary>
    public static string Render(Diagnostic d) => VisibleText.Word(JsonSerializer.Serialize(
        new
        {
            code = d.Code.Id,
            @class = d.Class switch
            {
                DiagnosticClass.Limitation => "limitation",
                DiagnosticClass.CompilerBug => "bug",
                _ => "error",
            },
            message = d.Headline,
            span = Place(d.Span),
            label = d.Label,
            secondary = d.Secondary.Select(l => new { span = Place(l.Span), label = l.Text }),
            help = d.Help,
            calls = d.Calls.Select(c => new { function = c.Function, span = Place(c.Span) }),
        },
        Options));

    private static object Place(Span s) =>
        new { path = s.Source.Path, line = s.Line, column = s.Column, length = s.Length };
}
