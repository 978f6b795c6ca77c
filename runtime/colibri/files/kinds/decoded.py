"""Bytes as characters, for kinds that say their own charset (mail, calendars, translations) or none."""

from colibri.files.kinds.encodings import decode
from colibri.files.kinds.html import page_text
from colibri.files.kinds.labels import in_page
from colibri.files.text import Unreadable


def decoded(data: bytes, declared: str | None = None) -> str:
    """The text of a file, as `encodings.decode` has it. Raises Unreadable for binary data."""
    return decode(data, declared).text


def decoded_anyhow(data: bytes, declared: str | None = None) -> str:
    """The text of a part, which must not lose the file around it: bad bytes of binary data are replaced."""
    try:
        return decoded(data, declared)
    except Unreadable:
        return data.decode("utf-8", "replace")


def without_tags(markup: str) -> str:
    """What a page says that lies inside another kind."""
    return page_text(markup)


def page(data: bytes, declared: str | None) -> str:
    """What a page says. declared: outside of it, which counts more than what it says itself."""
    return page_text(decoded_anyhow(data, declared or in_page(data)))
