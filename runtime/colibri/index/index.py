"""Index: the object that users of the local index hold."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike

from colibri import checks
from colibri.errors import InputError
from colibri.index import ingest, lookup, opening, searching
from colibri.index.asking import Mode
from colibri.index.core import Core
from colibri.index.document import Document, Hit, Payload, Stored, all_ids, id_list, payload_json
from colibri.index.rules import rules as checked_rules
from colibri.index.storage import notes, reading, renaming
from colibri.index.storage.disk import Disk
from colibri.index.storage.row_layout import RowKind, checked_kind
from colibri.index.synced import Synced
from colibri.index.upkeep import convert as converting
from colibri.index.upkeep import operations as upkeep
from colibri.index.upkeep import takeover, transfer
from colibri.index.upkeep.operations import Stats
from colibri.index.upkeep.repair import Repair
from colibri.index.upkeep.verify import Verification
from colibri.index.wanted import Wanted, wanted_of
from colibri.index.where import compiled
from colibri.tokens import OVERLAP_TOKENS, PASSAGE_TOKENS
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.artefact import Manifest
    from colibri.index.encoding import Loader
    from colibri.model import Colibri

Documents = Iterable[Document | Mapping[str, Any]]


class Index:
    """Documents and their token rows in a folder. Made by `Index.open`; threads may share it, processes open their own.

    One call that writes is one transaction: when it returns, what it did is on the disk and every reader's next call
    sees it; when it raises, nothing changed. One commit at a time, any number of readers; nobody waits for another
    writer's encoding.
    """

    def __init__(self, core: Core) -> None:
        """Use `Index.open`."""
        self._core = core

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        model: "Colibri | str | os.PathLike[str] | None" = None,
        dim: int | None = None,
        create: bool = True,
        *,
        space_id: str | None = None,
        rows: RowKind | None = None,
        pool: int | None = None,
        lock_seconds: float = 10.0,
        load: "Loader | None" = None,
        _disk: Disk | None = None,
    ) -> Self:
        """Open the index in a folder, or make one there.

        model         what encodes texts: a loaded model, or what `colibri.load` takes; loaded when it is first needed.
                      None: the one the index was made with, for a new index the one that comes along
        dim           width of the rows; None: the index's, for a new one the model's smallest head
        create        whether to make an index where there is none
        space_id      for vectors of your own encoder, in place of a model: a name for their space ("" for none), and
                      `dim` says how wide they are. Such an index takes and finds vectors, not texts
        rows          what a new index keeps: "int8", a byte a value, or "int4", half of one, which costs a little of
                      the ranking (docs/index.md says how much); both with a float32 scale a token. None: the index's,
                      for a new one int8. `convert` makes one of the other
        pool          how many tokens of a document become one row on average, as `TokenVectors.pooled` makes it, of
                      texts that are encoded here; 2 halves what rows take. None: the index's, for a new one 1, a row
                      a token. Vectors that are given are taken as they are
        lock_seconds  how long a call that writes waits for another writer
        load          what loads the model in place of `colibri.load`, for another variant or provider

        Raises StoreError for an index of another space, width, kind of rows or pool, of a newer format, or one that
        cannot be read or made; InputError for a width the model has no head for, ShapeError for int4 of an odd one.
        """
        return cls(
            opening.opened(
                Path(path),
                model,
                dim,
                space_id,
                rows=rows,
                pool=pool,
                create=create,
                lock_seconds=lock_seconds,
                disk=_disk or Disk(),
                load=load,
            )
        )

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._core.folder

    @property
    def dim(self) -> int:
        """Width of its rows."""
        return self._core.dim

    @property
    def rows(self) -> RowKind:
        """What its rows are kept as: "int8" or "int4"."""
        return self._core.layout.kind

    @property
    def pool(self) -> int:
        """How many tokens of what it encodes become one row on average; 1: a row a token."""
        return self._core.pool

    @property
    def space_id(self) -> str:
        """Which model's rows it holds; "" unknown."""
        return self._core.space_id

    @property
    def model_name(self) -> str:
        """What encodes its texts, as `colibri.load` takes it; "" for vectors of another encoder."""
        return self._core.facts["model"]

    def __repr__(self) -> str:
        return f"Index({str(self.path)!r}, dim={self.dim}, model={self.model_name!r})"

    def __reduce__(self) -> tuple[Callable[..., "Index"], tuple[object, ...]]:
        """A pickle, or a deep copy, opens the folder again, with the model this one was opened with."""
        return _opened_again, (self.path.absolute(), *self._core.to_open_again())

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, found_id: str) -> bool:
        return lookup.can_be_there(found_id) and self._core.known([found_id]) is not None

    def __getitem__(self, found_id: str) -> Stored:
        """The document of an id, without its rows. Raises DocumentNotFound, which is a KeyError."""
        return lookup.document_of(self, found_id)

    def __iter__(self) -> Iterator[Stored]:
        """Every document, without its rows, in the order they were added: what one commit holds, read one by one."""
        return self._documents(None, vectors=False, order="number")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *found: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files. The last one of all processes brings SQLite's log into its file. Closing twice is fine."""
        self._core.close()

    def add(
        self,
        documents: Documents,
        *,
        split: bool = True,
        passage_tokens: int = PASSAGE_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
        keep_text: bool = True,
        progress: bool | Callable[[int], object] = False,
        commit_every: float | None = None,
    ) -> int:
        """Add documents whose ids are new; how many. All of them in one transaction, or none.

        split           long texts become passages of `passage_tokens` that overlap by `overlap_tokens`, cut between
                        paragraphs and sentences where possible; False: a text is one passage, cut at the model's limit
        keep_text       False stores no texts: results have only spans, and nothing can be encoded again
        progress        True: a bar with tokens/s and time left on stderr, on a terminal, elsewhere a line every half
                        minute; or called with tokens as they are encoded, in this thread: once for a short
                        document, every 256 or so of a long one
        commit_every    seconds of work after which what is encoded is committed, whole documents each time: an error
                        or an interruption then keeps what was committed before, whose number is in its `committed`.
                        None: all at the end, or nothing

        `documents` may be a generator; texts are encoded as they come, and memory does not grow with their number.
        It may write to this index itself: the lock is taken to commit.
        Raises InputError for an id that is there, now or by then, and as `Store.add` does.
        """
        rules = checked_rules(False, split, passage_tokens, overlap_tokens, keep_text, commit_every)
        return ingest.ingest(self._core, documents, rules, show=progress)

    def upsert(
        self,
        documents: Documents,
        *,
        split: bool = True,
        passage_tokens: int = PASSAGE_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
        keep_text: bool = True,
        progress: bool | Callable[[int], object] = False,
        commit_every: float | None = None,
    ) -> int:
        """`add` that replaces documents whose ids are there. Of one id given twice the later counts."""
        rules = checked_rules(True, split, passage_tokens, overlap_tokens, keep_text, commit_every)
        return ingest.ingest(self._core, documents, rules, show=progress)

    def sync(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
        *,
        globs: Sequence[str] | None = None,
        hidden: bool | None = None,
        ignore: bool | None = None,
        max_mb: int | None = None,
        max_seconds: float | None = None,
        max_memory_mb: int | None = None,
        text_field: str | None = None,
        id_field: str | None = None,
        split: bool | None = None,
        passage_tokens: int | None = None,
        reset: bool = False,
        prune: bool = False,
        progress: bool | Callable[[int], object] = False,
    ) -> Synced:
        """Bring the index up to date with files and folders, as `colibri index` does, which is the same code: what is
        new or changed is read, what moved keeps its rows, what is gone leaves. A file is a document, its path the id.

        paths             files and folders; None: all that the index was made of, again
        globs             only files that match, as in .gitignore: ["*.md", "docs/**"]; []: all
        hidden            whether files and folders whose name begins with a dot are read, too
        ignore            whether .gitignore leaves things out
        max_mb            of a file; larger ones that are new or changed are skipped and named
        max_seconds       of reading one file, as `max_memory_mb` (from 64 on)
        text_field        field of .jsonl and .csv rows to index, id_field the one that names them; "": the default
        split             whether long texts become passages, of up to `passage_tokens`
        reset             options that are not given are at their defaults again
        prune             take out the documents of files and folders that are gone for good
        progress          True: a bar on stderr; or called with tokens as they are encoded, in this thread

        Each folder keeps the options it was indexed with: those that are None are as they were, at first
        `colibri index`'s defaults. A file that cannot be read, or not in time, is named in `skipped` and costs only
        itself. What ends the call early, Ctrl-C too, keeps what was committed by then, every five seconds of work; the
        same call goes on there.

        Raises InputError, before any work, for a path that is not there and for options that are none; StoreError for
        an index of another encoder's vectors.
        """
        given = {
            "globs": globs,
            "hidden": hidden,
            "ignore": ignore,
            "max_mb": max_mb,
            "max_seconds": max_seconds,
            "max_memory_mb": max_memory_mb,
            "text_field": text_field,
            "id_field": id_field,
            "split": split,
            "passage_tokens": passage_tokens,
        }
        # What reads files stands above the index, which works without it: asked for by name, here alone.
        sync: Callable[..., Synced] = import_module("colibri.files").sync_files
        return sync(self, paths, given, reset=reset, prune=prune, progress=progress)

    def delete(self, ids: str | Sequence[str] | None = None, *, where: Mapping[str, Any] | None = None) -> int:
        """Delete documents by id, or those a filter keeps; how many there were. Unknown ids are no error.

        Their rows' bytes stay on the disk until `compact`.
        """
        if (ids is None) == (where is None):
            raise InputError("delete: either ids or where")
        with self._core.writing() as transaction:
            if where is not None:
                return transaction.remove_where(*compiled(where))
            assert ids is not None
            return transaction.remove(id_list(ids))

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> list[Stored | None]:
        """Documents by id, in the order asked for, None for what is not there. vectors: with their rows as they
        are kept, int8 or int4.

        Raises StoreDamaged when one is not what was written.
        """
        listed = all_ids(ids)
        with self._core.reading() as (connection, snapshot):
            rows = [reading.by_id(connection, found_id) for found_id in listed]
            return [None if row is None else reading.stored(connection, snapshot, row, vectors=vectors) for row in rows]

    def documents(self, where: Mapping[str, Any] | None = None, *, vectors: bool = False) -> Iterator[Stored]:
        """Every document, or those a filter keeps, in the order of their rows; what one commit holds."""
        return self._documents(where, vectors=vectors, order="first")

    def _documents(self, where: Mapping[str, Any] | None, *, vectors: bool, order: reading.Order) -> Iterator[Stored]:
        condition, values = ("1", []) if where is None else compiled(where)
        with self._core.reading() as (connection, snapshot):
            for row in reading.all_rows(connection, condition, values, order):
                yield reading.stored(connection, snapshot, row, vectors=vectors)

    def payloads(
        self, where: Mapping[str, Any] | None = None, *, between: Iterable[tuple[str, str]] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Ids and payloads of every document, or those a filter keeps: no text is read. {} where there is none.

        between  only ids from a first one up to, and without, a last one, by code points: such pairs, of which no two
                 overlap. They are found without reading the others
        """
        condition, values = ("1", []) if where is None else compiled(where)
        with self._core.shelf.reading() as connection:
            for row in reading.all_heads(connection, condition, values, between):
                yield row.id, row.shown_payload or {}

    def without_text(self) -> int:
        """How many documents have no text, so that nothing can encode them again."""
        with self._core.shelf.reading() as connection:
            found: int = connection.execute("SELECT count(*) FROM documents WHERE text_crc IS NULL").fetchone()[0]
            return found

    def outlines(self) -> Iterator[tuple[str, dict[str, Any], int]]:
        """Ids, payloads and numbers of passages of every document: no text is read."""
        with self._core.shelf.reading() as connection:
            for row in reading.all_heads(connection):
                yield row.id, row.shown_payload or {}, row.passages

    def set_payloads(self, payloads: Mapping[str, Mapping[str, Any] | None]) -> int:
        """Replace the payloads of documents by their ids, in one transaction; how many there were. Nothing else
        changes, and nothing is encoded. Unknown ids are no error."""
        texts = {found_id: payload_json(payload, repr(found_id)) for found_id, payload in payloads.items()}
        id_list(list(texts))
        with self._core.writing() as transaction:
            return sum(transaction.set_payload(found_id, text) for found_id, text in texts.items())

    def rename(
        self, names: Mapping[str, str], payload: Callable[[str, Payload | None], Mapping[str, Any] | None]
    ) -> int:
        """Give documents other ids (old to new) and payloads, in one transaction; how many there were. Nothing is
        encoded. Names may be swapped; a document that has one of the new ids, and gets no other, is replaced.

        payload: called with a document's old id and payload for the new one. Unknown ids are no error; two documents
        that would get one id are an InputError.
        """
        id_list(list(names))
        id_list(list(names.values()))
        with self._core.writing() as transaction:
            return renaming.rename(transaction, names, payload)

    def note(self, name: str) -> Any:
        """What a program keeps with this index under a name; None: nothing."""
        with self._core.shelf.reading() as connection:
            return notes.read(connection, name)

    def set_note(self, name: str, change: Callable[[Any], Any]) -> None:
        """Keep a JSON value with this index, or None for nothing: what `change` makes of the one before, in one
        transaction. It stays with the folder; an export has none of it."""
        with self._core.writing() as transaction:
            notes.write(transaction.connection, name, change(notes.read(transaction.connection, name)))

    def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many documents there are, or a filter keeps."""
        condition, values = ("1", []) if where is None else compiled(where)
        with self._core.shelf.reading() as connection:
            found: int = connection.execute(f"SELECT count(*) FROM documents WHERE {condition}", values).fetchone()[0]
            return found

    def count_tokens(self, text: str) -> int:
        """How many tokens the model makes of a text, markers aside."""
        return len(self._core.model().loaded().token_offsets(text))

    def search(
        self,
        query: str | TokenVectors | ArrayLike,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        explain: bool = False,
        *,
        ids: Iterable[str] | None = None,
        passages: int = 3,
        threads: int | None = None,
        offset: int = 0,
        min_score: float | None = None,
        mode: Mode = "meaning",
        typing: bool = False,
        exact: bool = False,
        text: str | None = None,
    ) -> list[Hit]:
        """The k best documents by their best passage, best first.

        Every passage is scored by its rows, and in a large index those that the sign bits of rows leave: so many that
        of ten documents in a thousand searches fifty at most are others than with `exact` (docs/scale.md says what was
        measured), while scores and their order are those of rows. `Hit.screened` says which way was taken.

        query      a text, vectors of one query, or rows (tokens, dim); "" and blanks ask nothing and find nothing
        where      a filter over payloads (`colibri.index.where`); what it keeps is scored alone
        ids        search among these documents alone, any number of them; those that are not there are no error, and
                   none at all find nothing. With `where` too, both must hold
        explain    whether each passage's `matches` say which characters answered which token of the query
        passages   how many of a document's passages to return
        offset     how many of the best to pass over: the next page. Scores of equal documents keep their order between
                   pages, as long as nothing is written
        min_score  least `Hit.normalised` of what is returned, so that there may be fewer than k, or none
        mode       "meaning": by MaxSim. "words": by the query's words, as they stand in texts, without a model. "both":
                   by MaxSim, and higher where rare words of the query stand. Of a query of words, documents must have
                   what is in quotation marks, and not what a minus stands before: red "exact phrase" -blue
        typing     whether the query is being written: its last word may go on
        exact      whether every passage is scored by its rows, however many there are
        text       the query's, where it is vectors and the mode is not meaning

        Raises InputError before any work, and StoreDamaged when a document among them is not what was written.
        StoreError for words that the index has none of; "both" then is meaning alone, with a RuntimeWarning
        (`why_no_words`).
        """
        return self._search(
            query, text, wanted_of(k, where, explain, ids, passages, threads, offset, min_score, mode, typing, exact)
        )

    def search_batch(
        self,
        queries: Sequence[str] | TokenVectors,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        explain: bool = False,
        *,
        ids: Iterable[str] | None = None,
        passages: int = 3,
        threads: int | None = None,
        offset: int = 0,
        min_score: float | None = None,
        mode: Mode = "meaning",
        typing: bool = False,
        exact: bool = False,
    ) -> list[list[Hit]]:
        """`search` for many queries: rows are read once for all of them."""
        core = self._core
        asked = wanted_of(k, where, explain, ids, passages, threads, offset, min_score, mode, typing, exact)

        def ask(given: Sequence[str] | TokenVectors) -> list[list[Hit]]:
            return searching.again(core, lambda now: searching.many_answers(core, given, asked, now))

        if isinstance(queries, TokenVectors):
            return ask(queries)
        return searching.of_texts(checks.listed_texts(queries, "queries"), where, ask)

    async def asearch(
        self,
        query: str | TokenVectors | ArrayLike,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        explain: bool = False,
        *,
        ids: Iterable[str] | None = None,
        passages: int = 3,
        threads: int | None = None,
        offset: int = 0,
        min_score: float | None = None,
        mode: Mode = "meaning",
        typing: bool = False,
        exact: bool = False,
        text: str | None = None,
    ) -> list[Hit]:
        """`search` for asyncio: it runs on a thread of the loop's executor, one that is idle where there is one.

        Cancelling the task ends it: a search that waits for a thread is never begun, and one under way is given up
        between two of its steps: encoding, scoring, each document's text.
        """
        asked = wanted_of(k, where, explain, ids, passages, threads, offset, min_score, mode, typing, exact)
        return await searching.on_a_thread(lambda going: self._search(query, text, replace(asked, going=going)))

    def _search(self, query: str | TokenVectors | ArrayLike, text: str | None, asked: Wanted) -> list[Hit]:
        core = self._core

        def ask(given: str | TokenVectors | ArrayLike) -> list[Hit]:
            return searching.again(core, lambda now: searching.one_answer(core, given, text, asked, now))

        if isinstance(query, str):
            return searching.of_texts([query], asked.where, lambda texts: [ask(texts[0])])[0]
        return ask(query)

    def why_no_words(self) -> str | None:
        """Why it cannot be searched by words; None: it can."""
        return searching.why_no_words(self._core)

    def judge_by(self, manifest: "Manifest") -> None:
        """Let hits for queries that are given as vectors have a `fit` by this model's cutoffs, as those for texts have.

        For whoever encodes queries with a model that this index was not opened with. Of another space than the index's
        it judges nothing.
        """
        self._core.judge = manifest

    def compact(self) -> int:
        """Write segments with deleted passages anew, so that they take neither disk nor time; bytes of rows freed.

        Searches go on meanwhile, and other writers between two segments, of which each is a transaction: an
        interruption leaves what was moved and what was not.
        """
        return upkeep.compact(self._core)

    def convert(self, *, rows: RowKind | None = None, progress: bool = False) -> int:
        """Give an index that was made without words, or without sign bits, those of all its documents, in one
        transaction; how many documents it has, 0 where nothing was to be done. Older programs refuse it once it has
        words.

        rows  also make its rows those, in the same transaction, which writes all of them anew: deleted ones go, and the
              disk holds both for the while. int4 loses half of each value for good, and a little more than encoding
              anew would; older programs refuse such an index. int8 of int4 has the same scores, and what was lost stays
              lost

        Raises StoreError where the SQLite of this Python has no FTS5, StoreDamaged where a passage is not what was
        written, InputError for another kind, ShapeError for int4 of an odd width.
        """
        return converting.convert(self._core, None if rows is None else checked_kind(rows), show=progress)

    def verify(self, *, progress: bool = False) -> Verification:
        """Compare every byte that counts with its checksum: finds, and names, every document that changed on disk."""
        return upkeep.verify(self._core, show=progress)

    def repair(self) -> Repair:
        """Drop what is broken, and nothing else. Documents whose rows are hit are encoded again from their text; sign
        bits are made of rows, where they are not those of them."""
        return upkeep.repair(self._core)

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write every document with its rows into a new folder, as JSON lines and safetensors (`index/transfer.py`
        tells their layout); how many. What one commit holds, whatever is written meanwhile."""
        return transfer.export(self._core, Path(path))

    def import_(self, path: str | os.PathLike[str], *, replace: bool = False) -> int:
        """Add the documents of an export of the same space and width, in one transaction; how many. Rows of an export
        whose tokens are not pooled are, where the index's are; of one pooled otherwise they are an error.

        replace: whether ids that are there are replaced; else they are an error
        """
        rules = checked_rules(replace, True, PASSAGE_TOKENS, OVERLAP_TOKENS, True)
        return ingest.import_(self._core, transfer.exported(Path(path), self.dim, self.space_id, self.pool), rules)

    def commits(self) -> int:
        """How many transactions it has seen, for `take_over`."""
        with self._core.reading() as (_, snapshot):
            return snapshot.commits

    def take_over(self, path: str | os.PathLike[str], commits: int) -> bool:
        """Hold what another index holds, its model, width and pool included, in place of all that is here: one
        transaction.

        path     of an index that nobody has open; it stays as it is
        commits  as `commits` said when that other one was made of this one

        False, and nothing is changed, when this one was written to since. Readers in other processes go on, with the
        new model from their next call on; a writer's call that began before is refused.
        """
        return takeover.take_over(self._core, Path(path), commits)

    def stats(self) -> Stats:
        """What the index holds, and what it takes on the disk."""
        return upkeep.stats(self._core)


def _opened_again(
    path: Path, model: "Colibri | str | os.PathLike[str] | None", lock_seconds: float, load: "Loader | None"
) -> Index:
    """The index of a pickle."""
    return Index.open(path, model, create=False, lock_seconds=lock_seconds, load=load)
