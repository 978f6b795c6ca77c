"""Messages between a program and its reading process: two lengths, JSON, bytes. Never pickle: it runs what it reads.

What is read of a file comes as `Item`s, each with its text as the bytes.
"""

import json
import struct
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from colibri.files.reading import Item, NotRead, Read
from colibri.files.text import FileText, Part, Passed, Place

_LENGTHS = struct.Struct(">IQ")
_KINDS = {"passed": Passed, "not read": NotRead}


@dataclass(frozen=True)
class Frame:
    """A message: what it is, its fields, its bytes."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""


def send(stream: IO[bytes], frame: Frame) -> None:
    """Write one and flush."""
    head = json.dumps([frame.kind, frame.fields]).encode()
    stream.write(_LENGTHS.pack(len(head), len(frame.body)) + head)
    stream.write(frame.body)
    stream.flush()


def receive(stream: IO[bytes]) -> Frame | None:
    """The next one; None at the end, also where it comes in the middle of one."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_bytes, body_bytes = _LENGTHS.unpack(lengths)
    head, body = stream.read(head_bytes), stream.read(body_bytes)
    if len(head) < head_bytes or len(body) < body_bytes:
        return None
    kind, fields = json.loads(head)
    return Frame(kind, fields, body)


def framed(item: Item) -> Frame:
    """An item as a message."""
    if not isinstance(item, Read):
        return Frame(next(kind for kind, made in _KINDS.items() if isinstance(item, made)), asdict(item))
    part, content = item.part, item.part.content
    facts = {name: value for name, value in vars(content).items() if name != "text" and value}
    fields = {
        "reader": item.reader,
        "within": item.within,
        "name": part.name,
        "fields": part.fields,
        "line": part.line,
        "facts": facts,
    }
    return Frame("read", fields, content.text.encode())


def item_of(frame: Frame) -> Item:
    """The item that a message holds."""
    if frame.kind in _KINDS:
        made: Passed | NotRead = _KINDS[frame.kind](**frame.fields)
        return made
    fields = dict(frame.fields)
    facts = fields.pop("facts")
    facts["places"] = tuple(Place(*place) for place in facts.get("places", ()))
    facts["remarks"] = tuple(facts.get("remarks", ()))
    reader, within = fields.pop("reader"), fields.pop("within")
    part = Part(content=FileText(text=frame.body.decode(), **facts), **fields)
    return Read(part=part, reader=reader, within=within)
