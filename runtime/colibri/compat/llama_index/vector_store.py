"""A vector store over an index or store of ours, which encodes texts itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)

from colibri.compat.llama_index.filters import as_where
from colibri.compat.llama_index.nodes import as_document, as_put, as_scored
from colibri.compat.not_here import not_here
from colibri.compat.opened import opened
from colibri.errors import InputError
from colibri.index import Hit, Index


class ColibriVectorStore(BasePydanticVectorStore):  # type: ignore[misc]  # no extra is where types are checked
    """Nodes by id in a `colibri.Index` or any `colibri.stores.Store`.

    index  one of those, or a folder, where an index is made if there is none
    model  what encodes texts there, as `colibri.Index.open` takes it; None: the index's own, of a new one the default

    Adding replaces nodes of the same ids. It needs no embedding model, but VectorStoreIndex insists on one when it
    inserts: give it `MockEmbedding(embed_dim=1)`, whose numbers go nowhere, or use a ColbertIndex. Similarities are
    `normalised`. Filters: `colibri.compat.llama_index.filters`.
    """

    stores_text: bool = True
    is_embedding_query: bool = False
    _index: Any = PrivateAttr()

    def __init__(self, index: Any, model: Any = None) -> None:
        found = opened(index, model, create=True)
        super().__init__(stores_text=True, is_embedding_query=False)
        self._index = found

    @classmethod
    def class_name(cls) -> str:
        """As LlamaIndex keeps it."""
        return "ColibriVectorStore"

    @property
    def client(self) -> Any:
        """What is behind it, for all that Colibri can do."""
        return self._index

    def add(self, nodes: Sequence[BaseNode], **_: Any) -> list[str]:
        """Add or replace; their ids. All or none. Raises InputError for metadata that JSON has no word for."""
        listed = [as_document(node) for node in nodes]
        self._index.upsert(listed)
        return [document.id for document in listed]

    def delete(self, ref_doc_id: str, **_: Any) -> None:
        """Delete the nodes of a document."""
        self._index.delete(where={"ref_doc_id": ref_doc_id})

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Delete nodes by id, or those that filters keep; with both those for which both hold. Unknown ids are no
        error. Raises InputError without either: that is `clear`."""
        where = as_where(filters)
        if node_ids is None and where is None:
            raise InputError("delete_nodes: neither node_ids nor filters; clear() deletes all")
        if node_ids is None:
            self._index.delete(where=where)
        else:
            self._index.delete(self._among(node_ids, where))

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | Mapping[str, Any] | None = None
    ) -> list[BaseNode]:
        """Nodes as they were put in: by id, in that order, or those that filters keep, or all."""
        where = as_where(filters)
        if node_ids is None:
            return [as_put(stored) for stored in self._index.documents(where)]
        return [as_put(stored) for stored in self._index.get(self._among(node_ids, where)) if stored is not None]

    def clear(self) -> None:
        """Delete all."""
        self._index.delete(where={})

    def query(self, query: VectorStoreQuery, **_: Any) -> VectorStoreQueryResult:
        """The best nodes for `query.query_str`, best first, with `metadata["colibri"]`.

        Raises NotHere for modes other than DEFAULT, InputError without a text, and as `Index.search` does.
        """
        return _result(self._index.search(query.query_str, **self._asked(query)))

    async def aquery(self, query: VectorStoreQuery, **_: Any) -> VectorStoreQueryResult:
        """`query` for asyncio: the event loop stays free, cancelling ends the search."""
        return _result(await self._index.asearch(query.query_str, **self._asked(query)))

    def _asked(self, query: VectorStoreQuery) -> dict[str, Any]:
        if query.mode != VectorStoreQueryMode.DEFAULT:
            not_here(
                f"Mode {query.mode.value}",
                "there is one row a token here, and MaxSim",
                'leave vector_store_query_mode at "default"',
            )
        if query.query_str is None:
            raise InputError("query_str: not given; Colibri encodes the text itself, and takes no embedding")
        asked: dict[str, Any] = {"k": query.similarity_top_k, "explain": True}
        parts = [part for part in (as_where(query.filters),) if part]
        if query.doc_ids:
            parts.append({"ref_doc_id": {"$in": list(query.doc_ids)}})
        # Empty is none, as VectorStoreIndex's own retriever says it for stores that keep texts.
        if query.node_ids and isinstance(self._index, Index):
            asked["ids"] = list(query.node_ids)
        elif query.node_ids:
            parts.append({"id": {"$in": list(query.node_ids)}})
        return asked | {"where": {"$and": parts} if parts else None}

    def _among(self, node_ids: Sequence[str], where: dict[str, Any] | None) -> list[str]:
        if where is None:
            return list(node_ids)
        kept = {stored.id for stored in self._index.documents(where)}
        return [one for one in node_ids if one in kept]


def _result(hits: Sequence[Hit]) -> VectorStoreQueryResult:
    found = [as_scored(hit) for hit in hits]
    return VectorStoreQueryResult(
        nodes=[one.node for one in found], similarities=[one.score for one in found], ids=[hit.id for hit in hits]
    )
