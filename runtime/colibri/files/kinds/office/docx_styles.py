"""Which paragraphs of a Word document are headings, whatever its styles are called in its language.

Taken of styles.xml: w:style's w:styleId, w:name, w:basedOn, w:outlineLvl; all else is left. Word keeps the names of its
own styles in English ("heading 1") under localised ids ("berschrift1").
"""

import re
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

    def _take(self, style: Element) -> None:
        style_id = attributes(style).get("w:styleId", "")
        level = _outline(child(style, "w:pPr"))
        if level is None and (named := _NAME.fullmatch(value(child(style, "w:name")).strip())):
            level = int(named[1]) - 1
        self._levels[style_id] = level
        self._bases[style_id] = value(child(style, "w:basedOn"))

    def _of_style(self, style_id: str) -> int | None:
        """Its own level, else that of the style below; where styles are missing, by the id."""
        if style_id and style_id not in self._levels:
            named = _NAME.fullmatch(style_id)
            return int(named[1]) - 1 if named else None
        seen = set()
        while style_id in self._levels and style_id not in seen:
            if self._levels[style_id] is not None:
                return self._levels[style_id]
            seen.add(style_id)
            style_id = self._bases[style_id]
        return None


def value(element: Element | None) -> str:
    """Its w:val."""
    return "" if element is None else attributes(element).get("w:val", "")


def _outline(properties: Element | None) -> int | None:
    digits = value(child(properties, "w:outlineLvl"))
    return int(digits) if digits.isascii() and digits.isdigit() else None
