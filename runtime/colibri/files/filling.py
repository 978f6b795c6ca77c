"""Files read into an index: small ones together, what is large on its own, all of it committed as it goes."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Self

from colibri.errors import ColibriError, MissingExtra
from colibri.files import facts as facts_of
from colibri.files.documents import Documents
from colibri.files.facts import Known, known_files
from colibri.files.looking import Job
from colibri.files.pace import Pace
from colibri.files.planning import STAYS, Plan
from colibri.files.room.worker import Limits
from colibri.files.safely import Reader
from colibri.files.text import Unreadable
from colibri.files.unchanged import without_those_that_stay
from colibri.files.walk import Found, seen_again, shown
from colibri.index import Document, Index

COMMIT_SECONDS = 5.0
_BATCH_DOCUMENTS = 256
_BATCH_CHARACTERS = 2 << 20


@dataclass
class _Batch:
    """Documents that are encoded together, of files that are wanted alike.

    several  first documents of files that have more than one
    kept     payloads of documents that need not be encoded again, by their ids
    """

    documents: list[Document] = field(default_factory=list)
    characters: int = 0
    files: list[Found] = field(default_factory=list)
    several: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    job: Job | None = None


class Readers:
    """A reader for each set of limits that a run meets. Use it in a `with`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._readers: dict[Limits, Reader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *found: object) -> None:
        self._stack.close()

    def of(self, limits: Limits) -> Reader:
        """Made when it is first asked for."""
        if limits not in self._readers:
            self._readers[limits] = self._stack.enter_context(Reader(limits))
        return self._readers[limits]


class Filling:
    """The second half of a run. pace: is told what was done."""

    def __init__(self, index: Index, plan: Plan, pace: Pace) -> None:
        self._index = index
        self._plan = plan
        self._pace = pace
        self._batch = _Batch()

    def run(self, due: Iterable[tuple[Found, Job]]) -> None:
        """Read and index them."""
        with Readers() as readers:
            for planned, job in due:
                one, path = seen_again(planned), shown(planned.path)
                self._pace.grew(one.size_bytes - planned.size_bytes)
                skipped = self._plan.summaries[job.path].skipped
                try:
                    self._file(one, job, path, readers.of(job.wanted.limits))
                except (Unreadable, MissingExtra) as error:
                    skipped[path] = str(error)
                except OSError as error:
                    if isinstance(error, ColibriError):
                        raise
                    skipped[path] = error.strerror or str(error)
                if path in skipped:
                    self._pace.passed(one)
                    if (before := self._plan.known.get(path)) is not None and before.ids:
                        skipped[path] += STAYS
        self._flush()

    def _file(self, one: Found, job: Job, path: str, reader: Reader) -> None:
        wanted, summary = job.wanted, self._plan.summaries[job.path]
        before = self._known_now(path)
        if before is not None and before.is_of(one) and before.as_read_now(wanted):  # a shorter run was here since
            summary.as_before(path, before.cut, before.not_read)
            self._pace.passed(one)
            return
        if one.size_bytes > wanted.max_bytes:
            self._drop(before, {})
            raise Unreadable(f"{one.size_bytes >> 20:,} MB, more than {wanted.max_bytes >> 20} (--max-mb)")
        data = one.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        facts = facts_of.of_file(one, job.root, digest)
        if before is not None and before.facts.get("sha256") == digest and before.as_read_now(wanted):
            self._touch(before, facts)
            summary.as_before(path, before.cut, before.not_read)
            self._pace.passed(one)
            return
        work = Documents(one, job, facts, summary, reader.read(one.path.name, data))
        some, whole = _ahead(work)
        if not some:
            if not work.elsewhere:  # an extra may come back, what the file held will not
                self._drop(before, {})
            work.explain_nothing()
            self._pace.passed(one)
            return
        if whole:
            self._drop(before, work.ids)
            if work.not_read:
                some[0] = replace(some[0], payload=facts_of.with_not_read(some[0].payload, work.not_read))
            some = [facts_of.cut_off(document, work.why, wanted.limits) for document in some]
            self._add(one, job, some, before)
        else:
            self._large(job, chain(some, work), some[0].id, before)
            self._drop(before, work.ids)
            self._mark(work, some[0].id, wanted.limits)
            self._pace.finished(one)
        summary.indexed += 1

    def _known_now(self, path: str) -> Known | None:
        """What the index has of a file: as it was planned, but where another run changed it since."""
        planned, now = self._plan.known.get(path), known_files(self._index, [path]).get(path)
        if planned is None or now is None or planned.facts != now.facts:
            return now
        return planned

    def _large(self, job: Job, documents: Iterator[Document], first: str, before: Known | None) -> None:
        """A file with more than a batch: what comes of it counts, and that it is not all until it is."""
        self._flush()
        kept: dict[str, Any] = {}
        self._upsert(self._new_ones(before, (facts_of.unfinished(one, first) for one in documents), kept), job)
        if kept:
            self._index.set_payloads(kept)

    def _new_ones(
        self, before: Known | None, documents: Iterator[Document], kept: dict[str, Any]
    ) -> Iterator[Document]:
        return documents if before is None else without_those_that_stay(self._index, before, documents, kept)

    def _mark(self, work: Documents, first: str, limits: Limits) -> None:
        """What is only known at a file's end."""
        changed: dict[str, dict[str, Any]] = {}
        wanted = list(work.ids) if work.why is not None else [first]
        for stored in self._index.get(wanted):
            if stored is None:
                continue
            payload = facts_of.finished(stored.payload)
            if work.why is not None:
                payload = facts_of.cut(payload, work.why, limits)
            if stored.id == first and work.not_read:
                payload = facts_of.with_not_read(payload, work.not_read)
            changed[stored.id] = payload
        self._index.set_payloads(changed)

    def _drop(self, before: Known | None, kept: Collection[str]) -> None:
        """Documents that a file had and has no more."""
        if before is not None and (gone := [found for found in before.ids if found not in kept]):
            self._index.delete(gone)
            before.ids = [found for found in before.ids if found in kept]

    def _touch(self, before: Known, facts: dict[str, Any]) -> None:
        """The same bytes at another time: their new facts, and nothing is encoded."""
        payloads = {}
        for stored in self._index.get(before.ids):
            if stored is not None:
                own = stored.payload or {}
                payloads[stored.id] = {**own, "file": {**own.get("file", {}), **facts}}
        self._index.set_payloads(payloads)

    def _add(self, one: Found, job: Job, documents: list[Document], before: Known | None) -> None:
        """All documents of a file, which come together: half a file would look like a whole one."""
        batch, characters = self._batch, sum(len(document.text or "") for document in documents)
        alike = batch.job is None or batch.job.wanted == job.wanted
        if batch.documents and (not alike or batch.characters + characters > self._most()):
            self._flush()  # what small files hold does not wait for a large one
            batch = self._batch
        if len(documents) > 1:
            first = documents[0].id
            documents = [facts_of.unfinished(document, first) for document in documents]
            batch.several.append(first)
        batch.documents += self._new_ones(before, iter(documents), batch.kept)
        batch.characters += characters
        batch.files.append(one)
        batch.job = job
        if len(batch.documents) >= _BATCH_DOCUMENTS or batch.characters >= self._most():
            self._flush()

    def _most(self) -> int:
        """Characters of a batch: about what is encoded between two commits."""
        return min(_BATCH_CHARACTERS, self._pace.characters_in(COMMIT_SECONDS))

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if batch.documents:
            assert batch.job is not None
            self._pace.expect(batch.documents, batch.files)
            self._upsert(iter(batch.documents), batch.job)
        if batch.kept:
            self._index.set_payloads(batch.kept)
        if batch.several:
            stored = (one for one in self._index.get(batch.several) if one is not None)
            self._index.set_payloads({one.id: facts_of.finished(one.payload) for one in stored})
        for one in batch.files:
            self._pace.finished(one)

    def _upsert(self, documents: Iterator[Document], job: Job) -> None:
        wanted = job.wanted
        with self._pace.timed():
            self._index.upsert(
                self._pace.counted(documents),
                split=wanted.split,
                passage_tokens=wanted.passage_tokens,
                progress=self._pace.encoded,
                commit_every=COMMIT_SECONDS,
            )


def _ahead(work: Documents) -> tuple[list[Document], bool]:
    """The first documents of a file, and whether they are all: what is more than a batch is not waited for."""
    some, characters = list[Document](), 0
    for document in work:
        some.append(document)
        characters += len(document.text or "")
        if len(some) > _BATCH_DOCUMENTS or (len(some) > 1 and characters > _BATCH_CHARACTERS):
            return some, False
    return some, True
