"""The sign bits of a segment's rows: what a search that is screened reads in their place.

    000001.signs   uint8 (tokens, row_bytes), `colibri.scoring.sign_rows` of its rows
    meta.signs     JSON: the number of a segment -> of how many of its tokens the file is

They follow from the rows alone. A program that knows none of them appends rows without theirs: a segment then has more
tokens than its entry says, and is scored by its rows. So the format is the one it was, and a file that such a program
left behind means nothing until an entry speaks of it; bits of another meaning would have an entry of another name. Nor
has a segment any with a row that is longer than 1 or has a scale below 0, as those of other encoders may: bits take all
rows for unit ones, or shorter.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colibri.errors import StoreDamaged
from colibri.index.storage.catalogue import fact_crc, write_fact
from colibri.index.storage.disk import Disk, write_all
from colibri.index.storage.row_layout import RowLayout
from colibri.quantised import unpacked_nibbles
from colibri.scoring import row_bytes, sign_rows
from colibri.vectors import Rows, TokenVectors

KIND = "signs"
"""What the files' names end with."""
_AT_ONCE = 1 << 17  # tokens: 8 MB of rows at 64 dims
_FULL = 255  # a row's factor, when it is cut off there: it is uneven, or longer than 1
_LONGEST = 1.01  # of rows that are taken for unit ones: int8 rounds (int4 only shortens: its scale is a projection)

Bits = NDArray[np.uint8]


def covered(connection: sqlite3.Connection, schema: str = "") -> dict[int, int]:
    """Segment -> of how many of its tokens there are sign bits, by the entry; {} where that is not what was written.

    schema: "name." of an attached file.
    """
    row = connection.execute(f"SELECT value, crc FROM {schema}meta WHERE name = ?", (KIND,)).fetchone()
    if row is None or not isinstance(row[0], str) or row[1] != fact_crc(KIND, row[0]):
        return {}
    return {int(number): tokens for number, tokens in json.loads(row[0]).items()}


def cover(connection: sqlite3.Connection, tokens: Mapping[int, int]) -> None:
    """Within a transaction: make this the entry, where it is another one."""
    if covered(connection) != tokens:
        write_fact(connection, KIND, json.dumps({str(number): tokens[number] for number in sorted(tokens)}))


def mapped(path: Path, tokens: int, dim: int) -> Bits | None:
    """So many tokens' bits; None where the file does not hold them."""
    try:
        return np.asarray(np.memmap(path, np.uint8, "r", shape=(tokens, row_bytes(dim))))
    except (OSError, ValueError):
        return None


def reaches(number: int, tokens: int, dim: int) -> bool:
    """Whether an open file (its descriptor) is long enough for so many tokens."""
    return os.fstat(number).st_size >= tokens * row_bytes(dim)


def bits_of(rows: Rows, scales: NDArray[np.float32]) -> tuple[Bits, bool]:
    """The bits of int8 or int4 rows, and whether they say what the rows are like.

    Those of a row whose scale is no number from 0 are those of zeros.
    """
    fine = np.isfinite(scales) & (scales >= 0)
    good = bool(fine.all())
    if not good:
        scales = np.where(fine, scales, np.float32(0))
    bits = sign_rows(TokenVectors(rows, np.array([0, len(rows)], np.int64), scales=scales))
    full = np.flatnonzero(bits[:, -1] == _FULL)
    integers: Rows = unpacked_nibbles(rows[full]) if rows.dtype == np.uint8 else rows[full]
    norms = scales[full].astype(np.float64) * np.sqrt(np.square(integers.astype(np.float64)).sum(axis=1))
    return bits, good and not (norms > _LONGEST).any()


def parts(rows: Rows, scales: NDArray[np.float32]) -> Iterator[tuple[int, Bits, bool]]:
    """`bits_of` rows, part by part: the first token of each part, and the rest."""
    for first in range(0, len(rows), _AT_ONCE):
        own = slice(first, first + _AT_ONCE)
        yield first, *bits_of(rows[own], scales[own].astype(np.float32, copy=False))


def make(disk: Disk, stem: Path, tokens: int, layout: RowLayout) -> bool:
    """Write the file of a segment's rows, of which it may hold some; on the disk when this returns. Whether it says
    what the rows are like.

    In place, and only what differs: whoever has it mapped sees what ought to be there. Raises StoreDamaged where the
    rows are not there, OSError.
    """
    path = stem.with_name(f"{stem.name}.{KIND}")
    try:
        shape = (tokens, layout.row_bytes)
        rows = np.asarray(np.memmap(stem.with_name(f"{stem.name}.rows"), layout.dtype, "r", shape=shape))
        scales = np.asarray(np.memmap(stem.with_name(f"{stem.name}.scales"), "<f4", "r", shape=(tokens,)))
    except (OSError, ValueError) as error:
        raise StoreDamaged(f"{stem.name}.*: {error}; `colibri index --repair` keeps what can be kept") from error
    before = mapped(path, tokens, layout.dim)
    with closing(disk.create(path)) as file:
        for first, bits, good in parts(rows, scales):
            if not good:
                return False
            if before is None or not np.array_equal(before[first : first + len(bits)], bits):
                write_all(disk, file, bits.data.cast("B"), first * bits.shape[1])
        disk.sync(file)
    return True
