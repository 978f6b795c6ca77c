"""Lines of calendars and cards (RFC 5545, RFC 6350, vCard 2.1): put together, taken apart, out of their escapes."""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

from colibri.files.kinds.decoded import decoded

_HEAD = re.compile(rb"(?:[\w-]+\.)?([\w-]+)((?:;(?:[^\":;]|\"[^\"]*\")*)*):", re.DOTALL)
_PARAMETER = re.compile(r";([^=;\"]*)(?:=((?:\"[^\"]*\"|[^;\"])*))?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Property:
    """A line: what it is, what is said about it, and its value as written."""

    line: int
    name: str
    parameters: dict[str, str]
    raw: bytes

    @property
    def value(self) -> str:
        """As it is written, in its charset."""
        data, charset = self.raw, self.parameters.get("CHARSET")
        if "QUOTED-PRINTABLE" in {self.parameters.get("ENCODING", "").upper(), *self.parameters}:
            data = quopri.decodestring(data)
        return decoded(data, charset).replace("\r\n", "\n")

    @property
    def text(self) -> str:
        """Out of its escapes."""
        return unescaped(self.value)


@dataclass
class Component:
    """A part of a calendar, or a card: what stands between BEGIN and END, without what lies within it."""

    kind: str
    line: int
    properties: list[Property]
    ended: bool = False

    def all(self, *names: str) -> list[Property]:
        """In the order of the file."""
        return [found for found in self.properties if found.name in names and found.value.strip()]

    def text(self, name: str) -> str:
        """The first of a name, "" where there is none."""
        return next((found.text.strip() for found in self.all(name)), "")


def components(data: bytes) -> Iterator[Component]:
    """Each part when it ends, the inner ones first. One that does not end is given at the end of the file."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:100]:
        data = decoded(data).encode()
    opened: list[Component] = []
    for line, raw in _unfolded(data.removeprefix(b"\xef\xbb\xbf")):
        found = _HEAD.match(raw)
        if found is None:
            continue
        name, value = found[1].decode("ascii", "replace").upper(), raw[found.end() :]
        if name == "BEGIN":
            opened.append(Component(value.strip().decode("ascii", "replace").upper(), line, []))
        elif name == "END":
            kind = value.strip().decode("ascii", "replace").upper()
            while opened and any(one.kind == kind for one in opened):
                ended = opened.pop()
                ended.ended = ended.kind == kind
                yield ended
                if ended.ended:
                    break
        elif opened:
            opened[-1].properties.append(Property(line, name, _parameters(decoded(found[2])), value))
    yield from reversed(opened)


def unescaped(text: str) -> str:
    """Line ends, commas and semicolons of a value."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def listed(text: str, separator: str) -> list[str]:
    """Parts of a value between its commas or semicolons, but for those with a backslash."""
    parts, waiting = [], ""
    for part in text.split(separator):
        waiting += part
        if (len(part) - len(part.rstrip("\\"))) % 2:
            waiting += separator
        else:
            parts.append(unescaped(waiting).strip())
            waiting = ""
    return [*parts, unescaped(waiting).strip()] if waiting else parts


def _unfolded(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines with the number of their first one.

    Put together as bytes: lines are cut after so many of them, be it within a letter. In vCard 2.1 the blank at the
    cut is a part of the text, and in quoted-printable a line ends in "=" where it goes on.
    """
    waiting, start, blank, soft = list[bytes](), 0, b"", False
    for number, line in enumerate(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"), 1):
        if start and line[:1] in (b" ", b"\t") and len(line) > 1:  # what is cut may be a blank itself
            waiting += [blank, line[1:]]
        elif soft and waiting[-1].endswith(b"="):
            waiting[-1:] = [waiting[-1][:-1], line]
        else:
            if start:
                yield start, b"".join(waiting)
            waiting, start = [line], number
            soft = b"QUOTED-PRINTABLE" in line.partition(b":")[0].upper()
            version = line.strip().upper()
            if version.startswith(b"VERSION:"):
                blank = b" " if version.endswith(b"2.1") else b""
    yield start, b"".join(waiting)


def _parameters(text: str) -> dict[str, str]:
    """By name in capitals. A name alone, as vCard 2.1 has them, stands for itself."""
    return {found[1].strip().upper(): (found[2] or "").strip('"') for found in _PARAMETER.finditer(text)}
