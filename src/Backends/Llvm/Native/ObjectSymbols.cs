// In: a relocatable object, and the names it may call. Out: its symbols, and its forbidden undefined ones.
using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// The symbol table of a 64-bit ELF object. LLVM may replace instructions by a call of the C library (fmaxf for a
/// compare and a select of f16): such an object links on one machine, fails on the next, and may run partly linked. So
/// every object is checked before it is linked, whether newly compiled or cached.
/// </summary>
internal sealed partial class ObjectSymbols
{
    private const int SymbolTable = 2;
    private const int HeaderLength = 64;
    private const int SectionLength = 64;
    private const int SymbolLength = 24;

    /// <summary>The C functions that objects may call: copies and fills.</summary>
    public static IReadOnlyList<string> Runtime { get; } = ["memcpy", "memset"];

    public HashSet<string> Defined { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Undefined { get; } = new(StringComparer.Ordinal);

    private ObjectSymbols()
    {
    }

    /// <exception cref="LlvmException">The bytes are not such an object.</exception>
    public static ObjectSymbols Of(ReadOnlySpan<byte> elf)
    {
        try
        {
            var symbols = new ObjectSymbols();
            symbols.Read(elf);
            return symbols;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw new LlvmException("an object is cut off");
        }
    }

    /// <summary>
    /// The undefined symbols that are neither in <see cref="Runtime"/> nor known to the caller; normally none.
    /// </summary>
    public IReadOnlyList<string> Unknown(Func<string, bool> isKnown) =>
        [.. Undefined.Where(s => !Runtime.Contains(s) && !isKnown(s))];

    /// <summary>The functions that a module's text declares: a driver's kernels.</summary>
    public static HashSet<string> Declared(string irText) =>
        [.. Declaration().Matches(irText).Select(m => m.Groups[1].Value)
            .Where(name => !name.StartsWith("llvm.", StringComparison.Ordinal))];

    [GeneratedRegex("""^declare [^@\n]*@"?([\w.$]+)"?\(""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Declaration();

    private void Read(ReadOnlySpan<byte> elf)
    {
        if (elf.Length < HeaderLength || !elf[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new LlvmException("bytes that are no 64-bit ELF object");
        var sections = checked((int)BinaryPrimitives.ReadInt64LittleEndian(elf[0x28..]));
        var count = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3c..]);
        for (var i = 0; i < count; i++)
        {
            var section = Section(elf, sections, i);
            if (BinaryPrimitives.ReadInt32LittleEndian(section[4..]) != SymbolTable) continue;
            var names = Section(elf, sections, BinaryPrimitives.ReadInt32LittleEndian(section[0x28..]));
            Read(Contents(elf, section), Contents(elf, names));
        }
    }

    private static ReadOnlySpan<byte> Section(ReadOnlySpan<byte> elf, int sections, int number) =>
        elf.Slice(checked(sections + number * SectionLength), SectionLength);

    private static ReadOnlySpan<byte> Contents(ReadOnlySpan<byte> elf, ReadOnlySpan<byte> section) =>
        elf.Slice(checked((int)BinaryPrimitives.ReadInt64LittleEndian(section[0x18..])),
            checked((int)BinaryPrimitives.ReadInt64LittleEndian(section[0x20..])));

    private void Read(ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> names)
    {
        for (; symbols.Length >= SymbolLength; symbols = symbols[SymbolLength..])
        {
            var name = names[checked((int)BinaryPrimitives.ReadUInt32LittleEndian(symbols))..];
            var text = Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
            // Symbols of sections and files are not used for linking.
            if (text.Length == 0 || (symbols[4] & 15) > 2) continue;
            if (BinaryPrimitives.ReadUInt16LittleEndian(symbols[6..]) == 0) Undefined.Add(text);
            else Defined.Add(text);
        }
    }
}
