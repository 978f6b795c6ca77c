"""What is read of one file as documents for the index, and what is to be said of the rest."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from colibri.errors import MissingExtra
from colibri.files import facts as facts_of
from colibri.files.looking import Job
from colibri.files.reading import Item, NotRead, Read
from colibri.files.room.worker import RoomError
from colibri.files.summary import Summary
from colibri.files.text import Passed, Place, Unreadable
from colibri.files.walk import Found
from colibri.index import Document, refusal

_APART = 100  # characters from place to place, on the mean


class Documents:
    """An iterator of them. Whatever cannot be one is named in the summary; none of it ends the run.

    ids        of those that came, and the lines they began in
    not_read   files inside the file that nothing reads, by what they count as
    why        why reading ended early; None: it did not
    elsewhere  whether that lies in what is installed here, not in the file
    """

    def __init__(self, one: Found, job: Job, facts: dict[str, Any], summary: Summary, items: Iterator[Item]) -> None:
        self._one = one
        self._job = job
        self._facts = facts
        self._path: str = facts["path"]
        self._summary = summary
        self._items = items
        self._not_read: NotRead | None = None
        self._begun: set[str] = set()
        self.ids: dict[str, int | None] = {}
        self.not_read: Counter[str] = Counter()
        self.why: str | None = None
        self.elsewhere = False

    def __iter__(self) -> Iterator[Document]:
        return self

    def __next__(self) -> Document:
        while True:
            try:
                item = next(self._items)
            except (Unreadable, MissingExtra) as error:
                self.why = str(error)
                self.elsewhere = isinstance(error, MissingExtra | RoomError)
                if self.ids:
                    self._say("", f"was not read to its end: {error}")
                raise StopIteration from None
            if isinstance(item, Read):
                if (document := self._document(item)) is not None:
                    return document
            elif isinstance(item, Passed):
                self._say(item.name, item.why)
            elif item.name:
                self._summary.passed(item.label)
                self.not_read[item.label] += 1
            else:
                self._not_read = item

    def explain_nothing(self) -> None:
        """Say why no document came."""
        path, said = self._path, self._summary.remarks.get(self._path, [])
        if self._not_read is not None and not self._one.given:
            self._summary.passed(self._not_read.label)
        elif self._not_read is not None:
            self._summary.skipped[path] = f"is of a kind that nothing here reads ({self._not_read.kind})"
        elif self.why is not None:
            self._summary.skipped[path] = self.why
        elif len(said) == 1:
            self._summary.skipped[path] = self._summary.remarks.pop(path)[0]
        else:
            self._summary.skipped[path] = "nothing in it could be read" if said else "holds no text"

    def _document(self, item: Read) -> Document | None:
        part = item.part
        if not part.content.text.strip():
            for remark in part.content.remarks or (("holds no text",) if part.name else ()):
                self._say(_shown(part.name, part.line), remark)
            return None
        own, remarks = facts_of.of_document(self._one, self._job.root, item, first=item.within not in self._begun)
        own |= facts_of.of_options(item, self._job.wanted)
        self._begun.add(item.within)
        found_id = f"{self._path}#{part.name}" if part.name else self._path
        payload = facts_of.payload(part.fields, {**self._facts, **own})
        document = Document(
            id=found_id,
            text=part.content.text,
            payload=payload,
            borders=borders(part.content.text, part.content.places),
        )
        if (why := refusal(document)) is not None:
            self._say(_shown(part.name, part.line), why)
            return None
        for remark in remarks:
            self._say(_shown(part.name, part.line) if part.name else "", remark)
        if found_id in self.ids:
            before = _shown(part.name, self.ids[found_id])
            self._say(_shown(part.name, part.line), f"has the name {part.name!r}, as {before} has; the last one counts")
        self.ids[found_id] = part.line
        return document

    def _say(self, name: str, why: str) -> None:
        self._summary.remark(self._path, f"{name}: {why}" if name else why)


def _shown(name: str, line: int | None) -> str:
    return name if line is None else f"line {line}"


def borders(text: str, places: Sequence[Place]) -> list[int] | None:
    """Where a text's places begin, unless they are as dense as a workbook's cells."""
    if not places or len(text) < _APART * len(places):
        return None
    return [place.start for place in places]
