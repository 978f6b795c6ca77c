"""Mail: .eml, mailboxes and saved pages (.mhtml). A message is a document, what is attached to it a file of its own.

Taken: the headers that a mail program shows, of alternatives the plain text, unless it is empty, messages within.
Left:  pictures shown within a text, signatures, other headers
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from colibri.files.kinds.decoded import decoded_anyhow
from colibri.files.kinds.decoded import page as shown_page
from colibri.files.kinds.headers import from_base64, header, header_text, iso_date
from colibri.files.kinds.mailbox import is_mailbox, split
from colibri.files.kinds.names import distinct, label
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Member, Part, Passed, Unreadable

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_DEEPEST = 20
_PAGES = {"text/html", "application/xhtml+xml", "text/enriched", "text/richtext"}
_TEXTS = {"text/plain", "text/rfc822-headers", *_PAGES}
_SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
_SEALED = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
# A soft line end of RFC 3676; "-- " above a signature is none.
_FLOWED = re.compile(r"(?<!^--) \n(?=[^\s>])", re.MULTILINE)
_EMLX = re.compile(rb"(\d{1,10})[ \t]*\r?\n")


def messages(source: Source) -> Iterator[Part | Member | Passed]:
    """The messages of a file, each followed by what is attached to it.

    The name of the one message of a file is "", of a mailbox's its Message-ID, else "message 3"; a message within
    another is "…/1", a file attached to it "…/plan.pdf". Raises Unreadable where there is no message
    """
    if not is_mailbox(source.data):
        found = _parsed(_letter(source.data))
        if not found.keys():
            raise Unreadable("is no message: no header")
        yield from _message(found, "", 1)
        return
    taken: Counter[str] = Counter()
    for number, (line, data) in enumerate(split(source.data), 1):
        found = _parsed(data)
        if not found.keys():
            yield Passed(name=f"line {line}", why="no header of a message follows")
            continue
        name = header(found, "Message-ID").strip("<> ")[:500] or f"message {number}"
        taken[name] += 1
        yield from _message(found, f"{name} ({taken[name]})" if taken[name] > 1 else name, line)


def page(source: Source) -> FileText:
    """A page saved with all that it shows (.mhtml): its own text. Raises Unreadable where there is none."""
    whole = _parsed(_letter(source.data))
    root = str(whole.get_param("start", ""))
    pages = [part for part in whole.walk() if part.get_content_type() in _PAGES]
    if not pages:
        raise Unreadable("is no saved page: no HTML within")
    main = next((part for part in pages if root and header(part, "Content-ID") == root), pages[0])
    return FileText(
        text=_text(main),
        title=header(whole, "Subject") or None,
        modified=iso_date(header(whole, "Date")),
    )


@dataclass
class _Body:
    """What was found in a message."""

    texts: list[str] = field(default_factory=list)
    attached: list[tuple[str, bytes]] = field(default_factory=list)
    within: list[Message] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def _message(message: Message, name: str, line: int | None, depth: int = 0) -> Iterator[Part | Member | Passed]:
    body = _Body()
    _collect(message, body, 0)
    builder = Builder()
    shown = {wanted: header(message, wanted) for wanted in _SHOWN}
    for wanted, value in shown.items():
        builder.line(f"{wanted}: {value}" if value else "")
    for text in body.texts:
        builder.block(text)
    for remark in body.remarks:
        builder.remark(remark)
    content = builder.done(
        title=shown["Subject"] or None, author=shown["From"] or None, created=iso_date(shown["Date"])
    )
    fields = {wanted.lower(): value for wanted, value in shown.items() if value}
    if message_id := header(message, "Message-ID").strip("<> "):
        fields["message_id"] = message_id
    yield Part(name=name, content=content, fields=fields, line=line)
    before = f"{name}/" if name else ""
    taken: Counter[str] = Counter()
    for number, (what, data) in enumerate(body.attached, 1):
        # Only an ending where the message gives no name.
        named = f"attachment {number}{what}" if what[:1] in {"", "."} else what
        yield Member(name=before + distinct(named, taken), data=data)
    for what, why in body.passed:
        yield Passed(name=before + what, why=why)
    for number, inner in enumerate(body.within, 1):
        if depth >= _DEEPEST:
            yield Passed(name=f"{before}{number}", why=f"lies more than {_DEEPEST} messages deep")
        else:
            yield from _message(inner, f"{before}{number}", line, depth + 1)


def _collect(part: Message, body: _Body, depth: int) -> None:
    """Sort a part of a message into what is text, attached, or another message."""
    kind, parts = part.get_content_type(), _parts(part)
    if depth > _DEEPEST:
        body.remarks.append(f"parts more than {_DEEPEST} deep are left out")
    elif kind == "message/rfc822" or (kind == "message/global" and parts):
        body.within += [_unpacked(part, inner) for inner in parts]
    elif kind.startswith("message/"):
        body.texts.append("\n".join(str(inner) for inner in parts) or _text(part))
    elif kind == "multipart/alternative" and parts:
        _collect_best(parts, body, depth)
    elif kind == "multipart/encrypted":
        body.remarks.append("the text is encrypted")
    elif parts:
        for inner in parts:
            _collect(inner, body, depth + 1)
    elif not kind.startswith("multipart/"):
        _collect_leaf(part, kind, body)
    else:
        # Said to be of several parts, without the boundary between them.
        body.texts.append(decoded_anyhow(_data(part)))


def _collect_best(parts: list[Message], body: _Body, depth: int) -> None:
    """Of alternatives the first plain text, else the last that has a text; what they carry besides is kept."""
    found = []
    for part in parts:
        one = _Body()
        _collect(part, one, depth + 1)
        found.append((part.get_content_type() == "text/plain", one))
        body.attached += one.attached
        body.within += one.within
        body.passed += one.passed
        body.remarks += one.remarks
    told = [entry for entry in found if any(text.strip() for text in entry[1].texts)]
    best = next((one for plain, one in told if plain), told[-1][1] if told else None)
    body.texts += best.texts if best else []


def _collect_leaf(part: Message, kind: str, body: _Body) -> None:
    name = _filename(part)
    attached = part.get_content_disposition() == "attachment"
    if name.lower() == "winmail.dat" or kind in {"application/ms-tnef", "application/vnd.ms-tnef"}:
        body.passed.append((name or "winmail.dat", "is packed by Outlook (TNEF), which is not read"))
    elif kind in _SIGNATURES:
        return
    elif kind in _SEALED:
        signed = str(part.get_param("smime-type", "")).lower() == "signed-data"
        body.remarks.append("the text is sealed within its signature (S/MIME)" if signed else "the text is encrypted")
    elif kind in _TEXTS and not attached and not name:
        body.texts.append(_text(part))
    elif attached or not kind.startswith("image/"):
        ending = {"text/calendar": ".ics", "text/html": ".html", "text/csv": ".csv"}.get(kind, "")
        body.attached.append((name.lstrip(".") or ending, _data(part)))


def _filename(part: Message) -> str:
    raw = part.get_filename()
    return label(header_text(raw)).replace("/", "_") if raw else ""


def _parts(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _unpacked(part: Message, inner: Message) -> Message:
    """The message within a part; some programs pack it in base64, which RFC 2046 forbids."""
    packed = str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64"
    payload = inner.get_payload()
    return _parsed(from_base64(payload)) if packed and not inner.keys() and isinstance(payload, str) else inner


def _data(part: Message) -> bytes:
    """What is attached, out of its transfer encoding; as it stands where that is broken."""
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        # The parser's own decoder gives up at a line that does not belong there; ours passes over it.
        return from_base64(str(part.get_payload()))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(part: Message) -> str:
    """A part's text in its charset, or in what it looks like where that is none; of a page what it shows."""
    charset = part.get_param("charset")
    # RFC 2231 gives a parameter as charset, language and value.
    named = charset[2] if isinstance(charset, tuple) else charset
    if part.get_content_type() in _PAGES:
        return shown_page(_data(part), named)
    text = decoded_anyhow(_data(part), named).replace("\r\n", "\n").replace("\r", "\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        text = _FLOWED.sub(" ", text)
    return text


def _parsed(data: bytes) -> Message:
    try:
        return BytesParser(policy=compat32).parsebytes(data)
    except RecursionError as error:
        raise Unreadable("is a message within messages, too many to be read") from error


def _letter(data: bytes) -> bytes:
    """A message without what programs put before it: a mark, empty lines, Apple's count of bytes."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()
    if found := _EMLX.match(data):
        # The message, and after it what Mail noted on it.
        data = data[found.end() : found.end() + int(found[1])]
    return data.lstrip(b"\r\n \t")
