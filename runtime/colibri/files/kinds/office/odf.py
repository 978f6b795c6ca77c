"""OpenDocument files (odt, ods, odp, odg, odf, their templates, flat fodt, fods, fodp) and those of OpenOffice 1.

Parts taken: content.xml; styles.xml for headers and footers; content.xml of embedded objects (charts, formulas); of
meta.xml dc:title, meta:initial-creator or dc:creator, dc:language, meta:creation-date, dc:date. Left: pictures, macros,
settings, replacements of objects. META-INF/manifest.xml tells whether the file is encrypted.
"""

import io
import posixpath
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from colibri.files.kinds.office.archive import Archive, finished, remarked
from colibri.files.kinds.office.elements import END, NOTHING, Event, walk
from colibri.files.kinds.office.names import name
from colibri.files.kinds.office.odf_body import LEFT, WHOLE, Content
from colibri.files.kinds.office.odf_text import formula, paragraph
from colibri.files.kinds.office.package import DATE
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_MANIFEST = "META-INF/manifest.xml"
_FACTS = {"dc:title": "title", "meta:initial-creator": "author", "dc:creator": "author", "dc:language": "language",
          "meta:creation-date": "created", "dc:date": "modified"}  # fmt: skip
_STYLES = frozenset({"office:styles", "office:automatic-styles"})
_DATES = frozenset({"created", "modified"})


def read(source: Source) -> FileText:
    """Raises Unreadable for an encrypted or damaged file."""
    document: _Packed | _Flat = _Packed(source) if source.data.startswith(b"PK") else _Flat(source)
    builder = Builder()
    content = Content(builder, lambda address: document.embedded(address, builder))
    for part in document.parts:
        with remarked(builder):
            content.take(document.walk(part, left=LEFT, whole=WHOLE))
    content.finish()
    return finished(builder, **document.facts())


class _Flat:
    """The whole file in one XML document."""

    parts: tuple[str, ...] = ("the document",)

    def __init__(self, source: Source) -> None:
        self._data = source.data

    def walk(self, part: str, *, left: frozenset[str] = NOTHING, whole: frozenset[str] = NOTHING) -> Iterator[Event]:
        return walk(lambda: io.BytesIO(self._data), part, left=left, whole=whole)

    def embedded(self, address: str, builder: Builder) -> list[str]:
        """Lines of an object; here they stand in the document."""
        return []

    def facts(self) -> dict[str, Any]:
        return _facts(self.walk(self.parts[0], left=frozenset({"office:body"}), whole=frozenset({"office:meta"})))


class _Packed(Archive):
    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.parts = ("styles.xml", "content.xml") if self.has("styles.xml") else ("content.xml",)
        self._seen = set(self.parts)
        if self.has(_MANIFEST) and any(tag == "manifest:encryption-data" for _, tag, _ in self.walk(_MANIFEST)):
            raise Unreadable("is encrypted")

    def embedded(self, address: str, builder: Builder) -> list[str]:
        """Lines of an object, once."""
        part = posixpath.normpath(posixpath.join(unquote(address), "content.xml"))
        lines: list[str] = []
        if part not in self._seen and self.has(part):
            self._seen.add(part)
            with remarked(builder):
                lines += _lines(self.walk(part, left=LEFT | _STYLES, whole=WHOLE | {"table:table-row"}))
        return lines

    def facts(self) -> dict[str, Any]:
        return _facts(self.walk("meta.xml", whole=frozenset({"office:meta"}))) if self.has("meta.xml") else {}


def _lines(events: Iterator[Event]) -> Iterator[str]:
    """Of a chart: its titles, and its table by rows. Of a formula: its signs."""
    for kind, tag, element in events:
        if kind == END and tag == "table:table-row":
            yield "\t".join(one for one in paragraph(element, lambda _: []).beside if one != "NaN")
        elif kind == END and tag in WHOLE:
            yield formula(element) if tag == "math:math" else paragraph(element, lambda _: []).text


def _facts(events: Iterator[Event]) -> dict[str, Any]:
    """Fields of FileText; nothing where they cannot be read."""
    found: dict[str, str] = {}
    with suppress(Unreadable):
        for kind, tag, element in events:
            if kind == END and tag == "office:meta":
                texts = {name(one.tag): (one.text or "").strip() for one in element}
                for key, field in _FACTS.items():
                    if (text := texts.get(key)) and (field not in _DATES or DATE.fullmatch(text)):
                        found.setdefault(field, text)
    return found
