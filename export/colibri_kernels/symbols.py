"""What a shared library shows and asks for, read from its bytes: ELF, Mach-O and PE, 64 bits, little-endian."""

import hashlib
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Symbols:
    """exports, imports: names. libraries: others that it wants loaded. machine: x86_64 or aarch64."""

    machine: str
    exports: frozenset[str]
    imports: frozenset[str]
    libraries: tuple[str, ...]


def symbols(data: bytes) -> Symbols:
    """Of a library's bytes. Raises ValueError for what is none of the three formats."""
    if data[:6] == b"\x7fELF\x02\x01":
        return _elf(data)
    if data[:4] == b"\xcf\xfa\xed\xfe":
        return _macho(data)
    if data[:2] == b"MZ":
        return _pe(data)
    raise ValueError(f"no shared library of 64 bits begins with {data[:8]!r}")


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()


def _elf(data: bytes) -> Symbols:
    machine = {62: "x86_64", 183: "aarch64"}[struct.unpack_from("<H", data, 18)[0]]
    (sections_at,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    # name, type, flags, address, offset, size, link, info, alignment, entry size
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, sections_at + size * i) for i in range(count)]
    exports: set[str] = set()
    imports: set[str] = set()
    libraries = []
    for _, kind, _, _, offset, length, link, _, _, entry in sections:
        names = sections[link][4] if link < count else 0
        if kind == 11:  # SHT_DYNSYM
            for at in range(offset + entry, offset + length, entry):
                name, info, _, section = struct.unpack_from("<IBBH", data, at)
                if info >> 4:  # STB_LOCAL is 0
                    (exports if section else imports).add(_text(data, names + name))
        if kind == 6:  # SHT_DYNAMIC
            pairs = [struct.unpack_from("<QQ", data, at) for at in range(offset, offset + length, 16)]
            libraries += [_text(data, names + value) for tag, value in pairs if tag == 1]  # DT_NEEDED
    return Symbols(machine, frozenset(exports), frozenset(imports), tuple(libraries))


def _commands(data: bytes) -> list[tuple[int, int]]:
    """Load commands of Mach-O: kind, and where."""
    (count,) = struct.unpack_from("<I", data, 16)
    found, at = [], 32
    for _ in range(count):
        kind, size = struct.unpack_from("<II", data, at)
        found.append((kind, at))
        at += size
    return found


def _macho(data: bytes) -> Symbols:
    machine = {0x0100_0007: "x86_64", 0x0100_000C: "aarch64"}[struct.unpack_from("<I", data, 4)[0]]
    exports: set[str] = set()
    imports: set[str] = set()
    libraries = []
    for kind, at in _commands(data):
        if kind & 0x7FFF_FFFF in {0xC, 0x18, 0x1F}:  # LC_LOAD_DYLIB, weak, re-exported
            libraries.append(_text(data, at + struct.unpack_from("<I", data, at + 8)[0]))
        if kind == 2:  # LC_SYMTAB
            first, count, names, _ = struct.unpack_from("<IIII", data, at + 8)
            for i in range(count):
                name, info, section, _, _ = struct.unpack_from("<IBBHQ", data, first + 16 * i)
                if info & 0xE0 or not info & 1 or info & 0x10:  # of a debugger, local, or private to the library
                    continue
                word = _text(data, names + name).removeprefix("_")
                (exports if info & 0x0E and section else imports).add(word)
    return Symbols(machine, frozenset(exports), frozenset(imports), tuple(libraries))


def signed(data: bytes) -> bool:
    """Whether Mach-O carries a signature whose hashes are those of its pages: what macOS on ARM wants before it runs
    them. (An ad hoc one: it names nobody.)"""
    for kind, at in _commands(data):
        if kind == 0x1D:  # LC_CODE_SIGNATURE; what it holds is big-endian
            start, _ = struct.unpack_from("<II", data, at + 8)
            (blobs,) = struct.unpack_from(">I", data, start + 8)
            index = [struct.unpack_from(">II", data, start + 12 + 8 * i) for i in range(blobs)]
            directory = start + next(offset for slot, offset in index if slot == 0)
            hashes, _, _, slots, limit, size, method, _, page = struct.unpack_from(">IIIIIBBBB", data, directory + 16)
            if (size, method) != (32, 2):  # SHA-256
                return False
            pages = [data[first : min(first + (1 << page), limit)] for first in range(0, limit, 1 << page)]
            stored = [data[directory + hashes + 32 * i :][:32] for i in range(slots)]
            return stored == [hashlib.sha256(each).digest() for each in pages]
    return False


def _pe(data: bytes) -> Symbols:
    (head,) = struct.unpack_from("<I", data, 0x3C)
    if data[head : head + 4] != b"PE\0\0":
        raise ValueError("no PE file")
    machine = {0x8664: "x86_64", 0xAA64: "aarch64"}[struct.unpack_from("<H", data, head + 4)[0]]
    (count,) = struct.unpack_from("<H", data, head + 6)
    (optional,) = struct.unpack_from("<H", data, head + 20)
    table = head + 24 + optional
    sections = [struct.unpack_from("<IIII", data, table + 40 * i + 8) for i in range(count)]

    def place(address: int) -> int:
        for size, start, stored, offset in sections:
            if start <= address < start + max(size, stored):
                return int(offset + address - start)
        raise ValueError(f"no section holds address {address:#x}")

    exports: set[str] = set()
    imports: set[str] = set()
    libraries = []
    shown, _, asked, _ = struct.unpack_from("<IIII", data, head + 24 + 112)
    if shown:
        (names,) = struct.unpack_from("<I", data, place(shown) + 24)
        (names_at,) = struct.unpack_from("<I", data, place(shown) + 32)
        exports = {_text(data, place(struct.unpack_from("<I", data, place(names_at) + 4 * i)[0])) for i in range(names)}
    at = place(asked) if asked else 0
    while asked:
        lookup, _, _, name, address = struct.unpack_from("<IIIII", data, at)
        if not name:
            break
        libraries.append(_text(data, place(name)))
        thunk = place(lookup or address)
        while value := struct.unpack_from("<Q", data, thunk)[0]:
            imports.add(f"#{value & 0xFFFF}" if value >> 63 else _text(data, place(value) + 2))
            thunk += 8
        at += 20
    return Symbols(machine, frozenset(exports), frozenset(imports), tuple(libraries))
