"""Cells and rows of an OpenDocument table while they are put together, and how often they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from colibri.files.kinds.office.odf_text import count

_VALUES = ("office:string-value", "office:date-value", "office:time-value", "office:boolean-value", "office:value")
_REPEATED_CHARACTERS = 1 << 14  # a cell can say that it stands 17 billion times


@dataclass
class Cell:
    """beside: comments, and what is anchored in it."""

    repeated: int
    value: str
    lines: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(line for line in self.lines if line) or self.value


@dataclass
class Row:
    repeated: int
    width: int = 0
    cells: list[tuple[int, str, list[str]]] = field(default_factory=list)


def cell(about: Mapping[str, str]) -> Cell:
    """An empty one. about: its attributes."""
    value = next((about[key] for key in _VALUES if key in about), "")
    return Cell(count(about.get("table:number-columns-repeated")), value)


class Copies:
    """Of what is repeated, until they are too many characters together; from there on it stands once."""

    def __init__(self) -> None:
        self._spare = _REPEATED_CHARACTERS

    def of(self, text: str, repeated: int) -> int:
        more = min(repeated - 1, self._spare // (len(text) + 1))
        self._spare -= more * (len(text) + 1)
        return 1 + max(more, 0)
