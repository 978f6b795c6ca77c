"""The lists of a Word document: how each level counts, and what its numbers look like.

Taken of numbering.xml: w:abstractNum with w:lvl's w:start, w:numFmt, w:lvlText, w:isLgl, w:lvlRestart, w:pStyle;
w:styleLink and w:numStyleLink; w:num with its w:lvlOverride. Left: fonts, indents, what separates the number.
"""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.docx_styles import value, whole_number
from colibri.files.kinds.office.elements import END
from colibri.files.kinds.office.names import attributes, child, name
from colibri.files.kinds.office.package import Package

_LONGEST = 40  # characters of a number's text; it is set by hand and can hold anything


@dataclass(frozen=True)
class Level:
    """text: "%1.%2". legal: all counts as 1, 2. restarts: after a paragraph of a level below this one. style: of
    paragraphs that stand on this level."""

    start: int
    form: str
    text: str
    legal: bool
    restarts: int
    style: str


@dataclass(frozen=True)
class Numbers:
    """A w:num. starts: counts that it begins with, by level."""

    list_id: str
    levels: dict[int, Level]
    starts: dict[int, int]


@dataclass
class Numbering:
    """The lists of a document."""

    _lists: dict[str, dict[int, Level]] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, Element] = field(default_factory=dict)
    _made: dict[str, Numbers | None] = field(default_factory=dict)

    def read(self, package: Package, part: str) -> None:
        for kind, tag, element in package.walk(part, whole=frozenset({"w:abstractNum", "w:num"})):
            about = attributes(element) if kind == END else {}
            if kind == END and tag == "w:abstractNum":
                list_id = about.get("w:abstractNumId", "")
                self._lists[list_id] = _levels(element)
                self._named[value(child(element, "w:styleLink"))] = list_id
                self._links[list_id] = value(child(element, "w:numStyleLink"))
            elif kind == END and tag == "w:num":
                self._numbers[about.get("w:numId", "")] = element

    def numbers(self, number_id: str) -> Numbers | None:
        if number_id not in self._made:
            element = self._numbers.get(number_id)
            self._made[number_id] = None if element is None else self._of(element)
        return self._made[number_id]

    def _of(self, element: Element) -> Numbers:
        list_id = value(child(element, "w:abstractNumId"))
        list_id = self._named.get(self._links.get(list_id) or "\0", list_id)
        levels, starts = dict(self._lists.get(list_id, {})), {}
        for override in (one for one in element if name(one.tag) == "w:lvlOverride"):
            at = whole_number(attributes(override).get("w:ilvl", "")) or 0
            levels |= _levels(override)
            start = whole_number(value(child(override, "w:startOverride")))
            if start is not None:
                starts[at] = start
        return Numbers(list_id, levels, starts)


def _levels(element: Element) -> dict[int, Level]:
    found = {}
    for one in (one for one in element if name(one.tag) == "w:lvl"):
        start, restarts = (whole_number(value(child(one, key))) for key in ("w:start", "w:lvlRestart"))
        at = whole_number(attributes(one).get("w:ilvl", "")) or 0
        found[at] = Level(
            start=0 if start is None else start,
            form=value(child(one, "w:numFmt")) or "decimal",
            text=value(child(one, "w:lvlText"))[:_LONGEST],
            legal=child(one, "w:isLgl") is not None,
            restarts=at if restarts is None else restarts,
            style=value(child(one, "w:pStyle")),
        )
    return found
