"""Texts are told apart by how they begin, where the name does not say it better."""

import re

from colibri.files.kinds.wide import without_mark
from colibri.files.known import BY_NAME, HTML, MAN, Kind

_LOOK = 8_192
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"))
_KOREAN = b"\x1b$)C"  # ISO 2022-KR: shifts in and out of Hangul by control characters
_WIDE = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

_BEFORE = r"\s|<\?.{0,2000}?\?>|<!--.{0,4000}?-->"
_DOCTYPE = r"<!DOCTYPE[^>\[]{0,2000}(?:\[.{0,4000}?\]\s*)?>"
_ROOT = re.compile(rf"(?:{_BEFORE}|{_DOCTYPE})*+<([A-Za-z_][\w.:-]*)", re.DOTALL | re.IGNORECASE)
_DOCTYPE_HTML = re.compile(rf"(?:{_BEFORE})*+<!doctype\s+html", re.DOTALL | re.IGNORECASE)
_ROOTS = {"html": HTML, "head": HTML, "body": HTML, "fictionbook": "FictionBook", "svg": "picture"}
_MBOX = re.compile(r"From \S.{0,300} \d{2}:\d{2}(?::\d{2})?.{0,40}\n[A-Za-z-]{1,60}:")
# Without From and Subject, as reports that are called .doc are written; with them it is told as a mail.
_SAVED_PAGE = re.compile(r"MIME-Version:[^\n]*\nContent-Type:\s*multipart/related\b", re.IGNORECASE)
_TAG = re.compile(r"\s*<(?:table|div|p|meta|style|title|center|font|span|h[1-6]|b|br)\b[^<>]{0,500}>", re.IGNORECASE)
_MAN = re.compile(
    r"""(?:[.'][ \t]*\\["#][^\n]*\n|\s|\.(?:if|ie|el|de|ds|nr|ad|nh|so|mso)\b[^\n]*\n)*+\.[ \t]*(?:TH|Dd)\b"""
)
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]?(.*)\n?")
_MAIL = frozenset(
    "from to cc date subject message-id mime-version received return-path delivered-to content-type reply-to "  # noqa: SIM905
    "x-mailer dkim-signature in-reply-to references sender".split()
)
_MORE_THAN_MEMO = frozenset({"message-id", "mime-version", "received", "return-path", "delivered-to", "dkim-signature"})


def text_head(data: bytes) -> str | None:
    """The beginning as text, with \\n for line ends; None for binary data. Letters beyond ASCII may come out wrong."""
    for mark, name in _MARKS + _WIDE:
        if data.startswith(mark):
            text = data[: _LOOK * (4 if name == "utf-32" else 2)].decode(name, "replace")
            return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    head = data[:_LOOK]
    if (wide := without_mark(head)) is not None:
        return wide[0].replace("\r\n", "\n").replace("\r", "\n")
    if b"\0" in head:
        # A log that was made longer than what is written, or lost a few bytes to a crash, is a text all the same.
        written = head.rstrip(b"\0")
        head = written.replace(b"\0", b"")
        if len(head) < 64 or 50 * (len(written) - len(head)) > len(head):
            return None
    taken = b"\t\n\r\f\b\x1b" + (b"\x0e\x0f" if _KOREAN in head else b"")
    odd = sum(byte < 32 and byte not in taken for byte in head)
    if odd > len(head) // 20:
        return None
    return head.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def by_beginning(text: str) -> Kind | None:
    """What a text says it is; None for plain text."""
    start = text.lstrip()[:20].upper()
    if start.startswith("BEGIN:VCALENDAR"):
        return BY_NAME["calendar"]
    if start.startswith("BEGIN:VCARD"):
        return BY_NAME["contacts"]
    if start.startswith("{\\RTF"):
        return BY_NAME["RTF"]
    if _MBOX.match(text):
        return BY_NAME["mailbox"]
    if start.startswith("<"):
        return _markup(text)
    if _MAN.match(text):
        return BY_NAME[MAN]
    if _SAVED_PAGE.match(text):
        return BY_NAME["saved page"]
    return BY_NAME["mail"] if _is_mail(text) else None


def is_part_of_page(text: str) -> bool:
    """Whether it begins with a tag of HTML. In a file of another name that says little: Markdown has tags, too."""
    return _TAG.match(text) is not None


def _markup(text: str) -> Kind | None:
    if _DOCTYPE_HTML.match(text):
        return BY_NAME[HTML]
    root = _ROOT.match(text)
    if root is None:
        return None
    prefix, _, name = root[1].rpartition(":")
    if name.lower() == "document" and (prefix == "office" or "opendocument:xmlns:office" in text):
        return BY_NAME["OpenDocument"]
    found = _ROOTS.get(name.lower())
    return None if found is None else BY_NAME[found]


def _is_mail(text: str) -> bool:
    """Whether it begins with headers of a message: three, one of which no memo has."""
    found: set[str] = set()
    for line in text.split("\n")[:60]:
        if line[:1] in {" ", "\t"} and found:
            continue
        header = _HEADER.fullmatch(line)
        if header is None:
            break
        found.add(header[1].lower())
    return len(found & _MAIL) >= 3 and bool(found & _MORE_THAN_MEMO)
