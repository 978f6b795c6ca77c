"""A segment's files as they are, whatever they are: what verifying, repairing and moving read."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colibri.index.storage import signs
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.checksums import passage_crc
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import file_of
from colibri.vectors import TokenVectors

_PLACE = (1 << SEGMENT_SHIFT) - 1


class RawSegment:
    """Reads passages by place, and refuses places that the files do not hold. Nothing is believed."""

    def __init__(self, folder: Path, number: int, layout: RowLayout) -> None:
        self.number = number
        self._dim = layout.dim
        rows, width = _mapped(file_of(folder, number, "rows"), layout.dtype), layout.row_bytes
        self._rows = rows[: rows.size // width * width].reshape(-1, width)
        self._scales = _mapped(file_of(folder, number, "scales"), np.dtype("<f4"))
        self._ends = _mapped(file_of(folder, number, "ends"), np.dtype("<i8"))
        self._signs = file_of(folder, number, signs.KIND)

    @property
    def places(self) -> int:
        """How many passages the files have offsets for."""
        return self._ends.size

    def bounds(self, place: int) -> tuple[int, int] | None:
        """Which rows a passage owns, or None: the files do not hold it."""
        if not 0 <= place < self._ends.size:
            return None
        begin, end = int(self._ends[place - 1]) if place else 0, int(self._ends[place])
        if not 0 <= begin < end <= min(len(self._rows), self._scales.size):
            return None
        return begin, end

    def crc(self, place: int, document: int, start: int, end: int, spans: bytes | None) -> int | None:
        """The checksum of a passage as it is now."""
        found = self.bounds(place)
        if found is None:
            return None
        own = slice(*found)
        rows, scales = self._rows[own].data.cast("B"), np.ascontiguousarray(self._scales[own]).data.cast("B")
        return passage_crc(document, start, end, spans, rows, scales)

    def signs_differ(self, tokens: int, places: list[int]) -> bool:
        """Whether there are not the sign bits of so many tokens, or those of some passages are not their rows'."""
        found = signs.mapped(self._signs, tokens, self._dim)
        if found is None or tokens > min(len(self._rows), self._scales.size):
            return True
        asked = np.zeros(tokens + 1, np.int64)  # 1 where a passage begins, -1 behind it
        for begin, end in (bounds for place in places if (bounds := self.bounds(place)) is not None):
            if end <= tokens:
                asked[[begin, end]] += (1, -1)
        counts = np.cumsum(asked[:-1]) > 0
        for first, bits, _ in signs.parts(self._rows[:tokens], self._scales[:tokens].astype(np.float32)):
            own = slice(first, first + len(bits))
            if (found[own] != bits)[counts[own]].any():
                return True
        return False

    def vectors(self, places: list[int]) -> TokenVectors:
        """Copies of passages that `bounds` knows."""
        owns = [slice(*found) for place in places if (found := self.bounds(place)) is not None]
        return TokenVectors(
            np.concatenate([self._rows[own] for own in owns]),
            np.cumsum([0, *(own.stop - own.start for own in owns)], dtype=np.int64),
            scales=np.concatenate([self._scales[own] for own in owns]).astype(np.float32, copy=False),
        )


def place_of(slot: int) -> int:
    """Which of its segment's passages a slot is."""
    return slot & _PLACE


def _mapped(path: Path, dtype: np.dtype[np.generic] | type[np.generic]) -> NDArray[np.generic]:
    try:
        return np.asarray(np.memmap(path, dtype, "r", shape=(path.stat().st_size // np.dtype(dtype).itemsize,)))
    except (OSError, ValueError):  # not there, or empty
        return np.zeros(0, dtype)
