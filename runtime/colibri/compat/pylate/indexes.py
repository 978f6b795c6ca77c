"""`indexes.PLAID` and `indexes.Voyager`: rows that were encoded before, kept in a `colibri.Index` and found exactly.

Nothing is trained or approximated: what PLAID's and Voyager's options trade for speed is not traded. Rows are kept as
int8 with a scale each, which moves a score by less than one in a hundred.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colibri.compat.bare_rows import packed, separate
from colibri.compat.not_here import absent, not_here
from colibri.compat.options import without_effect
from colibri.compat.pylate.rank import RerankResult
from colibri.errors import InputError, InputTypeError, StoreDamaged

if TYPE_CHECKING:
    from colibri.index import Index

__all__ = ["PLAID", "WARP", "ScaNN", "TachiomIndex", "Voyager"]

Ids = Iterable[object]
"""Strings and whole numbers, numpy's as well."""


class PLAID:
    """Documents' rows by id in the folder `index_folder`/`index_name`; what was there stays unless `override`.

    The width is that of the first documents added. Every option but these three has no effect. Raises NotHere for a
    folder that another package wrote, StoreError for one that cannot be read.
    """

    is_end_to_end_index = True

    def __init__(
        self,
        index_folder: str | os.PathLike[str] = "indexes",
        index_name: str = "colbert",
        override: bool = False,
        use_fast: bool | None = None,
        nbits: int | None = None,
        kmeans_niters: int | None = None,
        max_points_per_centroid: int | None = None,
        n_samples_kmeans: int | None = None,
        seed: int | None = None,
        use_triton: bool | None = None,
        n_ivf_probe: int | None = None,
        n_full_scores: int | None = None,
        batch_size: int | None = None,
        num_threads: int | None = None,
        show_progress: bool | None = None,
        device: Any = None,
        low_memory: bool | None = None,
        *,
        embedding_size: int | None = None,
        nranks: int | None = None,
        index_bsize: int | None = None,
        ndocs: int | None = None,
        centroid_score_threshold: float | None = None,
        ncells: int | None = None,
        search_batch_size: int | None = None,
    ) -> None:
        without_effect("indexes.PLAID", use_fast=use_fast, nbits=nbits, kmeans_niters=kmeans_niters, seed=seed)
        without_effect("indexes.PLAID", max_points_per_centroid=max_points_per_centroid, use_triton=use_triton)
        without_effect("indexes.PLAID", n_samples_kmeans=n_samples_kmeans, n_ivf_probe=n_ivf_probe, device=device)
        without_effect("indexes.PLAID", n_full_scores=n_full_scores, batch_size=batch_size, num_threads=num_threads)
        without_effect("indexes.PLAID", show_progress=show_progress, low_memory=low_memory, nranks=nranks)
        without_effect("indexes.PLAID", embedding_size=embedding_size, index_bsize=index_bsize, ndocs=ndocs)
        without_effect("indexes.PLAID", centroid_score_threshold=centroid_score_threshold, ncells=ncells)
        without_effect("indexes.PLAID", search_batch_size=search_batch_size)
        self._folder = Path(index_folder) / index_name
        self._index = _there(self._folder, override)

    def add_documents(
        self, documents_ids: str | Ids, documents_embeddings: Any, batch_size: int | None = None
    ) -> "PLAID":
        """Add documents, all of them or none; those whose ids are there are replaced. Gives itself.

        documents_ids: strings or whole numbers, given back as they are. documents_embeddings: for each a (tokens, dim)
        array or tensor. Raises InputError for ids that are none or not as many, ShapeError for rows of another width.
        """
        without_effect("add_documents", batch_size=batch_size)
        ids = [documents_ids] if isinstance(documents_ids, str) else list(documents_ids)
        keys = [_key(one) for one in ids]
        rows = separate(documents_embeddings, "documents_embeddings")
        if len(ids) != len(rows):
            raise InputError(f"found {len(ids)} documents_ids for {len(rows)} documents_embeddings, wanted as many")
        if not ids:
            return self
        vectors = packed(rows, "documents_embeddings", drop_padding=True)
        if self._index is None:
            from colibri.index import Index

            self._index = Index.open(self._folder, dim=vectors.dim, space_id="")
        self._index.upsert(
            {"id": key, "vectors": own, "payload": {"id": _plain(one)}}
            for key, own, one in zip(keys, vectors, ids, strict=True)
        )
        return self

    def remove_documents(self, documents_ids: str | Ids) -> "PLAID":
        """Remove documents by id; ids that are not there are passed over. Gives itself."""
        ids = [documents_ids] if isinstance(documents_ids, str) else list(documents_ids)
        keys = [_key(one) for one in ids]
        if self._index is not None and keys:
            self._index.delete(keys)
        return self

    def update_documents(self, documents_ids: str | Ids, documents_embeddings: Any) -> "PLAID":
        """As `add_documents`, which replaces."""
        return self.add_documents(documents_ids, documents_embeddings)

    def __call__(
        self, queries_embeddings: Any, k: int = 10, subset: Sequence[Any] | None = None
    ) -> list[list[RerankResult]]:
        """For each query its k best documents, best first: [{"id", "score"}].

        queries_embeddings: a list of (tokens, dim) arrays or tensors, a padded (n, tokens, dim), or (tokens, dim) for
        one query. subset: ids to search among, one list for all queries or one for each; ids that are not there are
        passed over. Raises InputError for an index without documents.
        """
        index = self._index = self._index or _there(self._folder, override=False)  # another process made it meanwhile
        if index is None or not len(index):
            raise InputError("The index is empty. Please add documents before querying.")
        if isinstance(queries_embeddings, list | tuple) and not queries_embeddings:
            return []
        queries = packed(queries_embeddings, "queries_embeddings", drop_padding=False)
        if subset is None:
            found = index.search_batch(queries, k)
        else:
            found = [
                index.search(rows, k, ids=keys)
                for rows, keys in zip(queries, _subsets(subset, len(queries)), strict=True)
            ]
        return [[{"id": (hit.payload or {})["id"], "score": hit.score} for hit in hits] for hits in found]

    def get_documents_embeddings(self, document_ids: Sequence[Ids]) -> list[list[Any]]:
        """Rows of documents by id, as they are kept: for each list of ids a list of (tokens, dim) float32 arrays.

        Raises InputError for an id that is not there.
        """
        return [[self._rows(one) for one in ids] for ids in document_ids]

    def _rows(self, one: object) -> Any:
        found = self._index.get(_key(one), vectors=True)[0] if self._index is not None else None
        if found is None or found.vectors is None:
            raise InputError(f"document {one!r} is not in the index")
        return found.vectors.dequantize().rows


class Voyager(PLAID):
    """The same index under the name of PyLate's other one: exact, so `M` and the two `ef_` options have no effect."""

    def __init__(
        self,
        index_folder: str | os.PathLike[str] = "indexes",
        index_name: str = "colbert",
        override: bool = False,
        embedding_size: int | None = None,
        M: int | None = None,
        ef_construction: int | None = None,
        ef_search: int | None = None,
    ) -> None:
        without_effect("indexes.Voyager", M=M, ef_construction=ef_construction, ef_search=ef_search)
        super().__init__(index_folder, index_name, override, embedding_size=embedding_size)


_ONE = "Colibri has one index, which is exact"
ScaNN = absent("pylate.indexes.ScaNN", _ONE, "use indexes.PLAID")
WARP = absent("pylate.indexes.WARP", _ONE, "use indexes.PLAID")
TachiomIndex = absent("pylate.indexes.TachiomIndex", _ONE, "use indexes.PLAID")


def _there(folder: Path, override: bool) -> "Index | None":
    """The index in a folder, opened; None where there is none yet, or none any more."""
    import shutil

    from colibri.index import Index, is_index_folder, unwritten

    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    if not names:
        return None
    if not is_index_folder(names):
        not_here(
            f"Opening {folder}",
            "its files are not Colibri's, and PLAID's hold codes of rows that cannot be had back",
            "name another index_folder or index_name and add the documents again",
        )
    try:
        opened = Index.open(folder, create=False, space_id="")  # StoreError for one of texts, which stays
        if not override:
            return opened
        opened.close()
    except StoreDamaged:
        if not override:
            raise
    gone = folder.with_name(f".{folder.name}.{os.urandom(16).hex()}.gone")  # at once: what is half deleted is no index
    with unwritten(folder):
        folder.rename(gone)
    shutil.rmtree(gone)
    return None


def _key(one: object) -> str:
    """Colibri's id: 5 and "5" are two documents."""
    plain = _plain(one)
    return f"s:{plain}" if isinstance(plain, str) else f"i:{plain}"


def _plain(one: object) -> int | str:
    """An id as Python's own type. Raises InputTypeError for what is neither a string nor a whole number."""
    if isinstance(one, str):
        return str(one)
    if not isinstance(one, bool) and hasattr(one, "__index__"):
        return int(one.__index__())
    raise InputTypeError(f"documents_ids: found {one!r}, wanted strings or whole numbers")


def _subsets(subset: Sequence[Any], queries: int) -> list[list[str]]:
    """Colibri's ids for each query."""
    nested = [isinstance(part, list | tuple | set | range) for part in subset]
    if not any(nested):
        return [[_key(one) for one in subset]] * queries
    if not all(nested) or len(subset) != queries:
        raise InputError(f"subset: found {len(subset)} entries for {queries} queries, wanted ids or a list of ids each")
    return [[_key(one) for one in part] for part in subset]
