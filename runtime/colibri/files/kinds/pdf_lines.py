"""Lines of a page to its text: rows, columns, paragraphs; words cut by hyphens and wrapped lines are joined."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from colibri.files.kinds.pdf_columns import unfolded
from colibri.files.kinds.pdf_glyphs import CUT, Line

_BULLET = re.compile(r"[•●○▪■□◦‣–—*\-\ue000-\uf8ff]\s|\(?(?:\d{1,3}|[A-Za-z])[.)]\s")
# Of fonts without Unicode: Symbol, Wingdings, OpenSymbol.
_BULLETS = re.compile(r"^[\uf000-\uf0ff](?=\s)", re.MULTILINE)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_BOUND = re.compile(r"[^\W_][-\u2010/]")
_ADDRESS = re.compile(r"(?:\w:/|www\.)\S*[-/._=&?#]$")
_HYPHEN = re.compile(r"[^\W_][-\u2010\u00ad]")

_NOTHING = "\0-\x01\x03-\x08\x0b-\x1f\x7f\xad\ufffe\uffff\ud800-\udfff"
_SHAPES = "\ufb00-\ufdff\ufe70-\ufefc"  # ligatures, and Arabic letters as they look in a word
_ODD = re.compile(f"(?P<pair>[\ud800-\udbff][\udc00-\udfff])|(?P<shape>[{_SHAPES}])|[{_NOTHING}]")

_LONG = 14  # sizes of the font, some 30 letters: a line that long ends where there is no room, not where one likes
_PHRASE = 8  # sizes: words of a script without blanks end somewhere within


class _Row:
    """Lines beside each other: cells of a table, a raised figure and what follows it."""

    def __init__(self, lines: Sequence[Line]) -> None:
        first = lines[0]
        self.lines = lines
        self.main, self.start, self.end, self.cells = first, first.start, first.end, False
        if len(lines) > 1:
            self.main = max(lines, key=lambda line: line.size)
            self.start = min([line.start for line in lines])
            self.end = max([line.end for line in lines])
            self.cells = any(_in_row(one, other) == "\t" for one, other in pairwise(lines))


@dataclass(frozen=True)
class _Column:
    """Rows below each other. margin: where its lines end, None where they end as they like; step: from row to row."""

    rows: tuple[_Row, ...]
    margin: float | None
    step: float


def page_text(lines: Sequence[Line]) -> tuple[str, list[int]]:
    """The text of a page, CUT where a hyphen ended a line and the word went on.

    With PDFium's number of each of its characters, -1 for those that are not on the page.
    """
    text: list[str] = []
    numbers: list[int] = []
    for gap, line in _spaced(lines):
        if gap == CUT:
            text[-1] = text[-1][:-1] + CUT
        else:
            text.append(gap)
            numbers += [-1] * len(gap)
        text.append(line.text)
        numbers += line.chars
    return _clean(_BULLETS.sub("•", "".join(text)), numbers)


def _clean(text: str, numbers: list[int]) -> tuple[str, list[int]]:
    """Halves of pairs joined, letters instead of their shapes, without what is no character."""
    done, kept, at = [], [], 0
    for found in _ODD.finditer(text):
        start, end = found.span()
        char = (found["pair"] or "").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        char += unicodedata.normalize("NFKC", found["shape"] or "")
        done += [text[at:start], char]
        kept += numbers[at:start] + [numbers[start]] * len(char)
        at = end
    return "".join([*done, text[at:]]), kept + numbers[at:]


def _spaced(lines: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    """Each line after what stands between it and the one before."""
    before: tuple[_Row, _Column] | None = None
    for column in _columns(_rows(lines)):
        for row in column.rows:
            if before is None:
                gap = ""
            elif before[1] is column:
                gap = _between(before[0], row, column)
            else:
                gap = _across(before[0], row, before[1], column)
            yield gap, row.lines[0]
            for one, other in pairwise(row.lines):
                yield _in_row(one, other), other
            before = row, column


def _downward(lines: Sequence[Line]) -> list[Line]:
    """Lines that are written from top to bottom from the right one on: PDFium has those of a -V encoding backwards.

    So it has those of a whole page that is shown on its side, and a page's content can be written upwards.
    """
    if len(lines) > 1 and all(_rises(one, other) for one, other in pairwise(lines)):
        return list(lines[::-1])
    done: list[Line] = []
    run: list[Line] = []
    for line in lines:
        if run and not (line.turn == 3 and line.base > run[-1].base and line.start < run[-1].end):
            done += run[::-1]
            run = []
        run.append(line)
        if line.turn != 3:
            done += run
            run = []
    return done + run[::-1]


def _rises(one: Line, other: Line) -> bool:
    """Whether the other line stands above this one, which it should not follow."""
    over = min(one.end, other.end) > max(one.start, other.start)
    return one.turn == other.turn == 0 and over and other.base - one.base > max(one.size, other.size) / 2


def _rows(lines: Sequence[Line]) -> list[_Row]:
    rows: list[list[Line]] = []
    for line in _downward(lines):
        if rows and _same_row(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_Row(row) for row in unfolded(rows)]


def _same_row(row: list[Line], line: Line) -> bool:
    before = row[-1]
    near = max(before.size, line.size) / 2
    return (
        before.turn == line.turn
        and min(abs(line.base - before.base), abs(line.base - row[0].base)) < near
        and line.start > before.end - near
    )


def _in_row(before: Line, line: Line) -> str:
    """Nothing before a raised figure, a tab before a cell."""
    if _BULLET.fullmatch(f"{before.text} "):
        return " "
    gap, size = line.start - before.end, max(before.size, line.size)
    if before.size < 0.85 * line.size and before.base > line.base:
        return " "  # the figure of a note
    if gap < size / 8:
        return ""
    return " " if gap < 1.5 * size else "\t"


def _columns(rows: Sequence[_Row]) -> list[_Column]:
    columns: list[list[_Row]] = []
    for row in rows:
        if columns and _below(columns[-1][-1], row):
            columns[-1].append(row)
        else:
            columns.append([row])
    return [_Column(tuple(column), _margin(column), _step(column)) for column in columns]


def _below(above: _Row, row: _Row) -> bool:
    one, other = above.main, row.main
    overlap = min(above.end, row.end) - max(above.start, row.start)
    return one.turn == other.turn and one.base > other.base and overlap > 0


def _margin(column: Sequence[_Row]) -> float | None:
    """Where lines end for want of room: where a long one does, or four."""
    margin = max(row.end for row in column)
    near = [row for row in column if row.end > margin - 1.5 * row.main.size and not row.cells]
    long = any(row.end - row.start > _LONG * row.main.size for row in near)
    return margin if long or len(near) > 3 else None


def _step(column: Sequence[_Row]) -> float:
    """The usual distance of two lines."""
    steps = [one.main.base - other.main.base for one, other in pairwise(column) if _same_size(one, other)]
    return median(steps) if len(steps) > 1 else 1.6 * column[0].main.size


def _between(before: _Row, row: _Row, column: _Column) -> str:
    """What stands between two rows of a column."""
    size = before.main.size
    step = before.main.base - row.main.base
    if not _same_size(before, row) or step > max(1.35 * column.step, column.step + size / 4):
        return "\n\n"
    if _hyphenated(before, row):
        return CUT if row.lines[0].text[0].isalpha() else ""
    if _BULLET.match(row.lines[0].text) or before.cells or row.cells:
        return "\n"
    indented = row.start - before.start > 0.7 * size and not _BULLET.match(before.lines[0].text)
    if not _wrapped(before, row, column.margin):
        return "\n\n" if indented else "\n"
    if indented and _ends(before):
        return "\n\n"
    return _joint(before, row)


def _across(before: _Row, row: _Row, left: _Column, right: _Column) -> str:
    """What stands between the last row of a column and the first of the next: a paragraph may go on there."""
    if _same_size(before, row) and row.main.base > before.main.base and not before.cells and not row.cells:
        if _hyphenated(before, row) and row.lines[0].text[0].isalpha():
            return CUT
        goes_on = right.margin is not None and _wrapped(before, row, left.margin) and not _ends(before)
        first = row.lines[0].text[0]
        if goes_on and (first.islower() or _UNSPACED.match(first)):
            return _joint(before, row)
    return "\n\n"


def _same_size(one: _Row, other: _Row) -> bool:
    a, b = one.main, other.main
    return a.turn == b.turn and max(a.size, b.size) < 1.15 * min(a.size, b.size)


def _hyphenated(before: _Row, row: _Row) -> bool:
    """Whether a word or a number goes on after a hyphen."""
    return _HYPHEN.fullmatch(before.lines[-1].text[-2:]) is not None and row.lines[0].text[0].isalnum()


def _wrapped(before: _Row, row: _Row, margin: float | None) -> bool:
    """Whether the first word of the row had no room in the one before."""
    if margin is None:
        return False
    line = row.lines[0]
    word = line.text.find(" ")
    lead = line.end - line.start if word < 0 else (line.end - line.start) * word / len(line.text)
    if _UNSPACED.match(line.text):
        lead = min(lead, _PHRASE * line.size)
    return before.end + lead > margin - line.size / 4


def _ends(row: _Row) -> bool:
    return row.lines[-1].text.endswith((".", "!", "?", ":", "。", "．", "！", "？", "।", "؟", "۔"))


def _joint(before: _Row, row: _Row) -> str:
    """Scripts without blanks between words have none between lines; a true hyphen, a slash or an address binds."""
    last, first = before.lines[-1], row.lines[0].text[0]
    if _UNSPACED.match(last.text[-1]) and _UNSPACED.match(first):
        return " " if last.blank and last.text[-1] < "\u3000" else ""
    bound = _BOUND.fullmatch(last.text[-2:]) or (not first.isupper() and _ADDRESS.search(last.text.rpartition(" ")[2]))
    return "" if bound else " "
