"""A retriever over an index or store of ours, whoever filled it."""

from collections.abc import Mapping
from typing import Any

from llama_index.core.callbacks import CallbackManager
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.vector_stores.types import MetadataFilters

from colibri.compat.found import Content
from colibri.compat.llama_index.filters import as_where
from colibri.compat.llama_index.nodes import as_scored
from colibri.compat.opened import opened


class ColibriRetriever(BaseRetriever):  # type: ignore[misc]  # no extra is where types are checked
    """The best documents of an index as nodes, best first.

    index             a `colibri.Index`, any `colibri.stores.Store`, or the folder of an index that is there
    similarity_top_k  how many; min_score: least `normalised` of what is returned
    filters           MetadataFilters, or a `colibri.index.where`
    content           of a document that LlamaIndex did not put in: "passage", its best one is the node's text;
                      "document": all of it

    `aretrieve` leaves the event loop free, and cancelling it ends the search. Errors are those of `Index.search`.
    """

    def __init__(
        self,
        index: Any,
        similarity_top_k: int = 10,
        filters: MetadataFilters | Mapping[str, Any] | None = None,
        *,
        min_score: float | None = None,
        content: Content = "passage",
        callback_manager: CallbackManager | None = None,
        object_map: dict[str, Any] | None = None,
        verbose: bool = False,
    ) -> None:
        self.index = opened(index)
        """What it searches, for all that Colibri can do."""
        self._asked: dict[str, Any] = {
            "k": similarity_top_k,
            "where": as_where(filters),
            "min_score": min_score,
            "explain": True,
        }
        self._content = content
        super().__init__(callback_manager=callback_manager, object_map=object_map, verbose=verbose)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [as_scored(hit, self._content) for hit in self.index.search(query_bundle.query_str, **self._asked)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = await self.index.asearch(query_bundle.query_str, **self._asked)
        return [as_scored(hit, self._content) for hit in hits]
