"""Which kind a file is: by its content first, by its name where the content leaves it open.

Binary kinds are told by their bytes, whatever the name says: a PDF named `.txt` is a PDF. Of texts a name that stands
for one kind of text decides (`.md`, `.php`: a template may begin as a page does); a name that says nothing, or another
thing (`README`, `.txt`, a `.doc` that is a page), leaves it to how the text begins.
"""

from pathlib import PurePath

from colibri.files.known import BY_NAME, HTML, PDF, PLAIN, Kind, by_ending
from colibri.files.magic import by_magic
from colibri.files.packed_kinds import EMPTY_ZIP, OLE, ZIP, ole_kind, zip_kind
from colibri.files.text_kinds import by_beginning, is_part_of_page, text_head

_OPEN = frozenset(
    {"", ".txt", ".text", ".log", ".dat", ".xml", ".html", ".htm", ".xhtml", ".xht", ".bak", ".old", ".orig"}
)
"""Endings of texts of any kind."""
_UNKNOWN_BYTES = 1 << 20
"""A text whose ending nobody knows is read up to here: what is larger is data, such as points of a drawing."""
_PDF_WITHIN = 1_024  # bytes that may stand before a PDF begins (PDF 1.7, annex H, note 13)


def by_head(name: str, head: bytes, size: int) -> Kind | None:
    """The kind, where the first bytes and the size are enough to say that nothing reads it; else None."""
    kind = by_magic(head)
    if kind is None:
        if head.startswith((ZIP, EMPTY_ZIP, OLE)):
            return None
        text, named = text_head(head), by_ending(name)
        kind = _binary(named) if text is None else _text(PurePath(name).suffix.lower(), named, text, size)
    return None if kind.read else kind


def recognise(name: str, data: bytes) -> Kind:
    """The kind of a file. Raises Unreadable for a zip file that is damaged, or a document that is encrypted."""
    if (found := by_magic(data)) is not None:
        return found
    named = by_ending(name)
    if named is BY_NAME[PDF] and b"%PDF-" in data[:_PDF_WITHIN]:
        return named
    if data.startswith((ZIP, EMPTY_ZIP)):
        return zip_kind(data)
    if data.startswith(OLE):
        return ole_kind(data) or _binary(named)
    text = text_head(data)
    return _binary(named) if text is None else _text(PurePath(name).suffix.lower(), named, text, len(data))


def _binary(named: Kind | None) -> Kind:
    """Bytes that nothing knows: what the name says, unless that is a kind of text."""
    return BY_NAME["binary"] if named is None or named.form == "text" else named


def _text(ending: str, named: Kind | None, text: str, size: int) -> Kind:
    if named is not None and named.form == "other":
        return named
    begins = by_beginning(text) if ending in _OPEN or named is None or named.form != "text" else None
    if begins is not None:
        return begins
    if named is None:
        return BY_NAME[PLAIN if size <= _UNKNOWN_BYTES else "large text of unknown kind"]
    if named.form == "text" or ending in _FLAT:
        return named
    return BY_NAME[HTML if is_part_of_page(text) else PLAIN]  # a table that a program called `.xls`


_FLAT = frozenset({".fodt", ".fods", ".fodp"})
