"""Small office files written from text: a zip of the parts that a test names, and what refers to them."""

import io
import zipfile
from collections.abc import Mapping

from colibri.files.source import Budget, Source
from colibri.files.text import FileText

TRANSITIONAL = "http://schemas.openxmlformats.org"
STRICT = "http://purl.oclc.org/ooxml"
PREFIXES = {
    "w": "wordprocessingml/2006/main",
    "x": "spreadsheetml/2006/main",
    "p": "presentationml/2006/main",
    "a": "drawingml/2006/main",
    "c": "drawingml/2006/chart",
    "dgm": "drawingml/2006/diagram",
    "xdr": "drawingml/2006/spreadsheetDrawing",
    "r": "officeDocument/2006/relationships",
    "m": "officeDocument/2006/math",
    "mc": "markup-compatibility/2006",
}
OTHERS = {
    "v": "urn:schemas-microsoft-com:vml",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "xtc": "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "cp": "http://schemas.openxmlformats.org/package/2006/metadata/core-properties",
}
OPENDOCUMENT = " ".join(
    [
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
        for prefix, space in {
            "office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style", "meta": "meta",
            "presentation": "presentation", "chart": "chart", "manifest": "manifest", "svg": "svg-compatible",
        }.items()
    ]
    + [
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"',
        'xmlns:math="http://www.w3.org/1998/Math/MathML"',
    ]
)  # fmt: skip


def spaces(*, strict: bool = False) -> str:
    """Declarations of all prefixes."""
    known = {
        prefix: f"{STRICT}/{path.replace('/2006', '')}" if strict and prefix != "mc" else f"{TRANSITIONAL}/{path}"
        for prefix, path in PREFIXES.items()
    }
    return " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in (known | OTHERS).items())


def element(name: str, inner: str = "", *, strict: bool = False) -> str:
    """A whole part."""
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} {spaces(strict=strict)}>{inner}</{name}>'


def relations(named: Mapping[str, tuple[str, str]], *, strict: bool = False) -> str:
    """named: id -> (last word of the type, target)."""
    base = f"{STRICT if strict else TRANSITIONAL}/officeDocument/{'' if strict else '2006/'}relationships"
    entries = "".join(
        f'<Relationship Id="{key}" Type="{base}/{kind}" Target="{target}"/>' for key, (kind, target) in named.items()
    )
    return f'<Relationships xmlns="{TRANSITIONAL}/package/2006/relationships">{entries}</Relationships>'


def packed(parts: Mapping[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:  # tests pack hundreds of MB
        for name, content in parts.items():
            file.writestr(name, content)
    return held.getvalue()


def office(
    main: str,
    content: str,
    named: Mapping[str, tuple[str, str]] | None = None,
    parts: Mapping[str, str | bytes] | None = None,
    *,
    strict: bool = False,
) -> bytes:
    """An Office Open XML file. named: relationships of its main part; parts: all others."""
    folder, _, base = main.rpartition("/")
    return packed(
        {
            "_rels/.rels": relations({"rId1": ("officeDocument", main)}, strict=strict),
            main: content,
            f"{folder}/_rels/{base}.rels".lstrip("/"): relations(named or {}, strict=strict),
        }
        | dict(parts or {})
    )


def source(data: bytes, name: str = "file", budget: Budget | None = None) -> Source:
    return Source(name=name, data=data, budget=budget or Budget())


def by_place(found: FileText) -> list[tuple[str, str]]:
    """Labels of places, each with the text that stood there."""
    ends = [place.start for place in found.places[1:]] + [len(found.text)]
    return [(place.label, found.text[place.start : end].strip()) for place, end in zip(found.places, ends, strict=True)]
