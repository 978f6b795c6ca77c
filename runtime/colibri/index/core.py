"""What every operation on an open index needs: its facts, its connections, its segments, its lock, its model."""

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

from colibri import checks
from colibri.artefact import Bounds, bounds
from colibri.errors import StoreDamaged, StoreError
from colibri.index.encoding import IndexModel
from colibri.index.storage import catalogue, reading, words
from colibri.index.storage.catalogue import Catalogue
from colibri.index.storage.disk import Disk
from colibri.index.storage.lock import WriterLock
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.snapshot import Snapshot, Snapshots
from colibri.index.storage.staged import Staged, staged
from colibri.index.storage.transaction import Mended, Transaction, disk_errors, writing
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.artefact import Manifest
    from colibri.index.encoding import Loader
    from colibri.model import Colibri

SEGMENTS = "segments"
_TRIES = 10  # each meets another compaction that ended between two steps of a reader


class Core:
    """Threads may share it."""

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, str],
        shelf: Catalogue,
        disk: Disk,
        lock: WriterLock,
        load: "Loader | None" = None,
    ) -> None:
        self.folder = folder
        self.facts = {catalogue.POOL: "1", **facts}  # which an index need not say, until another takes over
        self.layout = RowLayout.of_facts(facts)
        self.space_id = facts["space_id"]
        self.segments = folder / SEGMENTS
        self.shelf = shelf
        self.lock = lock
        self._disk = disk
        self._load = load
        self._snapshots = Snapshots(self.segments, self.layout, self.space_id)
        self._model: IndexModel | None = None
        self.judge: Manifest | None = None
        """Of the model that encodes queries elsewhere: its cutoffs count as those of a model of one's own."""
        self._choosing = threading.Lock()
        self._files = shelf.files
        self.clock = time.monotonic
        self.generation = 0
        """Counts takeovers: rows that were encoded for one do not compare with those of the next."""

    @property
    def dim(self) -> int:
        """Width of the rows."""
        return self.layout.dim

    @property
    def pool(self) -> int:
        """How many tokens are a row on average, of documents that are encoded here."""
        return catalogue.pool_of(self.facts)

    def close(self) -> None:
        """Let go of files."""
        self.shelf.close()
        self._snapshots.forget()

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, Snapshot]]:
        """One commit: a connection that sees it, and its segments."""
        for left in reversed(range(_TRIES)):
            with self.shelf.reading() as connection:
                snapshots = self._followed(connection)
                try:
                    snapshot = snapshots.of(connection)
                except FileNotFoundError as error:
                    if left:
                        continue
                    raise StoreDamaged(f"{error.filename}: gone; {reading.MEND}") from error
                yield connection, snapshot
                return

    def follow(self) -> None:
        """See whether another index took over, with another model or width."""
        with self.shelf.reading() as connection:
            self._follow(connection)

    def _followed(self, connection: Connection) -> Snapshots:
        """The same in a transaction: the snapshots of what it sees, which another thread, that sees another commit, may
        have taken for its own meanwhile."""
        while True:
            self._follow(connection)
            snapshots, found = self._snapshots, catalogue.standing_facts(connection)
            if not found.keys() >= {"dim", "scheme"} or snapshots.layout == RowLayout.of_facts(found):
                return snapshots

    def layout_in(self, connection: Connection) -> RowLayout:
        """How the rows lie that a transaction sees."""
        return self._followed(connection).layout

    def _follow_kind(self) -> None:
        """See whether rows are kept as another kind by now, and nothing else is another: that is no reason to refuse
        what is written from here on."""
        with self.shelf.reading() as connection:
            found = catalogue.standing_facts(connection)
            if {name for name, value in found.items() if self.facts[name] != value} == {"scheme"}:
                self._follow(connection)

    def _follow(self, connection: Connection) -> bool:
        """The same in a transaction; whether one did. What was loaded for the old one is let go."""
        found = catalogue.standing_facts(connection)
        if self._files != self.shelf.files:  # another index lies in the folder, whose commits count from the start
            with self._choosing:
                self._files = self.shelf.files
                self._snapshots = Snapshots(self.segments, self.layout, self.space_id)
        if all(self.facts[name] == value for name, value in found.items()):
            return False
        with self._choosing:
            self.facts |= found
            self.layout, self.space_id = RowLayout.of_facts(self.facts), self.facts["space_id"]
            self._snapshots = Snapshots(self.segments, self.layout, self.space_id)
            if self._model is not None and self._model.manifest.space_id != self.space_id:
                self._model = None
            self.generation += 1
        return True

    @contextmanager
    def taking_over(self, connection: Connection, layout: RowLayout) -> Iterator[Transaction]:
        """A transaction of whoever holds the writer's lock, on a connection that is theirs. layout: of its rows."""
        with writing(connection, self._disk, self.segments, layout) as transaction:
            yield transaction

    @contextmanager
    def writing(
        self, *, seconds: float | None = None, ready: RowLayout | None = None, after: RowLayout | None = None
    ) -> Iterator[Transaction]:
        """A transaction under the writer's lock.

        seconds  how long to wait for it, where not as usual
        ready    of rows that wait for it; StoreError where the index keeps others by now
        after    of what it writes, where that is not as rows are kept so far
        """
        with self.lock.held(seconds):
            self._follow_kind()
            if ready is not None and ready.kind != self.layout.kind:
                raise self._made_anew()
            with self._transaction(None, after) as transaction:
                yield transaction

    @contextmanager
    def mending(self, mended: Mended) -> Iterator[Transaction]:
        """A transaction of whoever holds the writer's lock, on entries that have to be made right first."""
        with self._transaction(mended) as transaction:
            yield transaction

    def give_back(self) -> None:
        """Pages of SQLite that hold nothing go back to the file system."""
        with self.lock.held(), self.shelf.lent() as connection:
            # As a script: it answers once for each page, and `execute` asks a statement without columns only once.
            connection.executescript("PRAGMA incremental_vacuum")

    @contextmanager
    def staging(self) -> Iterator[None]:
        """What fails in it is told as a transaction's failure is."""
        with self.shelf.explained(), disk_errors(self.folder):
            yield

    def staged(self, layout: RowLayout) -> Staged:
        """Files for documents that wait for their commit."""
        with self.staging():
            return staged(self._disk, self.segments, layout, worded=self.has_words)

    @property
    def has_words(self) -> bool:
        """Whether the index was made to keep words, as far as is known here, and this Python's SQLite can."""
        return self.facts.get("format") == str(words.FORMAT) and words.has_fts5()

    def check_writable(self) -> None:
        """Raise StoreError, before any work, for an index that was closed or can never be written."""
        self._follow_kind()
        self.lock.check()

    def known(self, ids: Sequence[str]) -> str | None:
        """One of some ids that there is a document of, as of now."""
        with self.shelf.reading() as connection:
            return reading.known(connection, ids)

    @contextmanager
    def _transaction(self, mended: Mended | None, after: RowLayout | None = None) -> Iterator[Transaction]:
        layout = self.layout
        with self.shelf.lent() as connection:
            try:
                with writing(connection, self._disk, self.segments, after or layout, mended) as transaction:
                    if mended is None and (self._follow(connection) or self.layout_in(connection) != layout):
                        raise self._made_anew()
                    yield transaction
            except StoreDamaged as error:
                raise StoreDamaged(f"{self.folder}: {error}", error.ids) from error

    def _made_anew(self) -> StoreError:
        return StoreError(
            f"{self.folder}: was made anew with {self.facts['model'] or 'another encoder'} at {self.dim} dims "
            f"meanwhile ({self.layout.kind} rows); nothing was changed, do it again"
        )

    def to_open_again(self) -> "tuple[Colibri | str | os.PathLike[str] | None, float, Loader | None]":
        """What `Index.open` takes beside the folder: model, lock_seconds, load."""
        return None if self._model is None else self._model.given, self.lock.seconds, self._load

    @property
    def can_encode(self) -> bool:
        """Whether texts can become rows here."""
        return self._model is not None or bool(self.facts["model"])

    def bounds(self, query: TokenVectors) -> Bounds | None:
        """From which score on a text fits a query (TokenVectors of one text), by the cutoffs of the model that was
        given, that a text was encoded with, or that is the judge."""
        manifest = self.judge if self._model is None else self._model.manifest
        if manifest is None or manifest.space_id != self.space_id:  # the index was made anew with another model
            return None
        return bounds(manifest, self.dim, query.weight)

    def model(self) -> IndexModel:
        """What encodes. Raises StoreError for an index of vectors, or when the model is another one by now."""
        with self._choosing:
            if self._model is None:
                if not self.facts["model"]:
                    raise StoreError(f"{self.folder}: holds vectors of another encoder; give vectors, not texts")
                self.use(IndexModel(self.facts["model"], self._load))
        assert self._model is not None
        return self._model

    def use(self, model: IndexModel) -> None:
        """Encode with this one. Raises StoreError when its rows do not compare with the index's."""
        if model.manifest.space_id != self.space_id:
            made_with = self.facts["model"] or "another encoder"
            if made_with in {model.name, model.manifest.name}:
                made_with = f"another version of {made_with}"
            raise StoreError(
                f"{self.folder}: was made with {made_with} (space {self.space_id[:8]}), whose vectors do not compare "
                f"with those of {model.manifest.name} (space {model.manifest.space_id[:8]}); open it with the model it "
                "was made with, or make it anew (`colibri index --rebuild`)"
            )
        checks.one_dim(model.manifest, self.dim)
        self._model = model
