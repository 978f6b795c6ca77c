"""The text in a file, by the ending of its name."""

import codecs
import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from colibri.errors import ColibriError, InputError, MissingExtra
from colibri.files.markup import declared_encoding, page_text
from colibri.files.text import Unreadable

PLAIN = frozenset(
    ".txt .text .md .markdown .mdx .rst .adoc .asciidoc .org .tex .log .po .srt .vtt "  # noqa: SIM905
    ".py .pyi .js .mjs .cjs .ts .tsx .jsx .c .h .cc .cpp .cxx .hpp .hh .cs .java .kt .kts .scala .go .rs .rb .php .pl "
    ".pm .lua .swift .m .mm .r .jl .hs .ml .ex .exs .erl .clj .el .lisp .vim .sh .bash .zsh .fish .ps1 .bat .sql .css "
    ".scss .toml .yaml .yml .ini .cfg .conf .json .xml .proto .graphql .tf .cmake .mk .dockerfile".split()
)
MARKUP = frozenset({".html", ".htm", ".xhtml"})
RECORDS = frozenset({".jsonl", ".ndjson", ".csv", ".tsv"})
BOOKS = frozenset({".epub"})
EXTRA = {".pdf": "pypdf", ".docx": "docx"}
"""Ending -> the package that reads it, of the extra [files]."""

_UNPACKED = 512 << 20  # bytes that a packed file may become: a small one can hold terabytes of zeros
_BINARY_LOOK = 8_192


@dataclass(frozen=True)
class Record:
    """A row of a .jsonl or .csv file: its line, its text, and its other fields."""

    line: int
    text: str
    id: str | None
    fields: dict[str, Any]


def readable(path: PurePath) -> bool:
    """Whether files of this ending are read (perhaps with an extra)."""
    ending = path.suffix.lower()
    return ending in PLAIN or ending in MARKUP or ending in RECORDS or ending in BOOKS or ending in EXTRA


def text_of(path: PurePath, data: bytes) -> str:
    """The text of a file that is one document. An unknown ending is read as plain text.

    Raises Unreadable, MissingExtra for a kind whose package is not installed.
    """
    ending = path.suffix.lower()
    reader: Callable[[bytes], str] = {".pdf": _pdf, ".docx": _docx, ".epub": _epub}.get(ending, plain_text)
    if ending in MARKUP:
        reader = html_text
    try:
        return reader(data)
    except (ColibriError, MemoryError):
        raise
    # A damaged file can fail in any way inside a parser, and must not end the work on others.
    except Exception as error:
        raise Unreadable(f"cannot be read ({type(error).__name__}: {error})") from error


def plain_text(data: bytes) -> str:
    """Bytes as text: by their byte order mark, else UTF-8, else Windows-1252. Raises Unreadable for binary data."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace")
    if b"\0" in data[:_BINARY_LOOK]:
        raise Unreadable("is binary")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def records(path: PurePath, data: bytes, text_field: str | None, id_field: str | None) -> Iterator[Record]:
    """Rows of a .jsonl or .csv file. text_field: which holds the text; None: "text", or all fields that are strings.

    Raises InputError when a named field is not there, Unreadable for a row that is none.
    """
    text = plain_text(data)
    rows = _json_rows(text) if path.suffix.lower() in {".jsonl", ".ndjson"} else _csv_rows(text, path)
    for line, fields in rows:
        named = text_field or ("text" if "text" in fields else None)
        if named is not None and not isinstance(fields.get(named), str):
            raise InputError(f"{path}:{line}: no text in field {named!r}; there is {', '.join(map(str, fields))}")
        found = fields.pop(named) if named else "\n".join(v for v in fields.values() if isinstance(v, str))
        if id_field is not None and id_field not in fields:
            raise InputError(f"{path}:{line}: no field {id_field!r}; there is {', '.join(map(str, fields))}")
        yield Record(line, found, None if id_field is None else str(fields[id_field]), fields)


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        try:
            fields = json.loads(row)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"line {line}: not JSON ({error})") from error
        if not isinstance(fields, dict):
            raise Unreadable(f"line {line}: {type(fields).__name__}, wanted an object")
        yield line, fields


def _csv_rows(text: str, path: PurePath) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ",", restkey="more"
    )
    try:
        for row in reader:
            yield reader.line_num, {name: value for name, value in row.items() if value is not None}
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: not CSV ({error})") from error


def html_text(data: bytes) -> str:
    """What a page says."""
    encoding = declared_encoding(data)
    try:
        text = data.decode(encoding) if encoding else plain_text(data)
    except (LookupError, UnicodeDecodeError):
        text = plain_text(data)
    return page_text(text)


def _extra(package: str, kind: str) -> Any:
    from importlib import import_module  # noqa: PLC0415

    try:
        return import_module(package)
    except ImportError as error:
        raise MissingExtra(f"{kind} files need pip install 'colibri-edge[files]'") from error


def _pdf(data: bytes) -> str:
    pypdf = _extra("pypdf", "PDF")
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("is encrypted")
    return "\n\n".join(page.extract_text() for page in reader.pages).strip()


def _docx(data: bytes) -> str:
    docx = _extra("docx", "DOCX")
    _check_unpacked(data)
    document = docx.Document(io.BytesIO(data))
    parts = []
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            parts += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            parts.append(block.text)
    return "\n\n".join(part for part in parts if part.strip())


def _epub(data: bytes) -> str:
    """The chapters of a book in their order: an EPUB is a zip of XHTML, whose order its package file tells."""
    _check_unpacked(data)
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        container = ElementTree.fromstring(book.read("META-INF/container.xml"))
        package = next(entry.attrib["full-path"] for entry in container.iter() if entry.tag.endswith("}rootfile"))
        root = ElementTree.fromstring(book.read(package))
        files = {e.attrib["id"]: e.attrib["href"] for e in root.iter() if e.tag.endswith("}item")}
        order = [e.attrib["idref"] for e in root.iter() if e.tag.endswith("}itemref")]
        base = PurePosixPath(package).parent
        chapters = [html_text(book.read(str(base / unquote(files[name])))) for name in order if name in files]
    return "\n\n".join(chapter for chapter in chapters if chapter)


def _check_unpacked(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile as error:
        raise Unreadable(f"is damaged ({error})") from error
    if size > _UNPACKED:
        raise Unreadable(f"unpacks to {size >> 20:,} MB, more than {_UNPACKED >> 20}")
