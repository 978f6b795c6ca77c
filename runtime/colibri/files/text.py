"""What a reader makes of a file: its text, and where in the file each part of it stood."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from colibri.errors import ColibriError


class Unreadable(ColibriError, ValueError):
    """A file without text that can be had: damaged, encrypted, too large, or of a kind that nothing here reads."""


class Place(NamedTuple):
    """Where the text from character `start` on stood, up to the next place.

    label  what a person would look up, as shown after the file's name: "p. 14", "slide 3", "Costs!B7", "line 12",
           "Chapter 2: The keeper", "Budget.take"; "" where a place ends and no other begins
    """

    start: int
    label: str


@dataclass(frozen=True, kw_only=True)
class FileText:
    """One document's text with its places and what the file says of itself.

    text       lines end with \\n
    places     in the order of `start`, each with another start; none where the file has but one place
    verbatim   whether the lines of `text` are the lines of the file, so that a line's number can be shown
    language   BCP 47, as the file declares it
    created, modified  ISO 8601, as the file declares them (not the file system)
    remarks    what could not be read or was left out, one sentence without the file's name each: "page 2 of 3 holds no
               text"
    """

    text: str
    places: tuple[Place, ...] = ()
    verbatim: bool = False
    title: str | None = None
    author: str | None = None
    language: str | None = None
    created: str | None = None
    modified: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Part:
    """A document among several of one file: a row, a message of a mailbox.

    name    what tells it from the others, stable when others come or go: a row's id, else its line; "inbox/3"
    fields  a row's other fields, for the payload
    line    where it begins in the file, from 1
    """

    name: str
    content: FileText
    fields: dict[str, Any] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file inside another: of an archive, attached to a message. name: its path in there."""

    name: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What was passed over within a file, and why: "line 7", "not JSON (…)"."""

    name: str
    why: str


class Builder:
    """Puts a text together from blocks, and notes where each stood."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._places: list[Place] = []
        self._length = 0
        self._waiting: str | None = None
        self.remarks: list[str] = []

    def place(self, label: str) -> None:
        """What is added from here on stood there. A place that gets no text is forgotten."""
        self._waiting = label

    def block(self, text: str) -> None:
        """Add a paragraph, with an empty line before it; nothing for white space alone."""
        self._add(text.strip("\n"), "\n\n")

    def line(self, text: str) -> None:
        """Add a line that belongs to the one before; nothing for white space alone."""
        self._add(text.rstrip(), "\n")

    def cell(self, text: str) -> None:
        """Add text to the line before, after a tab; nothing for white space alone."""
        self._add(text.strip(), "\t")

    def remark(self, text: str) -> None:
        """Something that could not be read or was left out."""
        self.remarks.append(text)

    def done(self, **facts: Any) -> FileText:
        """The text. facts: fields of FileText."""
        return FileText(text="".join(self._parts), places=tuple(self._places), remarks=tuple(self.remarks), **facts)

    def _add(self, text: str, gap: str) -> None:
        if not text.strip():
            return
        if self._parts:
            self._parts.append(gap)
            self._length += len(gap)
        if self._waiting is not None:
            if self._waiting != (self._places[-1].label if self._places else ""):
                self._places.append(Place(self._length, self._waiting))
            self._waiting = None
        self._parts.append(text)
        self._length += len(text)
