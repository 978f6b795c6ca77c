"""Columns of prose whose content is drawn row by row, told from tables by how their lines fill them."""

from collections.abc import Sequence
from itertools import pairwise

from colibri.files.kinds.pdf_glyphs import Line

_ROWS = 5  # beside each other; fewer are read as a table
_WORDS = 4.0  # a line, on the mean
_FULL = 0.85  # of the lines end for want of room


def unfolded(rows: Sequence[Sequence[Line]]) -> list[Sequence[Line]]:
    """The rows, those of columns of prose one column after the other."""
    done: list[Sequence[Line]] = []
    at = 0
    while at < len(rows):
        columns, end = _beside(rows, at)
        if columns and all(_is_prose(column) for column in columns):
            done += [[line] for column in columns for line in column]
        else:
            end = max(end, at + 1)
            done += rows[at:end]
        at = end
    return done


def _beside(rows: Sequence[Sequence[Line]], at: int) -> tuple[list[list[Line]], int]:
    """Columns that begin with a row, and the row where they have ended; none where too few rows have all of them."""
    first = rows[at]
    if len(first) < 2:
        return [], at
    columns: list[list[Line]] = [[] for _ in first]
    end = full = 0
    for end in range(at, len(rows)):
        row = rows[end]
        places = [_column(line, first) for line in row]
        if len(set(places)) < len(places) or None in places or (columns[0] and _far(rows[end - 1], row)):
            break
        for line, place in zip(row, places, strict=True):
            columns[place or 0].append(line)
        full += len(row) == len(first)
    else:
        end = len(rows)
    return (columns if full >= _ROWS else [], end)


def _column(line: Line, first: Sequence[Line]) -> int | None:
    """Which column a line stands in, by where they begin: its own start may be indented, and none reaches the next."""
    for i, head in enumerate(first):
        next_start = first[i + 1].start if i + 1 < len(first) else float("inf")
        if head.start - line.size <= line.start < head.start + 4 * line.size and line.end < next_start:
            return i if line.turn == head.turn else None
    return None


def _far(above: Sequence[Line], row: Sequence[Line]) -> bool:
    step = above[0].base - row[0].base
    return not 0 < step < 3 * row[0].size


def _is_prose(column: Sequence[Line]) -> bool:
    """Whether most lines end where the first word of the next has no room, and hold several words."""
    if len(column) < 2 or sum(len(line.text.split()) for line in column) < _WORDS * len(column):
        return False
    margin = max(line.end for line in column)
    full = 0
    for line, following in pairwise(column):
        word = following.text.split(maxsplit=1)[0]
        lead = (following.end - following.start) * len(word) / len(following.text)
        full += line.end + lead > margin - line.size / 2
    return full >= _FULL * (len(column) - 1)
