"""Names of elements and attributes with the prefixes that their specifications use, whatever a file declares."""

import re
from functools import lru_cache
from xml.etree.ElementTree import Element

_PREFIXES = {
    "wordprocessingml/main": "w", "spreadsheetml/main": "x", "presentationml/main": "p",
    "drawingml/main": "a", "drawingml/chart": "c", "drawingml/diagram": "dgm", "drawingml/spreadsheetDrawing": "xdr",
    "officeDocument/relationships": "r", "officeDocument/math": "m", "markup-compatibility": "mc",
    "package/relationships": "rel", "package/content-types": "ct", "package/metadata/core-properties": "cp",
    "urn:schemas-microsoft-com:vml": "v",
    "http://schemas.microsoft.com/office/excel/2006/2": "x",
    "http://schemas.microsoft.com/office/drawing/2014/chartex": "cx",
    "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments": "xtc",
    "http://purl.org/dc/elements/1.1/": "dc", "http://purl.org/dc/terms/": "dcterms",
    "http://www.w3.org/1998/Math/MathML": "math", "http://www.w3.org/1999/xlink": "xlink", "drawing": "draw",
}  # fmt: skip
# What differs between strict and transitional Office, and between OpenDocument and OpenOffice 1.
_NAMESPACE = re.compile(
    r"http://(?:schemas\.openxmlformats\.org|purl\.oclc\.org/ooxml)/|/2006(?=/|$)"
    r"|urn:oasis:names:tc:opendocument:xmlns:|(?<=\w):1\.0$|http://openoffice\.org/20\d\d/"
)


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
