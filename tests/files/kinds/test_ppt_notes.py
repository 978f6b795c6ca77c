"""Notes of old presentations belong to their slides, in whatever order they lie."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.ppt_notes import notes


def record(kind: int, data: bytes, instance: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4, kind, len(data)) + data


def holding(kind: int, *records: bytes, instance: int = 0) -> bytes:
    data = b"".join(records)
    return struct.pack("<HHI", instance << 4 | 15, kind, len(data)) + data


def slides(*numbers: int, instance: int = 0) -> bytes:
    own = (record(0x3F3, struct.pack("<IIIII", 0, 0, 0, number, 0)) for number in numbers)
    return holding(0x3E8, holding(0xFF0, *own, instance=instance))


def page(slide: int, *texts: bytes) -> bytes:
    own = (holding(0xF00D, text) for text in texts)
    return holding(0x3F0, record(0x3F1, struct.pack("<IHH", slide, 0, 0)), holding(0x40C, *own))


def wide(text: str) -> bytes:
    return record(0xFA0, text.encode("utf-16-le"))


def test_notes_go_to_their_slides() -> None:
    document = slides(300, 256, 301) + slides(700, instance=1)
    document += page(256, wide("Möwen\rzählen"), record(0xFA8, b"caf\xe9"), wide("*"))
    document += page(300, wide("First.")) + page(999, wide("of no slide"))
    assert notes(document) == {1: "First.", 2: "Möwen\nzählen\ncafé"}


def test_notes_saved_again_replace_those_before() -> None:
    assert notes(page(256, wide("old")) + slides(256) + page(256, wide("new"))) == {1: "new"}


@given(st.binary(max_size=200), st.integers(0, 150))
def test_what_is_damaged_is_left_out(data: bytes, length: int) -> None:
    whole = slides(256) + page(256, wide("A note."))
    assert isinstance(notes(data), dict)
    assert isinstance(notes(whole[:length] + data), dict)


def test_records_within_records_without_end() -> None:
    assert notes(struct.pack("<HHI", 15, 0x3E8, 0xFFFFFFFF) * 20_000) == {}
