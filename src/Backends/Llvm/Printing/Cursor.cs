// In: lines of elements that are read side by side, step by step. Out: LLVM code for the address of any element of a
// step.
using System.Globalization;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// One line is a moving pointer; several are fixed pointers with one moving distance common to all. The movement is
/// hidden from LLVM's loop strength reduction by a call that leaves no code and is removed after that pass: otherwise
/// the pass would weigh each address of each row against every other and come to the same result. ResNet-50's kernels
/// and drivers compile in 1.75 s of processor time instead of 2.3 s (`./accc run examples/models/resnet50.acc …
/// --time`, nothing cached).
/// </summary>
internal sealed class Cursor
{
    private readonly LlvmText text;
    private readonly string element;
    private readonly int bytes;
    private readonly string[] lines;
    private readonly string stride;
    private readonly bool isPointer;
    private readonly long? step;
    private readonly List<string> places = [];
    private string? slot;

    /// <param name="text">The function.</param>
    /// <param name="element">The LLVM type of the elements.</param>
    /// <param name="bytes">The size of an element in bytes.</param>
    /// <param name="lines">The starts of the lines.</param>
    /// <param name="stride">The elements from one step to the next.</param>
    public Cursor(LlvmText text, string element, int bytes, string[] lines, string stride)
    {
        (this.text, this.element, this.bytes, this.lines, this.stride) = (text, element, bytes, lines, stride);
        isPointer = lines.Length == 1;
        step = long.TryParse(stride, CultureInfo.InvariantCulture, out var known) ? known : null;
        places.Add(isPointer ? lines[0] : "0");
    }

    /// <summary>Called before the loops that use Open and Advance.</summary>
    public void Begin()
    {
        slot = text.Slot("ptr", 8);
        text.Do($"store ptr {(isPointer ? lines[0] : "null")}, ptr {slot}, align 8");
    }

    /// <summary>Begins an iteration.</summary>
    public void Open()
    {
        text.Declare("declare ptr @llvm.launder.invariant.group.p0(ptr)");
        var place = text.Value(
            $"call ptr @llvm.launder.invariant.group.p0(ptr {text.Value($"load ptr, ptr {slot}, align 8")})");
        text.Do($"store ptr {place}, ptr {slot}, align 8");
        places.Clear();
        places.Add(isPointer ? place : text.Value($"ptrtoint ptr {place} to i64"));
    }

    /// <summary>Ends an iteration of some steps.</summary>
    public void Advance(int steps)
    {
        var by = step is { } known ? $"{known * steps}" : text.Value($"mul i64 {stride}, {steps}");
        text.Do($"store ptr {Past(text.Value($"load ptr, ptr {slot}, align 8"), by)}, ptr {slot}, align 8");
    }

    /// <summary>The address of an element.</summary>
    /// <param name="line">Its line.</param>
    /// <param name="apart">The distance in elements from the line's own.</param>
    /// <param name="steps">The steps since the start of the iteration; requested in increasing order.</param>
    public string At(int line, long apart, int steps)
    {
        if (step is { } known)
        {
            apart += known * steps;
            steps = 0;
        }
        while (places.Count <= steps)
        {
            places.Add(isPointer
                ? Past(places[^1], stride)
                : text.Value($"add i64 {places[^1]}, {text.Value($"mul i64 {stride}, {bytes}")}"));
        }
        var from = isPointer ? places[steps]
            : text.Value($"getelementptr i8, ptr {lines[line]}, i64 {places[steps]}");
        return apart == 0 ? from : Past(from, $"{apart}");
    }

    private string Past(string pointer, string elements) =>
        text.Value($"getelementptr {element}, ptr {pointer}, i64 {elements}");
}
