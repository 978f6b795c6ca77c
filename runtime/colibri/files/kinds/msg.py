"""Outlook's messages (.msg): MAPI properties in a compound file, [MS-OXMSG], read over olefile.

Taken: subject, sender, recipients, date, the text (plain, else of the page, else of the RTF), attachments, messages
       within
Left:  other properties, attachments that are only links, pictures of old OLE programs
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from colibri.files.kinds.compound import opened, told
from colibri.files.kinds.encodings import decode
from colibri.files.kinds.html import declared_encoding, page_text
from colibri.files.kinds.msg_rtf import unpacked, words
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Member, Part, Passed, Unreadable

_SUBJECT, _BODY, _RTF, _HTML = 0x0037, 0x1000, 0x1009, 0x1013
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP, _FOR, _FOR_ADDRESS = 0x0C1A, 0x0C1F, 0x5D01, 0x0042, 0x0065
_TO, _CC = 0x0E04, 0x0E03
_SENT, _DELIVERED, _WRITTEN = 0x0039, 0x0E06, 0x3007
_CLASS, _STRINGS_PAGE, _HTML_PAGE = 0x001A, 0x3FFD, 0x3FDE
_RECIPIENT, _NAME, _ADDRESS, _SMTP = 0x0C15, 0x3001, 0x3003, 0x39FE
_METHOD, _DATA, _SHORT_FILE, _LONG_FILE = 0x3705, 0x3701, 0x3704, 0x3707
_MESSAGE_WITHIN = 5
_BINARY, _STRING, _UNICODE, _LONG, _TIME = 0x0102, 0x001E, 0x001F, 0x0003, 0x0040
_PAGES = {
    65001: "utf-8", 65000: "utf-7", 20127: "ascii", 1200: "utf-16-le", 20866: "koi8_r", 21866: "koi8_u",
    50220: "iso2022_jp", 50221: "iso2022_jp", 50222: "iso2022_jp", 51932: "euc_jp", 51949: "euc_kr",
    50225: "iso2022_kr", 936: "gb18030", 54936: "gb18030", 52936: "hz", 10000: "mac_roman", 28605: "iso8859_15",
    28603: "iso8859_13",
}  # fmt: skip
_DEEPEST = 20
_HEADER = {"top": 32, "within": 24, "part": 8}  # bytes before the properties, [MS-OXMSG] 2.4.1


def read(source: Source) -> FileText:
    """A message's own text. Raises Unreadable, MissingExtra."""
    with told():
        return _Message(opened(source.data, "MSG"), source, [], "top").content()


def messages(source: Source) -> Iterator[Part | Member | Passed]:
    """The message, named "", then what is attached to it; a message within is "1", and so on. Raises Unreadable,
    MissingExtra."""
    ole = opened(source.data, "MSG")
    yield from _Message(ole, source, [], "top").parts("", 0)


@dataclass(frozen=True)
class _Message:
    """A message of a file: the file itself, or a storage in it."""

    ole: Any
    source: Source
    path: list[str]
    level: str

    def parts(self, name: str, depth: int) -> Iterator[Part | Member | Passed]:
        try:
            with told():
                yield Part(name=name, content=self.content())
        except Unreadable as error:
            yield Passed(name=name, why=str(error))
        within = 0
        for number, storage in enumerate(self._storages("__attach_version1.0_"), 1):
            inner = [*self.path, storage, f"__substg1.0_{_DATA:04X}000D"]
            if self.ole.exists("/".join([*inner, "__properties_version1.0"])):
                within += 1
                yield from self._within(inner, f"{name}/{within}".lstrip("/"), depth + 1)
            else:
                yield self._file(storage, name, number)

    def _within(self, path: list[str], name: str, depth: int) -> Iterator[Part | Member | Passed]:
        if depth > _DEEPEST:
            yield Passed(name=name, why=f"a message more than {_DEEPEST} deep in others")
        else:
            yield from _Message(self.ole, self.source, path, "within").parts(name, depth)

    def _file(self, storage: str, name: str, number: int) -> Member | Passed:
        """An attached file. name: of the message."""
        shown = f"{name}/attachment {number}".lstrip("/")
        try:
            with told():
                attached = _Properties(self.ole, self.source, [*self.path, storage], "part", self._page())
                own = attached.text(_LONG_FILE) or attached.text(_SHORT_FILE) or attached.text(_NAME)
                shown = f"{name}/{own.strip()}".lstrip("/") if own.strip() else shown
                data = attached.data(_DATA, shown)
        except Unreadable as error:
            return Passed(name=shown, why=str(error))
        if data is None:
            return Passed(name=shown, why="is attached as a link or as an object of another program")
        return Member(name=shown, data=data)

    def content(self) -> FileText:
        """What a mail program shows of it."""
        facts = _Properties(self.ole, self.source, self.path, self.level, self._page())
        sender, subject = _sender(facts), facts.text(_SUBJECT).strip()
        sent = facts.time(_SENT) or facts.time(_DELIVERED) or facts.time(_WRITTEN)
        to, cc = self._recipients(facts)
        builder = Builder()
        for label, value in (("Subject", subject), ("From", sender), ("To", to), ("Cc", cc), ("Date", sent or "")):
            builder.line(f"{label}: {' '.join(value.split())}" if value.strip() else "")
        builder.block(self._body(facts, builder))
        if facts.text(_CLASS).lower() == "ipm.note.smime":
            builder.remark("the message is encrypted; its headers alone were read")
        return builder.done(title=subject or None, author=sender or None, created=sent)

    def _body(self, facts: "_Properties", builder: Builder) -> str:
        """The first of plain text, page and RTF that says something; a broken one is a remark."""
        for what, reader in (("text", self._plain), ("page", self._html), ("RTF", self._rtf)):
            try:
                with told():
                    if (found := reader(facts)).strip():
                        return found
            except Unreadable as error:
                builder.remark(f"the message's {what} {error}")
        return ""

    def _plain(self, facts: "_Properties") -> str:
        return facts.text(_BODY).replace("\r\n", "\n").replace("\r", "\n")

    def _html(self, facts: "_Properties") -> str:
        data = facts.data(_HTML, "the page")
        if data is None:
            return page_text(facts.text(_HTML))
        if declared_encoding(data):
            return page_text(decode(data, declared_encoding(data)).text)
        return page_text(data.decode(_codec(facts.number(_HTML_PAGE)), "replace"))

    def _rtf(self, facts: "_Properties") -> str:
        data = facts.data(_RTF, "the RTF")
        return "" if data is None else words(unpacked(data, self.source.budget))

    def _recipients(self, facts: "_Properties") -> tuple[str, str]:
        """Those of To and of Cc, with their addresses where the file has them."""
        found: dict[int, list[str]] = {}
        for storage in self._storages("__recip_version1.0_"):
            one = _Properties(self.ole, self.source, [*self.path, storage], "part", self._page())
            address = one.text(_SMTP) or one.text(_ADDRESS)
            found.setdefault(one.number(_RECIPIENT) or 1, []).append(_person(one.text(_NAME), address))
        to, cc = ("; ".join(filter(None, found.get(kind, []))) for kind in (1, 2))
        return to or facts.text(_TO), cc or facts.text(_CC)

    def _page(self) -> str:
        """The codec of strings that are no Unicode."""
        return _codec(_Properties(self.ole, self.source, self.path, self.level, "").number(_STRINGS_PAGE))

    def _storages(self, prefix: str) -> list[str]:
        depth = len(self.path)
        found = {
            entry[depth]
            for entry in self.ole.listdir()
            if len(entry) > depth and entry[:depth] == self.path and entry[depth].startswith(prefix)
        }
        return sorted(found)


class _Properties:
    """The properties of a message, a recipient or an attachment."""

    def __init__(self, ole: Any, source: Source, path: list[str], level: str, codec: str) -> None:
        self._ole, self._source, self._codec = ole, source, codec
        self.path = path
        self._fixed: dict[int, tuple[int, bytes]] = {}
        data = self._stream("__properties_version1.0", "properties") or b""
        for at in range(_HEADER[level], len(data) - 15, 16):
            kind, number = struct.unpack_from("<HH", data, at)
            self._fixed[number] = (kind, data[at + 8 : at + 16])

    def text(self, number: int) -> str:
        """A string; "" where there is none."""
        data = self._stream(f"__substg1.0_{number:04X}{_UNICODE:04X}", "a text")
        if data is not None:
            return data.decode("utf-16-le", "replace").strip("\0")
        data = self._stream(f"__substg1.0_{number:04X}{_STRING:04X}", "a text")
        return "" if data is None else data.decode(self._codec, "replace").strip("\0")

    def data(self, number: int, name: str) -> bytes | None:
        return self._stream(f"__substg1.0_{number:04X}{_BINARY:04X}", name)

    def number(self, number: int) -> int | None:
        kind, data = self._fixed.get(number, (0, b""))
        return int(struct.unpack_from("<i", data)[0]) if kind == _LONG else None

    def time(self, number: int) -> str | None:
        """ISO 8601, UTC."""
        kind, data = self._fixed.get(number, (0, b""))
        ticks = struct.unpack("<Q", data)[0] if kind == _TIME else 0
        if not 0 < ticks < 2_650_467_744_000_000_000:  # the year 10000
            return None
        found = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
        return found.replace(microsecond=0).isoformat().replace("+00:00", "Z")

    def _stream(self, stream: str, name: str) -> bytes | None:
        path = "/".join([*self.path, stream])
        if not self._ole.exists(path):
            return None
        return self._source.budget.unpack(self._ole.openstream(path), name)


def _sender(facts: _Properties) -> str:
    address = facts.text(_SENDER_SMTP) or facts.text(_SENDER_ADDRESS) or facts.text(_FOR_ADDRESS)
    return _person(facts.text(_SENDER) or facts.text(_FOR), address)


def _person(name: str, address: str) -> str:
    """Ida <ida@example.org>; an address of Exchange's own (/O=…) says nothing to people."""
    if "@" not in address or address == name:
        return name
    return f"{name} <{address}>" if name else address


def _codec(page: int | None) -> str:
    if page is None:
        return "cp1252"
    if 28_591 <= page <= 28_599:
        return f"iso8859_{page - 28_590}"
    try:
        return "".encode(found := _PAGES.get(page, f"cp{page}")).decode() or found
    except LookupError:
        return "cp1252"
