"""A retriever over an index or store of ours."""

from collections.abc import Mapping
from typing import Any

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from colibri.compat.found import Content
from colibri.compat.langchain.documents import as_found
from colibri.compat.opened import opened


class ColibriRetriever(BaseRetriever):  # type: ignore[misc]  # no extra is where types are checked
    """The best documents of an index, best first.

    index      a `colibri.Index`, any `colibri.stores.Store`, or the folder of an index that is there
    k          how many; filter: a `colibri.index.where`; min_score: least `normalised` of what is returned
    content    "passage": a document's best passage is its page_content, for a language model's window; "document": all

    All but index can be given to a call too: `retriever.invoke("...", k=3, filter={"lang": "en"})`. `ainvoke` leaves
    the event loop free, and cancelling it ends the search. Errors are those of `Index.search`, before any work.
    """

    index: Any
    k: int = 4
    filter: Mapping[str, Any] | None = None
    min_score: float | None = None
    content: Content = "passage"

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    def __init__(self, index: Any, **given: Any) -> None:
        """Not in pydantic's hooks, which make other errors of ours."""
        super().__init__(index=opened(index), **given)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: Any,
        k: int | None = None,
        filter: Mapping[str, Any] | None = None,
        min_score: float | None = None,
        content: Content | None = None,
    ) -> list[Document]:
        hits = self.index.search(query, **self._asked(k, filter, min_score))
        return [as_found(hit, content or self.content) for hit in hits]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: Any,
        k: int | None = None,
        filter: Mapping[str, Any] | None = None,
        min_score: float | None = None,
        content: Content | None = None,
    ) -> list[Document]:
        hits = await self.index.asearch(query, **self._asked(k, filter, min_score))
        return [as_found(hit, content or self.content) for hit in hits]

    def _asked(self, k: int | None, filter: Mapping[str, Any] | None, min_score: float | None) -> dict[str, Any]:
        return {
            "k": self.k if k is None else k,
            "where": self.filter if filter is None else filter,
            "min_score": self.min_score if min_score is None else min_score,
            "explain": True,
        }
