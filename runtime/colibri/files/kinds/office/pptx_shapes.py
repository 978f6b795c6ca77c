"""The texts of one slide, or of its notes or comments: shapes, tables, charts and SmartArt in the order of the part."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from colibri.files.kinds.office import drawing
from colibri.files.kinds.office.elements import START
from colibri.files.kinds.office.package import Package

REPEATED = frozenset({"ftr", "dt", "hdr"})
_HOLDERS = frozenset({"p:sp", "a:tc", "a:tr"})


class Shapes:
    """figures: lines by id. repeated: what stood on a slide before. left: kinds of placeholders; None: all."""

    def __init__(self, figures: dict[str, list[str]], repeated: set[str], left: frozenset[str] | None) -> None:
        self._figures = figures
        self._repeated = repeated
        self._left = left
        self._lines: list[list[str]] = [[]]
        self._covered = False
        self._placeholder = ""
        self._rows = 0

    def blocks(self, package: Package, part: str) -> Iterator[tuple[str, bool]]:
        """Texts of shapes and rows, and whether it is a row after the first of its table."""
        paragraphs = drawing.Paragraphs()
        for kind, tag, element in package.walk(part, left=drawing.LEFT):
            if line := paragraphs.take(kind, tag, element):
                self._lines[-1].append(line)
            if kind == START:
                self._start(tag, element)
            elif tag in _HOLDERS:
                yield from self._end(tag)
            elif tag == "p:text" and element.text:
                yield element.text, False
            if len(self._lines) == 1:
                yield from ((line, False) for line in self._lines[0])
                self._lines[0].clear()
        for lines in self._figures.values():
            yield "\n".join(lines), False

    def _start(self, tag: str, element: Element) -> None:
        if tag in _HOLDERS:
            self._lines.append([])
            self._placeholder = ""
            self._covered = not {"1", "true"}.isdisjoint({element.get("hMerge"), element.get("vMerge")})
        elif tag == "p:ph":
            self._placeholder = element.get("type", "obj")
        elif tag == "a:tbl":
            self._rows = 0
        elif figure := drawing.figure_id(tag, element):
            self._lines[-1].append("\n".join(self._figures.pop(figure, [])))

    def _end(self, tag: str) -> Iterator[tuple[str, bool]]:
        lines = self._lines.pop()
        text = ("\t" if tag == "a:tr" else "\n").join(lines)
        if tag == "a:tc" and text and not self._covered:
            self._lines[-1].append(text)
        elif tag == "a:tr" and text:
            yield text, self._rows > 0
            self._rows += 1
        elif tag == "p:sp" and text not in self._repeated and self._is_shown():
            if self._placeholder in REPEATED:
                self._repeated.add(text)
            yield text, False

    def _is_shown(self) -> bool:
        return not self._placeholder or (self._left is not None and self._placeholder not in self._left)
