"""Which paragraphs of a Word document are headings or stand in lists, whatever its styles are called in its language.

Taken of styles.xml: w:style's w:styleId, w:name, w:basedOn, w:outlineLvl, w:numPr; all else is left. Word keeps the
names of its own styles in English ("heading 1") under localised ids ("berschrift1").
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.elements import END
from colibri.files.kinds.office.names import attributes, child
from colibri.files.kinds.office.package import Package

_NAME = re.compile(r"heading ?([1-9])", re.IGNORECASE)
_LEFT = frozenset({"w:docDefaults", "w:latentStyles"})
_BODY_TEXT = 9  # of w:outlineLvl: 0 to 8 are headings


class Styles:
    """Levels of headings by style id."""

    def __init__(self) -> None:
        self._levels: dict[str, int | None] = {}
        self._bases: dict[str, str] = {}
        self._numbers: dict[str, tuple[str, int | None]] = {}

    def read(self, package: Package, part: str) -> None:
        """Take those of a part."""
        for kind, tag, element in package.walk(part, left=_LEFT, whole=frozenset({"w:style"})):
            if kind == END and tag == "w:style":
                self._take(element)

    def level(self, properties: Element) -> int | None:
        """From 1, of a paragraph's w:pPr; None: no heading."""
        own = _outline(properties)
        if own is None:
            own = self._of_style(value(child(properties, "w:pStyle")))
        return None if own is None or own >= _BODY_TEXT else own + 1

    def number(self, properties: Element) -> tuple[str, int | None, str]:
        """The list, the level and the style of a paragraph; "" where it stands in none."""
        style_id = value(child(properties, "w:pStyle"))
        number_id, level = _number(properties)
        for one in self._chain(style_id):
            of_style = self._numbers.get(one, ("", None))
            number_id = number_id or of_style[0]
            level = of_style[1] if level is None else level
        return number_id, level, style_id

    def _take(self, style: Element) -> None:
        style_id = attributes(style).get("w:styleId", "")
        level = _outline(child(style, "w:pPr"))
        if level is None and (named := _NAME.fullmatch(value(child(style, "w:name")).strip())):
            level = int(named[1]) - 1
        self._levels[style_id] = level
        self._bases[style_id] = value(child(style, "w:basedOn"))
        self._numbers[style_id] = _number(child(style, "w:pPr"))

    def _of_style(self, style_id: str) -> int | None:
        """Its own level, else that of the style below; where styles are missing, by the id."""
        if style_id and style_id not in self._levels:
            named = _NAME.fullmatch(style_id)
            return int(named[1]) - 1 if named else None
        levels = (self._levels[one] for one in self._chain(style_id))
        return next((level for level in levels if level is not None), None)

    def _chain(self, style_id: str) -> Iterator[str]:
        """A style and those that it is based on."""
        seen = set()
        while style_id in self._levels and style_id not in seen:
            yield style_id
            seen.add(style_id)
            style_id = self._bases[style_id]


def value(element: Element | None) -> str:
    """Its w:val."""
    return "" if element is None else attributes(element).get("w:val", "")


def _outline(properties: Element | None) -> int | None:
    return whole_number(value(child(properties, "w:outlineLvl")))


def _number(properties: Element | None) -> tuple[str, int | None]:
    """What w:numPr says; a level alone says nothing about the list."""
    stated = child(properties, "w:numPr")
    return value(child(stated, "w:numId")), whole_number(value(child(stated, "w:ilvl")))


def whole_number(digits: str) -> int | None:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
