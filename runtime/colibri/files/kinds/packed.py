"""Packed bytes as a stream that ends where they are damaged, and that no header can make endless."""

import bz2
import gzip
import io
import lzma
import zlib
from importlib import import_module
from typing import Any, Protocol

from colibri import machine
from colibri.errors import MissingExtra
from colibri.files.text import Unreadable

_RECENT = 128 << 10  # bytes
_ERRORS = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)


class Stream(Protocol):
    """What bytes are read from: at most `size` at a time, none at the end."""

    def read(self, size: int, /) -> bytes: ...


class Packed:
    """What a stream unpacks to. broken: why it ended before its end; "" where it did not.

    Raises Unreadable after `most_bytes`: also what is passed over has to be unpacked.
    """

    def __init__(self, stream: Stream, most_bytes: int, errors: tuple[type[Exception], ...] = _ERRORS) -> None:
        self.broken = ""
        self.at = 0
        self.data_end = 0
        self._read = getattr(stream, "read1", stream.read)
        self._left = most_bytes
        self._most = most_bytes
        self._errors = errors
        self._ahead = b""
        self._recent = b""

    def look(self, size: int) -> bytes:
        """The first bytes, which stay to be read."""
        while len(self._ahead) < size and (more := self._more(size)):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes: up to `size`, and not always all that there are; none at the end."""
        if not self._ahead:
            self._ahead = self._more(size if size > 0 else _RECENT)
        size = len(self._ahead) if size < 0 else size
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        if filled := data.rstrip(b"\0"):
            self.data_end = self.at + len(filled)
        self.at += len(data)
        self._recent = (self._recent + data)[-_RECENT:]
        return data

    def empty_between(self, start: int, end: int) -> bool:
        """Whether only zeros were read there; no, where that is too long ago."""
        begin = self.at - len(self._recent)
        return start >= begin and not self._recent[start - begin : end - begin].strip(b"\0")

    def _more(self, size: int) -> bytes:
        if self.broken:
            return b""
        try:
            data: bytes = self._read(size)
        except self._errors as error:
            self.broken = str(error)
            return b""
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(f"unpacks to more than {self._most >> 20} MB")
        return data


def opened(data: bytes, most_bytes: int) -> Packed:
    """The stream that gzip, bzip2, xz, lzma or Zstandard packed. Raises Unreadable for any other data, MissingExtra."""
    file = io.BytesIO(data)
    stream: Any
    if data.startswith(b"\x1f\x8b"):
        stream = gzip.GzipFile(fileobj=file)
    elif data.startswith(b"BZh"):
        stream = bz2.BZ2File(file)
    elif data.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")):
        stream = lzma.LZMAFile(file)  # noqa: SIM115 - a view of bytes in memory, whose reader keeps it
    elif data.startswith(b"\x28\xb5\x2f\xfd") or (data[1:4] == b"\x2a\x4d\x18" and data[:1] and data[0] >> 4 == 5):
        zstandard = _zstandard()
        return Packed(zstandard.ZstdFile(file), most_bytes, (*_ERRORS, zstandard.ZstdError))
    else:
        raise Unreadable("is no archive that is read")
    return Packed(stream, most_bytes)


def _zstandard() -> Any:
    """Of the standard library from Python 3.14 on, else of the package that brings the same to older ones."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise MissingExtra(f"Zstandard files need colibri-edge[files]: {machine.install_command('files')}")
