"""An index kept up to date with files: what is new or changed is read, what is gone leaves.

A file is one document, its absolute path its id; rows, messages and members of archives are documents of their own,
"path#name". What is known of a file lies under "file" in the payload (`facts`).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from colibri.errors import ColibriError, MissingExtra
from colibri.files import facts as facts_of
from colibri.files.documents import Documents
from colibri.files.facts import Known, known_files
from colibri.files.known import by_ending, label
from colibri.files.magic import HEAD
from colibri.files.reading import Reading
from colibri.files.recognise import by_head
from colibri.files.room.worker import Limits
from colibri.files.safely import Reader
from colibri.files.summary import Summary
from colibri.files.text import Unreadable
from colibri.files.walk import Found, Troubles, shown, walk
from colibri.index import Document, Index
from colibri.tokens import PASSAGE_TOKENS

_BATCH_DOCUMENTS = 256  # one transaction: what an interruption costs
_BATCH_CHARACTERS = 2 << 20
_STAYS = "; what the index has of it stays"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is indexed, and how. max_bytes: of a file; larger ones are skipped and named.

    max_seconds, max_memory_bytes  of reading one file, see `room`
    """

    globs: Sequence[str] = ()
    hidden: bool = False
    ignore: bool = True
    max_bytes: int = 64 << 20
    max_seconds: float = Limits.seconds
    max_memory_bytes: int = Limits.memory_bytes
    text_field: str | None = None
    id_field: str | None = None
    split: bool = True
    passage_tokens: int = PASSAGE_TOKENS

    @property
    def limits(self) -> Limits:
        """As the room takes them."""
        reading = Reading(text_field=self.text_field, id_field=self.id_field)
        return Limits(seconds=self.max_seconds, memory_bytes=self.max_memory_bytes, reading=reading)


class Sync:
    """One run over some files."""

    def __init__(self, index: Index, wanted: Wanted) -> None:
        self._index = index
        self._wanted = wanted
        self.summary = Summary()
        self._known_files: dict[str, Known] = {}
        self._batch: list[Document] = []
        self._characters = 0

    def plan(self, roots: Sequence[Path]) -> list[tuple[Found, Path]]:
        """Files that may have to be read, with their roots. Unchanged ones are counted, those that are gone removed,
        those of kinds that nothing reads counted by kind.

        Raises InputError for a root that is not there.
        """
        troubles = Troubles()
        wanted = self._wanted
        found: dict[str, tuple[Found, Path]] = {}
        for root in roots:
            for one in walk([root], troubles, globs=wanted.globs, hidden=wanted.hidden, ignore=wanted.ignore):
                found.setdefault(shown(one.path), (one, root.resolve()))
        self.summary.skipped |= troubles.unreadable
        troubles.left_out.pop(shown(self._index.path.resolve()), None)  # which nobody would look for in itself
        self.summary.left_out = dict(Counter(troubles.left_out.values()))
        known = known_files(self._index, roots)
        self._remove(known, found, troubles)
        self._known_files = known
        for place in troubles.unreadable:
            self._say_what_stays(place)
        return [entry for path, entry in found.items() if self._is_due(path, entry[0])]

    def _is_due(self, path: str, one: Found) -> bool:
        before = self._known_files.get(path)
        if before is not None:
            if before.is_of(one) and before.as_read_now(self._wanted.limits):
                self._unchanged(before)
                if before.cut:
                    self.summary.remark(path, f"was not read to its end: {before.cut}")
                return False
            return True
        named = by_ending(one.path.name)
        if one.given or (named is not None and named.read):
            return True
        try:
            with one.path.open("rb") as file:
                kind = by_head(one.path.name, file.read(HEAD), one.size_bytes)
        except OSError as error:
            self.summary.skipped[path] = error.strerror or str(error)
            return False
        if kind is None:
            return True
        self.summary.passed(label(one.path.name, kind))
        return False

    def run(self, due: Sequence[tuple[Found, Path]], done: Callable[[int], object]) -> Summary:
        """Read and index them. done: called with the tokens of each document."""
        with Reader(self._wanted.limits) as reader:
            for one, root in due:
                path = shown(one.path)
                try:
                    self._file(one, root, path, reader, done)
                except (Unreadable, MissingExtra) as error:
                    self.summary.skipped[path] = str(error)
                except OSError as error:
                    if isinstance(error, ColibriError):
                        raise
                    self.summary.skipped[path] = error.strerror or str(error)
                if path in self.summary.skipped:
                    self._say_what_stays(path)
        self._flush(done)
        return self.summary

    def _file(self, one: Found, root: Path, path: str, reader: Reader, done: Callable[[int], object]) -> None:
        wanted = self._wanted
        before = self._known_files.get(path)
        if one.size_bytes > wanted.max_bytes:
            self._drop(before, {})
            raise Unreadable(f"{one.size_bytes >> 20:,} MB, more than {wanted.max_bytes >> 20} (--max-mb)")
        data = one.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        facts = facts_of.of_file(one, root, digest)
        if before is not None and before.facts.get("sha256") == digest and before.as_read_now(wanted.limits):
            self._touch(before, facts)
            self._unchanged(before)
            return
        work = Documents(one, root, facts, self.summary, reader.read(one.path.name, data))
        some, whole = _ahead(work)
        if not some:
            if not work.elsewhere:  # an extra may come back, what the file held will not
                self._drop(before, {})
            work.explain_nothing()
            return
        if whole:
            self._drop(before, work.ids)
            if work.not_read:
                some[0] = replace(some[0], payload=facts_of.with_not_read(some[0].payload, work.not_read))
            self._add([facts_of.cut_off(document, work.why, wanted.limits) for document in some], done)
        else:
            self._flush(done)
            self._upsert(chain(some, work), done)
            self._drop(before, work.ids)
            self._mark_cut(work)
            if work.not_read:
                first = some[0].id
                stored = self._index.get([first])[0]
                if stored is not None:
                    self._index.set_payloads({first: facts_of.with_not_read(stored.payload, work.not_read)})
        self.summary.indexed += 1

    def _unchanged(self, before: Known) -> None:
        self.summary.unchanged += 1
        for name, count in before.not_read.items():
            self.summary.passed(name, count)

    def _drop(self, before: Known | None, kept: Collection[str]) -> None:
        """Documents that a file had and has no more."""
        if before is not None and (gone := [found for found in before.ids if found not in kept]):
            self._index.delete(gone)
            before.ids = [found for found in before.ids if found in kept]

    def _say_what_stays(self, path: str) -> None:
        """Of a skipped file, or of files in a folder that cannot be looked at, which may be as they were."""
        if any(one == path or one.startswith(f"{path}/") for one, known in self._known_files.items() if known.ids):
            self.summary.skipped[path] += _STAYS

    def _mark_cut(self, work: Documents) -> None:
        if work.why is not None:
            stored = (one for one in self._index.get(list(work.ids)) if one is not None)
            again = {one.id: facts_of.cut(one.payload, work.why, self._wanted.limits) for one in stored}
            self._index.set_payloads(again)

    def _touch(self, before: Known, facts: dict[str, Any]) -> None:
        """The same bytes at another time: their new facts, and nothing is encoded."""
        payloads = {}
        for stored in self._index.get(before.ids):
            if stored is not None:
                own = stored.payload or {}
                payloads[stored.id] = {**own, "file": {**own.get("file", {}), **facts}}
        self._index.set_payloads(payloads)

    def _add(self, documents: list[Document], done: Callable[[int], object]) -> None:
        """All documents of a file, so that they come into one transaction: half a file would look like a whole one."""
        characters = sum(len(document.text or "") for document in documents)
        if self._batch and self._characters + characters > _BATCH_CHARACTERS:
            self._flush(done)  # what small files hold does not wait for a large one
        self._batch += documents
        self._characters += characters
        if len(self._batch) >= _BATCH_DOCUMENTS or self._characters >= _BATCH_CHARACTERS:
            self._flush(done)

    def _flush(self, done: Callable[[int], object]) -> None:
        batch, self._batch, self._characters = self._batch, [], 0
        if batch:
            self._upsert(iter(batch), done)

    def _upsert(self, documents: Iterator[Document], done: Callable[[int], object]) -> None:
        tokens = self._wanted.passage_tokens
        self._index.upsert(documents, split=self._wanted.split, passage_tokens=tokens, progress=done)

    def _remove(self, known: dict[str, Known], found: dict[str, tuple[Found, Path]], troubles: Troubles) -> None:
        """What is not there any more leaves; what is only out of sight (an unreadable folder, another --glob) stays."""
        gone = []
        for path, entry in known.items():
            hidden = any(path == place or path.startswith(f"{place}/") for place in troubles.unreadable)
            if path not in found and not hidden and (not self._wanted.globs or not Path(path).exists()):
                gone += entry.ids
                self.summary.removed += 1
        if gone:
            self._index.delete(gone)


def _ahead(work: Documents) -> tuple[list[Document], bool]:
    """The first documents of a file, and whether they are all: what is more than a batch goes into a transaction of its
    own as it is read."""
    some, characters = list[Document](), 0
    for document in work:
        some.append(document)
        characters += len(document.text or "")
        if len(some) > _BATCH_DOCUMENTS or (len(some) > 1 and characters > _BATCH_CHARACTERS):
            return some, False
    return some, True
