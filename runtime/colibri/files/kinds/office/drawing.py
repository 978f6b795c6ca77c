"""The words of pictures made of parts: charts and SmartArt, in Word, PowerPoint and Excel alike.

Taken of a chart: a:p (titles, labels), and of its caches c:v and cx:pt, a line for the name, the categories and the
values of a series each, a line that came before only once. Taken of diagramData: a:p, a line each. Left: c:f and cx:f
(where the values come from), embedded workbooks, fields of a slide's number.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.archive import remarked
from colibri.files.kinds.office.elements import END, START
from colibri.files.kinds.office.formats import shown_number
from colibri.files.kinds.office.names import attributes
from colibri.files.kinds.office.package import Package
from colibri.files.text import Builder

_LINES = frozenset({"c:tx", "c:cat", "c:val", "c:xVal", "c:yVal", "c:bubbleSize", "c:ser", "cx:data", "cx:strDim",
                    "cx:numDim", "cx:tx"})  # fmt: skip
LEFT = frozenset({"c:f", "cx:f", "a:pPr", "a:rPr", "a:endParaRPr", "a:bodyPr", "a:lstStyle", "c:spPr"})


class Paragraphs:
    """Puts a:p together from the elements in it. Taken: a:t, m:t, a:br; left: a:fld that numbers slides."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._numbering = False

    def take(self, kind: str, tag: str, element: Element) -> str | None:
        """The paragraph, once its end has come."""
        if kind == START:
            if tag == "a:p":
                self._pieces = []
            elif tag == "a:br":
                self._pieces.append("\n")
            elif tag == "a:fld":
                self._numbering = element.get("type") == "slidenum"
        elif tag in {"a:t", "m:t"} and not self._numbering:
            self._pieces.append((element.text or "").replace("\u00ad", ""))
        elif tag == "a:fld":
            self._numbering = False
        elif tag == "a:p":
            return "".join(self._pieces).strip()
        return None


def diagram(package: Package, part: str) -> Iterator[str]:
    """Lines of a diagramData part."""
    paragraphs = Paragraphs()
    for event in package.walk(part, left=LEFT):
        if line := paragraphs.take(*event):
            yield line


def chart(package: Package, part: str) -> Iterator[str]:
    """Lines of a chart, and of what was drawn on it."""
    seen = set()
    for line in _chart(package, part):
        if line not in seen:
            seen.add(line)
            yield line
    for relation in package.relations(part, "chartUserShapes"):
        if relation.target:
            yield from diagram(package, relation.target)


def _chart(package: Package, part: str) -> Iterator[str]:
    paragraphs = Paragraphs()
    values: list[str] = []
    code = ""
    for kind, tag, element in package.walk(part, left=LEFT):
        if line := paragraphs.take(kind, tag, element):
            yield line
        if kind != END:
            code = "" if tag in _LINES else code
        elif tag == "c:formatCode":
            code = element.text or ""
        elif tag in {"c:v", "cx:pt", "cx:v"} and element.text:
            values.append(package.shown(shown_number(element.text, code) if code else element.text.strip()))
        elif tag in _LINES and values:
            yield "\t".join(values)
            values = []


FIGURES = {"chart": chart, "chartEx": chart, "diagramData": diagram}
"""By the kind of relationship that names them."""


def figures(package: Package, part: str, builder: Builder) -> dict[str, list[str]]:
    """Lines of the charts and diagrams that a part refers to, by the relationship's id."""
    found = {}
    for relation in package.relations(part, *FIGURES):
        if relation.target:
            with remarked(builder):
                found[relation.id] = list(FIGURES[relation.kind](package, relation.target))
    return found


def figure_id(tag: str, element: Element) -> str | None:
    """Of the figure that stands here."""
    key = {"c:chart": "r:id", "cx:chart": "r:id", "dgm:relIds": "r:dm"}.get(tag)
    return None if key is None else attributes(element).get(key)
