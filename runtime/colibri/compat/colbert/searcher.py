"""Searcher: questions to an index, answered exactly."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from colibri.compat.colbert import index_folder
from colibri.compat.colbert.asserted import NotThere, check
from colibri.compat.colbert.data.collection import Collection
from colibri.compat.colbert.data.queries import Queries
from colibri.compat.colbert.data.ranking import Ranking
from colibri.compat.colbert.infra.config.config import ColBERTConfig
from colibri.compat.colbert.infra.run import Run
from colibri.compat.colbert.modeling.checkpoint import Checkpoint
from colibri.compat.handing import handed, taken
from colibri.compat.not_here import not_here
from colibri.compat.options import loaded
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.index import Index
    from colibri.vectors import TokenVectors

_MOST_RANKS = 1_000_000
Found = tuple[list[int], list[int], list[float]]


class Searcher:
    """`Searcher(index="notes").search("question", k=10)`.

    index       a name below root/experiment/indexes/ (or `index_root`), or a path
    checkpoint  any name that `colibri.load` takes, or a Checkpoint; None: the one the index was made with
    collection  texts by pid; None: those that the index holds. A folder of PLAID's files is encoded anew from them, or
                from its collection.json, once, into a folder of the same name and ".colibri"

    Raises NotThere (also a FileNotFoundError) where there is no index, StoreError for one of another model, NotHere for
    PLAID's files without texts.
    """

    def __init__(
        self,
        index: str | os.PathLike[str],
        checkpoint: Any = None,
        collection: Any = None,
        config: Any = None,
        index_root: str | os.PathLike[str] | None = None,
        verbose: int = 3,
    ) -> None:
        self.verbose = verbose
        initial = ColBERTConfig.from_existing(config, Run().config)
        named = index_folder.checked_name(index, "index")
        self.index = os.path.join(index_root or initial.index_root_, named)  # noqa: PTH118 - a str, as users join it
        folder = Path(self.index)
        if not folder.is_dir():
            index_folder.restored(folder)
        if not folder.is_dir():
            raise NotThere(2, "no index there; Indexer(...).index(...) makes one", self.index)
        self.index_config = ColBERTConfig.load_from_index(folder)
        name = checkpoint if checkpoint is not None else self.index_config.checkpoint
        model = name.colibri if isinstance(name, Checkpoint) else loaded(name)
        given = None if collection is None else Collection.cast(collection)
        there = None if index_folder.is_plaid(folder) else index_folder.opened(folder, model)
        lengths = ColBERTConfig.from_existing(index_folder.lengths_of(self.index_config), initial)
        if there is not None:
            lengths.set("dim", there.dim)
        self.checkpoint = Checkpoint(model, lengths, verbose=verbose)
        if isinstance(name, str | os.PathLike):
            self.checkpoint.name = os.fspath(name)
        self.config = self.checkpoint.colbert_config
        if there is None:
            there = index_folder.opened(index_folder.reencoded(folder, self.checkpoint, given, self.config), model)
        self._index: Index = there
        self.collection = given or Collection(data=Texts(self._index))
        self.configure(checkpoint=self.checkpoint.name, collection=self.collection)

    def configure(self, **settings: Any) -> None:
        """Set several of `config`: query_maxlen has an effect, ncells, ndocs and their like have none."""
        self.config.configure(**settings)

    def encode(self, text: Any, full_length_search: bool = False) -> Any:
        """Rows of one query or a list, (n, query_maxlen, dim)."""
        self.checkpoint.query_tokenizer.query_maxlen = self.config.query_maxlen
        queries = text if isinstance(text, list) else [text]
        return self.checkpoint.queryFromText(queries, full_length_search=full_length_search)

    def search(
        self,
        text: str,
        k: int = 10,
        filter_fn: Callable[[Any], Any] | None = None,
        full_length_search: bool = False,
        pids: Sequence[int] | None = None,
    ) -> Found:
        """The k best passages: (pids, ranks from 1 to k, scores), raw MaxSim, falling. Exact: every passage counts.

        filter_fn  is given the pids (those of `pids`, else all) as int32, and gives those that may be found
        pids       search among these alone; unknown ones are no error

        Fewer than k passages give shorter lists of pids and scores; the ranks are always k (a million at most, or as
        many as the passages), so read them by `zip`.
        """
        return self._found(self._queries([text], full_length_search), k, filter_fn, pids)

    def search_all(
        self,
        queries: Any,
        k: int = 10,
        filter_fn: Callable[[Any], Any] | None = None,
        full_length_search: bool = False,
        qid_to_pids: Any = None,
    ) -> Ranking:
        """`search` for every query of a dict {qid: text}, a path or Queries."""
        asked = Queries.cast(queries)
        qids = list(asked.keys())
        vectors = self._queries(list(asked.values()), full_length_search)
        data = {}
        for i, qid in enumerate(qids):
            own = None if qid_to_pids is None else qid_to_pids[qid]
            data[qid] = list(zip(*self._found(_one(vectors, i), k, filter_fn, own), strict=False))
        provenance = {"source": "Searcher::search_all", "queries": asked.provenance(), "k": k}
        return Ranking(data=data, provenance=provenance | {"config": self.config.export()})

    def dense_search(
        self,
        Q: Any,
        k: int = 10,
        filter_fn: Callable[[Any], Any] | None = None,
        pids: Sequence[int] | None = None,
    ) -> Found:
        """`search` for rows of one query, (1, tokens, dim) or (tokens, dim), weights folded in."""
        rows = taken(Q, "float32")
        check(rows.ndim in (2, 3) and (rows.ndim == 2 or len(rows) == 1), f"Q: {rows.shape}, wanted rows of one query")
        return self._found(rows.reshape(rows.shape[-2:]), k, filter_fn, pids)

    def _queries(self, texts: list[str], full_length: bool) -> "TokenVectors":
        return self.checkpoint.query_vectors(texts, length=self.config.query_maxlen, full_length=full_length)

    def _found(self, query: Any, k: int, filter_fn: Callable[[Any], Any] | None, pids: Sequence[int] | None) -> Found:
        among = self._among(filter_fn, pids)
        ids = None if among is None else [str(pid) for pid in among]
        hits = self._index.search(query, k, ids=ids, passages=1)
        ranks = k if k <= _MOST_RANKS else min(k, max(len(hits), _MOST_RANKS))  # a list of 10**12 would be the end
        return [int(hit.id) for hit in hits], list(range(1, ranks + 1)), [hit.score for hit in hits]

    def _among(self, filter_fn: Callable[[Any], Any] | None, pids: Sequence[int] | None) -> list[int] | None:
        import numpy as np

        given = None if pids is None else taken(pids if hasattr(pids, "shape") else list(pids)).reshape(-1)
        if given is not None and given.size and given.dtype.kind not in "iu":
            raise InputError(f"pids: found {given.dtype}, wanted whole numbers")
        if filter_fn is not None:
            every = index_folder.pids(self._index) if given is None else given
            given = taken(filter_fn(handed(np.array(every, np.int32)))).reshape(-1)
            if given.size and given.dtype.kind not in "iu":
                raise InputError(f"filter_fn: gave {given.dtype}, wanted the pids to keep, whole numbers")
        return None if given is None else [int(pid) for pid in given]

    def __getattr__(self, name: str) -> Any:
        if name == "ranker":
            not_here("Searcher.ranker", "there are no PLAID structures", "use search, which scores every passage")
        raise AttributeError(f"'Searcher' object has no attribute {name!r}")


class Texts(Sequence[str]):
    """The texts of an index by pid, read when they are asked for."""

    def __init__(self, index: "Index") -> None:
        self._index = index

    def __len__(self) -> int:
        return index_folder.next_pid(self._index)

    @overload
    def __getitem__(self, item: int) -> str: ...
    @overload
    def __getitem__(self, item: slice) -> list[str]: ...
    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, slice):
            return [self[pid] for pid in range(*item.indices(len(self)))]
        pid = int(item) + (len(self) if item < 0 else 0)
        (found,) = self._index.get(str(pid))
        if found is None:
            raise IndexError(f"passage {item}: not in the index, or removed from it")
        return found.text or ""

    def __iter__(self) -> Iterator[str]:
        return (stored.text or "" for stored in self._index.documents())


def _one(queries: "TokenVectors", i: int) -> "TokenVectors":
    from colibri.vectors import TokenVectors

    own = slice(queries.starts[i], queries.starts[i + 1])
    weights = None if queries.weights is None else queries.weights[own]
    starts = queries.starts[i : i + 2] - queries.starts[i]
    return TokenVectors(queries.rows[own], starts, weights=weights, space_id=queries.space_id)
