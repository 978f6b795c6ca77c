"""An Office Open XML file: its main part found by relationships, never by name, and what it says of itself.

Taken of docProps/core.xml: dc:title, dc:creator, dc:language, dcterms:created, dcterms:modified. Relationships are told
by the last word of their type, which strict and transitional files share ("officeDocument", "header", "slide").
"""

import posixpath
import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from colibri.files.kinds.office.archive import Archive, finished
from colibri.files.kinds.office.elements import END, START
from colibri.files.kinds.office.names import attributes
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_FACTS = {"dc:title": "title", "dc:creator": "author", "dc:language": "language",
          "dcterms:created": "created", "dcterms:modified": "modified"}  # fmt: skip
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?")  # W3CDTF
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Relation(NamedTuple):
    """kind: the last word of its type; target: a part that is there, or "" where it points nowhere."""

    id: str
    kind: str
    target: str


class Package(Archive):
    """An Office Open XML file. main: the part of the document itself."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._embedded: set[str] = set()
        named = (one.target for one in self.relations("", "officeDocument") if one.target)
        self.main = next(named, "") or self._main_by_type()
        if not self.main:
            raise Unreadable("is damaged (no main part is named)")

    def relations(self, part: str, *kinds: str) -> list[Relation]:
        """What a part names within the file, of these kinds (all where none is given), in its order."""
        folder, _, base = part.rpartition("/")
        listing = posixpath.join(folder, "_rels", f"{base}.rels")
        found = []
        for kind, tag, element in self.walk(listing) if self.has(listing) else ():
            about = attributes(element)
            if kind == START and tag == "rel:Relationship" and about.get("TargetMode") != "External":
                word, target = about.get("Type", "").rpartition("/")[2], self._target(folder, about.get("Target", ""))
                if not kinds or word in kinds:
                    found.append(Relation(about.get("Id", ""), word, target))
                    if word == "package" and target:
                        self._embedded.add(target)
        return found

    def done(self, builder: Builder) -> FileText:
        """The text, and how many files of Office ("package") lie in this one and are not read."""
        if count := len(self._embedded):
            builder.remark(f"holds {count} embedded file{'s' * (count > 1)} of Office, not read")
        return finished(builder, **self._facts())

    def _facts(self) -> dict[str, Any]:
        """Fields of FileText; nothing where they cannot be read."""
        found: dict[str, str] = {}
        try:
            for core in self.relations("", "core-properties"):
                for kind, tag, element in self.walk(core.target) if core.target else ():
                    text = unescaped(element.text or "").strip()
                    if kind == END and tag in _FACTS and text and (tag[:3] == "dc:" or DATE.fullmatch(text)):
                        found.setdefault(_FACTS[tag], text)
        except Unreadable:
            pass
        return found

    def _main_by_type(self) -> str:
        """Where no relationship names the main part: what the list of content types calls one."""
        for kind, tag, element in self.walk("[Content_Types].xml") if self.has("[Content_Types].xml") else ():
            if kind == START and tag == "ct:Override" and element.get("ContentType", "").endswith("main+xml"):
                return self._target("", element.get("PartName", ""))
        return ""

    def _target(self, folder: str, target: str) -> str:
        whole = posixpath.normpath(posixpath.join("/", folder, target.replace("\\", "/"))).lstrip("/")
        return next((one for one in (whole, unquote(whole)) if self.has(one)), "")


def unescaped(text: str) -> str:
    """Characters that XML cannot hold are written _x000D_ (ECMA-376 part 1, 22.9.2.19). A line end comes out as \\n."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text).replace("\r\n", "\n").replace("\r", "\n")
