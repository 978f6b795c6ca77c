"""What lies beside the content of a PDF's pages: fields, stamps, notes of readers, attached files."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_NAMES = 5  # of attached files in one remark
_CHARACTERS = 100_000  # of one note: its size is what the file says


def beside(raw: Any, page: Any) -> tuple[bool, list[str]]:
    """Whether anything is drawn over the content that a page shows once it is flattened, and what its notes say."""
    kept = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP}
    drawn = {raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP}
    found, notes = False, []
    for i in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, i)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if kind in drawn:
            found = True
        elif kind not in kept and (note := _contents(raw, annotation)):
            notes.append(note)
        raw.FPDFPage_CloseAnnot(annotation)
    return found, notes


def _contents(raw: Any, annotation: Any) -> str:
    size = min(raw.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0), 2 * _CHARACTERS)
    if size <= 2:
        return ""
    buffer = (raw.FPDF_WCHAR * (size // 2))()
    raw.FPDFAnnot_GetStringValue(annotation, b"Contents", buffer, size)
    text = bytes(memoryview(buffer)[:-1]).decode("utf-16-le", "ignore")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


def attached(document: Any) -> Iterator[str]:
    """A remark on files within the file, and one on a form whose text only Adobe's programs lay out."""
    count = document.count_attachments()
    if count:
        names = [
            told(lambda i: document.get_attachment(i).get_name(), i) or "unnamed" for i in range(min(count, _NAMES))
        ]
        more = f" and {count - _NAMES} more" if count > _NAMES else ""
        yield f"files attached to it are not read: {', '.join(names)}{more}"
    if document.get_formtype() == 2:  # FORMTYPE_XFA_FULL
        yield "its form (XFA) is not read"


def told(ask: Callable[[Any], str], about: Any) -> str:
    """An answer in one line; nothing for one that is not there or is no text."""
    try:
        return " ".join(ask(about).replace("\0", "").split())
    except (UnicodeDecodeError, import_module("pypdfium2").PdfiumError):
        return ""


@contextmanager
def quiet() -> Iterator[None]:
    """pypdfium2 warns of XFA through logging, which without a handler writes to the terminal."""
    logger = logging.getLogger("pypdfium2")
    logger.addHandler(handler := logging.NullHandler())
    try:
        yield
    finally:
        logger.removeHandler(handler)
