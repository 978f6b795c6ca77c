"""Members of zip archives: by their directory, else, where that is damaged, by the header before each member."""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, cast

from colibri.files.kinds.names import label, left_out, no_document, texts_of
from colibri.files.source import Budget, Source
from colibri.files.text import Member, Passed, Unreadable

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)
_METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 93: "zstd", 95: "xz", 98: "PPMd", 99: "AES"}
_CHUNK = 64 << 10
_HEADER = re.compile(rb"PK\x03\x04.{26}", re.DOTALL)
_UTF_8 = 0x800
_ENCRYPTED = 0x1
_SIZES_BEHIND = 0x8


def is_zip(data: bytes) -> bool:
    """Whether a zip begins here, or stands at the end of a program that unpacks itself."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06")) or zipfile.is_zipfile(io.BytesIO(data))


def zip_members(source: Source, wanted: Callable[[str], bool]) -> Iterator[Member | Passed]:
    """Files in a zip."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(source.data))
    except _BROKEN as error:
        yield from _salvaged(source, wanted, error)
        return
    with archive:
        entries = [info for info in archive.infolist() if not info.orig_filename.endswith(("/", "\\"))]
        counted: Counter[str] = Counter()
        for info, text in zip(entries, texts_of([_raw_name(info) for info in entries]), strict=True):
            name = label(text)
            if what := no_document(name, stat.S_ISLNK(info.external_attr >> 16)):
                counted[what] += 1
            elif wanted(name):
                yield _member(archive, info, name, source.budget)
                if source.budget.used_bytes > source.budget.total_bytes:
                    return
        yield from left_out(counted)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, budget: Budget) -> Member | Passed:
    if info.flag_bits & _ENCRYPTED:
        return Passed(name=name, why="is encrypted")
    if info.file_size > budget.part_bytes:
        return Passed(name=name, why=f"unpacks to more than {budget.part_bytes >> 20} MB")
    try:
        with archive.open(info) as stream:
            return Member(name=name, data=budget.unpack(stream, name))
    except Unreadable as error:
        return Passed(name=name, why=str(error).removeprefix(f"{name} "))
    except NotImplementedError:
        return Passed(name=name, why=f"is packed by {_METHODS.get(info.compress_type, 'an unknown method')}, not read")
    except _BROKEN as error:
        return Passed(name=name, why=f"is damaged ({error})")


def _raw_name(info: zipfile.ZipInfo) -> bytes | str:
    """A name's bytes where its encoding is not told."""
    if info.flag_bits & _UTF_8:
        return info.orig_filename
    return _unicode_name(info.extra) or info.orig_filename.encode("cp437", "replace")


def _unicode_name(extra: bytes) -> str | None:
    """The name that Info-ZIP writes beside one in an old code page (field 0x7075 of APPNOTE.TXT 4.6.9)."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == 0x7075 and size > 5:
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    return None


def _salvaged(source: Source, wanted: Callable[[str], bool], trouble: Exception) -> Iterator[Member | Passed]:
    """Members of a zip whose directory, at its end, is lost."""
    data, at, any_found = source.data, 0, False
    while found := _HEADER.search(data, at):
        at = found.end()
        flags, method = struct.unpack("<HH", found[0][6:10])
        packed_size, name_size, extra_size = struct.unpack("<I4xHH", found[0][18:30])
        raw = data[at : at + name_size]
        name = label(texts_of([raw])[0])
        start = at + name_size + extra_size
        if raw.endswith(b"/") or not wanted(name) or no_document(name):
            continue
        any_found = True
        if flags & _ENCRYPTED:
            yield Passed(name=name, why="is encrypted")
            continue
        sized = packed_size and not flags & _SIZES_BEHIND and packed_size != 0xFFFFFFFF
        body = data[start : start + packed_size] if sized else data[start:]
        one, used = _from_header(body, method, name, source.budget)
        at = start + (packed_size if sized else used)
        yield one
    if not any_found:
        raise Unreadable(f"is damaged ({trouble})")
    yield Passed(name="the directory", why=f"is damaged ({trouble}); members are read by their own headers")


def _from_header(body: bytes, method: int, name: str, budget: Budget) -> tuple[Member | Passed, int]:
    """A member, and how many bytes it took."""
    stream: io.BytesIO | _Inflating
    if method == zipfile.ZIP_DEFLATED:
        stream = _Inflating(body)
    elif method == zipfile.ZIP_STORED:
        stream = io.BytesIO(body[: _stored_end(body)])
    else:
        return Passed(
            name=name, why=f"is packed by {_METHODS.get(method, 'another method')}, and the archive damaged"
        ), 0
    try:
        unpacked = budget.unpack(cast("IO[bytes]", stream), name)
    except Unreadable as error:
        return Passed(name=name, why=str(error).removeprefix(f"{name} ")), 0
    except _BROKEN as error:
        return Passed(name=name, why=f"is damaged ({error})"), 0
    return Member(name=name, data=unpacked), stream.used if isinstance(stream, _Inflating) else len(unpacked)


def _stored_end(body: bytes) -> int:
    """Where a member that was stored as it is ends, by what comes after it."""
    found = re.search(rb"PK(?:\x03\x04|\x07\x08|\x01\x02)", body)
    return found.start() if found else len(body)


class _Inflating:
    """The deflated stream that begins here. used: its bytes so far."""

    def __init__(self, body: bytes) -> None:
        self.used = 0
        self._body = body
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while not self._inflate.eof:
            data = self._inflate.decompress(self._rest, size)
            self._rest = self._inflate.unconsumed_tail
            if data:
                return data
            if self._inflate.eof:
                break
            self._rest = self._body[self.used : self.used + _CHUNK]
            self.used += len(self._rest)
            if not self._rest:
                raise EOFError("is cut off")
        self.used -= len(self._inflate.unused_data)
        return b""
