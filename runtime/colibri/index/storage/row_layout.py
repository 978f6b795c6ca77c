"""What an index keeps of a row: int8 or int4, and how many bytes that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from colibri.errors import InputError, ShapeError, StoreError

RowKind = Literal["int8", "int4"]
"""As `TokenVectors.quantize` makes them: a byte a value or half of one, and one float32 scale a token."""
_KINDS: tuple[RowKind, ...] = get_args(RowKind)

SCHEMES: dict[str, RowKind] = {"int8-scale": "int8", "int4-scale": "int4"}
"""What the index's facts call them. Programs before int4 know the first, and refuse an index of any other."""


@dataclass(frozen=True)
class RowLayout:
    """dim  how many values a row has. kind  how they are kept"""

    dim: int
    kind: RowKind

    @classmethod
    def of_facts(cls, facts: Mapping[str, str]) -> "RowLayout":
        """As an index's facts say it. Raises StoreError for a scheme of a newer program."""
        kind = SCHEMES.get(facts["scheme"])
        if kind is None:
            known = ", ".join(SCHEMES)
            raise StoreError(f"rows are {facts['scheme']}, this runtime reads {known}; upgrade colibri-edge")
        return cls(int(facts["dim"]), kind)

    @property
    def scheme(self) -> str:
        """As the facts say it."""
        return next(scheme for scheme, kind in SCHEMES.items() if kind == self.kind)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of an array of rows: int8, or uint8 with two values each."""
        return np.dtype(np.int8 if self.kind == "int8" else np.uint8)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, and so the width of an array of rows."""
        return self.dim if self.kind == "int8" else self.dim // 2

    @property
    def token_bytes(self) -> int:
        """Bytes of a row and its scale."""
        return self.row_bytes + 4


def checked_kind(kind: object, where: str = "rows") -> RowKind:
    """A kind of rows that an index can keep. Raises InputError."""
    for known in _KINDS:
        if kind == known:
            return known
    raise InputError(f"{where}: found {kind!r}, an index keeps {' or '.join(_KINDS)}")


def checked_layout(dim: int, kind: RowKind) -> RowLayout:
    """Raises ShapeError for int4 rows of an odd dim."""
    if kind == "int4" and dim % 2:
        raise ShapeError(f"int4 rows hold two values a byte: wanted an even dim, found {dim}")
    return RowLayout(dim, kind)
