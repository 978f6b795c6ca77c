"""Binary Office files: Word, PowerPoint and Excel of 1997 to 2003, binary workbooks (.xlsb), and Outlook's .msg.

Read by office-oxide, but for .msg (msg.py). Headings, slides and rows of sheets are places.
"""

from collections.abc import Iterator
from typing import Any

from colibri.files.kinds import msg
from colibri.files.kinds.compound import kind_of, package, stream, told
from colibri.files.kinds.ppt_notes import notes
from colibri.files.kinds.xls_dates import Cells, dates
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Member, Part, Passed, Unreadable

Element = dict[str, Any]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EXTENTS = {"table", "footnote", "endnote", "list", "comment", "text_box"}


def read(source: Source) -> FileText:
    """The text of a binary Office file. Its kind is told by what is in it. Raises Unreadable, MissingExtra."""
    kind = kind_of(source)
    if kind == "msg":
        return msg.read(source)
    office = package("office_oxide", kind.upper())
    with told():
        found = _parsed(office, source.data, kind)
    builder = Builder()
    sections = found.get("sections", [])
    dated = dates(stream(source.data, "Workbook")) if kind == "xls" else {}
    said = notes(stream(source.data, "PowerPoint Document")) if kind == "ppt" else {}
    for number, section in enumerate(sections, 1):
        if kind in {"xls", "xlsb"}:
            _sheet(builder, section, number, None if kind == "xlsb" else dated.get(section.get("title", ""), {}))
        elif kind == "ppt":
            builder.place(f"slide {number}")
            _blocks(builder, section.get("elements", []))
            builder.block(said.get(number, ""))
        else:
            _chapters(builder, section.get("elements", []))
    facts = found.get("metadata", {})
    title = facts.get("title") if kind == "doc" else None  # of the others it is the first slide's or sheet's name
    return builder.done(title=title or None, author=facts.get("author") or None)


def messages(source: Source) -> Iterator[Part | Member | Passed]:
    """A .msg file's message, each followed by what is attached to it. Raises Unreadable, MissingExtra."""
    if kind_of(source) != "msg":
        raise Unreadable("is no message")
    yield from msg.messages(source)


def _parsed(office: Any, data: bytes, kind: str) -> Element:
    try:
        with office.Document.from_bytes(data, kind) as document:
            found: Element = document.to_ir()
            return found
    except office.OfficeOxideError as error:
        sealed = "encrypted" in str(error) or "password" in str(error)
        raise Unreadable("is encrypted" if sealed else f"is damaged ({error})") from error
    except BaseException as error:  # a panic of its Rust, which is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable(f"is damaged ({error})") from error


def _chapters(builder: Builder, elements: list[Element]) -> None:
    """A document, with the path of headings as places."""
    path: list[tuple[int, str]] = []
    for element in elements:
        if element.get("type") == "heading":
            level, name = int(element.get("level") or 1), " ".join(_words(element).split())
            while path and path[-1][0] >= level:
                path.pop()
            if name:
                path.append((level, name))
                builder.place(" > ".join(one for _, one in path))
        _blocks(builder, [element])


def _blocks(builder: Builder, elements: list[Element]) -> None:
    for element in elements:
        if "rows" in element:
            _rows(builder, element["rows"])
        elif "items" in element:
            for item in element["items"]:
                builder.line(_words(item))
        elif element.get("type") in _EXTENTS or _holds_blocks(element):
            _blocks(builder, element.get("content") or element.get("elements") or [])
        else:
            builder.block(_words(element))


def _holds_blocks(element: Element) -> bool:
    return any(isinstance(one, dict) and ("content" in one or "rows" in one) for one in element.get("content") or [])


def _rows(builder: Builder, rows: list[Element]) -> None:
    for row in rows:
        cells = [" ".join(_words(cell).split()) for cell in row.get("cells", [])]
        builder.line("\t".join(cell for cell in cells if cell))


def _sheet(builder: Builder, section: Element, number: int, dated: Cells | None) -> None:
    """A sheet: its name, then a line for each row that holds something, whose first cell is its place.

    dated: cells that are dates; None for a binary workbook, of which no row's number is known: empty ones are left out
    """
    name = section.get("title") or f"Sheet{number}"
    builder.place(name)
    builder.block(name)
    row = 0
    for element in section.get("elements", []):
        if "rows" not in element:
            builder.place(name)
            _blocks(builder, [element])
            continue
        for cells in element["rows"]:
            found = [" ".join(_words(cell).split()) for cell in cells.get("cells", [])]
            found = [(dated or {}).get((row, column), cell) for column, cell in enumerate(found)]
            row += 1
            first = next((i for i, cell in enumerate(found) if cell), None)
            if first is not None:
                if dated is not None:
                    builder.place(f"{name}!{_column(first)}{row}")
                builder.line("\t".join(cell for cell in found if cell))


def _column(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = _LETTERS[rest] + letters
    return letters


def _words(node: Any) -> str:
    """Text within: runs joined, blocks on lines of their own."""
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        blocks = any(isinstance(one, dict) and ("content" in one or "rows" in one) for one in node)
        return ("\n" if blocks else "").join(filter(None, map(_words, node)))
    if not isinstance(node, dict):
        return ""
    if node.get("type") in {"line_break", "break"}:
        return "\n"
    parts = (node.get(key) for key in ("text", "content", "elements", "items", "rows", "cells"))
    return "\n".join(filter(None, (_words(part) for part in parts if part is not None)))
