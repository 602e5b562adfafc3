// What an operation is, said once: passes, fusion and lowering ask for a trait and not for a list of kinds.
namespace Accelerate.Compiler.Graph;

/// <summary>Each class of nodes declares its own; a new one has to.</summary>
[Flags]
internal enum OpTraits
{
    None = 0,

    /// <summary>An element of the result depends on the elements of the operands at the same place alone.</summary>
    Elementwise = 1,

    /// <summary>Elements are copied to places that sizes alone decide; some may be a fill.</summary>
    Movement = 2,

    /// <summary>A movement of one operand whose every element is one of the operand's.</summary>
    View = 4,

    /// <summary>Reads at places that are values: one out of range fails the call.</summary>
    ReadsAtValue = 8,

    /// <summary>Writes at places that are values: one out of range fails the call.</summary>
    WritesAtValue = 16,

    /// <summary>Each element is combined from several of the operand's by a loop.</summary>
    Combines = 32,

    /// <summary>
    /// Costs more to compute than to load, and is worth a buffer: what loops, and functions of many instructions.
    /// </summary>
    Costly = 64,
}
