"""The readers there were before there was a module a kind, for a frame that calls them alike."""

import codecs
import io
import zipfile
from collections.abc import Iterator
from pathlib import PurePath

from colibri.errors import InputError
from colibri.files import readers
from colibri.files.source import Source
from colibri.files.text import FileText, Part, Passed, Unreadable


def plain(source: Source) -> FileText:
    """Lines as they are."""
    return FileText(text=_lines(readers.plain_text(source.data)), verbatim=True)


def html(source: Source) -> FileText:
    """What a page says."""
    return FileText(text=readers.html_text(source.data))


def epub(source: Source) -> FileText:
    """The chapters of a book."""
    _check_unpacked(source)
    return FileText(text=readers.text_of(PurePath("a.epub"), source.data))


def docx(source: Source) -> FileText:
    """Paragraphs and tables."""
    _check_unpacked(source)
    return FileText(text=readers.text_of(PurePath("a.docx"), source.data))


def pdf(source: Source) -> FileText:
    """Pages."""
    return FileText(text=readers.text_of(PurePath("a.pdf"), source.data))


def rows(source: Source, text_field: str | None = None, id_field: str | None = None) -> Iterator[Part | Passed]:
    """A document a row."""
    try:
        for row in readers.records(PurePath(source.name), source.data, text_field, id_field):
            name = str(row.line) if row.id is None else row.id
            yield Part(name=name, content=FileText(text=row.text), fields=row.fields, line=row.line)
    except InputError as error:
        raise Unreadable(str(error)) from error


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix(codecs.BOM_UTF8.decode())


def _check_unpacked(source: Source) -> None:
    with zipfile.ZipFile(io.BytesIO(source.data)) as packed:
        size = sum(entry.file_size for entry in packed.infolist())
    if size > source.budget.total_bytes:
        raise Unreadable(f"unpacks to more than {source.budget.total_bytes >> 20} MB")
