# SPDX-License-Identifier: GPL-2.0
"""What the checks need to know about 64-bit little-endian object files."""

import struct

SHT_NOBITS, SHT_RELA, SHT_SYMTAB = 8, 4, 2
SHF_ALLOC = 2


class Object:
    """Sections of one relocatable file, and what is relocated in them."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: not a 64-bit little-endian ELF file")
        offset, = struct.unpack_from("<Q", self.data, 40)
        size, number, names = struct.unpack_from("<HHH", self.data, 58)
        self.headers = [struct.unpack_from("<IIQQQQIIQQ", self.data,
                                           offset + i * size)
                        for i in range(number)]
        self.names = [self.string(names, header[0]) for header in self.headers]

    def string(self, table, offset):
        start = self.headers[table][4] + offset
        return self.data[start:self.data.index(b"\0", start)].decode()

    def content(self, index):
        header = self.headers[index]
        if header[1] == SHT_NOBITS:
            return struct.pack("<Q", header[5])
        return self.data[header[4]:header[4] + header[5]]

    def symbol(self, table, index):
        """Name of a symbol; a section's own symbol has the section's name."""
        at = self.headers[table][4] + 24 * index
        name, info, _, section, value, _ = struct.unpack_from(
            "<IBBHQQ", self.data, at)
        if info & 15 == 3:
            return self.names[section]
        return self.string(self.headers[table][6], name) or f"{section}:{value}"

    def relocations(self, index):
        """[(offset, type, symbol, addend)] of a SHT_RELA section."""
        table = self.headers[index][6]
        return [(offset, info & 0xffffffff, self.symbol(table, info >> 32), addend)
                for offset, info, addend in struct.iter_unpack(
                    "<QQq", self.content(index))]

    def allocated(self):
        """{section: (content, relocations)} of all that is loaded."""
        found = {}
        for i, header in enumerate(self.headers):
            if header[2] & SHF_ALLOC:
                found.setdefault((self.names[i], "content"), []).append(
                    self.content(i))
            elif header[1] == SHT_RELA and \
                    self.headers[header[7]][2] & SHF_ALLOC:
                found.setdefault((self.names[i], "relocations"), []).append(
                    self.relocations(i))
        return found

    def references(self, symbol):
        """{section: number of relocations against symbol}."""
        found = {}
        for i, header in enumerate(self.headers):
            if header[1] == SHT_RELA and self.headers[header[7]][2] & SHF_ALLOC:
                number = sum(name == symbol
                             for _, _, name, _ in self.relocations(i))
                if number:
                    found[self.names[header[7]]] = number
        return found
