"""EPUB 2 and 3: the chapters of a book in the order of its spine, each under its title in the table of contents.

A chapter that is missing, damaged or encrypted is named and costs only itself. Fonts may be obfuscated.
"""

import io
import posixpath
import struct
import zipfile
import zlib
from contextlib import suppress
from dataclasses import replace
from urllib.parse import unquote

from colibri.files.kinds.cleaning import cleaned
from colibri.files.kinds.encodings import decode
from colibri.files.kinds.epub_package import Package, encrypted_files, package, package_path, table_of_contents
from colibri.files.kinds.html import page
from colibri.files.kinds.labels import in_page, in_xml
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document", ""})

_PAGE_ENDINGS = (".xhtml", ".html", ".htm")


def read(source: Source) -> FileText:
    """A book's text. Raises Unreadable for what is no EPUB, or has no chapter that can be read."""
    try:
        book = zipfile.ZipFile(io.BytesIO(source.data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
        raise Unreadable(f"is damaged ({error})") from error
    with book:
        return _Book(book, source).read()


class _Book:
    """An open book."""

    def __init__(self, book: zipfile.ZipFile, source: Source) -> None:
        self._book = book
        self._budget = source.budget
        self._files: dict[str, zipfile.ZipInfo] = {}
        for entry in book.infolist():
            for name in _spellings(entry):
                self._files.setdefault(name, entry)
        self._locked = False
        self._builder = Builder()

    def read(self) -> FileText:
        described = self._package()
        encrypted = self._encrypted()
        titles = self._titles(described)
        chapters = [path for path in described.chapters if self._is_page(described, path)]
        for path in (path for path in described.chapters if path not in chapters):
            self._builder.remark(f"chapter {path} is no page of text ({described.media.get(path)})")
        for name in described.unknown:
            self._builder.remark(f"a chapter {name!r} is named that the book does not list")
        read = 0
        for path in chapters:
            if path in encrypted:
                self._builder.remark(f"chapter {path} is encrypted")
            elif (text := self._text(path, "chapter")) is not None:
                self._chapter(text, titles.get(path, ""), described.facts.get("title"))
                read += 1
        if chapters and not read:
            locked = self._locked or any(path in encrypted for path in chapters)
            first = next(iter(self._builder.remarks), "damaged")
            raise Unreadable("is encrypted" if locked else f"none of {len(chapters)} chapters can be read ({first})")
        return self._builder.done(**described.facts)

    def _package(self) -> Package:
        container = self._text("META-INF/container.xml", "")
        path = package_path(container) if container else None
        found = self._text(path, "") if path else None
        if found is None:
            path = next(
                (entry.filename for entry in self._book.infolist() if entry.filename.lower().endswith(".opf")), ""
            )
            found = self._text(path, "") if path else None
        described = package(found, posixpath.dirname(path)) if found is not None and path is not None else None
        if described is None or not described.chapters:
            return self._without_spine(described)
        return described

    def _without_spine(self, described: Package | None) -> Package:
        """The pages that the manifest has, else those that lie in the book."""
        if described is not None:
            listed = [path for path in described.media if path not in described.contents]
            if pages := [path for path in listed if self._is_page(described, path)]:
                self._builder.remark("no order of chapters can be read: they are in that of the list of its files")
                return replace(described, chapters=pages)
        pages = sorted(e.filename for e in self._book.infolist() if e.filename.lower().endswith(_PAGE_ENDINGS))
        if not pages:
            raise Unreadable("is no EPUB (no package file, no chapters)")
        self._builder.remark("the list of chapters cannot be read: they are in the order of their names")
        return replace(described or Package(chapters=[]), chapters=pages)

    def _encrypted(self) -> set[str]:
        named = self._text("META-INF/encryption.xml", "")
        return encrypted_files(named) if named else set()

    def _titles(self, described: Package) -> dict[str, str]:
        titles: dict[str, str] = {}
        for path in described.contents:
            if (text := self._text(path, "")) is not None:
                for file, title in table_of_contents(text, posixpath.dirname(path)):
                    titles.setdefault(file, cleaned(title))
        return titles

    def _is_page(self, described: Package, path: str) -> bool:
        """Pictures can stand in the spine; a page of an unusual type is one by its name."""
        media = described.media.get(path, "")
        return media in _PAGES or path.lower().endswith(_PAGE_ENDINGS)

    def _chapter(self, text: str, title: str, book: str | None) -> None:
        """Its text, with places by the table of contents and by headings; without either, by the page's own title."""
        found = page(text, xml=True, titled=False)
        if not title and not found.places and found.title != book:
            title = found.title or ""
        starts = [place.start for place in found.places]
        labels = [place.label for place in found.places]
        if not starts or starts[0]:
            starts, labels = [0, *starts], ["", *labels]
        for start, end, label in zip(starts, [*starts[1:], len(found.text)], labels, strict=True):
            self._builder.place(_under(title, label))
            self._builder.block(found.text[start:end])

    def _text(self, path: str, what: str) -> str | None:
        """A file of the book; None where there is none, which is said of a chapter. what: it is, in remarks."""
        entry = self._files.get(path) or self._files.get(unquote(path)) or self._files.get(path.casefold())
        trouble = "is missing"
        if entry is not None:
            try:
                with self._book.open(entry) as stream:
                    data = self._budget.unpack(stream, path)
                return decode(data, in_page(data) if what else in_xml(data)).text
            except Unreadable as error:
                trouble = str(error).removeprefix(f"{path} ")
            except RuntimeError:  # how zipfile says that it wants a password
                trouble = "is encrypted"
                self._locked = True
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
                trouble = f"is damaged ({error})"
        if what:
            self._builder.remark(f"{what} {path} {trouble}")
        return None


def _under(title: str, label: str) -> str:
    """A heading's path below a chapter's title, which stands once: headings have it with a number, or a part of it."""
    first, arrow, rest = label.partition(" > ")
    if title in first:
        return label
    return f"{title}{arrow}{rest}" if first in title else f"{title} > {label}"


def _spellings(entry: zipfile.ZipInfo) -> list[str]:
    """The name of a file as others may write it: folders of Windows, UTF-8 without the flag for it, other capitals."""
    name = entry.filename.replace("\\", "/")
    names = [name]
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):
            names.append(name.encode("cp437").decode("utf-8"))
    return [*names, *(name.casefold() for name in names)]
