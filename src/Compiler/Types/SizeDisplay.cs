// In: a size. Out: its text as a user of the language writes it, for messages and signatures.
using System.Text;

namespace Accelerate.Compiler.Types;

internal static class SizeDisplay
{
    public static string Of(Size size)
    {
        if (size.Terms.IsEmpty) return "0";
        var text = new StringBuilder();
        foreach (var term in size.Terms)
        {
            var magnitude = Math.Abs((decimal)term.Coefficient);
            if (text.Length > 0) text.Append(term.Coefficient < 0 ? " - " : " + ");
            else if (term.Coefficient < 0) text.Append('-');
            var factors = term.Atoms.Select(Of);
            if (magnitude != 1 || term.Atoms.IsEmpty) factors = factors.Prepend($"{magnitude}");
            text.Append(string.Join(" * ", factors) is var product && size.Terms.Length == 1
                && term.Atoms is [FloorDivAtom] && magnitude == 1
                ? product[1..^1] : product);
        }
        return text.ToString();
    }

    private static string Of(Atom atom) => atom switch
    {
        FloorDivAtom d => $"({Operand(d.Dividend)} // {Operand(d.Divisor)})",
        MinAtom m => $"min({Of(m.Left)}, {Of(m.Right)})",
        MaxAtom m => $"max({Of(m.Left)}, {Of(m.Right)})",
        _ => atom.Text,
    };

    private static string Operand(Size size) => size.Terms.Length > 1 ? $"({Of(size)})" : Of(size);
}
