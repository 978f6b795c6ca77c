"""The characters of a page as PDFium numbers them, and the lines they stand in."""

import ctypes
import math
import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from colibri.files.kinds.pdf_order import Glyph, in_order, ordered, overprinted

CUT = "\x02"
"""Stands where a line ended in a hyphen. PDFium has U+FFFE there, or this by another of its calls, and no line end."""

_LINE = re.compile("[^\r\n\ufffe\x02]+[\ufffe\x02]?")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Where blanks may stand within words: amid the marks of Indian scripts, and among letters that are set apart.
_DOUBTFUL = re.compile(r"[\u0900-\u109f\u1780-\u17ff]|(?:\b[^\W\d_] ){3}")
_BLANK = re.compile(r"\s+")
_CELL = 1.5  # sizes of the font between cells of a table; a justified line of few words has up to one
_LETTER = re.compile(r"[^\W\d_]")


class Box(NamedTuple):
    """In points, from the lower left of the page before it is turned."""

    left: float
    bottom: float
    right: float
    top: float


class Line(NamedTuple):
    """A line with where it stands, as its reader turns the page: start < end, and lower lines have a lower base.

    chars  PDFium's number of each character of the text, -1 for a blank that only its place tells
    turn   quarters that the text is turned by, against the clock
    blank  whether a blank ends it
    """

    text: str
    chars: Sequence[int]
    start: float
    end: float
    base: float
    size: float
    turn: int
    blank: bool


class Page:
    """A page's characters, and notes that lie on it. Its handles are the caller's, who closes them."""

    def __init__(self, pdfium: Any, text_page: Any, shown: Box, notes: Sequence[str] = ()) -> None:
        self.notes = notes
        self._pdfium, self._page, self._shown = pdfium, text_page, shown
        count = max(0, pdfium.FPDFText_CountChars(text_page))
        buffer = (ctypes.c_ushort * (2 * count + 2))()
        size = pdfium.FPDFText_GetText(text_page, 0, count, buffer) if count else 1
        text = bytes(memoryview(buffer)[: size - 1]).decode("utf-16-le", "surrogatepass")
        # One character for each UTF-16 unit, as PDFium counts; halves of pairs are joined once lines are done.
        self.text = text if len(text) == size - 1 else "".join(map(chr, buffer[: size - 1]))
        self._chars: Sequence[int] = range(count)
        if len(self.text) != count:
            index = pdfium.FPDFText_GetCharIndexFromTextIndex
            self._chars = [index(text_page, i) for i in range(len(self.text))]
        self._whole = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._whole_at, self._matrix_at = ctypes.byref(self._whole), ctypes.byref(self._matrix)
        self._origin_at = ctypes.byref(self._x), ctypes.byref(self._y)
        self._doubtful = _DOUBTFUL.search(self.text) is not None
        self._right_to_left = _RIGHT_TO_LEFT.search(self.text) is not None
        self._page_backward = self._right_to_left and _right_to_left(self.text)

    def lines(self) -> list[Line]:
        """In PDFium's order: that of the page's content, mostly. A line with wide gaps is several."""
        rects = self._rects()
        backward, apart = _odd_rows(rects)
        cropped = any(_beyond(box, self._shown) for box in rects)
        turned = _any_upright(rects)
        plain = self.text.replace("\ufffe", "-").replace("\x02", "-")
        found: list[Line] = []
        for match in _LINE.finditer(self.text):
            start, end = match.span()
            text, chars = plain[start:end], self._chars[start:end]
            if cropped:
                text, chars = self._visible(text, chars)
            for part, numbers in self._straight(text, chars) if turned else ((text, chars),):
                if not part.strip():
                    continue
                line = self._line(part, numbers)
                if line.turn == 0 and ((self._doubtful and _DOUBTFUL.search(part)) or _within(line.base, backward)):
                    line = self._reordered(line)
                found += self._cells(line) if line.turn == 0 and _within(line.base, apart) else [line]
        return found

    def _straight(self, text: str, chars: Sequence[int]) -> Iterator[tuple[str, Sequence[int]]]:
        """A line in parts that are turned alike: PDFium puts text that runs upwards behind a word without a blank."""
        turns = [self._size(number)[1] if char.strip() else None for char, number in zip(text, chars, strict=True)]
        at, turn = 0, None
        for i, here in enumerate(turns):
            if here is not None:
                if turn is not None and here != turn:
                    yield text[at:i], chars[at:i]
                    at = i
                turn = here
        yield text[at:], chars[at:]

    def box(self, char: int) -> Box:
        """All that the font of a character may reach."""
        self._pdfium.FPDFText_GetLooseCharBox(self._page, char, self._whole_at)
        return Box(self._whole.left, self._whole.bottom, self._whole.right, self._whole.top)

    def _rects(self) -> list[Box]:
        """Of the pieces that the page's content draws at once: a hundredth of the work of boxes of characters."""
        left, top, right, bottom = places = [ctypes.c_double() for _ in range(4)]
        read, at = self._pdfium.FPDFText_GetRect, [ctypes.byref(place) for place in places]
        boxes = []
        for i in range(self._pdfium.FPDFText_CountRects(self._page, 0, -1)):
            read(self._page, i, *at)
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
        stripped = text.strip()
        at = text.index(stripped)
        chars = chars[at : at + len(stripped)]
        x, y = self._origin(chars[0])
        size, turn = self._size(chars[0])
        first, last = self.box(chars[0]), self.box(chars[-1])
        if turn == 0 and abs(first.left - last.left) < size / 2 and first.top - last.top > size:
            turn = 3  # written from top to bottom: as a line that is turned with the clock
        start, end = _reach(first, last, turn)
        if self._right_to_left and self._backward(stripped):
            start, end = -end, -start
        base = (y, -x, -y, x)[turn]
        return Line(stripped, chars, start, end, base, size, turn, text[-1] == " ")

    def _cells(self, line: Line) -> list[Line]:
        """The line cut at blanks that are wider than any between words."""
        cuts = [0]
        for blank in _BLANK.finditer(line.text):
            one, other = self.box(line.chars[blank.start() - 1]), self.box(line.chars[blank.end()])
            if max(one.left, other.left) - min(one.right, other.right) > _CELL * line.size:
                cuts.append(blank.end())
        cells = [(line.text[a:b], line.chars[a:b]) for a, b in pairwise([*cuts, len(line.text)])]
        return [self._line(*cell) for cell in cells if cell[0].strip()] if len(cells) > 1 else [line]

    def _backward(self, text: str) -> bool:
        """Whether it is read from right to left: by its letters, else as the page."""
        return _right_to_left(text) if _LETTER.search(text) else self._page_backward

    def _origin(self, char: int) -> tuple[float, float]:
        self._pdfium.FPDFText_GetCharOrigin(self._page, char, *self._origin_at)
        return self._x.value, self._y.value

    def _size(self, char: int) -> tuple[float, int]:
        """Points of the font as it is drawn, and quarters that it is turned by."""
        matrix = self._matrix
        self._pdfium.FPDFText_GetMatrix(self._page, char, self._matrix_at)
        scale = math.hypot(matrix.c, matrix.d) or 1.0
        turn = round(math.atan2(matrix.b, matrix.a) / (math.pi / 2)) % 4 if matrix.b or matrix.a < 0 else 0
        return self._pdfium.FPDFText_GetFontSize(self._page, char) * scale or 1.0, turn

    def _reordered(self, line: Line) -> Line:
        """The line by the boxes of its characters, where they contradict its order."""
        made = self._pdfium.FPDFText_IsGenerated
        glyphs = [
            Glyph(char, number, *self.box(number), made(self._page, number) == 1)
            for char, number in zip(line.text, line.chars, strict=True)
        ]
        backward = self._backward(line.text)
        if in_order(glyphs, backward, line.size) or overprinted(glyphs):
            return line
        placed = ordered(glyphs, backward, line.size)
        return self._line("".join(char for char, _ in placed), [number for _, number in placed])


def _odd_rows(rects: list[Box]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Heights, from and to, where pieces of one line do not follow each other to the right; where they stand apart."""
    backward, apart = [], []
    for before, after in pairwise([box for box in rects if box.right > box.left]):
        middle, other = (after.bottom + after.top) / 2, (before.bottom + before.top) / 2
        if before.bottom < middle < before.top or after.bottom < other < after.top:
            low, high = min(before.bottom, after.bottom), max(before.top, after.top)
            height = high - low
            if after.left < before.right - height / 4:
                backward.append((low - height, high))
            if after.left - before.right > height or before.left - after.right > height:
                apart.append((low - height, high))
    return _merged(backward), _merged(apart)


def _any_upright(rects: list[Box]) -> bool:
    """Whether a piece is far higher than wide, and not for being an "l"."""
    heights = [box.top - box.bottom for box in rects if box.top - box.bottom > 2 * (box.right - box.left)]
    return bool(heights) and max(heights) > 2 * median(box.top - box.bottom for box in rects)


def _merged(rows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that overlap as one, from the lowest up."""
    done: list[tuple[float, float]] = []
    for low, high in sorted(rows):
        if done and low <= done[-1][1]:
            done[-1] = (done[-1][0], max(done[-1][1], high))
        else:
            done.append((low, high))
    return done


def _within(base: float, rows: list[tuple[float, float]]) -> bool:
    at = bisect(rows, (base, math.inf)) - 1
    return at >= 0 and base < rows[at][1]


def _beyond(box: Box, shown: Box) -> bool:
    return box.left < shown.left or box.right > shown.right or box.bottom < shown.bottom or box.top > shown.top


def _reach(one: Box, other: Box, turn: int) -> tuple[float, float]:
    """From where to where boxes reach in the direction of a text that is turned so."""
    if turn % 2:
        low, high = min(one.bottom, other.bottom), max(one.top, other.top)
    else:
        low, high = min(one.left, other.left), max(one.right, other.right)
    return (low, high) if turn < 2 else (-high, -low)


def _right_to_left(text: str) -> bool:
    """Whether most letters are of a script that is written so."""
    there = len(_RIGHT_TO_LEFT.findall(text))
    return there > 0 and 2 * there > len(_LETTER.findall(text))
