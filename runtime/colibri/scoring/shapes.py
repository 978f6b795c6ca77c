"""How rows of sign bits are looked up: which of a row's dims go together, and where a table has what they cost.

Kernels are compiled for all SHAPES (kernels/lookups.py), whoever compiled them; a query's tables are made for one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colibri.scoring.names import FOUR, NARROW, SIX, WIDE

_WORD = 64  # dims whose signs are read at once; those that are left over, a byte at a time, four dims a group
HALF = 4


@dataclass(frozen=True)
class Shape:
    """One way of looking up: query tokens of an entry, and groups that the dims of a word fall into."""

    lanes: int
    groups: int

    @property
    def bits(self) -> list[int]:
        """Dims of each group of a word: all but the last of one size, which has what is left, up to one more."""
        size = _WORD // self.groups if _WORD % self.groups <= 1 else _WORD // (self.groups - 1)
        return [size] * (self.groups - 1) + [_WORD - size * (self.groups - 1)]

    @property
    def shift(self) -> int:
        """Of an entry's number to its place in bytes."""
        return self.lanes.bit_length() - 1

    @property
    def word_bytes(self) -> int:
        """Bytes of a word's part of a table."""
        return sum(self.lanes << bits for bits in self.bits)

    def places(self, dim: int) -> NDArray[np.int64]:
        """The groups of a row: (count, 3) int64, first dim, how many, and where their entries begin in bytes."""
        tail = [HALF] * (2 * (-(-(dim % _WORD) // 8)))
        bits = np.array(self.bits * (dim // _WORD) + tail, np.int64)
        sizes = self.lanes << bits
        return np.stack([np.cumsum(bits) - bits, bits, np.cumsum(sizes) - sizes], axis=1)

    def table_bytes(self, dim: int) -> int:
        """Bytes of a table."""
        _, bits, entries = self.places(dim)[-1]
        return int(entries + (self.lanes << bits))


SHAPES = [Shape(WIDE, groups) for groups in (11, 13, 16)] + [Shape(NARROW, groups) for groups in (9, 11, 13)]
_TABLE_BYTES = 26 << 10  # of 32 KB that the nearest cache has on small processors; 128 dims take 25 KB


def shape_of(dim: int, lanes: int) -> int:
    """Which of SHAPES looks rows of a dim up: as few groups as a table that stays in the nearest cache allows."""
    some = [i for i, shape in enumerate(SHAPES) if shape.lanes == lanes]
    return next((i for i in some if SHAPES[i].table_bytes(dim) <= _TABLE_BYTES), some[-1])


TURNED_DIMS = (64, 96, 128)
"""Of rows that these turn."""
TURNED_TOKENS = {0: 0, FOUR: 10, SIX: 12}
"""Query tokens up to which that is faster, by dims a look-up (benchmarks/NOTES.md); 0: rows are not turned."""
