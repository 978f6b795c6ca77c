"""Index: the object that users of the local index hold."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from colibri import checks
from colibri.errors import InputError, InputTypeError, ShapeError, StoreDamaged, StoreError
from colibri.index import catalogue, ranking, reading, upkeep
from colibri.index.catalogue import Catalogue
from colibri.index.disk import Disk
from colibri.index.document import Document, Hit, Stored, id_list
from colibri.index.encoding import IndexModel
from colibri.index.ingest import Ingest, Rules
from colibri.index.lock import WriterLock
from colibri.index.results import hits
from colibri.index.snapshot import Snapshot, Snapshots
from colibri.index.transaction import Transaction, writing
from colibri.index.where import compiled
from colibri.passages import OVERLAP_TOKENS, PASSAGE_TOKENS
from colibri.progress import progress
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.model import Colibri

Documents = Iterable[Document | Mapping[str, Any]]
_TRIES = 10  # each meets another compaction that ended between two steps of a reader
SEGMENTS = "segments"
LOCK = "writer.lock"
PROGRESS_FROM = 32


class Index:
    """Documents and their token rows in a folder. Made by `Index.open`; threads may share it, processes open their own.

    One call that writes is one transaction: when it returns, what it did is on the disk and every reader's next call
    sees it; when it raises, nothing changed. One writer at a time, any number of readers.
    """

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, str],
        model: IndexModel | None,
        shelf: Catalogue,
        disk: Disk,
        lock: WriterLock,
    ) -> None:
        """Use `Index.open`."""
        self.path = folder
        self._facts = facts
        self._dim = int(facts["dim"])
        self._model = model
        self._catalogue = shelf
        self._disk = disk
        self._lock = lock
        self._segments = folder / SEGMENTS
        self._snapshots = Snapshots(self._segments, self._dim, self.space_id)
        self._closed = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        model: "Colibri | str | os.PathLike[str] | None" = None,
        dim: int | None = None,
        create: bool = True,
        *,
        space_id: str | None = None,
        lock_seconds: float = 10.0,
        _disk: Disk | None = None,
    ) -> Self:
        """Open the index in a folder, or make one there.

        model         what encodes texts: a loaded model, or what `colibri.load` takes; loaded when it is first needed.
                      None: the one the index was made with, for a new index the one that comes along
        dim           width of the rows; None: the index's, for a new one the model's smallest head
        create        whether to make an index where there is none
        space_id      for vectors of your own encoder, in place of a model: a name for their space ("" for none), and
                      `dim` says how wide they are. Such an index takes and finds vectors, not texts
        lock_seconds  how long a call that writes waits for another writer

        Raises StoreError for an index of another space or width, of a newer format, or one that cannot be read or made;
        InputError for a width the model has no head for.
        """
        folder = Path(path)
        if not isinstance(lock_seconds, int | float) or isinstance(lock_seconds, bool) or lock_seconds < 0:
            raise InputError(f"lock_seconds: found {lock_seconds!r}, wanted seconds from 0")
        checks.optional_count("dim", dim)
        if space_id is not None and model is not None:
            raise InputError(
                "either a model or a space_id: the one says what encodes, the other that nothing here does"
            )
        disk = _disk or Disk()
        lock = WriterLock(folder / LOCK, lock_seconds)
        if not (folder / catalogue.FILE_NAME).exists():
            _refuse_other_folders(folder, create)
        elif not _made(folder):
            pass  # its maker died: made again below
        else:
            return cls._existing(folder, model, dim, space_id, disk, lock)
        if not create:
            raise StoreError(f"{folder}: no index there")
        _make(folder, model, dim, space_id, disk, lock)
        return cls._existing(folder, model, dim, space_id, disk, lock)

    @classmethod
    def _existing(
        cls,
        folder: Path,
        model: "Colibri | str | os.PathLike[str] | None",
        dim: int | None,
        space_id: str | None,
        disk: Disk,
        lock: WriterLock,
    ) -> Self:
        shelf = Catalogue(folder)
        try:
            with shelf.reading() as connection:
                facts = catalogue.read_facts(connection)
            _check_facts(folder, facts, dim, space_id)
            encoder = None
            if model is not None:
                encoder = IndexModel(model)
                _check_model(folder, facts, encoder)
        except BaseException:
            shelf.close()
            raise
        return cls(folder, facts, encoder, shelf, disk, lock)

    @property
    def dim(self) -> int:
        """Width of its rows."""
        return self._dim

    @property
    def space_id(self) -> str:
        """Which model's rows it holds; "" unknown."""
        return self._facts["space_id"]

    @property
    def model_name(self) -> str:
        """What encodes its texts, as `colibri.load` takes it; "" for vectors of another encoder."""
        return self._facts["model"]

    def __repr__(self) -> str:
        return f"Index({str(self.path)!r}, dim={self.dim}, model={self.model_name!r})"

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, found_id: str) -> bool:
        return self.get(found_id)[0] is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *found: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files. The last one of all processes brings SQLite's log into its file. Closing twice is fine."""
        self._closed = True
        self._catalogue.close()
        self._snapshots.forget()

    def add(
        self,
        documents: Documents,
        *,
        split: bool = True,
        passage_tokens: int = PASSAGE_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
        keep_text: bool = True,
        show_progress: bool = False,
    ) -> int:
        """Add documents whose ids are new; how many. All of them in one transaction, or none.

        split           long texts become passages of `passage_tokens` that overlap by `overlap_tokens`, cut between
                        paragraphs and sentences where possible; False: a text is one passage, cut at the model's limit
        keep_text       False stores no texts: results have only spans, and nothing can be encoded again
        show_progress   a bar with tokens/s and time left on stderr

        `documents` may be a generator; texts are encoded as they come, and memory does not grow with their number.
        Raises InputError for an id that is there, and as `Store.add` does.
        """
        return self._ingest(documents, False, split, passage_tokens, overlap_tokens, keep_text, show_progress)

    def upsert(
        self,
        documents: Documents,
        *,
        split: bool = True,
        passage_tokens: int = PASSAGE_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
        keep_text: bool = True,
        show_progress: bool = False,
    ) -> int:
        """`add` that replaces documents whose ids are there. Of one id given twice the later counts."""
        return self._ingest(documents, True, split, passage_tokens, overlap_tokens, keep_text, show_progress)

    def _ingest(
        self,
        documents: Documents,
        replace: bool,
        split: bool,
        passage_tokens: int,
        overlap_tokens: int,
        keep_text: bool,
        show: bool,
    ) -> int:
        if isinstance(documents, Mapping | str | Document) or not hasattr(documents, "__iter__"):
            raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of documents")
        if not checks.is_count(passage_tokens):
            raise InputError(f"passage_tokens: found {passage_tokens!r}, wanted a whole number from 1")
        if overlap_tokens != 0 and not checks.is_count(overlap_tokens):
            raise InputError(f"overlap_tokens: found {overlap_tokens!r}, wanted a whole number from 0")
        rules = Rules(
            replace=replace,
            keep_text=keep_text,
            passage_tokens=passage_tokens if split else None,
            overlap_tokens=overlap_tokens,
        )
        total = len(documents) if isinstance(documents, Sequence) else None
        with self._writing() as transaction, progress(total, "indexing", show) as done:
            ingest = Ingest(transaction, rules, self._dim, self.space_id)
            ingest.run(documents, self._encoder, done)
        return ingest.count

    def delete(self, ids: str | Sequence[str] | None = None, *, where: Mapping[str, Any] | None = None) -> int:
        """Delete documents by id, or those a filter keeps; how many there were. Unknown ids are no error.

        Their rows' bytes stay on the disk until `compact`.
        """
        if (ids is None) == (where is None):
            raise InputError("delete: either ids or where")
        with self._writing() as transaction:
            if where is not None:
                condition, values = compiled(where)
                found = transaction.connection.execute(
                    f"SELECT number, first, passages FROM documents WHERE {condition}", values
                ).fetchall()
                for row in found:
                    transaction.remove_number(*row)
                return len(found)
            assert ids is not None
            return sum(transaction.remove(found_id) for found_id in id_list(ids))

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> list[Stored | None]:
        """Documents by id, in the order asked for, None for what is not there. vectors: with their int8 rows.

        Raises StoreDamaged when one is not what was written.
        """
        listed = [ids] if isinstance(ids, str) else list(ids)
        id_list(listed)
        with self._reading() as (connection, snapshot):
            rows = [reading.by_id(connection, found_id) for found_id in listed]
            return [None if row is None else reading.stored(connection, snapshot, row, vectors=vectors) for row in rows]

    def documents(self, where: Mapping[str, Any] | None = None, *, vectors: bool = False) -> Iterator[Stored]:
        """Every document, or those a filter keeps, in the order of their rows; what one commit holds."""
        condition, values = ("1", []) if where is None else compiled(where)
        with self._reading() as (connection, snapshot):
            for row in reading.all_rows(connection, condition, values):
                yield reading.stored(connection, snapshot, row, vectors=vectors)

    def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many documents there are, or a filter keeps."""
        condition, values = ("1", []) if where is None else compiled(where)
        with self._catalogue.reading() as connection:
            found: int = connection.execute(f"SELECT count(*) FROM documents WHERE {condition}", values).fetchone()[0]
            return found

    def search(
        self,
        query: str | TokenVectors | ArrayLike,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        explain: bool = False,
        *,
        passages: int = 3,
        threads: int | None = None,
    ) -> list[Hit]:
        """The k best documents by their best passage, best first; exact: every passage is scored.

        query     a text, vectors of one query, or rows (tokens, dim)
        where     a filter over payloads (`colibri.index.where`); what it keeps is scored alone
        explain   whether each passage's `matches` say which characters answered which token of the query
        passages  how many of a document's passages to return

        Raises StoreDamaged when a document among them is not what was written.
        """
        return self._search(self._queries(query), k, where, explain, passages, threads)[0]

    def search_batch(
        self,
        queries: Sequence[str] | TokenVectors,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        explain: bool = False,
        *,
        passages: int = 3,
        threads: int | None = None,
    ) -> list[list[Hit]]:
        """`search` for many queries: rows are read once for all of them."""
        if isinstance(queries, TokenVectors):
            return self._search(self._checked_vectors(queries), k, where, explain, passages, threads)
        texts = checks.listed_texts(queries, "queries")
        return self._search(self._encoder().queries(texts, self._dim), k, where, explain, passages, threads)

    def compact(self) -> int:
        """Write segments with deleted passages anew, so that they take neither disk nor time; bytes that were freed."""
        return upkeep.compact(self._writing, self._segments, self._disk, self._dim, self.space_id)

    @contextmanager
    def _reading(self) -> Iterator[tuple[Any, Snapshot]]:
        """One commit: a connection that sees it and its segments. Used once, so errors inside are not tried again."""
        for left in reversed(range(_TRIES)):
            with self._catalogue.reading() as connection:
                try:
                    snapshot = self._snapshots.of(connection)
                except FileNotFoundError as error:
                    if left:
                        continue
                    raise StoreDamaged(f"{error.filename}: gone; {reading.MEND}") from error
                yield connection, snapshot
                return

    @contextmanager
    def _writing(self) -> Iterator[Transaction]:
        with self._lock.held(), self._catalogue.lent() as connection:
            try:
                with writing(connection, self._disk, self._segments, self._dim) as transaction:
                    yield transaction
            except StoreDamaged as error:
                raise StoreDamaged(f"{self.path}: {error}", error.ids) from error

    def _encoder(self) -> IndexModel:
        if self._model is None:
            if not self.model_name:
                raise StoreError(f"{self.path}: holds vectors of another encoder; give vectors, not texts")
            found = IndexModel(self.model_name)
            _check_model(self.path, self._facts, found)
            self._model = found
        return self._model

    def _queries(self, query: str | TokenVectors | ArrayLike) -> TokenVectors:
        if isinstance(query, str):
            return self._encoder().queries([query], self._dim)
        if not isinstance(query, TokenVectors):
            rows = np.asarray(query)
            if rows.dtype.kind != "f" or rows.ndim != 2:
                raise InputTypeError(f"query: found {rows.dtype} {rows.shape}, wanted a text or (tokens, dim) float32")
            query = TokenVectors(rows.astype(np.float32), np.array([0, len(rows)], np.int64))
        if len(query) != 1:
            raise ShapeError(f"search takes one query, found {len(query)}; search_batch takes many")
        return self._checked_vectors(query)

    def _checked_vectors(self, queries: TokenVectors) -> TokenVectors:
        if queries.dim != self._dim:
            raise ShapeError(f"query has dim {queries.dim}, the index has {self._dim}")
        if queries.space_id and self.space_id and queries.space_id != self.space_id:
            raise ShapeError("query and index are of different models' spaces: encode the query with the index's")
        return queries.dequantize()

    def _search(
        self,
        queries: TokenVectors,
        k: int,
        where: Mapping[str, Any] | None,
        explain: bool,
        passages: int,
        threads: int | None,
    ) -> list[list[Hit]]:
        for name, value in (("k", k), ("passages", passages)):
            if not checks.is_count(value):
                raise InputError(f"{name}: found {value!r}, wanted a whole number from 1")
        with self._reading() as (connection, snapshot):
            chosen = ranking.selected(connection, where)
            found = []
            for i, parts in enumerate(ranking.scored(queries, snapshot, chosen, threads)):
                query = ranking.part_of(queries, i, i + 1)
                found.append(hits(connection, snapshot, query, parts, int(k), passages=passages, explain=explain))
            return found


def _refuse_other_folders(folder: Path, create: bool) -> None:
    try:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; an index is a folder")
        names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: cannot be read ({error})") from error
    if not create:
        raise StoreError(f"{folder}: no index there")
    if names - {SEGMENTS, LOCK}:
        raise StoreError(f"{folder}: holds other files and no index; name a new or empty folder")


def _made(folder: Path) -> bool:
    shelf = Catalogue(folder)
    try:
        with shelf.reading() as connection:
            return catalogue.has_tables(connection)
    finally:
        shelf.close()


def _make(
    folder: Path,
    model: "Colibri | str | os.PathLike[str] | None",
    dim: int | None,
    space_id: str | None,
    disk: Disk,
    lock: WriterLock,
) -> None:
    facts = {"format": str(catalogue.FORMAT), "scheme": catalogue.SCHEME, "space_id": space_id or "", "model": ""}
    if space_id is not None:
        if dim is None:
            raise InputError("dim: an index for vectors of your own (space_id) needs their width")
        facts["dim"] = str(int(dim))
    else:
        encoder = IndexModel(model)
        width = min(encoder.manifest.dims) if dim is None else checks.one_dim(encoder.manifest, dim)
        facts |= {"dim": str(width), "space_id": encoder.manifest.space_id, "model": encoder.name}
    try:
        (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        disk.sync_folder(folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror})") from error
    shelf = Catalogue(folder)
    try:
        with lock.held(), shelf.lent(create=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not catalogue.has_tables(connection):  # else another process was faster
                catalogue.make_tables(connection, facts)
            connection.execute("COMMIT")
        disk.sync_folder(folder)
    finally:
        shelf.close()


def _check_facts(folder: Path, facts: Mapping[str, str], dim: int | None, space_id: str | None) -> None:
    missing = {"format", "scheme", "space_id", "model", "dim", "commits"} - facts.keys()
    if missing:
        raise StoreDamaged(f"{folder}: {', '.join(sorted(missing))} of the index's facts are gone")
    if int(facts["format"]) > catalogue.FORMAT or facts["scheme"] != catalogue.SCHEME:
        raise StoreError(
            f"{folder}: format {facts['format']} ({facts['scheme']}), this runtime reads {catalogue.FORMAT} "
            f"({catalogue.SCHEME}); upgrade colibri-edge"
        )
    if dim is not None and dim != int(facts["dim"]):
        raise StoreError(f"{folder}: has dim {facts['dim']}, not {dim}; for another width make another index")
    if space_id is not None and space_id != facts["space_id"]:
        raise StoreError(f"{folder}: holds vectors of space {facts['space_id'][:16]!r}, not {space_id[:16]!r}")


def _check_model(folder: Path, facts: Mapping[str, str], model: IndexModel) -> None:
    if model.manifest.space_id != facts["space_id"]:
        made_with = facts["model"] or "another encoder"
        raise StoreError(
            f"{folder}: was made with {made_with}, whose vectors {model.manifest.name}'s do not compare with; "
            f"open it with {made_with}, or index the texts anew into another folder"
        )
    checks.one_dim(model.manifest, int(facts["dim"]))
