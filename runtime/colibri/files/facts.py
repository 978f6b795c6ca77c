"""What an index knows of a file: under "file" in the payload of each of its documents.

path, root, suffix, size_bytes, mtime_ns, sha256      of the file, the same in all of them
changed_ns                                            when its inode changed, which a new name does, too
passages, fields                                      options that the document was made with: the most tokens of a
                                                      passage (0: a text is one), which fields hold a row's text and id
unfinished                                            of its first document: that not all of them came yet
reader                                                what read the document: "zip 1, PDF 2"
about                                                 words that find it: its name, title, folders
title, author, created, modified, verbatim            as its `FileText` has them
language                                              as that has it; else what its text is in, "und" if nobody knows
places                                                packed, see `places`
within                                                the file inside the file that it is of: "2024/may.txt"
line                                                  where a row or a message begins in its file
remarks                                               what of it was left out
cut                                                   why reading the file ended early, and under which limits
not_read                                              of its first document: files in it that nothing reads, counted
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from colibri.files import places
from colibri.files.about import about, about_words
from colibri.files.known import READ, READERS
from colibri.files.reading import Read
from colibri.files.room.worker import Limits
from colibri.files.tongue import language_of
from colibri.files.walk import Found, shown
from colibri.files.wanted import Wanted
from colibri.index import Document, Index
from colibri.tokens import PASSAGE_TOKENS

_OF_FILE = ("path", "root", "suffix", "size_bytes", "mtime_ns", "sha256", "changed_ns")
_WITH_FIELDS = frozenset(kind.reader for kind in READ if kind.takes == "fields")


@dataclass
class Known:
    """What the index holds of a file.

    facts     those of the file, {} where its documents differ in them
    not_read  files in it that nothing reads, by what they count as
    """

    facts: dict[str, Any]
    ids: list[str]
    readers: set[str]
    not_read: dict[str, int] = field(default_factory=dict)
    cut: str = ""
    limits: str = ""
    passages: set[int] = field(default_factory=set)
    fields: set[tuple[str | None, str | None]] = field(default_factory=set)
    unfinished: bool = False

    def is_of(self, found: Found) -> bool:
        """Whether a file is as the index has it, by its times and size."""
        facts = self.facts
        same = (facts.get("mtime_ns"), facts.get("size_bytes")) == (found.mtime_ns, found.size_bytes)
        return same and facts.get("changed_ns") in {found.changed_ns, None}

    def as_read_now(self, wanted: Wanted) -> bool:
        """Whether reading it again gives the same."""
        if self.unfinished or not self.readers <= READERS or self.passages != {wanted.passages}:
            return False
        if not _WITH_FIELDS.isdisjoint(self.readers) and self.fields != {(wanted.text_field, wanted.id_field)}:
            return False
        return not self.cut or not _more(wanted.limits, self.limits)


def of_file(one: Found, root: Path, digest: str) -> dict[str, Any]:
    """The facts that all of its documents share."""
    suffix = one.path.suffix.lower().removeprefix(".")
    facts = {"path": shown(one.path), "root": shown(root), "suffix": suffix, "size_bytes": one.size_bytes}
    return facts | {"mtime_ns": one.mtime_ns, "sha256": digest, "changed_ns": one.changed_ns}


def of_options(item: Read, wanted: Wanted) -> dict[str, Any]:
    """Those that made a document what it is."""
    found: dict[str, Any] = {"passages": wanted.passages}
    fields = {"text": wanted.text_field, "id": wanted.id_field}
    if any(fields.values()) and not _WITH_FIELDS.isdisjoint(item.reader.split(", ")):
        found["fields"] = {name: value for name, value in fields.items() if value}
    return found


def of_document(one: Found, root: Path, item: Read, *, first: bool) -> tuple[dict[str, Any], list[str]]:
    """The facts of one of them, and what is to be said of it."""
    content, said = item.part.content, list(item.part.content.remarks)
    packed = places.packed(content.places)
    if packed is None:
        said.append("has too many places to keep, so that hits are shown without one")
    facts: dict[str, Any] = {"reader": item.reader, "about": about(one.path, root, item, first=first)}
    for name in ("title", "author", "language", "created", "modified", "verbatim"):
        facts[name] = getattr(content, name)
    facts["language"] = facts["language"] or language_of(content.text)
    facts |= {"places": packed, "within": item.within, "line": item.part.line, "remarks": said}
    return {name: value for name, value in facts.items() if value}, said


def payload(fields: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """A row's own fields and the file's facts. An own field named "file" is kept as "file_"."""
    if "file" not in fields:
        return {**fields, "file": dict(file)}
    name = "file_"
    while name in fields:
        name += "_"
    return {**{name if key == "file" else key: value for key, value in fields.items()}, "file": dict(file)}


def cut(stored: Mapping[str, Any] | None, why: str, limits: Limits) -> dict[str, Any]:
    """A payload that also says that the file was not read to its end."""
    own = {} if stored is None else stored
    return {**own, "file": {**own.get("file", {}), "cut": {"why": why, "limits": _shown(limits)}}}


def cut_off(document: Document, why: str | None, limits: Limits) -> Document:
    """A document whose payload says so."""
    return document if why is None else replace(document, payload=cut(document.payload, why, limits))


def unfinished(document: Document, first: str) -> Document:
    """A file's first document, which comes before the others do, says so."""
    if document.id != first:
        return document
    own = dict(document.payload or {})
    return replace(document, payload={**own, "file": {**own.get("file", {}), "unfinished": True}})


def finished(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """A payload of a file all of whose documents came."""
    own = {} if stored is None else stored
    return {**own, "file": {name: value for name, value in own.get("file", {}).items() if name != "unfinished"}}


def with_not_read(stored: Mapping[str, Any] | None, counts: Mapping[str, int]) -> dict[str, Any]:
    """A payload that also says what in the file is not read."""
    own = {} if stored is None else stored
    return {**own, "file": {**own.get("file", {}), "not_read": dict(counts)}}


def moved(stored: Mapping[str, Any] | None, one: Found, root: Path) -> dict[str, Any]:
    """The payload of a document whose file has another place now, its times among the facts."""
    own = {} if stored is None else stored
    file: dict[str, Any] = dict(own.get("file", {}))
    with suppress(ValueError, TypeError):  # a path that is not below its root: of nobody here
        before: dict[str, Any] = {
            "title": file.get("title"),
            "within": file.get("within", ""),
            "line": file.get("line"),
        }
        first = before["line"] is None or file.get("about", "") == about_words(
            Path(file["path"]), Path(file["root"]), **before, first=True
        )
        file["about"] = about_words(one.path, root, **before, first=first)
    file |= of_file(one, root, str(file.get("sha256")))
    return {**own, "file": {name: value for name, value in file.items() if name != "about" or value}}


def known_files(index: Index, below: Collection[str] | None = None) -> dict[str, Known]:
    """All that it holds, by their path. below: only these files, and those that lie there; no path among them lies in
    another one."""
    found: dict[str, Known] = {}
    between = None if below is None else _between(below)
    for found_id, own in index.payloads({"file.path": {"$exists": True}}, between=between):
        file = own["file"]
        if not isinstance(file["path"], str) or not isinstance(file.get("sha256"), str):
            continue  # somebody else's
        facts = {name: file.get(name) for name in _OF_FILE}
        before = found.setdefault(file["path"], Known(facts, [], set()))
        before.ids.append(found_id)
        before.readers |= set(str(file.get("reader")).split(", "))
        before.passages.add(file.get("passages", PASSAGE_TOKENS))
        fields = file.get("fields") or {}
        before.fields.add((fields.get("text"), fields.get("id")))
        before.unfinished |= "unfinished" in file
        if before.facts != facts:
            before.facts = {}
        if isinstance(counts := file.get("not_read"), dict):
            before.not_read |= {str(name): count for name, count in counts.items() if type(count) is int}
        if isinstance(file.get("cut"), dict):
            before.cut, before.limits = str(file["cut"].get("why")), str(file["cut"].get("limits"))
    return found


def _between(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Ranges of the ids that documents of some paths have: the path itself, what is in the file, what is in the folder.
    Its separator and the next character enclose the last."""
    for path in paths:
        yield path, f"{path}\0"
        for mark in ("#", os.sep):
            yield f"{path.rstrip(os.sep)}{mark}", f"{path.rstrip(os.sep)}{chr(ord(mark) + 1)}"


def _shown(limits: Limits) -> str:
    return f"{limits.seconds:g} s, {limits.memory_bytes >> 20} MB"


def _more(limits: Limits, before: str) -> bool:
    """Whether a file that met limits, as `_shown`, may get further under these."""
    found = re.fullmatch(r"([\d.e+]+) s, (\d+) MB", before)
    return found is None or limits.seconds > float(found[1]) or limits.memory_bytes >> 20 > int(found[2])
