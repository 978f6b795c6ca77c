"""XML parts as streams of elements: nothing outside is fetched, entities stay small, and memory stays flat."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from colibri.files.kinds.office.prolog import Readable, prepared
from colibri.files.text import Unreadable

START, END = "start", "end"
_EVENTS: tuple[Literal["start"], Literal["end"]] = ("start", "end")
Event = tuple[str, str, Element]
"""START or END, the element's name with the prefix that its specification uses ("w:t"), the element."""

NOTHING: frozenset[str] = frozenset()
_DEEPEST = 500  # walks of a kept element recurse; Word's own tables in tables end far below

_PREFIXES = {
    "wordprocessingml/main": "w", "spreadsheetml/main": "x", "presentationml/main": "p",
    "drawingml/main": "a", "drawingml/chart": "c", "drawingml/diagram": "dgm", "drawingml/spreadsheetDrawing": "xdr",
    "officeDocument/relationships": "r", "officeDocument/math": "m", "markup-compatibility": "mc",
    "package/relationships": "rel", "package/content-types": "ct", "package/metadata/core-properties": "cp",
    "urn:schemas-microsoft-com:vml": "v", "http://schemas.microsoft.com/office/drawing/2014/chartex": "cx",
    "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments": "xtc",
    "http://purl.org/dc/elements/1.1/": "dc", "http://purl.org/dc/terms/": "dcterms",
    "http://www.w3.org/1998/Math/MathML": "math", "http://www.w3.org/1999/xlink": "xlink", "drawing": "draw",
}  # fmt: skip
_NAMESPACE = re.compile(
    r"http://(?:schemas\.openxmlformats\.org|purl\.oclc\.org/ooxml)/|/2006(?=/|$)"
    r"|urn:oasis:names:tc:opendocument:xmlns:|(?<=\w):1\.0$|http://openoffice\.org/20\d\d/"
)
"""What differs between strict and transitional Office, and between OpenDocument and OpenOffice 1."""


@lru_cache(4_096)
def name(tag: str) -> str:
    """The name of an element or attribute with the prefix of its specification: "w:t" of both its namespaces."""
    space, _, local = tag.rpartition("}")
    if not space:
        return local
    space = _NAMESPACE.sub("", space[1:])
    return f"{_PREFIXES.get(space, space)}:{local}"


def attributes(element: Element) -> dict[str, str]:
    return {name(key): value for key, value in element.attrib.items()}


def child(element: Element | None, *path: str) -> Element | None:
    """The first element along a path of names below this one."""
    for step in path:
        element = next((one for one in element if name(one.tag) == step), None) if element is not None else None
    return element


def walk(
    opener: Callable[[], Readable], part: str, *, left: frozenset[str] = NOTHING, whole: frozenset[str] = NOTHING
) -> Iterator[Event]:
    """The elements of a part, each forgotten once its end has been handed out.

    left   names of elements passed over, with all that they hold
    whole  names of elements handed out at their end only, with all that they hold

    Of alternatives (mc:AlternateContent) the first is taken. Raises Unreadable where the part is damaged.
    """
    opened: list[Element] = []
    chosen: list[bool] = []
    kept = skipped = 0
    for event, element in _parsed(opener, part):
        tag = "" if kept or skipped else name(element.tag)
        if event == START:
            opened.append(element)
            if len(opened) > _DEEPEST:
                raise Unreadable(f"{part} nests elements deeper than {_DEEPEST}")
            if kept:
                kept += 1
            elif skipped or tag in left or _other_choice(tag, chosen):
                skipped += 1
            elif tag in whole:
                kept = 1
            else:
                yield START, tag, element
            continue
        opened.pop()
        kept -= kept > 0
        if skipped:
            skipped -= 1
        elif not kept:
            if (tag := name(element.tag)) == "mc:AlternateContent":
                chosen.pop()
            yield END, tag, element
        if not kept and opened:
            del opened[-1][:]


def _other_choice(tag: str, chosen: list[bool]) -> bool:
    """Whether this is an alternative after one was taken: a text box has its words in both."""
    if tag == "mc:AlternateContent":
        chosen.append(False)
    elif tag in {"mc:Choice", "mc:Fallback"} and chosen:
        before, chosen[-1] = chosen[-1], True
        return before
    return False


def _parsed(opener: Callable[[], Readable], part: str) -> Iterator[tuple[str, Element]]:
    try:
        stream, parser = prepared(opener, part)
        yield from ElementTree.iterparse(stream, _EVENTS, parser)
    except Unreadable:
        raise
    except (ElementTree.ParseError, expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"{part} is damaged ({error})") from error
