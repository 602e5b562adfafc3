// The layout of a contraction's weights: shared by the graph, which packs them, and the code that reads them.
namespace Accelerate.Compiler.Types;

/// <summary>
/// Columns lie in panels: the whole contracted axis for the columns of one panel, then the next panel. It is the same
/// for every instruction set, so packed weights are too; narrower tiles walk parts of a panel.
/// </summary>
internal static class PanelLayout
{
    /// <summary>Columns of a panel: two vectors of 16 f32 lanes, the width of the widest register tile.</summary>
    public const int Columns = 32;
}
