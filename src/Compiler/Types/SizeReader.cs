// In: the text of a size. Out: the size in normal form. White space does not matter.
using Accelerate.Runtime;

namespace Accelerate.Compiler.Types;

/// <summary>
/// Reads the output of <see cref="Size.Text"/>; also the spelling a // b. Throws a FormatException with the position.
/// The grammar is that of <see cref="SizeText{T, TMaker}"/>, with which the runtime reads signatures.
/// </summary>
internal static class SizeReader
{
    public static Size Read(string text) => new SizeText<Size, Polynomials>(text, 0, default).All();

    /// <summary>Reads one size from the position on and leaves the position after it.</summary>
    public static Size Read(string text, ref int at)
    {
        var reader = new SizeText<Size, Polynomials>(text, at, default);
        try
        {
            return reader.Sum();
        }
        finally
        {
            at = reader.At;
        }
    }

    private readonly struct Polynomials : ISizeMaker<Size>
    {
        public Size Constant(long value) => value;

        public Size Variable(string name) => Size.Variable(name);

        public Size Sum(Size a, Size b) => a + b;

        public Size Difference(Size a, Size b) => a - b;

        public Size Product(Size a, Size b) => a * b;

        public Size FloorDiv(Size a, Size b) => Size.FloorDiv(a, b);

        public Size Mod(Size a, Size b) => Size.Mod(a, b);

        public Size Min(Size a, Size b) => Size.Min(a, b);

        public Size Max(Size a, Size b) => Size.Max(a, b);
    }
}
