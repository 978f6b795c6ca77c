"""Compound files (OLE2), in which old Office programs and Outlook keep their streams: opened, and told apart."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from colibri import machine
from colibri.errors import MissingExtra
from colibri.files.source import Source
from colibri.files.text import Unreadable

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = {
    "WordDocument": "doc",
    "Workbook": "xls",
    "Book": "xls",
    "PowerPoint Document": "ppt",
    "__properties_version1.0": "msg",
    "EncryptedPackage": "sealed",
}
_DAMAGE = (
    *(OSError, ValueError, LookupError, ArithmeticError, TypeError, RuntimeError, EOFError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
_FILEPASS, _END_OF_SHEET = 0x2F, 0x0A  # [MS-XLS] 2.4.117
_SEALED_USER = 0xF3D1C4DF  # [MS-PPT] 2.3.2: headerToken


def package(name: str, kind: str) -> Any:
    """A package of the extra [files-all]. kind: of the file that needs it, as people call it."""
    try:
        return import_module(name)
    except ImportError as error:
        how = machine.install_command("files-all")
        raise MissingExtra(f"{kind} files need colibri-edge[files-all]: {how}") from error


@contextmanager
def told() -> Iterator[None]:
    """What a parser meets in a damaged file, as Unreadable."""
    try:
        yield
    except Unreadable:
        raise
    except _DAMAGE as error:
        raise Unreadable(f"is damaged ({error or type(error).__name__})") from error


def opened(data: bytes, kind: str) -> Any:
    """An olefile.OleFileIO. Raises Unreadable, MissingExtra."""
    olefile = package("olefile", kind)
    if not data.startswith(SIGNATURE):
        raise Unreadable(f"is damaged (does not begin as a {kind} file does)")
    with told():
        return olefile.OleFileIO(io.BytesIO(data.ljust(1_536, b"\0")))


def kind_of(source: Source) -> str:
    """ "doc", "xls", "ppt", "msg" or "xlsb". Raises Unreadable for other files, and for encrypted ones."""
    shown = source.name.rpartition(".")[2].upper() or "Office"
    if source.data.startswith(b"PK"):
        with told(), zipfile.ZipFile(io.BytesIO(source.data)) as packed:
            if "xl/workbook.bin" in packed.namelist():
                for part in packed.infolist():
                    source.budget.unpack(packed.open(part), part.filename)  # office-oxide knows no limit
                return "xlsb"
        raise Unreadable("is no binary workbook (no xl/workbook.bin in it)")
    ole = opened(source.data, shown)
    with told():
        names = [entry[0] for entry in ole.listdir(streams=True, storages=False) if len(entry) == 1]
        kind = next((found for stream, found in _STREAMS.items() if stream in names), None)
        if kind is None:
            raise Unreadable("holds no document that is known (a compound file of another program)")
        if kind == "sealed" or _is_sealed(ole, kind, names):
            raise Unreadable("is encrypted")
    return kind


def stream(data: bytes, name: str) -> bytes:
    """A stream's bytes; none where there is no such stream."""
    ole = opened(data, "Office")
    with told():
        return bytes(ole.openstream(name).read()) if ole.exists(name) else b""


def _is_sealed(ole: Any, kind: str, names: list[str]) -> bool:
    if kind == "doc":
        start = ole.openstream("WordDocument").read(12)
        return len(start) == 12 and bool(start[11] & 1)  # [MS-DOC] 2.5.2: fEncrypted
    if kind == "ppt":
        user = ole.openstream("Current User").read(16) if "Current User" in names else b""
        return len(user) == 16 and struct.unpack_from("<I", user, 12)[0] == _SEALED_USER
    return kind == "xls" and _has_password(ole.openstream("Workbook" if "Workbook" in names else "Book").read(4_096))


def _has_password(records: bytes) -> bool:
    at = 0
    while at + 4 <= len(records):
        number, size = struct.unpack_from("<HH", records, at)
        if number in {_FILEPASS, _END_OF_SHEET}:
            return bool(number == _FILEPASS)
        at += 4 + size
    return False
