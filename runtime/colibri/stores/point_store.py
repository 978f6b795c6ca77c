"""A store whose documents are points of an engine: the contract of `Store`, whatever the engine is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colibri import checks
from colibri.errors import InputError, InputTypeError, ShapeError, StoreDamaged, StoreError
from colibri.index import Document, Hit, IndexModel, Stored, id_list
from colibri.machine import progress_bar
from colibri.stores import incoming, ranked
from colibri.stores.centroids import Codebook
from colibri.stores.engine import Ask, Engine
from colibri.stores.filters import FACTS, FOREIGN, ID, OURS, PASSAGE, Condition, compiled, json_path
from colibri.stores.incoming import Incoming, Rules
from colibri.stores.layout import Layout
from colibri.stores.points import Found, point_id, restored, token_spans
from colibri.stores.writing import Writer
from colibri.tokens import OVERLAP_TOKENS, PASSAGE_TOKENS
from colibri.vectors import TokenVectors

Documents = Iterable[Document | Mapping[str, Any]]
Query = str | TokenVectors | ArrayLike | Mapping[int, TokenVectors | ArrayLike]

_AT_ONCE = 500  # ids of one request
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
        codebook: Codebook | None,
    ) -> None:
        self._engine = engine
        self._layout = layout
        self._model = model
        self._name = name
        self._space_id = space_id
        self._batch_bytes = batch_bytes
        self._foreign = foreign
        self._codebook = codebook
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
    def space_id(self) -> str:
        """Which model's rows it holds; "" unknown."""
        return self._space_id

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, found_id: str) -> bool:
        return self.get(found_id)[0] is not None

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
        given = incoming.read(documents, self._layout, self._space_id)
        names = [one.document.id for one in given]
        there = _twice(names) or next((name for name in self._there(names) if name not in self._unfinished), None)
        if there is not None:
            raise InputError(f"documents: {there!r} is there already, or given twice; `upsert` replaces")
        rules = _rules(split, passage_tokens, overlap_tokens, keep_text)
        try:
            self._write(given, rules, replace_them=bool(self._unfinished & set(names)), progress=progress)
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
        given = incoming.read(documents, self._layout, self._space_id)
        last = {one.document.id: one for one in given}
        rules = _rules(split, passage_tokens, overlap_tokens, keep_text)
        self._write(list(last.values()), rules, replace_them=True, progress=progress)
        return len(given)

    def _write(
        self, given: list[Incoming], rules: Rules, *, replace_them: bool, progress: bool | Callable[[int], object]
    ) -> None:
        if not given:
            return
        model = self._model() if any(one.passages is None for one in given) else None
        writer = Writer(
            engine=self._engine,
            layout=self._layout,
            space_id=self._space_id,
            keep_text=rules.keep_text,
            batch_bytes=self._batch_bytes,
            replace=replace_them,
            sparse=None if self._codebook is None else self._codebook.sparse_of,
        )
        with progress_bar(len(given), "storing", progress is True) as bar:
            writer.run(self._with_passages(given, model, rules), len(given), progress if callable(progress) else bar)

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
            found |= {one.document for one in self._engine.retrieve(some)}
        return found

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
        listed = [ids] if isinstance(ids, str) else list(ids)
        names = id_list(listed)
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
        if self._foreign and (foreign := [key for name in names if name not in firsts for key in _foreign_ids(name)]):
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
        return TokenVectors(np.concatenate(rows), starts, joined, space_id=self._space_id)

    def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many documents there are, or a filter keeps."""
        condition = self._condition(where)
        first: Condition = {"should": [_FIRST, FOREIGN]} if self._foreign else _FIRST
        return self._engine.count(first if condition is None else {"must": [first, condition]})

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
    ) -> list[Hit]:
        """The k best documents by their best passage, best first; exact unless `screen` is given.

        query       a text, vectors of one query, or rows (tokens, dim); where a width screens, a mapping of both
        where       a filter over payloads (`colibri.index.where`)
        screen      a width that is kept beside the one that ranks: its rows choose `candidates` passages, which alone
                    are scored; or "centroids" (`train_centroids`). Both in one request
        candidates  how many; None: 10 times k, and at least 200
        """
        asked = self._query(query, screen)
        return self._search([asked], k, where, explain, passages, screen, candidates)[0]

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
    ) -> list[list[Hit]]:
        """`search` for many queries, in one request."""
        if isinstance(queries, TokenVectors):
            asked = [self._query(_entry(queries, i), screen) for i in range(len(queries))]
        else:
            asked = [self._query(text, screen) for text in checks.listed_texts(queries, "queries")]
        return self._search(asked, k, where, explain, passages, screen, candidates)

    def _search(
        self,
        queries: Sequence[Mapping[int, TokenVectors]],
        k: int,
        where: Mapping[str, Any] | None,
        explain: bool,
        passages: int,
        screen: int | str | None,
        candidates: int | None,
    ) -> list[list[Hit]]:
        for name, value in (("k", k), ("passages", passages)):
            if not checks.is_count(value):
                raise InputError(f"{name}: found {value!r}, wanted a whole number from 1")
        checks.optional_count("candidates", candidates)
        wanted = ranked.Wanted(k=int(k), passages=int(passages), explain=explain)
        condition = self._condition(where)
        first = candidates or max(_CANDIDATES * wanted.k, _FEWEST_CANDIDATES)
        asks = [self._ask(query, wanted, condition, screen, max(first, wanted.first_limit)) for query in queries]
        if not asks:
            return []
        return ranked.ranked(self._engine, asks, [query[self.dim] for query in queries], wanted)

    def _ask(
        self,
        query: Mapping[int, TokenVectors],
        wanted: ranked.Wanted,
        condition: Condition | None,
        screen: int | str | None,
        candidates: int,
    ) -> Ask:
        using = self._layout.names[self.dim]
        rows = _folded(query[self.dim])
        whole = Ask(
            using=using,
            rows=rows,
            limit=wanted.first_limit,
            condition=condition,
            vectors=(using,) if wanted.explain else (),
            spans=wanted.explain,
        )
        if screen is None:
            return whole
        if screen == CENTROIDS_WORD:
            assert self._codebook is not None
            return replace(whole, prefetch=self._codebook.prefetch(query[self.dim], using, rows, candidates, condition))
        assert isinstance(screen, int)
        narrow = Ask(
            using=self._layout.names[screen], rows=_folded(query[screen]), limit=candidates, condition=condition
        )
        return replace(whole, prefetch=(narrow,))

    def _query(self, query: Query, screen: int | str | None) -> dict[int, TokenVectors]:
        """A query's rows of the width that ranks, and of the one that screens."""
        widths = [self.dim]
        if screen == CENTROIDS_WORD:
            if self._codebook is None:
                raise StoreError(f"{self._name}: has no centroids yet; `train_centroids` makes them")
        elif screen is not None:
            if isinstance(screen, bool) or screen not in self.dims[1:]:
                others = ", ".join(map(str, self.dims[1:])) or "no other width"
                raise InputError(
                    f"screen: found {screen!r}, wanted a narrower width that is kept ({others}) or 'centroids'"
                )
            widths.append(int(screen))
        if isinstance(query, str):
            return dict(self._model().loaded().encode_queries([query], widths))
        given: Mapping[int, Any] = query if isinstance(query, Mapping) else {self.dim: query}
        if lacking := [dim for dim in widths if dim not in given]:
            raise ShapeError(f"query: no rows of width {lacking[0]}; give {{width: rows}} for {widths}, or a text")
        return {dim: self._checked(given[dim], dim) for dim in widths}

    def _checked(self, query: TokenVectors | ArrayLike, dim: int) -> TokenVectors:
        if not isinstance(query, TokenVectors):
            rows = np.asarray(query)
            if rows.dtype.kind != "f" or rows.ndim != 2:
                raise InputTypeError(f"query: found {rows.dtype} {rows.shape}, wanted a text or (tokens, dim) float32")
            with np.errstate(over="ignore"):  # what overflows is not finite, which is refused
                query = TokenVectors(rows.astype(np.float32), np.array([0, len(rows)], np.int64))
        if len(query) != 1:
            raise ShapeError(f"search takes one query, found {len(query)}; search_batch takes many")
        if query.dim != dim:
            raise ShapeError(f"query has dim {query.dim}, the store has {dim}")
        if query.space_id and self._space_id and query.space_id != self._space_id:
            raise ShapeError("query and store are of different models' spaces: encode the query with the store's")
        if not len(query.rows):
            raise ShapeError("query: no rows")
        query = query.dequantize()
        incoming.check_rows(_folded(query), [len(query.rows)], dim, "query", cosine=self._layout.cosine)
        return query

    def _condition(self, where: Mapping[str, Any] | None) -> Condition | None:
        return compiled(where, self._strings, foreign=self._foreign)

    def _strings(self, path: str) -> set[str]:
        """Every string that a field holds."""
        from colibri.stores import facts  # noqa: PLC0415 - the module; its function has its name

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


CENTROIDS_WORD = "centroids"
_FIRST: Condition = {"key": PASSAGE, "range": {"gte": 0, "lte": 0}}


def _folded(query: TokenVectors) -> NDArray[np.float32]:
    """Rows times their weights: the engine knows no weights."""
    rows: NDArray[np.float32] = query.rows
    return rows if query.weights is None else rows * query.weights[:, None]


def _entry(queries: TokenVectors, i: int) -> TokenVectors:
    own = slice(queries.starts[i], queries.starts[i + 1])
    return TokenVectors(
        queries.rows[own],
        np.array([0, own.stop - own.start], np.int64),
        None if queries.spans is None else queries.spans[own],
        None if queries.weights is None else queries.weights[own],
        queries.space_id,
        scales=None if queries.scales is None else queries.scales[own],
    )


def _twice(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _rules(split: bool, passage_tokens: int, overlap_tokens: int, keep_text: bool) -> Rules:
    if not checks.is_count(passage_tokens):
        raise InputError(f"passage_tokens: found {passage_tokens!r}, wanted a whole number from 1")
    if overlap_tokens != 0 and not checks.is_count(overlap_tokens):
        raise InputError(f"overlap_tokens: found {overlap_tokens!r}, wanted a whole number from 0")
    return Rules(keep_text=keep_text, passage_tokens=passage_tokens if split else None, overlap_tokens=overlap_tokens)


def _foreign_ids(name: str) -> list[str | int]:
    """The ids of points that a document id may be: a server's are UUIDs and whole numbers."""
    import uuid  # noqa: PLC0415

    if name.isascii() and name.isdigit() and int(name) < 1 << 64 and str(int(name)) == name:
        return [int(name)]
    try:
        return [name] if str(uuid.UUID(name)) == name else []
    except ValueError:
        return []
