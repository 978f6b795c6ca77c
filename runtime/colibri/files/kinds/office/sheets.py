"""Where cells of a sheet stand, and which of them a merged one covers."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from operator import itemgetter

from colibri.files.text import Builder, Unreadable

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]{0,200}?ref=[\"']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})[\"']")
MOST_PLACES = 20_000  # cells of a workbook with a place each; a row has one from there on
_MOST_AREAS = 50_000
_NAME_CHARACTERS = 100  # it stands in the label of every cell; Excel allows 31
_OVERLAP = 300  # longer than a mergeCell


@lru_cache(1_024)
def column_name(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@lru_cache(1_024)
def column_number(letters: str) -> int:
    """A is 1; 0 for what is no column."""
    if not letters.isascii() or not letters.isalpha() or len(letters) > 3:
        return 0
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def row_and_column(reference: str) -> tuple[int, int] | None:
    """ "B7" is (7, 2)."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    return int(found[2]), column_number(found[1])


def areas(pieces: Iterable[bytes]) -> Iterator[str]:
    """What a sheet merges ("B2:C5"). Searched as bytes, because x:mergeCells stands after the cells."""
    window = b""
    for piece in pieces:
        window += piece
        end = max(len(window) - _OVERLAP, 0)
        for found in _MERGED.finditer(window):
            yield found[1].decode()
            end = max(end, found.end())
        window = window[end:]


class Tab:
    """A sheet in the text: its name stands before the first thing in it."""

    def __init__(self, builder: Builder, sheet: str) -> None:
        self.builder = builder
        self._sheet = sheet[:_NAME_CHARACTERS]
        self.begun = False

    def place(self, reference: str = "") -> None:
        """What is added from here on stands in this cell, or beside the cells."""
        if not self.begun:
            self.begun = True
            self.builder.place(self._sheet)
            self.builder.block(self._sheet)
        self.builder.place(f"{self._sheet}!{reference}" if reference else self._sheet)


def name_empty(tabs: Sequence[Tab]) -> None:
    """Add the names of sheets that hold nothing."""
    for tab in tabs:
        if not tab.begun:
            tab.place()


class Merged:
    """Areas of a sheet that show their first cell only. Asked row by row; where reading them fails, those before."""

    def __init__(self, found: Iterable[str] = ()) -> None:
        corners: list[tuple[tuple[int, int] | None, ...]] = []
        with suppress(Unreadable):
            for area in islice(found, _MOST_AREAS):
                corners.append(tuple(map(row_and_column, area.split(":"))))
        self._areas = sorted((*first, *last) for first, last in corners if first and last)
        self._row = self._next = 0
        self._here: list[tuple[int, ...]] = []
        self._columns: list[int] = []

    def covers(self, row: int, column: int) -> bool:
        """Whether a cell is covered by the first one of its area."""
        if not self._areas:
            return False
        if row != self._row:
            self._move(row)
        at = bisect_right(self._columns, column) - 1
        if at < 0:
            return False
        first_row, first_column, _, last_column = self._here[at]
        return column <= last_column and (row, column) != (first_row, first_column)

    def _move(self, row: int) -> None:
        if row < self._row:
            self._next, self._here = 0, []
        self._row = row
        while self._next < len(self._areas) and self._areas[self._next][0] <= row:
            self._here.append(self._areas[self._next])
            self._next += 1
        self._here = sorted((one for one in self._here if one[2] >= row), key=itemgetter(1))
        self._columns = [one[1] for one in self._here]
