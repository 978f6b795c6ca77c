"""What belongs to a sheet beside its cells: headers and footers, comments, text boxes, charts.

Taken: x:headerFooter's texts without their codes; x:comment's x:text and xtc:threadedComment's xtc:text, each at its
cell (the copy of a thread for older versions of Excel is left, its author is "tc=..."); of drawings a:p, charts and
SmartArt, at the cell of xdr:from. Left: vmlDrawing (frames of comments, form controls), pictures.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from colibri.files.kinds.office import drawing
from colibri.files.kinds.office.archive import remarked
from colibri.files.kinds.office.elements import END, START
from colibri.files.kinds.office.names import child
from colibri.files.kinds.office.package import Package, unescaped
from colibri.files.kinds.office.sheets import Tab, column_name
from colibri.files.kinds.office.xlsx_cells import number, rich
from colibri.files.text import Builder

# ECMA-376 part 1, 18.3.1.46: fonts, sizes, colours, and fields such as the page's number.
_CODE = re.compile(r'&(?:"[^"]*"|K(?:[0-9A-Fa-f]{6}|[0-9]{2}[+-][0-9]{3})|[0-9]+|.)', re.DOTALL)
_ANCHORS = frozenset({"xdr:twoCellAnchor", "xdr:oneCellAnchor", "xdr:absoluteAnchor"})
_COPY = "tc="


class Beside:
    """Of all sheets of a workbook: a header that they share stands once."""

    def __init__(self, package: Package, builder: Builder) -> None:
        self._package = package
        self._builder = builder
        self._headers: set[str] = set()

    def headers(self, tab: Tab, element: Element) -> None:
        for one in element:
            codes = one.text or ""
            text = _CODE.sub(_code, codes).strip()
            # "Page 3" of every workbook that LibreOffice saves tells nothing.
            counted = "&P" in codes and len(text.split()) < 2
            if text and not counted and text not in self._headers:
                self._headers.add(text)
                tab.place()
                self._builder.block(text)

    def read(self, tab: Tab, part: str) -> None:
        relations = self._package.relations(part, "comments", "threadedComment", "drawing", "package")
        threads = any(relation.kind == "threadedComment" and relation.target for relation in relations)
        for relation in relations:
            if relation.target and relation.kind != "package":
                with remarked(self._builder):
                    self._read(tab, relation.kind, relation.target, threads)

    def _read(self, tab: Tab, kind: str, part: str, threads: bool) -> None:
        if kind == "drawing":
            found = self._drawing(part)
        else:
            found = self._threads(part) if kind == "threadedComment" else self._comments(part, threads)
        for reference, text in found:
            if text.strip():
                tab.place(reference)
                self._builder.block(text)

    def _comments(self, part: str, threads: bool) -> Iterator[tuple[str, str]]:
        authors = []
        for kind, tag, element in self._package.walk(part, whole=frozenset({"x:comment"})):
            if kind == END and tag == "x:author":
                authors.append(element.text or "")
            elif kind == END and tag == "x:comment":
                at, text = number(element.get("authorId")), child(element, "x:text")
                copied = threads and at < len(authors) and authors[at].startswith(_COPY)
                if text is not None and not copied:
                    yield element.get("ref", ""), rich(text)

    def _threads(self, part: str) -> Iterator[tuple[str, str]]:
        reference = ""
        for kind, tag, element in self._package.walk(part):
            if kind == START and tag == "xtc:threadedComment":
                reference = element.get("ref", "")
            elif kind == END and tag == "xtc:text":
                yield reference, unescaped(element.text or "")

    def _drawing(self, part: str) -> Iterator[tuple[str, str]]:
        figures = drawing.figures(self._package, part, self._builder)
        paragraphs, lines = drawing.Paragraphs(), list[str]()
        corner = {"xdr:col": 0, "xdr:row": 0}
        within = False
        for kind, tag, element in self._package.walk(part, left=drawing.LEFT | {"xdr:to"}):
            if line := paragraphs.take(kind, tag, element):
                lines.append(line)
            if kind == START:
                within = within or tag == "xdr:from"
                lines += figures.pop(drawing.figure_id(tag, element) or "", [])
            elif tag in corner and within:
                corner[tag] = number(element.text) + 1
            elif tag in _ANCHORS:
                yield f"{column_name(corner['xdr:col'])}{corner['xdr:row']}" if within else "", "\n".join(lines)
                lines, within = [], False


def _code(found: re.Match[str]) -> str:
    return {"&L": "\t", "&C": "\t", "&R": "\t", "&&": "&"}.get(found[0], "")
