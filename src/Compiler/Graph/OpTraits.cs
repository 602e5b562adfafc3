// The traits of operations, in one place: passes, fusion and lowering ask for a trait instead of listing kinds.
namespace Accelerate.Compiler.Graph;

/// <summary>Each class of nodes has to declare its own.</summary>
[Flags]
internal enum OpTraits
{
    None = 0,

    /// <summary>Each element of the result depends only on the operands' elements at the same place.</summary>
    Elementwise = 1,

    /// <summary>Elements are copied to places that depend on sizes only; some may be a fill.</summary>
    Movement = 2,

    /// <summary>A movement of one operand in which every element of the result is an element of the operand.</summary>
    View = 4,

    /// <summary>Reads at computed places: one out of range fails the call.</summary>
    ReadsAtValue = 8,

    /// <summary>Writes at computed places: one out of range fails the call.</summary>
    WritesAtValue = 16,

    /// <summary>Each element is combined from several of the operand's by a loop.</summary>
    Combines = 32,

    /// <summary>
    /// Costs more to compute than to load, and is worth a buffer: loops, and functions of many instructions.
    /// </summary>
    Costly = 64,
}
