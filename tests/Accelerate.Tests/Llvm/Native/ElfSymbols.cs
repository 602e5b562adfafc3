// In: a 64-bit little-endian ELF object. Out: the names of its defined and undefined symbols.
using System.Buffers.Binary;
using System.Text;

namespace Accelerate.Tests.Llvm.Native;

/// <summary>The symbol table of a relocatable object: .symtab, through the section headers.</summary>
internal sealed class ElfSymbols
{
    private const int SymbolTable = 2;
    private const int SymbolLength = 24;

    public SortedSet<string> Defined { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Undefined { get; } = new(StringComparer.Ordinal);

    public ElfSymbols(byte[] elf)
    {
        Assert.Equal("\u007fELF"u8.ToArray(), elf[..4]);
        var sections = (int)BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(0x28));
        var sectionLength = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(0x3a));
        var sectionCount = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(0x3c));
        for (var i = 0; i < sectionCount; i++)
        {
            var section = elf.AsSpan(sections + (i * sectionLength), sectionLength);
            if (BinaryPrimitives.ReadInt32LittleEndian(section[4..]) != SymbolTable)
                continue;
            var link = BinaryPrimitives.ReadInt32LittleEndian(section[0x28..]);
            Read(Contents(elf, section), Contents(elf, elf.AsSpan(sections + (link * sectionLength), sectionLength)));
        }
    }

    private static byte[] Contents(byte[] elf, ReadOnlySpan<byte> section)
    {
        var offset = (int)BinaryPrimitives.ReadInt64LittleEndian(section[0x18..]);
        return elf[offset..(offset + (int)BinaryPrimitives.ReadInt64LittleEndian(section[0x20..]))];
    }

    private void Read(byte[] symbols, byte[] names)
    {
        for (var at = 0; at < symbols.Length; at += SymbolLength)
        {
            var start = BinaryPrimitives.ReadInt32LittleEndian(symbols.AsSpan(at));
            var name = Encoding.UTF8.GetString(names.AsSpan(start, Array.IndexOf(names, (byte)0, start) - start));
            var section = BinaryPrimitives.ReadUInt16LittleEndian(symbols.AsSpan(at + 6));
            // Section and file symbols have no name of their own, or a type above "function".
            if (name.Length > 0 && (symbols[at + 4] & 15) <= 2)
                (section == 0 ? Undefined : Defined).Add(name);
        }
    }
}
