"""What the content of an OpenDocument file shows: paragraphs under their headings, rows, sheets, slides.

Taken: text:p, text:h, tables (odf_tables.py), office:annotation, draw:page, draw:object, headers and footers of
style:master-page once each, presentation:footer-decl. Left: LEFT; all else of master pages.
"""

import re
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.elements import START, Event
from colibri.files.kinds.office.names import attributes, child
from colibri.files.kinds.office.odf_lists import Lists
from colibri.files.kinds.office.odf_tables import Tables
from colibri.files.kinds.office.odf_text import LEFT_IN_TEXT, Paragraph, count, formula, paragraph
from colibri.files.kinds.office.outline import Outline
from colibri.files.text import Builder

LEFT = LEFT_IN_TEXT | {
    "office:font-face-decls", "office:settings", "office:scripts",
    "table:tracked-changes", "table:content-validations", "table:named-expressions", "table:database-ranges",
    "text:table-of-content-source", "text:alphabetical-index-source", "text:bibliography-source",
    "text:illustration-index-source", "text:object-index-source", "text:table-index-source", "text:user-index-source",
    "office:meta", "draw:page-thumbnail",
}  # fmt: skip
WHOLE = frozenset({"text:p", "text:h", "math:math"})
_KINDS = frozenset({"office:text", "office:spreadsheet", "office:presentation", "office:drawing"})
_SIDES = {f"style:{side}{form}": side for side in ("header", "footer") for form in ("", "-left", "-first")}
_WORD = re.compile(r"[^\W\d_]{2,}")
_PAGES = {"office:presentation": "slide", "office:drawing": "p."}


class Content:
    """embedded: the lines of an object by its address in the file."""

    def __init__(self, builder: Builder, embedded: Callable[[str], list[str]]) -> None:
        self._builder = builder
        self._embedded = embedded
        self._outline = Outline()
        self._tables = Tables(builder)
        self._lists = Lists()
        self._kind = self._side = ""
        self._masters = self._annotation = False
        self._page = 0
        self._sides: dict[str, str] = {}

    def take(self, events: Iterable[Event]) -> None:
        for kind, tag, element in events:
            if kind == START:
                self._start(tag, element)
            else:
                self._end(tag, element)

    def finish(self) -> None:
        """Headers and footers, once each."""
        self._tables.finish()
        for text, side in self._sides.items():
            self._builder.place(side)
            self._builder.block(text)

    def _start(self, tag: str, element: Element) -> None:
        if tag in Tables.NAMES:
            self._tables.start(tag, attributes(element), sheet=self._kind == "office:spreadsheet")
        elif tag in Lists.NAMES:
            self._lists.start(tag, attributes(element))
        elif tag == "draw:page" and self._kind in _PAGES:
            self._page += 1
            self._builder.place(f"{_PAGES[self._kind]} {self._page}")
        elif tag == "draw:object":
            self._add(Paragraph(beside=self._embedded(attributes(element).get("xlink:href", ""))))
        elif tag in _KINDS:
            self._kind = self._kind or tag  # that of the document, not of what is embedded in a flat one
        elif tag == "office:annotation":
            self._annotation = True
        elif tag == "office:master-styles":
            self._masters = True
        elif tag in _SIDES:
            self._side = _SIDES[tag]
        elif tag == "office:document-content" and (kind := attributes(element).get("office:class")):
            self._kind = f"office:{kind}"  # of OpenOffice 1

    def _end(self, tag: str, element: Element) -> None:
        if tag in WHOLE:
            self._paragraph(tag, element)
        elif tag in Tables.NAMES:
            self._tables.end(tag)
        elif tag in Lists.NAMES:
            self._lists.end(tag)
        elif tag == "office:annotation":
            self._annotation = False
        elif tag == "office:master-styles":
            self._masters = False
        elif tag in _SIDES:
            self._side = ""
        elif tag == "presentation:footer-decl" and element.text:
            self._sides.setdefault(element.text.strip(), "footer")

    def _paragraph(self, tag: str, element: Element) -> None:
        found = Paragraph(formula(element)) if tag == "math:math" else paragraph(element, self._embedded)
        number = self._lists.number(tag == "text:h", attributes(element)) if not (self._side or self._masters) else ""
        if number and found.text and child(element, "text:number") is None:
            found.text = f"{number} {found.text}"
        if self._side:
            # "Page 3" and "00/00/0000" of every workbook that LibreOffice saves tell nothing.
            if len(_WORD.findall(found.text)) > found.numbers:
                self._sides.setdefault(found.text, self._side)
        elif not self._masters:
            if tag == "text:h" and found.text and not self._tables.in_cell:
                level = count(attributes(element).get("text:outline-level"))
                self._builder.place(self._outline.path(level, found.text))
            self._add(found)

    def _add(self, found: Paragraph) -> None:
        if self._tables.in_cell:
            self._tables.add(*(([], [found.text]) if self._annotation else ([found.text], found.beside)))
            return
        if self._kind == "office:spreadsheet":
            self._tables.beside_cells()
        for text in (found.text, *found.beside):
            self._builder.block(text)
