"""The RTF of Outlook's messages: unpacked ([MS-OXRTFCP]), and the words of it, also where a page is wrapped in it."""

import io
import re
import struct

from colibri.files.source import Budget
from colibri.files.text import Unreadable

_START = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = re.compile(rb"\\([a-z]+)(-?\d+)? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]+)", re.DOTALL)
_HIDDEN = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer"})
_SHOWN = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"cell": "\t", b"tab": "\t", b"emdash": "—", b"endash": "–",
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•",
}  # fmt: skip
_DEEPEST = 1_000


def unpacked(data: bytes, budget: Budget) -> bytes:
    """RTF from its compressed form: LZ77 over a ring of 4,096 bytes that begins with common words of RTF."""
    if len(data) < 16:
        raise Unreadable("is damaged (no header)")
    size, kind = struct.unpack_from("<I4s", data, 4)
    if kind == b"MELA":
        return data[16 : 16 + size]
    if kind != b"LZFu":
        raise Unreadable(f"is damaged (compressed as {kind!r}, wanted LZFu or MELA)")
    return budget.unpack(io.BytesIO(_unwound(data, min(size, budget.part_bytes + 1))), "the message's RTF")


def _unwound(data: bytes, size: int) -> bytes:
    ring = bytearray(_START.ljust(4_096, b" "))
    out, write, at = bytearray(), len(_START), 16
    while at < len(data) and len(out) < size:
        flags = data[at]
        at += 1
        for bit in range(8):
            piece: bytes | bytearray = data[at : at + 1]
            if flags >> bit & 1:
                pair = int.from_bytes(data[at : at + 2], "big")
                start, length = pair >> 4, (pair & 15) + 2
                if start == write or at + 2 > len(data):  # the end, or what is left of one
                    return bytes(out)
                piece, at = bytearray(), at + 2
                for step in range(length):
                    piece.append(ring[(start + step) % 4_096])
                    ring[(write + step) % 4_096] = piece[-1]
            elif piece:
                at += 1
                ring[write] = piece[0]
            out += piece
            write = (write + len(piece)) % 4_096
    return bytes(out)


def words(rtf: bytes) -> str:
    """What the RTF says. Of a page in RTF (\\fromhtml) its tags are hidden, and so is what stands for them."""
    reader = _Words()
    for token in _TOKEN.finditer(rtf):
        reader.take(token)
    return reader.text()


class _Words:
    """The state of a walk through RTF. skip: characters to pass after a \\u; left: those still to pass."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._bytes = bytearray()
        self._codec = "cp1252"
        self._skip, self._left = 1, 0
        self._hidden = [False]
        self._muted = False

    def take(self, token: re.Match[bytes]) -> None:
        word, number, code, sign, brace, text = token.groups()
        if code is None:
            self._flush()
        shown = not self._hidden[-1] and not self._muted
        if brace == b"{":
            self._hidden.append(self._hidden[-1] or len(self._hidden) >= _DEEPEST)
        elif brace:
            del self._hidden[max(len(self._hidden) - 1, 1) :]
        elif sign == b"*" or word in _HIDDEN:
            self._hidden[-1] = True
        elif word is not None:
            self._word(word, None if number is None else int(number), shown)
        elif shown and code is not None:
            if self._left:
                self._left -= 1
            else:
                self._bytes += bytes.fromhex(code.decode())
        elif shown:
            found = (text or {b"~": b"\xa0"}.get(sign, sign if sign in b"\\{}" else b"")).decode(self._codec, "replace")
            self._out.append(found[self._left :])
            self._left = max(0, self._left - len(found))

    def _word(self, word: bytes, number: int | None, shown: bool) -> None:
        if word == b"htmlrtf":
            self._muted = number != 0
        elif word == b"ansicpg":
            self._codec = _known(f"cp{number or 1252}")
        elif word == b"uc":
            self._skip = 1 if number is None else max(number, 0)
        elif word == b"u" and shown:
            self._out.append(chr((number or 63) & 0xFFFF))
            self._left = self._skip
        elif shown:
            self._out.append(_SHOWN.get(word, ""))

    def text(self) -> str:
        self._flush()
        # Two \\u make one character beyond U+FFFF.
        return "".join(self._out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").strip()

    def _flush(self) -> None:
        if self._bytes:
            self._out.append(self._bytes.decode(self._codec, "replace"))
            self._bytes.clear()


def _known(codec: str) -> str:
    try:
        return "".encode(codec).decode() or codec
    except LookupError:
        return "cp1252"
