"""A store whose documents are points of an engine: the contract of `Store`, whatever the engine is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from colibri import checks
from colibri.errors import InputError, InputTypeError, StoreDamaged, StoreError, StoreUnfinished
from colibri.index import (
    Document,
    Hit,
    Index,
    IndexModel,
    Stored,
    all_ids,
    can_be_there,
    document_of,
    id_list,
    of_texts,
    on_a_thread,
)
from colibri.machine import progress_bar
from colibri.stores import facts, incoming, ranked, training
from colibri.stores.asking import Asking, Query, entries
from colibri.stores.centroids import Codebook
from colibri.stores.engine import Engine
from colibri.stores.filters import FACTS, FOREIGN, ID, OURS, PASSAGE, Condition, compiled, json_path, point_ids
from colibri.stores.incoming import Incoming, Rules
from colibri.stores.layout import Layout
from colibri.stores.moving import Moved, check_movable, chunks
from colibri.stores.points import OWN, Found, further_spans, point_id, restored, token_spans
from colibri.stores.writing import Writer
from colibri.tokens import OVERLAP_TOKENS, PASSAGE_TOKENS
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.artefact import Manifest

Documents = Iterable[Document | Mapping[str, Any]]

_AT_ONCE = 500  # ids of one request
_READ_AT_ONCE = 64  # documents with their texts
_CANDIDATES = 10  # times k, that a first stage hands on
_FEWEST_CANDIDATES = 200


class PointStore:
    """Documents as points; made by `QdrantStore` and `QdrantEdgeStore`. Threads may share it."""

    def __init__(
        self,
        engine: Engine,
        layout: Layout,
        model: Callable[[], IndexModel],
        *,
        name: str,
        space_id: str,
        batch_bytes: int,
        foreign: bool,
        own: Mapping[str, Any],
    ) -> None:
        """own: what the store's metadata says. foreign: whether other clients may have written points too."""
        codebook = Codebook.of(own.get("centroids"), layout.dims[0]) if layout.centroids else None
        self._own = dict(own)
        self._engine = engine
        self._layout = layout
        self._model = model
        self._name = name
        self._space_id = space_id
        self._batch_bytes = batch_bytes
        self._foreign = foreign
        self._asking = Asking(layout, space_id, model, name, codebook)
        self._unfinished: set[str] = set()  # of an `add` that failed half-way

    @property
    def dim(self) -> int:
        """Width of the rows that rank."""
        return self._layout.dims[0]

    @property
    def dims(self) -> tuple[int, ...]:
        """All widths it keeps, widest first."""
        return self._layout.dims

    @property
    def layout(self) -> Layout:
        """The vectors it uses."""
        return self._layout

    @property
    def model_name(self) -> str:
        """What encodes its texts, as `colibri.load` takes it; "" for vectors of another encoder."""
        return str(self._own.get("model", ""))

    @property
    def space_id(self) -> str:
        """Which model's rows it holds; "" unknown."""
        return self._space_id

    def __reduce__(self) -> NoReturn:
        """Refused: what it holds (a client, another process) cannot go along."""
        raise InputTypeError(
            f"{self!r}: cannot be pickled or deep-copied, since its client or process cannot; make a "
            f"{type(self).__name__} where it is used, for threads share one"
        )

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, found_id: str) -> bool:
        return can_be_there(found_id) and self.get(found_id)[0] is not None

    def __getitem__(self, found_id: str) -> Stored:
        """The document of an id, without its rows. Raises DocumentNotFound, which is a KeyError."""
        return document_of(self, found_id)

    def __iter__(self) -> Iterator[Stored]:
        """See `documents`."""
        return self.documents()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *found: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything; closing twice is fine."""
        self._engine.close()

    def add(
        self,
        documents: Documents,
        *,
        split: bool = True,
        passage_tokens: int = PASSAGE_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
        keep_text: bool = True,
        progress: bool | Callable[[int], object] = False,
    ) -> int:
        """Add documents whose ids are new; how many. Options: see `Index.add`.

        All are checked before anything is sent. Raises InputError for one that is there; StoreUnfinished when the
        engine fails half-way: what is in then is named, and the same call again puts the rest.
        """
        rules = _rules(split, passage_tokens, overlap_tokens, keep_text)
        given = incoming.read(documents, self._layout, self._space_id)
        names = [one.document.id for one in given]
        there = _twice(names) or next((name for name in self._there(names) if name not in self._unfinished), None)
        if there is not None:
            raise InputError(f"documents: {there!r} is there already, or given twice; `upsert` replaces")
        try:
            self._write(given, rules, progress)
        except BaseException as error:
            self._unfinished |= {*getattr(error, "done", names), *getattr(error, "unsure", ())}
            raise
        self._unfinished -= set(names)
        return len(given)

    def upsert(
        self,
        documents: Documents,
        *,
        split: bool = True,
        passage_tokens: int = PASSAGE_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
        keep_text: bool = True,
        progress: bool | Callable[[int], object] = False,
    ) -> int:
        """`add` that replaces documents whose ids are there. Of one id given twice the later counts.

        One document at a time is replaced, in the order of its passages; a search meanwhile may see some of each.
        """
        rules = _rules(split, passage_tokens, overlap_tokens, keep_text)
        given = incoming.read(documents, self._layout, self._space_id)
        last = {one.document.id: one for one in given}
        self._write(list(last.values()), rules, progress)
        return len(given)

    def _write(self, given: list[Incoming], rules: Rules, progress: bool | Callable[[int], object]) -> None:
        if not given:
            return
        model = self._model() if any(one.passages is None for one in given) else None
        writer = self._writer(keep_text=rules.keep_text)
        with progress_bar(len(given), "storing", progress is True) as bar:
            writer.run(self._with_passages(given, model, rules), len(given), progress if callable(progress) else bar)

    def _writer(self, *, keep_text: bool) -> Writer:
        return Writer(
            engine=self._engine,
            layout=self._layout,
            space_id=self._space_id,
            keep_text=keep_text,
            batch_bytes=self._batch_bytes,
            sparse=None if self._asking.codebook is None else self._asking.codebook.sparse_of,
        )

    def _with_passages(self, given: list[Incoming], model: IndexModel | None, rules: Rules) -> Iterator[Incoming]:
        """Those that brought their rows, then the others as they are encoded."""
        yield from (one for one in given if one.passages is not None)
        if model is not None:
            texts = (one.document for one in given if one.passages is None)
            yield from incoming.encoded(model, texts, self._layout, rules)

    def _there(self, names: Sequence[str]) -> set[str]:
        """Which of these ids have a document of ours."""
        found: set[str] = set()
        for first in range(0, len(names), _AT_ONCE):
            some = [point_id(name, 0) for name in names[first : first + _AT_ONCE]]
            found |= {one.document for one in self._engine.retrieve(some, [ID])}
        return found

    def move(self, index: Index, *, progress: bool | Callable[[int], object] = False) -> Moved:
        """Put every document of a local index here, rows as they are, nothing encoded again; those that are there
        already and the same are left. An interrupted call is finished by the next one.

        Raises StoreError when the rows are of another space or width, StoreUnfinished when the engine fails half-way.
        """
        check_movable(index, self._space_id, self._layout)
        total, same = len(index), 0
        count = 0
        with progress_bar(total, "moving", progress is True) as bar:
            done = progress if callable(progress) else bar
            for chunk in chunks(index):
                there = self._digests([one.document.id for one in chunk])
                new = [one for one in chunk if there.get(one.document.id) != one.digest]
                same += len(chunk) - len(new)
                for _ in range(len(chunk) - len(new)):
                    done(0)
                try:
                    self._writer(keep_text=True).run(new, len(new), done)
                except StoreUnfinished as error:
                    left = total - count - same - len(error.done) - len(error.unsure)
                    raise StoreUnfinished(
                        f"{error.__cause__}. Of {total:,} documents {count + same + len(error.done):,} are in, "
                        f"{len(error.unsure):,} may be, {left:,} are not; the same call again puts the rest",
                        error.done,
                        error.unsure,
                        left,
                    ) from error.__cause__
                count += len(new)
        return Moved(put=count, same=same)

    def _digests(self, names: Sequence[str]) -> dict[str, str]:
        """Those of documents that are there and came from an index."""
        some = [point_id(name, 0) for name in names]
        found = self._engine.retrieve(some, [ID, f"{OWN}.digest"])
        return {one.document: str((one.own or {}).get("digest", "")) for one in found}

    def payloads(self, where: Mapping[str, Any] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Ids and payloads of every document, or those a filter keeps, by their points' ids. {} where there is none."""
        for one in self._engine.scroll(self._documents(where)):
            yield one.document, restored(one)[1] or {}

    def documents(self, where: Mapping[str, Any] | None = None, *, vectors: bool = False) -> Iterator[Stored]:
        """Every document, or those a filter keeps, read a few at a time, by their points' ids. No snapshot: what is
        written meanwhile may be among them or not."""
        names = (one.document for one in self._engine.scroll(self._documents(where), [ID]))
        while some := list(islice(names, _READ_AT_ONCE)):
            found = self._stored(some, vectors=vectors)
            yield from (found[name] for name in some if name in found)  # others were deleted meanwhile

    def delete(self, ids: str | Sequence[str] | None = None, *, where: Mapping[str, Any] | None = None) -> int:
        """Delete documents by id, or those a filter keeps; how many there were. Unknown ids are no error.

        Points that another client wrote stay: they are his to delete.
        """
        if (ids is None) == (where is None):
            raise InputError("delete: either ids or where")
        if where is not None:
            condition = self._condition(where)
            kept = [OURS] if condition is None else [OURS, condition]
            count = self._engine.count({"must": [*kept, _FIRST]})
            if count:
                self._engine.delete({"must": kept})
            return count
        assert ids is not None
        names = id_list(ids)
        there = self._there(names)
        for first in range(0, len(names), _AT_ONCE):
            self._engine.delete({"must": [{"key": ID, "match": {"any": names[first : first + _AT_ONCE]}}]})
        return len(there)

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> list[Stored | None]:
        """Documents by id, in the order asked for, None for what is not there. vectors: with their float32 rows.

        Raises StoreDamaged for a document that is not whole.
        """
        listed = all_ids(ids)
        names = list(dict.fromkeys(listed))
        found: dict[str, Stored] = {}
        for first in range(0, len(names), _AT_ONCE):
            found |= self._stored(names[first : first + _AT_ONCE], vectors=vectors)
        return [found.get(name) for name in listed]

    def _stored(self, names: Sequence[str], *, vectors: bool) -> dict[str, Stored]:
        own = (self._layout.names[self.dim],) if vectors else ()
        firsts = {one.document: one for one in self._engine.retrieve([point_id(n, 0) for n in names], vectors=own)}
        others = [point_id(name, i) for name, one in firsts.items() for i in range(1, one.passages)]
        parts: dict[str, dict[int, Found]] = {name: {0: one} for name, one in firsts.items()}
        for first in range(0, len(others), _AT_ONCE):
            for one in self._engine.retrieve(others[first : first + _AT_ONCE], vectors=own):
                parts[one.document][one.passage] = one
        if self._foreign and (foreign := [key for name in names if name not in firsts for key in point_ids(name)]):
            parts |= {one.document: {0: one} for one in self._engine.retrieve(foreign, vectors=own) if one.own is None}
        return {name: self._whole(name, own_parts, vectors=vectors) for name, own_parts in parts.items()}

    def _whole(self, name: str, parts: Mapping[int, Found], *, vectors: bool) -> Stored:
        head = parts[0]
        if len(parts) != head.passages:
            raise StoreDamaged(
                f"{name!r}: {len(parts)} of its {head.passages} passages are there; `upsert` it", (name,)
            )
        passages = [parts[i] for i in range(head.passages)]
        text, payload = restored(head)
        rows = self._rows(passages) if vectors else None
        return Stored(name, text, payload, tuple(one.span for one in passages), rows)

    def _rows(self, passages: Sequence[Found]) -> TokenVectors | None:
        name = self._layout.names[self.dim]
        if any(name not in one.vectors for one in passages):
            return None
        rows = [one.vectors[name] for one in passages]
        spans = [token_spans(one, len(own)) for one, own in zip(passages, rows, strict=True)]
        starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        known = [one for one in spans if one is not None]
        joined = np.concatenate(known) if len(known) == len(spans) else None
        further = [further_spans(one, len(own)) for one, own in zip(passages, rows, strict=True)]
        moved = [
            own + np.array([start, 0, 0], np.int32)
            for own, start in zip(further, starts.tolist(), strict=False)
            if own is not None
        ]
        more = np.concatenate(moved) if moved and joined is not None else None
        return TokenVectors(np.concatenate(rows), starts, joined, space_id=self._space_id, more_spans=more)

    def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many documents there are, or a filter keeps."""
        return self._engine.count(self._documents(where))

    def _documents(self, where: Mapping[str, Any] | None) -> Condition:
        """One point a document."""
        condition = self._condition(where)
        first: Condition = _FIRST_OR_FOREIGN if self._foreign else _FIRST
        return first if condition is None else {"must": [first, condition]}

    def search(
        self,
        query: Query,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        passages: int = 3,
        screen: int | str | None = None,
        candidates: int | None = None,
        offset: int = 0,
        min_score: float | None = None,
    ) -> list[Hit]:
        """The k best documents by their best passage, best first; exact unless `screen` is given.

        query       a text, vectors of one query, or rows (tokens, dim); where a width screens, a mapping of both. ""
                    and blanks find nothing
        where       a filter over payloads (`colibri.index.where`)
        screen      a width that is kept beside the one that ranks: its rows choose `candidates` passages, which alone
                    are scored; or "centroids" (`train_centroids`). Both in one request
        candidates  how many; None: 10 times k and `offset`, and at least 200
        offset      how many of the best to pass over: the next page
        min_score   least `Hit.normalised` of what is returned, so that there may be fewer than k, or none
        """
        wanted = _wanted(k, explain, passages, candidates, offset, min_score)
        return self._of_given([query], where, wanted, screen, candidates)[0]

    async def asearch(
        self,
        query: Query,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        passages: int = 3,
        screen: int | str | None = None,
        candidates: int | None = None,
        offset: int = 0,
        min_score: float | None = None,
    ) -> list[Hit]:
        """`search` for asyncio: it runs on a thread of the loop's executor, one that is idle where there is one.

        Cancelling the task ends it before its next request; an answer that is under way is awaited there, by nobody.
        """
        wanted = _wanted(k, explain, passages, candidates, offset, min_score)

        def work(going: Callable[[], None]) -> list[Hit]:
            return self._of_given([query], where, wanted, screen, candidates, going)[0]

        return await on_a_thread(work)

    def search_batch(
        self,
        queries: Sequence[str] | TokenVectors,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        passages: int = 3,
        screen: int | str | None = None,
        candidates: int | None = None,
        offset: int = 0,
        min_score: float | None = None,
    ) -> list[list[Hit]]:
        """`search` for many queries, in one request."""
        wanted = _wanted(k, explain, passages, candidates, offset, min_score)
        given = [*entries(queries)] if isinstance(queries, TokenVectors) else checks.listed_texts(queries, "queries")
        return self._of_given(given, where, wanted, screen, candidates)

    def _of_given(
        self,
        queries: Sequence[Query],
        where: Mapping[str, Any] | None,
        wanted: ranked.Wanted,
        screen: int | str | None,
        candidates: int | None,
        going: Callable[[], None] = lambda: None,
    ) -> list[list[Hit]]:
        def ask(given: Sequence[Query]) -> list[list[Hit]]:
            asked = [self._asking.query(query, screen) for query in given]
            going()
            return self._search(asked, where, wanted, screen, candidates)

        if all(isinstance(query, str) for query in queries):
            return of_texts([str(query) for query in queries], where, ask)
        return ask(queries)

    def _search(
        self,
        queries: Sequence[Mapping[int, TokenVectors]],
        where: Mapping[str, Any] | None,
        wanted: ranked.Wanted,
        screen: int | str | None,
        candidates: int | None,
    ) -> list[list[Hit]]:
        condition = self._condition(where)
        first = candidates or max(_CANDIDATES * wanted.documents, _FEWEST_CANDIDATES)
        first = max(first, wanted.first_limit)
        asks = [self._asking.ask(query, wanted, condition, screen, first) for query in queries]
        if not asks:
            return []
        wanted = replace(wanted, manifest=self._manifest(), dim=self.dim)
        return ranked.ranked(self._engine, asks, [query[self.dim] for query in queries], wanted)

    def _manifest(self) -> "Manifest | None":
        try:
            return self._model().manifest
        except StoreError:  # vectors of another encoder
            return None

    def train_centroids(self, count: int | None = None, *, progress: bool = False) -> int:
        """Make the centroids that `screen="centroids"` searches by, from a sample of the rows, and mark every document
        with its own; how many passages were marked. What is added later is marked as it comes, by stores that are
        opened from now on; what is not marked is scored in full.

        count  how many centroids; None: by the number of tokens, or, where there are some, none anew: only what is not
               marked yet is

        An interrupted call is finished by `train_centroids()`. Raises StoreError for a store made without `centroids`.
        """
        checks.optional_count("count", count)
        if not self._layout.centroids:
            raise StoreError(f"{self._name}: was made without room for centroids; make one with centroids=True")
        if self._asking.codebook is None or count is not None:
            codebook = training.trained(self._engine, self._layout, count)
            self._own["centroids"] = codebook.metadata()
            self._engine.set_metadata(self._own)
            self._asking.codebook = codebook
        with progress_bar(None, "marking", progress) as bar:
            return training.mark(self._engine, self._layout, self._asking.codebook, bar)

    def _condition(self, where: Mapping[str, Any] | None) -> Condition | None:
        return compiled(where, self._strings, foreign=self._foreign)

    def _strings(self, path: str) -> set[str]:
        """Every string that a field holds; of the field ID every document's id."""
        if path == ID:
            return {one.document for one in self._engine.scroll(_FIRST_OR_FOREIGN if self._foreign else _FIRST, [ID])}
        ours: Condition = {"key": FACTS, "match": {"value": facts.has_string(path)}}
        key = json_path(path)
        others: Condition = {"must": [FOREIGN], "must_not": [{"is_empty": {"key": key}}]}
        found: set[str] = set()
        for one in self._engine.scroll({"should": [ours, others]} if self._foreign else ours, [key]):
            value: Any = one.payload
            for part in path.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            found |= {text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)}
        return found


_FIRST: Condition = {"key": PASSAGE, "range": {"gte": 0, "lte": 0}}
_FIRST_OR_FOREIGN: Condition = {"should": [_FIRST, FOREIGN]}


def _twice(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _wanted(
    k: int, explain: bool, passages: int, candidates: int | None, offset: int, min_score: float | None
) -> ranked.Wanted:
    """Of what a caller gave. Raises InputError."""
    for name, value in (("k", k), ("passages", passages)):
        if not checks.is_count(value):
            raise InputError(f"{name}: found {value!r}, wanted a whole number from 1")
    checks.optional_count("candidates", candidates)
    return ranked.Wanted(
        k=int(k),
        passages=int(passages),
        explain=explain,
        offset=checks.whole("offset", offset),
        min_score=checks.optional_finite("min_score", min_score),
    )


def _rules(split: bool, passage_tokens: int, overlap_tokens: int, keep_text: bool) -> Rules:
    if not checks.is_count(passage_tokens):
        raise InputError(f"passage_tokens: found {passage_tokens!r}, wanted a whole number from 1")
    if overlap_tokens != 0 and not checks.is_count(overlap_tokens):
        raise InputError(f"overlap_tokens: found {overlap_tokens!r}, wanted a whole number from 0")
    return Rules(keep_text=keep_text, passage_tokens=passage_tokens if split else None, overlap_tokens=overlap_tokens)
