"""How many columns characters take in a terminal, and lines that fit."""

import unicodedata
from collections.abc import Iterator, Sequence

Cells = list[tuple[str, bool]]
"""Characters, and whether each is to be bold."""

_CLOSING = {"Pe", "Pf", "Po"}  # what no line begins with
_TAB = 4


def columns_of(character: str) -> int:
    """0 for what stands on the one before it or is not seen, 2 for wide ones, as East Asian ones and pictures are."""
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(pieces: Sequence[tuple[str, bool]]) -> Cells:
    """Pieces of a line one by one, tabs as blanks."""
    found: Cells = []
    for piece, bold in pieces:
        for character in piece:
            if character == "\t":
                found += [(" ", bold)] * (_TAB - len(found) % _TAB)
            else:
                found.append((character, bold))
    return found


def wrapped(line: Cells, width: int, indent: int = 0) -> Iterator[Cells]:
    """A line in parts of at most `width` columns, broken after blanks or between wide characters where it can be; all
    but the first are indented."""
    lead: Cells = []
    while True:
        end = _last_that_fits(line, width - len(lead))
        if end == len(line):
            yield lead + line
            return
        at = max(_break(line, end, 0 if lead else indent), 1)
        part, line = line[:at], line[at:]
        while part and part[-1][0] == " ":
            part.pop()
        while line and line[0][0] == " ":
            line = line[1:]
        yield lead + part
        if not line:
            return
        lead = [(" ", False)] * indent


def _last_that_fits(line: Cells, width: int) -> int:
    taken = 0
    for i, (character, _) in enumerate(line):
        taken += columns_of(character)
        if taken > width:
            return i
    return len(line)


def _break(line: Cells, end: int, least: int) -> int:
    """Where the part that ends at `end` at the latest ends best: behind a blank, between wide characters."""
    for at in range(end, least, -1):
        before, after = line[at - 1][0], line[at][0]
        if " " in {before, after}:
            return at
        wide = columns_of(before) == 2 or columns_of(after) == 2
        if wide and columns_of(after) and unicodedata.category(after) not in _CLOSING:
            return at
    while end > 1 and columns_of(line[end][0]) == 0:  # a mark stays with its letter
        end -= 1
    return end
