"""The text of one OpenDocument paragraph, and what stands beside it: notes, comments, text boxes, formulas, charts.

Taken: text of text:p, text:h and all text:... elements within; text:s (no more than 64), text:tab, text:line-break;
text:ruby-base. Beside it: text:p and text:h of text:note, office:annotation, draw:text-box and other shapes;
mi, mn, mo, mtext and ms of MathML; what draw:object refers to. Left: LEFT_IN_TEXT.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.names import attributes, name

LEFT_IN_TEXT = frozenset({
    "text:ruby-text", "text:note-citation", "text:page-number", "text:page-count", "text:sheet-name",
    "text:tracked-changes", "text:deletion", "dc:creator", "dc:date", "meta:date-string", "meta:creator-initials",
    "svg-compatible:title", "svg-compatible:desc", "office:binary-data", "office:forms", "office:event-listeners",
    "table:covered-table-cell",
})  # fmt: skip
_NUMBERING = frozenset({"text:page-number", "text:page-count", "text:sheet-name"})
_SIGNS = {"text:tab": "\t", "text:line-break": "\n", "text:tab-stop": "\t"}
_MATH = frozenset({"math:mi", "math:mn", "math:mo", "math:mtext", "math:ms"})
_MOST_SPACES = 64
_SPACE = re.compile(r"[ \t\r\n]+")


@dataclass
class Paragraph:
    """beside: paragraphs of what is anchored here. numbers: whether it counts pages or names the sheet."""

    text: str = ""
    beside: list[str] = field(default_factory=list)
    numbers: bool = False


def paragraph(element: Element, embedded: Callable[[str], list[str]]) -> Paragraph:
    """embedded: the lines of an object by its address in the file."""
    found = Paragraph()
    pieces: list[str] = []
    _collect(element, pieces, found, embedded)
    found.text = _joined(pieces)
    return found


def _collect(element: Element, pieces: list[str], found: Paragraph, embedded: Callable[[str], list[str]]) -> None:
    pieces.append(_SPACE.sub(" ", element.text or ""))
    for one in element:
        _take(one, name(one.tag), pieces, found, embedded)
        pieces.append(_SPACE.sub(" ", one.tail or ""))


def _take(one: Element, tag: str, pieces: list[str], found: Paragraph, embedded: Callable[[str], list[str]]) -> None:
    if tag in LEFT_IN_TEXT:
        found.numbers |= tag in _NUMBERING
    elif tag in _SIGNS:
        pieces.append(_SIGNS[tag])
    elif tag == "text:s":
        pieces.append(" " * min(count(attributes(one).get("text:c")), _MOST_SPACES))
    elif tag == "math:math":
        found.beside.append(formula(one))
    elif tag in {"text:p", "text:h"}:
        own: list[str] = []
        place = len(found.beside)
        _collect(one, own, found, embedded)
        if text := _joined(own):
            found.beside.insert(place, text)
    elif tag.startswith("text:") and tag != "text:note":
        _collect(one, pieces, found, embedded)
        if tag == "text:number":
            pieces.append(" ")
    else:
        if tag == "draw:object":
            found.beside += embedded(attributes(one).get("xlink:href", ""))
        _collect(one, [], found, embedded)


def formula(element: Element) -> str:
    """The signs of a math:math, words in it apart."""
    text, last = "", ""
    for one in element.iter():
        sign = (one.text or "").strip() if name(one.tag) in _MATH else ""
        if sign:
            text += f" {sign}" if text and max(len(sign), len(last)) > 1 else sign
            last = sign
    return text


def count(digits: str | None) -> int:
    """How often something is repeated: 1 where nothing is said."""
    return int(digits[:18]) if digits and digits.isascii() and digits.isdigit() else 1


def _joined(pieces: list[str]) -> str:
    return "".join(pieces).replace("\u00ad", "").strip()
