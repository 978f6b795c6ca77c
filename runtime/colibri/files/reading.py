"""A file to its documents: by the reader of its kind, and files inside it by theirs.

Archives, mailboxes and attachments are gone into, three deep, under one budget of unpacked bytes. A member's documents
are named by their path in there: "letters.zip/2024/may.txt". What goes wrong inside costs only itself and is named.
"""

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import PurePath
from typing import Any

from colibri.errors import ColibriError
from colibri.files.known import BY_NAME, PLAIN, Kind, by_ending, label
from colibri.files.packed_kinds import ZIP
from colibri.files.recognise import recognise
from colibri.files.source import Budget, Source
from colibri.files.text import FileText, Member, Part, Passed, Unreadable
from colibri.files.zip_rescue import with_directory

_KINDS = "colibri.files.kinds"
_DEEPEST = 3  # archives within each other
_LAYERS = 8  # those, and streams such as .gz, of which a file can hold itself
_STREAMS = frozenset({"gzip", "bzip2", "xz", "zstandard"})
_NO_TEXT = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")  # neither SQLite nor tokenizers take them


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How files are read. text_field, id_field: of rows. total_bytes, part_bytes: see `Budget`."""

    text_field: str | None = None
    id_field: str | None = None
    total_bytes: int = Budget.total_bytes
    part_bytes: int = Budget.part_bytes

    def budget(self, seconds: float = math.inf) -> Budget:
        """Of one file. seconds: after which its reader should end with what it has."""
        return Budget(self.total_bytes, self.part_bytes, until=time.monotonic() + seconds)


@dataclass(frozen=True, kw_only=True)
class Read:
    """A document of a file.

    part    its name is "" where the file is one document
    reader  which kinds, outermost first, and the versions of what read them: "zip 1, PDF 2"
    within  the file inside the file that it is of: "letters.zip/2024/may.txt"; "" none
    """

    part: Part
    reader: str
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class NotRead:
    """A file, or a file inside it, of a kind that nothing reads. name: "" the file itself. label: what it counts as."""

    name: str
    label: str
    kind: str


Item = Read | Passed | NotRead


def read(source: Source, wanted: Reading) -> Iterator[Item]:
    """The documents of a file, and what was passed over in it.

    Raises Unreadable, or MissingExtra, when it cannot be read (any further); what came before is whole.
    """
    yield from _read(source, wanted, (), 0)


def _read(source: Source, wanted: Reading, above: tuple[str, ...], depth: int) -> Iterator[Item]:
    with _Explained():
        source, kind, lost = _whole(source)
    if not kind.read:
        if above or not _promised(source.name):
            yield NotRead(name="", label=label(source.name, kind), kind=kind.name)
            return
        binary = kind is BY_NAME["binary"]
        raise Unreadable("is binary" if binary else f"is of a kind that nothing here reads ({kind.name})")
    readers = (*above, kind.reader)
    left: list[NotRead] = []
    made = _made(kind, source, wanted, left)
    if isinstance(made, FileText):
        content = _cleaned(made)
        content = replace(content, remarks=(*content.remarks, lost)) if lost else content
        yield Read(part=Part(name="", content=content), reader=", ".join(readers))
        return
    for item in _each(made):
        yield from left
        left.clear()
        if isinstance(item, Member):
            yield from _member(item, kind, source, wanted, readers, depth + (kind.name not in _STREAMS))
        elif isinstance(item, Part):
            part = replace(item, name=_plain(item.name), content=_cleaned(item.content))
            yield Read(part=part, reader=", ".join(readers))
        else:
            yield item
    yield from left


def _whole(source: Source) -> tuple[Source, Kind, str]:
    """A file, its kind, and what is to be said of it: a document whose end is lost is read as far as it goes."""
    try:
        return source, _kind(source), ""
    except Unreadable:
        again = with_directory(source.data, source.budget) if source.data.startswith(ZIP) else None
        if again is None:
            raise
        source = replace(source, data=again)
        return source, _kind(source), "its end is lost: it was read as far as it goes"


def _kind(source: Source) -> Kind:
    kind = recognise(source.name, source.data)
    return BY_NAME[PLAIN] if kind.only_if and not _function(kind, kind.only_if)(source) else kind


def _member(
    member: Member, kind: Kind, source: Source, wanted: Reading, readers: tuple[str, ...], depth: int
) -> Iterator[Item]:
    """Documents of a file inside another."""
    budget, outer = source.budget, _plain(member.name)
    if kind.name in _STREAMS and outer in {PurePath(source.name).stem, PurePath(source.name).name}:
        outer = ""  # what is packed alone stands for the file: notes.txt in notes.txt.gz
    if depth > _DEEPEST or len(readers) > _LAYERS:
        yield Passed(name=outer, why=f"lies more than {_DEEPEST} archives deep")
        return
    try:
        for item in _read(Source(name=member.name, data=member.data, budget=budget), wanted, readers, depth):
            if isinstance(item, Read):
                part = replace(item.part, name=_joined(outer, item.part.name))
                yield replace(item, part=part, within=_joined(outer, item.within))
            else:
                yield replace(item, name=_joined(outer, item.name))
    except ColibriError as error:
        if budget.used_bytes > budget.total_bytes:
            raise
        yield Passed(name=outer, why=str(error))


def _joined(outer: str, inner: str) -> str:
    return f"{outer}/{inner}" if outer and inner else outer or inner


def _made(
    kind: Kind, source: Source, wanted: Reading, left: list[NotRead]
) -> FileText | Iterator[Part | Member | Passed]:
    """What the reader of a kind makes of a file. left: takes members that are not even unpacked."""

    def is_wanted(name: str) -> bool:
        named = by_ending(name)
        if named is None or named.read or named.form != "other":
            return True
        left.append(NotRead(name=name, label=label(name, named), kind=named.name))
        return False

    more = {"": (), "fields": (wanted.text_field, wanted.id_field), "wanted": (is_wanted,)}[kind.takes]
    with _Explained():
        made: FileText | Iterator[Part | Member | Passed] = _function(kind, kind.function)(source, *more)
        return made


def _function(kind: Kind, name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(import_module(f"{_KINDS}.{kind.module}"), name)
    return function


def _each(made: Iterator[Part | Member | Passed]) -> Iterator[Part | Member | Passed]:
    while True:
        with _Explained():
            item = next(made, None)
        if item is None:
            return
        yield item


class _Explained:
    """A damaged file can fail in any way inside a parser: Unreadable it is."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ColibriError | MemoryError):
            raise Unreadable(f"cannot be read ({type(error).__name__}: {error})") from error


def _promised(name: str) -> bool:
    """Whether a file's name says that it is read."""
    named = by_ending(name)
    return named is not None and named.read


def _cleaned(text: FileText) -> FileText:
    """Without what is no character; places and lines stay where they are."""
    facts: dict[str, Any] = {
        name: _plain(value)
        for name in ("text", "title", "author", "language", "created", "modified")
        if (value := getattr(text, name)) is not None and _NO_TEXT.search(value)
    }
    return replace(text, **facts) if facts else text


def _plain(text: str) -> str:
    return _NO_TEXT.sub(lambda found: " " if found[0] == "\0" else "\ufffd", text)
