"""Checksums under other numbers are those that would be computed anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from colibri.index.storage.catalogue import passage_crc
from colibri.index.storage.renumbered import renumbered

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
        [before for before, *_ in passages],
        [after for _, after, *_ in passages],
        np.array([len(spans or b"") + len(rows) + len(rows[:4]) for *_, spans, rows in passages], np.int64),
    )
    assert found.tolist() == crcs(1)


def test_a_long_passage() -> None:
    rows = np.random.default_rng(1).bytes(3_000_000)
    before = passage_crc(1, 2, 3, None, memoryview(rows), memoryview(b""))
    after = passage_crc(70_000, 2, 3, None, memoryview(rows), memoryview(b""))
    assert renumbered(np.array([before], np.uint32), [1], [70_000], np.array([len(rows)])).tolist() == [after]
