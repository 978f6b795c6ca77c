"""Headers of mail as people see them: encoded words of any charset, right or broken, and bytes that nobody encoded."""

import base64
import quopri
import re
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime

from colibri.files.kinds.decoded import decoded_anyhow

# Wider than RFC 2047: blanks within, as several programs write them, and a language behind the charset (RFC 2231).
_WORD = re.compile(r"=\?([\w.:+-]*)(?:\*[\w-]*)?\?([bBqQ])\?(.{0,4000}?)\?=")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")
_FOLD = re.compile(r"\r?\n[ \t]*")


def header(message: Message, name: str) -> str:
    """A header's text on one line; "" where there is none. Of several of one name the first."""
    wanted = name.lower()
    for key, value in message.raw_items():
        if key.lower() == wanted:
            return header_text(str(value))
    return ""


def header_text(raw: str) -> str:
    """What a raw header says. Bytes beyond ASCII stand in it as halves of surrogate pairs."""
    raw = _FOLD.sub(" ", raw)
    text, at = "", 0
    charset, waiting = "", b""
    for word in _WORD.finditer(raw):
        between = raw[at : word.start()]
        # A character of several bytes may be cut between words: those of one charset are put together first.
        if waiting and (between.strip() or word[1].lower() != charset):
            text, waiting = text + decoded_anyhow(waiting, charset), b""
        if between.strip() or at == 0:
            text += _plain(between)
        charset, waiting, at = word[1].lower(), waiting + _bytes(word[2], word[3]), word.end()
    text += decoded_anyhow(waiting, charset) if waiting else ""
    return " ".join((text + _plain(raw[at:])).split())


def from_base64(text: str) -> bytes:
    """Bytes of base64, whatever stands between its letters or is missing at its end."""
    letters = _NO_BASE64.sub("", text)
    # One letter too many holds no byte.
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(letters + "=" * (-len(letters) % 4))


def iso_date(text: str) -> str | None:
    """A mail's date as ISO 8601, in its own zone; None where it is none."""
    try:
        found = parsedate_to_datetime(text)
        # "-0000" says that the zone is not known: the time is given in UTC (RFC 5322, 3.3).
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _plain(raw: str) -> str:
    data = raw.encode("utf-8", "surrogateescape")
    return raw if data.isascii() else decoded_anyhow(data)


def _bytes(encoding: str, text: str) -> bytes:
    if encoding in "qQ":
        return quopri.decodestring(text.replace("_", " ").encode("utf-8", "surrogateescape"), header=False)
    return from_base64(text)
