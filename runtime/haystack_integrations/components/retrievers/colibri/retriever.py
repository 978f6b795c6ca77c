"""A retriever over a ColibriDocumentStore."""

from asyncio import to_thread
from typing import Any

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.document_stores.types import FilterPolicy

from colibri.checks import is_count
from colibri.compat.found import Content
from colibri.errors import InputError, InputTypeError
from haystack_integrations.document_stores.colibri import ColibriDocumentStore


@component
class ColibriRetriever:
    """The best documents of a store, best first: a TextRetriever, since Colibri encodes the query itself.

    top_k          how many
    filters        in Haystack's words. filter_policy: whether a run's replace them, or (MERGE) must hold as well:
                   they never let through what these keep out
    scale_score    False: scores are raw MaxSim. True: `normalised`, at most 1, comparable between queries
    content        "passage": a document's best passage is its content, for a language model's window, and
                   `meta["colibri"]["passage"]` says where in the whole it stands; "document": all of it

    Documents have `score` and `meta["colibri"]` (`colibri.compat.found`), whose matches count in their content.
    """

    def __init__(
        self,
        document_store: ColibriDocumentStore,
        top_k: int = 10,
        filters: dict[str, Any] | None = None,
        scale_score: bool = False,
        filter_policy: FilterPolicy = FilterPolicy.REPLACE,
        content: Content = "passage",
    ) -> None:
        if not isinstance(document_store, ColibriDocumentStore):
            raise InputTypeError(
                f"document_store: found {type(document_store).__name__}, wanted a ColibriDocumentStore"
            )
        if not is_count(top_k):
            raise InputError(f"top_k: found {top_k!r}, wanted a whole number from 1")
        if content not in ("passage", "document"):
            raise InputError(f"content: found {content!r}, wanted 'passage' or 'document'")
        self.document_store = document_store
        self.top_k = int(top_k)
        self.filters = filters
        self.scale_score = scale_score
        self.filter_policy = FilterPolicy.from_str(filter_policy) if isinstance(filter_policy, str) else filter_policy
        self.content: Content = content

    def to_dict(self) -> dict[str, Any]:
        """What a saved pipeline keeps of it."""
        return dict(
            default_to_dict(
                self,
                document_store=self.document_store.to_dict(),
                top_k=self.top_k,
                filters=self.filters,
                scale_score=self.scale_score,
                filter_policy=self.filter_policy.value,
                content=self.content,
            )
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ColibriRetriever":
        """One as `to_dict` told of it."""
        words = dict(data.get("init_parameters", {}))
        if isinstance(words.get("document_store"), dict):
            words["document_store"] = ColibriDocumentStore.from_dict(words["document_store"])
        made: ColibriRetriever = default_from_dict(cls, {**data, "init_parameters": words})
        return made

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """Retrieve: {"documents": the best, best first}. A query of blanks asks nothing and finds nothing.

        Raises FilterError for filters that are none, InputError for a `top_k` below 1, and as `Index.search`.
        """
        found = self.document_store.retrieve(
            query,
            self._both(filters),
            self.top_k if top_k is None else top_k,
            scale_score=self.scale_score,
            content=self.content,
        )
        return {"documents": found}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """`run` on a thread: the event loop stays free."""
        found: dict[str, list[Document]] = await to_thread(self.run, query, filters, top_k)
        return found

    def _both(self, filters: dict[str, Any] | None) -> dict[str, Any] | None:
        # Haystack's merging drops the first filter for some of the second (findings/haystack_merged_filters_widen.sh).
        if self.filter_policy is FilterPolicy.MERGE and self.filters and filters:
            return {"operator": "AND", "conditions": [self.filters, filters]}
        return filters or self.filters

    def close(self) -> None:
        """Close the store, if it opened what it stands on."""
        self.document_store.close()

    async def close_async(self) -> None:
        """As `close`."""
        await self.document_store.close_async()
