"""Speaker's notes of old PowerPoint files, which office-oxide leaves out: records of the stream, [MS-PPT] 2.3."""

import struct
from collections.abc import Iterator

_CONTAINER = 0xF  # the version of a record that holds records
_SLIDES, _SLIDE, _NOTES, _NOTES_ATOM, _WIDE_TEXT, _TEXT = 0xFF0, 0x3F3, 0x3F0, 0x3F1, 0xFA0, 0xFA8
_DEEPEST = 60


def notes(document: bytes) -> dict[int, str]:
    """By the number of the slide, from 1. document: the stream "PowerPoint Document". What is damaged is left out."""
    order: list[int] = []
    found: dict[int, str] = {}
    for path, kind, data in _records(document):
        if kind == _SLIDE and path[-1:] == ((_SLIDES, 0),) and len(data) >= 16:
            order.append(struct.unpack_from("<I", data, 12)[0])
        elif kind == _NOTES:
            slide, text = _one(data)
            found[slide] = text  # of one saved again the later is the one that counts
    return {number: found[slide] for number, slide in enumerate(order, 1) if found.get(slide)}


def _one(data: bytes) -> tuple[int, str]:
    """The slide of some notes, and what they say."""
    slide, texts = 0, []
    for _, kind, own in _records(data):
        if kind == _NOTES_ATOM and len(own) >= 4:
            slide = struct.unpack_from("<I", own)[0]
        elif kind in {_WIDE_TEXT, _TEXT}:
            text = own.decode("utf-16-le" if kind == _WIDE_TEXT else "latin-1", "replace")
            texts.append(text.replace("\r", "\n").replace("\v", "\n").strip())
    return slide, "\n".join(text for text in texts if text and text != "*")  # "*": where the number of the page goes


def _records(data: bytes) -> Iterator[tuple[tuple[tuple[int, int], ...], int, bytes]]:
    """Every record: the containers it stands in (kind, instance), its kind, its data; a container before its own."""
    waiting: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(0, len(data), ())]
    while waiting:
        at, end, path = waiting.pop()
        if at + 8 > end:
            continue
        version, kind, size = struct.unpack_from("<HHI", data, at)
        begin, stop = at + 8, min(at + 8 + size, end)
        yield path, kind, data[begin:stop] if version & 15 != _CONTAINER or kind == _NOTES else b""
        waiting.append((stop, end, path))
        if version & 15 == _CONTAINER and len(path) < _DEEPEST:
            waiting.append((begin, stop, (*path, (kind, version >> 4))))
