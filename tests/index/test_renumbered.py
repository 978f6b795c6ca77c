"""Checksums under other numbers are those that would be computed anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from colibri.index.storage.checksums import document_crc, passage_crc
from colibri.index.storage.renumbered import DOCUMENT_HEAD, PASSAGE_HEAD, renumbered

NUMBERS = st.integers(0, 2**63 - 1)
PASSAGES = st.tuples(
    NUMBERS, NUMBERS, st.integers(0, 2**40), st.none() | st.binary(max_size=60), st.binary(min_size=1, max_size=900)
)


@given(st.lists(PASSAGES, max_size=30))
def test_as_computed_anew(passages: list[tuple[int, int, int, bytes | None, bytes]]) -> None:
    def crcs(which: int) -> list[int]:
        return [
            passage_crc((before, after)[which], end // 2, end, spans, memoryview(rows), memoryview(rows[:4]))
            for before, after, end, spans, rows in passages
        ]

    found = renumbered(
        np.array(crcs(0), np.uint32),
        np.array([before for before, *_ in passages], np.int64),
        np.array([after for _, after, *_ in passages], np.int64),
        np.array(
            [PASSAGE_HEAD + len(spans or b"") + len(rows) + len(rows[:4]) for *_, spans, rows in passages], np.int64
        ),
    )
    assert found.tolist() == crcs(1)


def test_a_long_passage() -> None:
    rows = np.random.default_rng(1).bytes(3_000_000)
    before = passage_crc(1, 2, 3, None, memoryview(rows), memoryview(b""))
    after = passage_crc(70_000, 2, 3, None, memoryview(rows), memoryview(b""))
    assert renumbered(
        np.array([before], np.uint32), np.array([1]), np.array([70_000]), np.array([PASSAGE_HEAD + len(rows)])
    ).tolist() == [after]


@given(
    NUMBERS, NUMBERS, st.text(min_size=1, max_size=40), st.none() | st.text(max_size=40), st.none() | st.integers(0, 9)
)
def test_documents_too(before: int, after: int, found_id: str, payload: str | None, text: int | None) -> None:
    old, new = (document_crc(number, found_id, 3, payload, text) for number in (before, after))
    behind = np.array([DOCUMENT_HEAD + len(found_id.encode()) + len((payload or "").encode())])
    assert renumbered(np.array([old], np.uint32), np.array([before]), np.array([after]), behind).tolist() == [new]
