// In: all that a command prints. Out: the same on the stream it goes to, with nothing in it that a terminal obeys.
using System.Text;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli;

/// <summary>
/// Names, source lines, dumps and what programs print come from whoever wrote the file: they pass through here, whether
/// the stream is a terminal or not, so that a log shows what a terminal showed.
/// </summary>
internal sealed class VisibleWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => inner.Write(VisibleText.Lines(value.ToString()));

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        if (value is not null) inner.Write(VisibleText.Lines(value));
    }

    public override void WriteLine(string? value) => Write(value + "\n");

    public override void Flush() => inner.Flush();
}
