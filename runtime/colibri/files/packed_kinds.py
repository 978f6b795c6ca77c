"""Zip and OLE files are told apart by what lies in them."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from colibri.files.known import BY_NAME, Kind
from colibri.files.text import Unreadable
from colibri.files.zip_rescue import names_by_headers

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
EMPTY_ZIP = b"PK\x05\x06"

_TYPES = 1 << 20  # bytes of [Content_Types].xml that are looked at
_DOCUMENTS = frozenset(
    {"[Content_Types].xml", "_rels/.rels", "mimetype", "META-INF/container.xml", "META-INF/manifest.xml"}
)
"""Members that no archive of files has, the first of most documents among them."""
_MAIN = (  # content types of the part that a package is about, of old and new, with and without macros
    (re.compile(rb"ms-excel\.sheet\.binary[^\"']{0,40}main"), "binary workbook"),
    (re.compile(rb"(?:wordprocessingml|ms-word)\.[^\"']{0,60}main\+xml"), "Word"),
    (re.compile(rb"(?:spreadsheetml|ms-excel)\.[^\"']{0,60}main\+xml"), "workbook"),
    (re.compile(rb"(?:presentationml|ms-powerpoint)\.[^\"']{0,60}main\+xml"), "presentation"),
    (re.compile(rb"ms-visio"), "Publisher or Visio"),
    (re.compile(rb"ms-package\.xps|oxps"), "PostScript or XPS"),
)


_PARTS = {
    "word/document.xml": "Word",
    "xl/workbook.xml": "workbook",
    "xl/workbook.bin": "binary workbook",
    "ppt/presentation.xml": "presentation",
}
"""Where programs put the main part, which could lie anywhere."""


def zip_kind(data: bytes) -> Kind:
    """What a zip file is; "zip" for one without a directory. Raises Unreadable for a document that is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = set(packed.namelist())
            first = _member(packed, "mimetype", 200) if "mimetype" in names else b""
            types = _member(packed, "[Content_Types].xml", _TYPES) if "[Content_Types].xml" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        names = names_by_headers(data)
        if names and names.isdisjoint(_DOCUMENTS):
            return BY_NAME["zip"]  # whose members are read by the header before each
        raise Unreadable(f"is damaged ({error})") from error
    return BY_NAME[_zip_name(names, first, types)]


def _zip_name(names: set[str], mimetype: bytes, types: bytes) -> str:
    if b"epub" in mimetype or ("META-INF/container.xml" in names and b"opendocument" not in mimetype):
        return "EPUB"
    if b"opendocument" in mimetype or b"sun.xml" in mimetype:
        return "OpenDocument"
    if b"hwp" in mimetype:
        return "Hangul document"
    for pattern, name in _MAIN:
        if pattern.search(types):
            return name
    if "_rels/.rels" in names and (found := next((name for part, name in _PARTS.items() if part in names), "")):
        return found  # whose types are damaged
    if "Index/Document.iwa" in names or "Index.zip" in names:
        return "iWork document"
    if names & {"META-INF/MANIFEST.MF", "AndroidManifest.xml"}:
        return "program"
    # An OpenDocument file that another program packed anew may lack its mimetype.
    return "OpenDocument" if {"content.xml", "META-INF/manifest.xml"} <= names else "zip"


def _member(packed: zipfile.ZipFile, name: str, size: int) -> bytes:
    """Its first bytes; none of a damaged one, without which the other names tell enough."""
    try:
        with packed.open(name) as file:
            return file.read(size)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return b""


_STREAMS = (
    ("__properties_version1.0", "Outlook message"),
    ("WordDocument", "Word 97"),
    ("PowerPoint Document", "PowerPoint 97"),
    ("Workbook", "Excel 97"),
    ("Book", "Excel 97"),
    ("VisioDocument", "Publisher or Visio"),
    ("Quill", "Publisher or Visio"),
    ("FileHeader", "Hangul document"),
)


def ole_kind(data: bytes) -> Kind | None:
    """What an OLE file is, by the streams at its top; None where they tell nothing.

    Raises Unreadable for an Office file of today that is encrypted: its zip lies within.
    """
    names = set(_top_names(data))
    if "EncryptedPackage" in names:
        raise Unreadable("is encrypted")
    return next((BY_NAME[kind] for stream, kind in _STREAMS if stream in names), None)


def _top_names(data: bytes) -> Iterator[str]:
    """Names in the root storage: those of embedded files lie deeper. [MS-CFB] 2.2, 2.6."""
    entries = _directory(data)
    if not entries:
        return
    waiting, seen = [struct.unpack_from("<I", entries[0], 76)[0]], set[int]()
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        left, right = struct.unpack_from("<II", entry, 68)
        waiting += [left, right]
        length = min(struct.unpack_from("<H", entry, 64)[0], 64)
        yield entry[: max(length - 2, 0)].decode("utf-16-le", "replace")


def _directory(data: bytes) -> list[bytes]:
    """The entries of the directory, 128 bytes each, along its chain of sectors."""
    if len(data) < 512:
        return []
    shift = struct.unpack_from("<H", data, 30)[0]
    if shift not in {9, 12}:
        return []
    size = 1 << shift
    fat_sectors = struct.unpack_from("<109I", data, 76)
    sector = struct.unpack_from("<I", data, 48)[0]
    entries: list[bytes] = []
    seen = set[int]()
    while (sector + 2) * size <= len(data) + size - 1 and sector not in seen:
        seen.add(sector)
        at = (sector + 1) * size
        entries += [data[i : i + 128] for i in range(at, min(at + size, len(data) - 127), 128)]
        table, place = divmod(sector, size // 4)
        if table >= len(fat_sectors):  # beyond 7 MB of 512-byte sectors the table goes on elsewhere
            break
        at = (fat_sectors[table] + 1) * size + 4 * place
        if at + 4 > len(data):
            break
        sector = struct.unpack_from("<I", data, at)[0]
    return entries
