#!/usr/bin/python3
"""weaken.py LIBRARY VERSION: marks a symbol version that an ELF library requires as weak, so that it loads where the
C++ library is older.

What the version stands for must then come from elsewhere: ios_init.cpp has the one symbol that TorchSharp's library
takes from GLIBCXX_3.4.32. A library that does not require the version, or has it weak, stays as it is."""
import struct
import sys

SECTION = '<IIQQQQIIQQ'  # name, type, flags, address, offset, size, link, info, alignment, entry size
NEED = '<HHIII'  # ELF's Verneed: version, count, file, first, next
NEEDED = '<IHHII'  # its Vernaux: hash, flags, other, name, next
VERNEED, WEAK = 0x6FFFFFFE, 2


def weaken(data, version):
    """Changes the bytes in place; how many requirements were changed."""
    start, = struct.unpack_from('<Q', data, 40)
    size, count = struct.unpack_from('<HH', data, 58)
    sections = [struct.unpack_from(SECTION, data, start + i * size) for i in range(count)]
    changed = 0
    for _, kind, _, _, need, _, link, files, *_ in sections:
        if kind != VERNEED:
            continue
        names = sections[link][4]
        for _ in range(files):
            _, versions, _, first, following = struct.unpack_from(NEED, data, need)
            place = need + first
            for _ in range(versions):
                _, flags, _, name, step = struct.unpack_from(NEEDED, data, place)
                text = data[names + name:data.index(0, names + name)].decode()
                if text == version and not flags & WEAK:
                    struct.pack_into('<H', data, place + 4, flags | WEAK)
                    changed += 1
                place += step
            need += following
    return changed


def main():
    path, version = sys.argv[1:]
    with open(path, 'rb') as file:
        data = bytearray(file.read())
    if weaken(data, version):
        with open(path, 'wb') as file:
            file.write(data)


if __name__ == '__main__':
    main()
