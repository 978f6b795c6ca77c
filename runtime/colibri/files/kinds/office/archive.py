"""A zipped office file as its parts, each unpacked piece by piece within the budget.

An encrypted Office file is an OLE file that holds a stream of the name EncryptedPackage ([MS-OFFCRYPTO] 2.3.4).
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from colibri.files.kinds.office.elements import NOTHING, Event, walk
from colibri.files.kinds.office.prolog import Readable
from colibri.files.source import Counted, Source
from colibri.files.text import Builder, FileText, Unreadable

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_PIECE = 1 << 18
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


class Swollen(Unreadable):
    """What a file shows is far more than what it holds: one long string, named by every cell. None of it is kept."""


class Archive:
    """The zip. Names are compared as Office does: without regard to case, to / or \\, and to a / in front."""

    def __init__(self, source: Source) -> None:
        if source.data.startswith(_OLE):
            encrypted = _ENCRYPTED_STREAM in source.data
            raise Unreadable("is encrypted" if encrypted else "is an older Office file under a newer name")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source.data))
        except _BROKEN as error:
            raise Unreadable(f"is damaged ({error})") from error
        self._budget = source.budget
        self._shown = 0
        self._entries = {_key(entry.filename): entry for entry in self._zip.infolist()}

    def shown(self, text: str) -> str:
        """Count text that can stand many times for what is held once. Raises Swollen when it grows past a part."""
        self._shown += len(text)
        if self._shown > self._budget.part_bytes:
            raise Swollen(f"shows more than {self._budget.part_bytes >> 20} MB of text")
        return text

    def has(self, part: str) -> bool:
        return _key(part) in self._entries

    def open(self, part: str) -> Readable:
        """Raises Unreadable, without unpacking, for what says itself that it is too large."""
        entry = self._entry(part)
        try:
            return _Unpacking(Counted(self._zip.open(entry), part, self._budget), part)
        except _BROKEN as error:
            raise Unreadable(f"{part} is damaged ({error})") from error

    def pieces(self, part: str) -> Iterator[bytes]:
        """A part that is walked as well: not counted a second time."""
        entry = self._entry(part)
        try:
            with self._zip.open(entry) as stream:
                yield from iter(lambda: stream.read(_PIECE), b"")
        except _BROKEN as error:
            raise Unreadable(f"{part} is damaged ({error})") from error

    def _entry(self, part: str) -> zipfile.ZipInfo:
        entry = self._entries.get(_key(part))
        if entry is None:
            raise Unreadable(f"{part} is missing")
        if entry.flag_bits & 1:
            raise Unreadable("is encrypted")
        if entry.file_size > self._budget.part_bytes:
            raise Unreadable(f"{part} unpacks to more than {self._budget.part_bytes >> 20} MB")
        return entry

    def walk(self, part: str, *, left: frozenset[str] = NOTHING, whole: frozenset[str] = NOTHING) -> Iterator[Event]:
        """`elements.walk` of a part."""
        return walk(lambda: self.open(part), part, left=left, whole=whole)


class _Unpacking:
    def __init__(self, stream: Counted, part: str) -> None:
        self._stream = stream
        self._part = part

    def read(self, size: int = 1 << 16, /) -> bytes:
        try:
            return self._stream.read(size)
        except Unreadable:
            raise
        except _BROKEN as error:
            raise Unreadable(f"{self._part} is damaged ({error})") from error


@contextmanager
def remarked(builder: Builder) -> Iterator[None]:
    """What one part cannot give becomes a remark, and the others stay."""
    try:
        yield
    except Swollen:
        raise
    except Unreadable as error:
        builder.remark(str(error))


def finished(builder: Builder, **facts: Any) -> FileText:
    """The text. Raises Unreadable where nothing came because of what went wrong."""
    content = builder.done(**facts)
    if not content.text and content.remarks:
        raise Unreadable(content.remarks[0])
    return content


def _key(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()
