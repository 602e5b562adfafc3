// In: everything that a command prints. Out: the same on its stream, without terminal control characters.
using System.Text;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Cli;

/// <summary>
/// Names, source lines, dumps and printed text come from whoever wrote the file. They are filtered here whether or not
/// the stream is a terminal, so that a log shows the same as a terminal.
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
