"""Pages whose content does not unpack: PDFium reads what there is of it, or its packed bytes, and says nothing."""

import io
import re
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

_STREAM = re.compile(rb">>\s*stream\r?\n")
_ENTRIES = 1_000  # bytes before it that are looked at for what it says of itself
_FILTER = re.compile(rb"/Filter\s*(\[[^\]]*\]|/\w+)")
# Pictures, fonts, tables of the file, profiles of colours; what is left is drawn or tells letters.
_OTHER = re.compile(rb"/Type\b|/Subtype\s*/(?!Form\b)|/Length1\b|/N\s+\d|/FunctionType\b|/Width\b")
_KNOWN = frozenset(
    b"FlateDecode Fl LZWDecode LZW ASCII85Decode A85 ASCIIHexDecode AHx RunLengthDecode RL Crypt".split()
)
_CHUNK = 1 << 20


def damaged_pages(document: Any, data: bytes) -> tuple[set[int], set[int]]:
    """Pages, from 0, that cannot be unpacked at all, and those of which only a beginning can."""
    raw = import_module("pypdfium2.raw")
    if raw.FPDF_GetSecurityHandlerRevision(document) != -1:
        return set(), set()
    lost: list[bytes] = []
    cut: list[bytes] = []
    for packed, whole in _suspects(data):
        (cut if whole else lost).append(packed)
    if not lost and not cut:
        return set(), set()
    none: set[int] = set()
    partly: set[int] = set()
    for i in range(len(document)):
        page = _alone(document, i)
        if any(packed in page for packed in lost):
            none.add(i)
        elif any(packed in page for packed in cut):
            partly.add(i)
    return none, partly


def _suspects(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Packed bytes of streams that do not unpack, and whether a beginning of them does."""
    for found in _STREAM.finditer(data):
        entries = data[max(0, found.start() - _ENTRIES) : found.start()].rpartition(b" obj")[2]
        named = _FILTER.search(entries)
        if named is None or _OTHER.search(entries):
            continue
        end = data.find(b"endstream", found.end())
        packed = data[found.end() : end if end > 0 else None].rstrip(b"\r\n")
        names = re.findall(rb"/(\w+)", named[1])
        if not set(names) <= _KNOWN:
            yield packed, False
        elif names in ([b"FlateDecode"], [b"Fl"]) and packed:
            size, whole = _unpacked(packed)
            if not whole:
                yield packed, size > 0


def _unpacked(packed: bytes) -> tuple[int, bool]:
    """How many bytes come out, and whether to the end. The check sum behind it is often cut off and does not count."""
    if len(packed) < 2 or packed[0] & 15 != 8 or (packed[0] << 8 | packed[1]) % 31:
        return 0, False
    stream, size, rest = zlib.decompressobj(-15), 0, packed[2:]
    try:
        while rest and not stream.eof:
            size += len(stream.decompress(rest, _CHUNK))
            rest = stream.unconsumed_tail
    except zlib.error:
        return size, False
    return size, stream.eof


def _alone(document: Any, i: int) -> bytes:
    """A page as a file of its own, where its streams are as they were: PDFium does not tell which are whose."""
    pdfium = import_module("pypdfium2")
    one, file = pdfium.PdfDocument.new(), io.BytesIO()
    try:
        one.import_pages(document, [i])
        one.save(file)
    except pdfium.PdfiumError:
        return b""
    finally:
        one.close()
    return file.getvalue()
