"""The characters of a page as PDFium numbers them, and the lines they stand in."""

import ctypes
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from colibri.files.kinds.pdf_order import Glyph, in_order, ordered

CUT = "\x02"
"""Stands where a line ended in a hyphen. PDFium has U+FFFE there, or this by another of its calls, and no line end."""

_LINE = re.compile("[^\r\n\ufffe\x02]+[\ufffe\x02]?")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_BRAHMIC = re.compile("[\u0900-\u109f\u1780-\u17ff]")
_CELL = 1.5  # sizes of the font between cells of a table; a justified line of few words has up to one
_LETTER = re.compile(r"[^\W\d_]")


class Box(NamedTuple):
    """In points, from the lower left of the page before it is turned."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True)
class Line:
    """A line with where it stands, as its reader turns the page: start < end, and lower lines have a lower base.

    chars  PDFium's number of each character of the text, -1 for a blank that only its place tells
    turn   quarters that the text is turned by, against the clock
    lead   how wide the first word is
    blank  whether a blank ends it
    """

    text: str
    chars: Sequence[int]
    start: float
    end: float
    base: float
    size: float
    turn: int
    lead: float
    blank: bool


class Page:
    """A page's characters. Its handles are the caller's, who closes them."""

    def __init__(self, pdfium: Any, text_page: Any, shown: Box) -> None:
        self._pdfium, self._page, self._shown = pdfium, text_page, shown
        count = max(0, pdfium.FPDFText_CountChars(text_page))
        buffer = (ctypes.c_ushort * (2 * count + 2))()
        size = pdfium.FPDFText_GetText(text_page, 0, count, buffer) if count else 1
        # One character for each UTF-16 unit, as PDFium counts; halves of pairs are joined once lines are done.
        self.text = "".join(map(chr, buffer[: size - 1]))
        self._chars: Sequence[int] = range(count)
        if len(self.text) != count:
            index = pdfium.FPDFText_GetCharIndexFromTextIndex
            self._chars = [index(text_page, i) for i in range(len(self.text))]
        self._page_backward = _right_to_left(self.text)

    def lines(self) -> list[Line]:
        """In PDFium's order: that of the page's content, mostly. A line with wide gaps is several."""
        rects = self._rects()
        backward, apart = _odd_rows(rects)
        cropped = any(_beyond(box, self._shown) for box in rects)
        found: list[Line] = []
        for match in _LINE.finditer(self.text):
            text = match[0].replace("\ufffe", "-").replace("\x02", "-")
            chars = self._chars[match.start() : match.end()]
            if cropped:
                text, chars = self._visible(text, chars)
            if not text.strip():
                continue
            line = self._line(text, chars)
            if line.turn == 0:
                if _BRAHMIC.search(text) or _within(line.base, backward):
                    line = self._reordered(line)
                if _within(line.base, apart):
                    found += self._cells(line)
                    continue
            found.append(line)
        return found

    def box(self, char: int, *, loose: bool = False) -> Box:
        """Of one character: of its ink, or of all that its font may reach."""
        if loose:
            whole = self._pdfium.FS_RECTF()
            self._pdfium.FPDFText_GetLooseCharBox(self._page, char, whole)
            return Box(whole.left, whole.bottom, whole.right, whole.top)
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        self._pdfium.FPDFText_GetCharBox(self._page, char, left, right, bottom, top)
        return Box(left.value, bottom.value, right.value, top.value)

    def _rects(self) -> list[Box]:
        """Of the pieces that the page's content draws at once: a hundredth of the work of boxes of characters."""
        left, top, right, bottom = (ctypes.c_double() for _ in range(4))
        boxes = []
        for i in range(self._pdfium.FPDFText_CountRects(self._page, 0, -1)):
            self._pdfium.FPDFText_GetRect(self._page, i, left, top, right, bottom)
            boxes.append(Box(left.value, bottom.value, right.value, top.value))
        return boxes

    def _visible(self, text: str, chars: Sequence[int]) -> tuple[str, Sequence[int]]:
        """What stands on the page: characters whose middle does."""
        kept = []
        for i, char in enumerate(chars):
            box = self.box(char)
            if (
                self._shown.left <= (box.left + box.right) / 2 <= self._shown.right
                and self._shown.bottom <= (box.bottom + box.top) / 2 <= self._shown.top
            ):
                kept.append(i)
        return "".join(text[i] for i in kept), [chars[i] for i in kept]

    def _line(self, text: str, chars: Sequence[int]) -> Line:
        blank = text.endswith(" ")
        stripped = text.strip()
        at = text.index(stripped)
        chars = chars[at : at + len(stripped)]
        word = len(stripped.split(maxsplit=1)[0])
        marked = [number for number in chars if number >= 0]
        first, last = self.box(marked[0], loose=True), self.box(marked[-1], loose=True)
        lead = self.box(marked[min(word, len(marked)) - 1], loose=True)
        x, y = self._origin(marked[0])
        size, turn = self._size(marked[0])
        if turn == 0 and abs(first.left - last.left) < size / 2 and first.top - last.top > size:
            turn = 3  # written from top to bottom: as a line that is turned with the clock
        start, end = _reach([first, last], turn)
        lead_start, lead_end = _reach([first, lead], turn)
        if self._backward(stripped):
            start, end = -end, -start
        base = (y, -x, -y, x)[turn]
        return Line(stripped, chars, start, end, base, size, turn, lead_end - lead_start, blank)

    def _cells(self, line: Line) -> list[Line]:
        """The line cut at blanks that are wider than any between words."""
        cells, at = [], 0
        for blank in re.finditer(" +", line.text):
            before, after = line.chars[blank.start() - 1], line.chars[blank.end()]
            if min(before, after) >= 0:
                one, other = self.box(before, loose=True), self.box(after, loose=True)
                if max(one.left, other.left) - min(one.right, other.right) > _CELL * line.size:
                    cells.append(self._line(line.text[at : blank.start()], line.chars[at : blank.start()]))
                    at = blank.end()
        return [*cells, self._line(line.text[at:], line.chars[at:])] if cells else [line]

    def _backward(self, text: str) -> bool:
        """Whether it is read from right to left: by its letters, else as the page."""
        return _right_to_left(text) if _LETTER.search(text) else self._page_backward

    def _origin(self, char: int) -> tuple[float, float]:
        x, y = ctypes.c_double(), ctypes.c_double()
        self._pdfium.FPDFText_GetCharOrigin(self._page, char, x, y)
        return x.value, y.value

    def _size(self, char: int) -> tuple[float, int]:
        """Points of the font as it is drawn, and quarters that it is turned by."""
        matrix = self._pdfium.FS_MATRIX()
        self._pdfium.FPDFText_GetMatrix(self._page, char, matrix)
        scale = math.hypot(matrix.c, matrix.d) or 1.0
        turn = round(math.atan2(matrix.b, matrix.a) / (math.pi / 2)) % 4
        return self._pdfium.FPDFText_GetFontSize(self._page, char) * scale or 1.0, turn

    def _reordered(self, line: Line) -> Line:
        """The line by the boxes of its characters, where they contradict its order."""
        made = self._pdfium.FPDFText_IsGenerated
        glyphs = [
            Glyph(char, number, *self.box(number, loose=True), made(self._page, number) == 1)
            for char, number in zip(line.text, line.chars, strict=True)
        ]
        backward = self._backward(line.text)
        if in_order(glyphs, backward, line.size):
            return line
        placed = ordered(glyphs, backward, line.size)
        return self._line("".join(char for char, _ in placed), [number for _, number in placed])


def _odd_rows(rects: list[Box]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Heights, from and to, where pieces of one line do not follow each other to the right; where they stand apart."""
    backward, apart = [], []
    for before, after in pairwise(box for box in rects if box.right > box.left):
        low, high = min(before.bottom, after.bottom), max(before.top, after.top)
        level = before.bottom < (after.bottom + after.top) / 2 < before.top
        if level or after.bottom < (before.bottom + before.top) / 2 < after.top:
            height = high - low
            if after.left < before.right - height / 4:
                backward.append((low - height, high))
            if max(before.left, after.left) - min(before.right, after.right) > height:
                apart.append((low - height, high))
    return backward, apart


def _within(base: float, rows: list[tuple[float, float]]) -> bool:
    return any(low < base < high for low, high in rows)


def _beyond(box: Box, shown: Box) -> bool:
    return box.left < shown.left or box.right > shown.right or box.bottom < shown.bottom or box.top > shown.top


def _reach(boxes: Sequence[Box], turn: int) -> tuple[float, float]:
    """From where to where boxes reach in the direction of a text that is turned so."""
    left, bottom = min(box.left for box in boxes), min(box.bottom for box in boxes)
    right, top = max(box.right for box in boxes), max(box.top for box in boxes)
    return ((left, right), (bottom, top), (-right, -left), (-top, -bottom))[turn]


def _right_to_left(text: str) -> bool:
    """Whether most letters are of a script that is written so."""
    there = len(_RIGHT_TO_LEFT.findall(text))
    return there > 0 and 2 * there > len(_LETTER.findall(text))
