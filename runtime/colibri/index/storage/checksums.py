"""What the CRC-32 of each row of SQLite says, and with a passage's also of the bytes behind it."""

import struct
import zlib

from colibri.index.storage.row_layout import RowKind


def segment_crc(number: int, passages: int, tokens: int, gone: bytes, kind: RowKind) -> int:
    """Of a row of segments, whose rows are of that kind.

    A program before int4 that has an index open while another one converts it takes such an entry for a damaged one,
    and so writes no int8 row behind int4 ones.
    """
    begun = 0 if kind == "int8" else zlib.crc32(kind.encode())
    return zlib.crc32(gone, zlib.crc32(struct.pack("<qqq", number, passages, tokens), begun))


def text_crc(text: bytes | None) -> int | None:
    """Of a text, which stands with its document: so that the rest can be checked without reading it."""
    return None if text is None else zlib.crc32(text)


def document_crc(number: int, found_id: str, passages: int, payload: str | None, text: int | None) -> int:
    """Of a document, wherever its passages lie. text: `text_crc` of its text."""
    crc = zlib.crc32(struct.pack("<qqq?", number, passages, -1 if text is None else text, payload is None))
    for part in (found_id.encode(), (payload or "").encode()):
        crc = zlib.crc32(part, zlib.crc32(struct.pack("<q", len(part)), crc))
    return crc


_PASSAGE = struct.Struct("<qqq")


def passage_crc(document: int, start: int, end: int, spans: bytes | None, rows: memoryview, scales: memoryview) -> int:
    """Of a passage and its rows, wherever they lie."""
    crc = zlib.crc32(_PASSAGE.pack(document, start, end))
    if spans is not None:
        crc = zlib.crc32(spans, crc)
    return zlib.crc32(rows, zlib.crc32(scales, crc))
