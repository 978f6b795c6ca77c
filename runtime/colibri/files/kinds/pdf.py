"""PDF by PDFium: one place a page, the text as its columns and paragraphs have it, forms' values filled in."""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import groupby
from typing import Any

from colibri import machine
from colibri.errors import MissingExtra
from colibri.files.kinds.pdf_beside import attached, beside, quiet, told
from colibri.files.kinds.pdf_damage import damaged_pages
from colibri.files.kinds.pdf_glyphs import Box, Page
from colibri.files.kinds.pdf_hyphens import Hyphens
from colibri.files.kinds.pdf_lines import page_text
from colibri.files.kinds.pdf_rescue import rescued
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_LOCK = threading.RLock()  # PDFium is not made for threads, not even for two documents (README of pypdfium2)

_REASONS = {4: "is encrypted", 5: "is encrypted (in a way that PDFium does not know)"}
"""FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY; the others are damage."""

_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?")


def read(source: Source) -> FileText:
    """The text of a PDF. Raises Unreadable, MissingExtra."""
    with _LOCK, _opened(source) as (document, cut_off):
        texts: list[str | None] = []
        for i in range(len(document)):
            found = _page(document, i)
            texts.append(None if found is None else found[0])
        lost, partly = damaged_pages(document, source.data)
        texts = [None if i in lost else text for i, text in enumerate(texts)]
        if not any(texts):
            failed = any(text is None for text in texts)
            raise Unreadable("no page can be read" if failed else "holds no text; scanned pages are not read")
        builder = Builder()
        hyphens = Hyphens(text for text in texts if text)
        for label, text in zip(_labels(document), texts, strict=True):
            builder.place(label)
            builder.block(hyphens.resolved(text or ""))
        whole = [f"its end is lost: {_pages(len(texts))} found in what is there"] if cut_off else []
        for remark in [*whole, *_remarks(texts, partly), *attached(document)]:
            builder.remark(remark)
        return builder.done(**_facts(document))


def boxes(source: Source, page: int, start: int, end: int) -> list[Box]:
    """Where characters of a page stand, a box for each stretch of a line: to mark a passage when the page is shown.

    page        from 0
    start, end  characters of the page's text in what `read` returns, from the page's place on

    Reads the whole document again: which hyphens are in the text hangs on all of its words.
    """
    with _LOCK, _opened(source) as (document, _):
        found = [_page(document, i) for i in range(len(document))]
        if found[page] is None:
            return []
        text, numbers = found[page] or ("", [])
        hyphens = Hyphens(one[0] for one in found if one is not None)
        dropped = {i for i, keep in hyphens.cuts(text) if not keep}
        wanted = [number for i, number in enumerate(numbers) if i not in dropped][start:end]
        with _glyphs(document, page) as glyphs:
            return _joined([glyphs.box(number) for number in wanted if number >= 0])


@contextmanager
def _opened(source: Source) -> Iterator[tuple[Any, bool]]:
    """A document, and whether it was cut off."""
    try:
        pdfium = import_module("pypdfium2")
    except ImportError as error:
        raise MissingExtra(f"PDF files need colibri-edge[files]: {machine.install_command('files')}") from error
    document, cut_off = _document(pdfium, source.data)
    try:
        if not len(document):
            raise Unreadable("is damaged (no pages)")
        with quiet(), suppress(pdfium.PdfiumError):  # without its form's values it can still be read
            document.init_forms()
        yield document, cut_off
    finally:
        document.close()


def _document(pdfium: Any, data: bytes) -> tuple[Any, bool]:
    try:
        return pdfium.PdfDocument(data), False
    except pdfium.PdfiumError as error:
        why = Unreadable(_REASONS.get(error.err_code, f"is damaged ({_said(error)})"))
        again = None if error.err_code in _REASONS else rescued(data)
        if again is None:
            raise why from error
    try:
        return pdfium.PdfDocument(again), True
    except pdfium.PdfiumError as error:
        raise why from error


def _said(error: Exception) -> str:
    """What PDFium said: "Failed to load document (PDFium: Data format error)." has it in brackets."""
    found = re.search(r"PDFium: ([^)]*)", str(error))
    return (found[1] if found else str(error)).rstrip(".").lower()


def _page(document: Any, i: int) -> tuple[str, list[int]] | None:
    """A page's text and PDFium's number of each of its characters, None where it cannot be read."""
    pdfium = import_module("pypdfium2")
    try:
        with _glyphs(document, i) as glyphs:
            text, numbers = page_text(glyphs.lines())
            for note in glyphs.notes:
                gap = "\n\n" if text else ""
                text, numbers = f"{text}{gap}{note}", numbers + [-1] * len(gap + note)
            return text, numbers
    except pdfium.PdfiumError:
        return None


@contextmanager
def _glyphs(document: Any, i: int) -> Iterator[Page]:
    """Of one page, which is closed at once: an open one holds all that it draws."""
    raw = import_module("pypdfium2.raw")
    page = document[i]
    try:
        # Before it is flattened: that gives a page whose box is its parent's one of 612 by 792.
        shown = Box(*page.get_bbox())
        drawn, notes = beside(raw, page)
        if drawn and raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS:
            page.close()
            page = document[i]
        text = page.get_textpage()
        try:
            yield Page(raw, text.raw, shown, notes)
        finally:
            text.close()
    finally:
        page.close()


def _labels(document: Any) -> list[str]:
    """As the document numbers its pages ("xii", "A-3") where every label is another, else from 1."""
    named = [told(document.get_page_label, i) for i in range(len(document))]
    if max(Counter(named).values()) > 1 or not all(named):
        return [f"p. {i}" for i in range(1, len(document) + 1)]
    return [f"p. {label}" for label in named]


def _remarks(texts: Sequence[str | None], partly: set[int]) -> Iterator[str]:
    broken = [i for i, text in enumerate(texts, 1) if text is None]
    empty = [i for i, text in enumerate(texts, 1) if text == ""]
    cut = [i for i, text in enumerate(texts, 1) if text and i - 1 in partly]
    for numbers, one, several in (
        (broken, "cannot be read", "cannot be read"),
        (cut, "is damaged and may lack text", "are damaged and may lack text"),
        (empty, "holds no text", "hold no text"),
    ):
        if len(numbers) == 1:
            yield f"page {numbers[0]} of {len(texts)} {one}"
        elif numbers:
            yield f"pages {_ranges(numbers)} of {len(texts)} {several}"


def _pages(count: int) -> str:
    return "1 page was" if count == 1 else f"{count} pages were"


def _ranges(numbers: Sequence[int]) -> str:
    """ "2, 5-9" """
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _facts(document: Any) -> dict[str, str | None]:
    raw = import_module("pypdfium2.raw")
    facts = {"title": told(document.get_metadata_value, "Title"), "author": told(document.get_metadata_value, "Author")}
    facts["created"] = _iso(told(document.get_metadata_value, "CreationDate"))
    facts["modified"] = _iso(told(document.get_metadata_value, "ModDate"))
    size = raw.FPDFCatalog_GetLanguage(document, None, 0)
    if size > 2:
        buffer = (raw.FPDF_WCHAR * (size // 2))()
        raw.FPDFCatalog_GetLanguage(document, buffer, size)
        facts["language"] = "".join(map(chr, buffer[:-1])).strip()
    return {name: value or None for name, value in facts.items()}


def _iso(date: str) -> str:
    """ "D:20240131120000+01'00'" -> "2024-01-31T12:00:00+01:00", with as many parts as there are."""
    found = _DATE.match(date.strip())
    if found is None:
        return ""
    year, month, day, hour, minute, second, zulu, sign, zone_hour, zone_minute = found.groups()
    text = "-".join(part for part in (year, month, day) if part)
    if day and hour:
        text += f"T{hour}:{minute or '00'}:{second or '00'}"
        text += "Z" if zulu else f"{sign}{zone_hour}:{zone_minute or '00'}" if sign else ""
    return text


def _joined(found: Sequence[Box]) -> list[Box]:
    """Boxes that follow each other on one line as one."""
    done: list[Box] = []
    for box in found:
        before = done[-1] if done else box
        height = max(before.top - before.bottom, box.top - box.bottom)
        level = min(before.top, box.top) - max(before.bottom, box.bottom) > height / 2
        near = max(before.left, box.left) - min(before.right, box.right) < height
        if done and level and near:
            pairs = zip(before, box, strict=True)
            left, bottom, right, top = (f(pair) for f, pair in zip((min, min, max, max), pairs, strict=True))
            done[-1] = Box(left, bottom, right, top)
        else:
            done.append(box)
    return done
