// How weights of a contraction are laid out: known to the graph, which packs them, and to who reads them.
namespace Accelerate.Compiler.Types;

/// <summary>
/// Columns lie in panels: all of the contracted axis for the columns of one panel, then the next panel. The same for
/// every instruction set, so that packed weights are; narrower tiles walk parts of a panel.
/// </summary>
internal static class PanelLayout
{
    /// <summary>Columns of a panel: two vectors of 16 f32 lanes, the width of the widest register tile.</summary>
    public const int Columns = 32;
}
