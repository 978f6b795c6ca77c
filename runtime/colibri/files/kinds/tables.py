"""CSV and its dialects: each row a document. Which dialect it is, the content says; names of files are often wrong.

A tokenizer of our own in place of the module csv, whose limit on a field's length is one for the whole process, and
which takes all that follows a stray quote for one field.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from colibri.files.kinds.decoded import decoded
from colibri.files.kinds.records import Row, parts, passed
from colibri.files.source import Source
from colibri.files.text import Part, Passed

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 100
_SAMPLE_CHARACTERS = 1 << 20
_NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_YEAR = re.compile(r"(?:1[6-9]|20|21)\d\d")


@dataclass(frozen=True)
class Dialect:
    """How a table is written. delimiter: "" for a single column; escape: the character before a quote, "" for none."""

    delimiter: str
    quote: str = '"'
    escape: str = ""


Cells = tuple[int, list[str]]
"""The line that a row begins in, and its cells."""


def table(source: Source, text_field: str | None, id_field: str | None) -> Iterator[Part | Passed]:
    """Documents of a table's rows, with its first row as names of the fields. See records.parts."""
    text = decoded(source.data)
    first = text.lstrip().partition("\n")[0].strip().strip('"')
    dialect = Dialect("") if first in {text_field, "text"} else dialect_of(text)
    yield from parts(lambda: _rows(text, dialect, {text_field, id_field}), text_field, id_field)


def dialect_of(text: str) -> Dialect:
    """The dialect in which rows have most evenly several cells; "sep=;" in the first line says it (Excel)."""
    start, named = _said(text)
    best, best_score = Dialect(named or ""), 0.0
    sample = text[start : start + _SAMPLE_CHARACTERS]
    for dialect in _candidates(sample, named or _DELIMITERS):
        counts = [len(cells) for _, cells in islice(cells_of(sample, dialect), _SAMPLE_ROWS)]
        if len(sample) == _SAMPLE_CHARACTERS and 1 < len(counts) < _SAMPLE_ROWS:
            counts.pop()  # cut within
        if (score := _evenness(counts)) > best_score:
            best, best_score = dialect, score
    return best


def cells_of(text: str, dialect: Dialect) -> Iterator[Cells]:
    """Rows but for blank lines. A quote that is not closed where a cell ends is a character like others."""
    simple = re.compile(rf"[^\r\n{re.escape(dialect.quote)}]*+(?=[\r\n]|\Z)")
    plain, quoted = _plain_cell(dialect), _quoted_cell(dialect)
    at, line = 0, 1
    while at < len(text):
        start, cells = line, list[str]()
        if whole := simple.match(text, at):
            cells = whole[0].split(dialect.delimiter) if dialect.delimiter else [whole[0]]
            at = whole.end()
        else:
            end = _cells(text, at, dialect, plain, quoted, cells)
            line += _line_ends(text, at, end)
            at = end
        at += 2 if text.startswith("\r\n", at) else 1
        line += 1
        if cells != [""]:
            yield start, cells


def _cells(
    text: str, at: int, dialect: Dialect, plain: re.Pattern[str], quoted: re.Pattern[str], cells: list[str]
) -> int:
    """Add the cells of the row that begins here. Returns where it ends."""
    while True:
        cell = None
        if found := quoted.match(text, at):
            tail = plain.match(text, found.end())
            end = tail.end() if tail else found.end()
            after = text[found.end() : end].rstrip(" ")
            if not (after and "\n" in found[0]):
                cell = _unquoted(found[1], dialect) + after
        if cell is None:
            found = plain.match(text, at)
            end = found.end() if found else at
            cell = text[at:end]
        cells.append(cell)
        if not (dialect.delimiter and text.startswith(dialect.delimiter, end)):
            return end
        at = end + 1


def _plain_cell(dialect: Dialect) -> re.Pattern[str]:
    return re.compile(rf"[^\r\n{re.escape(dialect.delimiter)}]*+")


def _quoted_cell(dialect: Dialect) -> re.Pattern[str]:
    quote, escape = re.escape(dialect.quote), re.escape(dialect.escape)
    pairs = rf"{quote}{quote}" + (rf"|{escape}." if escape else "")
    return re.compile(rf" *{quote}([^{quote}{escape}]*+(?:(?:{pairs})[^{quote}{escape}]*+)*+){quote}", re.DOTALL)


def _unquoted(cell: str, dialect: Dialect) -> str:
    cell = cell.replace(dialect.quote * 2, dialect.quote)
    return re.sub(rf"{re.escape(dialect.escape)}(.)", r"\1", cell, flags=re.DOTALL) if dialect.escape else cell


def _line_ends(text: str, start: int, end: int) -> int:
    pairs = text.count("\r\n", start, end)
    return text.count("\n", start, end) + text.count("\r", start, end) - pairs


def _said(text: str) -> tuple[int, str]:
    """Where the table begins, and the delimiter that its first line tells."""
    found = re.match(r"\"?sep=([^\r\n])\"?[ \t,;]*(?:\r\n|\n|\r)", text, re.IGNORECASE)
    return (found.end(), found[1]) if found else (0, "")


def _candidates(sample: str, delimiters: str) -> Iterator[Dialect]:
    for delimiter in delimiters:
        yield Dialect(delimiter)
        if '\\"' in sample:
            yield Dialect(delimiter, escape="\\")
        edges = (f"{delimiter}'", f"'{delimiter}")
        if '"' not in sample and sample.startswith("'") and all(edge in sample for edge in edges):
            yield Dialect(delimiter, quote="'")


def _evenness(counts: list[int]) -> float:
    """How much rows look like those of a table: which share of them is as wide as most, and that the first one is."""
    usual = max(set(counts), key=lambda width: (counts.count(width), width), default=0)
    share = counts.count(usual) / max(len(counts), 1)
    if usual < 2 or (counts[0] == 1 and (usual == 2 or share < 0.6)):
        return 0
    return share + (counts[0] == usual) + min(usual, 1_000) / 10_000


def _rows(text: str, dialect: Dialect, wanted: set[str | None]) -> Iterator[Row | Passed]:
    skipped, _ = _said(text)
    before = _line_ends(text, 0, skipped)
    found = ((line + before, cells) for line, cells in cells_of(text[skipped:], dialect))
    head = list(islice(found, _SAMPLE_ROWS))
    at = _header(head, wanted)
    for line, cells in head[: at or 0]:
        yield passed(line, f"stands above the names of the columns: {' '.join(cells).strip()[:80]!r}")
    if at is None:
        names = [f"column {number}" for number in range(1, max((len(cells) for _, cells in head), default=0) + 1)]
    else:
        names = _names(head[at][1])
        head = head[at + 1 :]
    rows = chain(head, found)
    first = next(rows, None)
    if first is None and at is not None:
        yield passed(1 + before, f"no rows below the names of the columns: {', '.join(names)[:80]!r}")
    for line, cells in chain([first] if first else [], rows):
        yield from _row(line, cells, names)


def _row(line: int, cells: list[str], names: list[str]) -> Iterator[Row]:
    if not any(cell.strip() for cell in cells):
        return
    fields: dict[str, object] = dict(zip(names, cells, strict=False))
    if len(cells) > len(names):
        fields[_unique("more", Counter(names))] = cells[len(names) :]
    yield Row(line, fields, (), sum(map(len, cells)))


def _header(head: list[Cells], wanted: set[str | None]) -> int | None:
    """Which of the first rows has the names of the columns; None where none has."""
    if not head:
        return None
    for at, (_, cells) in enumerate(head[:10]):
        if wanted & {cell.strip() for cell in cells}:
            return at
    widths = [len(cells) for _, cells in head]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    at = widths.index(usual) if widths[0] == 1 and usual > 2 else 0
    return None if _is_data(head[at][1], [cells for _, cells in head[at + 1 :]]) else at


def _is_data(first: list[str], others: list[list[str]]) -> bool:
    """Whether a first row is like those below: a number stands where they all have numbers. Years name columns too."""
    for column, cell in enumerate(first):
        if not _NUMBER.fullmatch(cell.strip()) or _YEAR.fullmatch(cell.strip()):
            continue
        below = [row[column].strip() for row in others if column < len(row) and row[column].strip()]
        if all(_NUMBER.fullmatch(value) for value in below):
            return True
    return False


def _names(cells: list[str]) -> list[str]:
    """Names of columns, each another: a missing one by its number, the second of one name with a 2."""
    taken: Counter[str] = Counter()
    return [_unique(cell.strip() or f"column {number}", taken) for number, cell in enumerate(cells, 1)]


def _unique(name: str, taken: Counter[str]) -> str:
    """A name that is not taken yet, which it is from now on."""
    found = name
    while taken[found]:
        taken[name] += 1
        found = f"{name}_{taken[name]}"
    taken[found] += 1
    return found
