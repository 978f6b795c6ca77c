"""What an XML part declares before its first element: entities that could grow are refused, none comes from outside."""

import io
import re
from collections.abc import Callable
from typing import Protocol
from xml.etree.ElementTree import XMLParser
from xml.parsers import expat

from colibri.files.text import Unreadable

_PIECE = 4_096
_ENTITY_CHARACTERS = 256  # together with the next: 1 MB of "&a;" becomes 85 MB
_PART_BYTES = 1 << 20
_NAMED = re.compile(r"&(?!#|(?:amp|lt|gt|quot|apos);)")


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _Begun(Exception):
    """The first element is there."""


def prepared(opener: Callable[[], Readable], part: str) -> tuple[Readable, XMLParser | None]:
    """A part from its beginning, and the parser for it where it declares entities.

    Entities from outside stand for nothing. Raises Unreadable for those that name others or are long, and for a large
    part that declares any: they are how a small file grows without end.
    """
    declared = _declared(opener(), part)
    stream = opener()
    if not declared:
        return stream, None
    data = stream.read(_PART_BYTES + 1)
    if len(data) > _PART_BYTES:
        raise Unreadable(f"{part} declares entities and is longer than {_PART_BYTES >> 20} MB")
    parser = XMLParser()
    parser.entity.update({name: "" for name, value in declared.items() if value is None})
    return io.BytesIO(data), parser


def _declared(stream: Readable, part: str) -> dict[str, str | None]:
    """Entities of the part's own DTD; None: it lies outside."""
    found: dict[str, str | None] = {}

    def entity(name: str, is_parameter: bool, value: str | None, *_outside: str | None) -> None:
        if is_parameter:
            raise Unreadable(f"{part} declares an entity for its declarations ({name})")
        if value is not None and (len(value) > _ENTITY_CHARACTERS or _NAMED.search(value)):
            raise Unreadable(f"{part} declares an entity that grows ({name})")
        found[name] = value

    def begun(_name: str, _attributes: dict[str, str]) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = begun
    try:
        while piece := stream.read(_PIECE):
            parser.Parse(piece, False)
    except _Begun:
        pass
    return found
